"""
The cost of being watched: a maker with the ledger and every risk actor, against the same maker alone.

Both requote on every price move of the same synthetic market on a margin account, in one process, in turn, timed by
CPU time. Every limit is set, so that every rule is asked, and none is reached, so that the orders are the same. Prints
JSON with the ratio of the medians; at most 1.10 is asked for.

    uv run python -m benchmarks.risk_cost
"""

import gc
import json
import statistics
import time
from decimal import Decimal
from typing import Any

import click
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money

from actors.ledger import Ledger, LedgerConfig
from benchmarks.maker_cost import INSTRUMENT, MODEL, SIZES, load
from data_catalog.instruments import currency
from runtime.engine import engine_config
from runtime.fills import FILL_ASSUMPTIONS
from runtime.risk import RiskContext, add_risk_controls
from runtime.risk_settings import RiskSettings
from runtime.setup import Latency
from strategies.avellaneda_stoikov import AvellanedaStoikov, AvellanedaStoikovConfig

AT_MOST = 1.10
LIMITS = RiskSettings(
    max_position_qty={INSTRUMENT.value: Decimal(100)},
    max_order_qty={INSTRUMENT.value: Decimal(50)},
    max_order_notional_quote=Decimal(50_000),
    max_instrument_notional_quote=Decimal(60_000),
    max_strategy_notional_quote=Decimal(60_000),
    max_gross_notional_quote=Decimal(60_000),
    max_net_notional_quote=Decimal(60_000),
    max_leverage=Decimal(5),
    min_free_margin_pct=Decimal(10),
    price_collar_bps=Decimal(500),
    max_orders_per_10s=100_000,
    order_reserve=10,
    duplicate_window_secs=Decimal("0.001"),
    max_data_age_secs=Decimal(30),
    max_drawdown_pct=Decimal(90),
    max_loss_pct=Decimal(90),
    max_daily_loss_pct=Decimal(90),
    stop_loss_pct=Decimal(50),
    trailing_stop_pct=Decimal(50),
    max_fills_per_window=100_000,
    max_rejections_per_window=100_000,
)


def run(instrument: Any, ticks: list[Any], watched: str, fills: str) -> tuple[float, int, int]:
    """Replay `ticks` through the maker, alone or watched; return CPU seconds, order events and refusals."""
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
    if watched != "alone":
        engine.add_actor(Ledger(LedgerConfig(instrument_ids=(INSTRUMENT,), currency="USDT")))
    if watched == "ledger and risk":
        controls = add_risk_controls(engine.kernel, LIMITS, RiskContext((INSTRUMENT,), Decimal(10), 10))
    engine.add_strategy(AvellanedaStoikov(AvellanedaStoikovConfig(**SIZES, **MODEL)))
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
def main(hours: float, quotes_per_s: float, rounds: int, fills: str) -> None:
    """Print the ratio."""
    instrument, ticks = load(hours, quotes_per_s)
    kinds = ("alone", "ledger", "ledger and risk")
    run(instrument, ticks[:2_000], kinds[-1], fills)
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    events: dict[str, int] = {}
    refusals = 0
    for _ in range(rounds):
        for kind in kinds:
            cpu_s, events[kind], refusals = run(instrument, ticks, kind, fills)
            taken[kind].append(cpu_s)
    medians = {kind: statistics.median(times) for kind, times in taken.items()}
    ratio = medians["ledger and risk"] / medians["alone"]
    result = {
        "benchmark": "risk_cost",
        "ticks": len(ticks),
        "order_events": events,
        "refusals": refusals,
        "us_per_tick": {kind: round(median / len(ticks) * 1e6, 2) for kind, median in medians.items()},
        "ratio_of_the_ledger": round(medians["ledger"] / medians["alone"], 3),
        "ratio": round(ratio, 3),
        "at_most": AT_MOST,
        "passed": ratio <= AT_MOST and len(set(events.values())) == 1 and refusals == 0,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
