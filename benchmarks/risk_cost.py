"""
The cost of being watched: a maker with the ledger and every risk actor, against the same maker alone.

By default a maker requotes on every price move of a synthetic market on a margin account. Every limit is set, so that
every rule is asked, and none is reached, so that the orders are the same. With `--setup`, it is the system of a setup
with the limits that it has, on its own data. All run in one process, in turn, timed by CPU time. Prints JSON with the
ratios of the medians: of the risk actors to the same run without them, and of the ledger and the risk actors to the
maker alone. At most 1.10 is asked for of both; `passed` says it of each. On a busy machine look at the ratios of the
minima as well, and at the spread: how far the slowest run of each kind is above its fastest.

    uv run python -m benchmarks.risk_cost [--setup FILE --catalog DIR]
"""

import gc
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import msgspec
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money

from actors.ledger import Ledger, LedgerConfig
from benchmarks.maker_cost import INSTRUMENT, MODEL, SIZES, load
from data_catalog.instruments import currency
from runtime.engine import build_engine, engine_config
from runtime.prepare import PreparedBacktest, prepare_backtest
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.risk.settings import RiskSettings
from runtime.setup.load import load_setup
from runtime.setup.sections import Latency
from runtime.venue.fills import FILL_ASSUMPTIONS
from strategies.avellaneda_stoikov import AvellanedaStoikov, AvellanedaStoikovConfig

AT_MOST = 1.10
LIMITS = RiskSettings(
    max_position_qty={INSTRUMENT.value: Decimal(100)},
    max_order_qty={INSTRUMENT.value: Decimal(50)},
    max_order_notional_quote=Decimal(50_000),
    max_instrument_notional_quote=Decimal(60_000),
    max_strategy_notional_quote=Decimal(60_000),
    max_strategy_net_notional_quote=Decimal(60_000),
    max_gross_notional_quote=Decimal(60_000),
    max_net_notional_quote=Decimal(60_000),
    max_leverage=Decimal(5),
    min_free_margin_pct=Decimal(10),
    price_collar_bps=Decimal(500),
    max_orders_per_10s=100_000,
    order_reserve=10,
    duplicate_window_secs=Decimal("0.001"),
    max_data_age_secs=Decimal(30),
    max_clock_skew_secs=Decimal(5),
    max_price_move_bps=Decimal(5_000),
    max_drawdown_pct=Decimal(90),
    max_loss_pct=Decimal(90),
    max_daily_loss_pct=Decimal(90),
    stop_loss_pct=Decimal(50),
    trailing_stop_pct=Decimal(50),
    max_fills_per_window=100_000,
    max_rejections_per_window=100_000,
)


type Build = Callable[[str], tuple[BacktestEngine, RiskControls | None]]
"""Returns an engine without data for one of `KINDS`, with its risk controls where it has some."""

KINDS = ("alone", "ledger", "ledger and risk")


def synthetic(instrument: Any, fills: str) -> Build:
    """Return what builds a maker that requotes on every price move."""

    def build(kind: str) -> tuple[BacktestEngine, RiskControls | None]:
        engine = BacktestEngine(engine_config())
        FILL_ASSUMPTIONS[fills].add_venue(  # type: ignore[index]
            engine,
            Latency(),
            seed=1,
            venue=Venue("BINANCE"),
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            starting_balances=[Money(100_000, currency("USDT"))],
            base_currency=currency("USDT"),
            default_leverage=Decimal(10),
        )
        engine.add_instrument(instrument)
        controls = None
        if kind != "alone":
            engine.add_actor(Ledger(LedgerConfig(instrument_ids=(INSTRUMENT,), currency="USDT")))
        if kind == "ledger and risk":
            controls = add_risk_controls(engine.kernel, LIMITS, RiskContext((INSTRUMENT,), Decimal(10), 10))
        engine.add_strategy(AvellanedaStoikov(AvellanedaStoikovConfig(**SIZES, **MODEL)))
        return engine, controls

    return build


def of_setup(prepared: PreparedBacktest) -> Build:
    """Return what builds the system of a setup."""
    loaded = prepared.loaded
    unlimited = replace(prepared, loaded=replace(loaded, setup=msgspec.structs.replace(loaded.setup, risk=None)))

    def build(kind: str) -> tuple[BacktestEngine, RiskControls | None]:
        system = build_engine(prepared if kind == "ledger and risk" else unlimited)
        if kind == "alone":
            system.engine.trader.remove_actor(system.ledger.id)
        return system.engine, system.risk

    return build


def run(engine: BacktestEngine, controls: RiskControls | None, ticks: list[Any]) -> tuple[float, int, int]:
    """Replay `ticks`; return CPU seconds, order events and refusals."""
    engine.add_data_iterator("market", iter([ticks]))
    gc.collect()
    gc.freeze()
    gc.disable()
    started = time.process_time()
    engine.run(start=pd.Timestamp(ticks[0].ts_init, tz="UTC"), end=pd.Timestamp(ticks[-1].ts_init, tz="UTC"))
    cpu_s = time.process_time() - started
    gc.enable()
    gc.unfreeze()
    events = sum(order.event_count for order in engine.cache.orders())
    refusals = 0 if controls is None else sum(refusal.count for refusal in controls.guard.refusals.values())
    engine.dispose()
    return cpu_s, events, refusals


@click.command()
@click.option("--hours", default=0.4, help="Length of the synthetic market.")
@click.option("--quotes-per-s", default=33.0, help="Quotes per second: the more, the fewer of them move the price.")
@click.option("--rounds", default=5, help="Runs of each.")
@click.option("--fills", default="queue", type=click.Choice(list(FILL_ASSUMPTIONS)), help="Fill assumption.")
@click.option("--setup", type=click.Path(path_type=Path), help="Run this setup on its own data instead.")
@click.option("--catalog", help="Where the setup's data are, if not where it says.")
def main(
    *, hours: float, quotes_per_s: float, rounds: int, fills: str, setup: Path | None, catalog: str | None
) -> None:
    """Print the ratio."""
    if setup is None:
        instrument, ticks = load(hours, quotes_per_s)
        build = synthetic(instrument, fills)
    else:
        overrides = [] if catalog is None else [f"backtest.catalog={catalog}"]
        prepared = prepare_backtest(load_setup(setup, overrides), Path.cwd())
        ticks = [tick for chunk in prepared.data.chunks() for tick in chunk]
        build = of_setup(prepared)
    run(*build(KINDS[-1]), ticks[:2_000])
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    events: dict[str, int] = {}
    refusals = 0
    for _ in range(rounds):
        for kind in KINDS:
            cpu_s, events[kind], refusals = run(*build(kind), ticks)
            taken[kind].append(cpu_s)
    print(json.dumps(report(taken, len(ticks), events, refusals) | {"setup": setup and setup.stem}, indent=2))


def report(taken: dict[str, list[float]], ticks: int, events: dict[str, int], refusals: int) -> dict[str, Any]:
    """Return the figures."""
    medians = {kind: statistics.median(times) for kind, times in taken.items()}
    minima = {kind: min(times) for kind, times in taken.items()}
    alone, ledger, risk = KINDS
    same_orders = len(set(events.values())) == 1 and refusals == 0
    ratios = {
        name: {
            "ratio": round(medians[dearer] / medians[cheaper], 3),
            "ratio_of_the_minima": round(minima[dearer] / minima[cheaper], 3),
            "passed": same_orders and medians[dearer] / medians[cheaper] <= AT_MOST,
        }
        for name, dearer, cheaper in (
            ("risk actors", risk, ledger),
            ("ledger", ledger, alone),
            ("ledger and risk actors", risk, alone),
        )
    }
    return {
        "benchmark": "risk_cost",
        "ticks": ticks,
        "order_events": events,
        "refusals": refusals,
        "us_per_tick": {kind: round(median / ticks * 1e6, 2) for kind, median in medians.items()},
        "spread_pct": {kind: round(100 * (max(times) / min(times) - 1), 1) for kind, times in taken.items()},
        "at_most": AT_MOST,
        "cost_of": ratios,
    }


if __name__ == "__main__":
    main()
