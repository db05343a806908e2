"""
The cost of quoting: makers that requote on every price move, against a strategy that does nothing.

Both replay the same synthetic market on a margin account in one process, in turn, and are timed by CPU time. The cost
is that of the order events, so the ratio depends on how many quotes move the price. In recorded data that is 3 % of
the updates of the BTCUSDT perpetual and 10 % on spot; the market here is made for 10 %. "floor" is a strategy that
does nothing but modify one order on each side at every price move: what the engine itself takes for it. Prints JSON
with the ratios of the medians; at most 5 is asked for of every maker.

    uv run python -m benchmarks.maker_cost [--maker NAME …]
"""

import gc
import itertools
import json
import statistics
import time
import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.objects import Money, Price
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy
from pandas.errors import Pandas4Warning

from data_catalog.instruments import currency
from data_catalog.store.contents import load_instruments
from data_catalog.store.stream import DataRequest, stream
from data_catalog.synth import SyntheticMarket, write_synthetic_market
from runtime.engine import engine_config
from runtime.setup.components import QUIET
from runtime.setup.sections import Latency
from runtime.venue.fills import FILL_ASSUMPTIONS
from strategies.avellaneda_stoikov import AvellanedaStoikov, AvellanedaStoikovConfig
from strategies.fair_value_maker import FairValueMaker, FairValueMakerConfig
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from strategies.glft import Glft, GlftConfig

INSTRUMENT = InstrumentId.from_str("SYNUSDT-PERP.BINANCE")
AT_MOST = 5.0

warnings.filterwarnings("ignore", category=Pandas4Warning)  # the engine's own use of pandas


class IdleConfig(StrategyConfig, frozen=True, kw_only=True):
    """Nothing to configure."""


class Idle(Strategy):
    """Listens to quotes and does nothing."""

    def on_start(self) -> None:
        """Listen."""
        self.subscribe_quote_ticks(INSTRUMENT)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Do nothing."""


class Floor(Strategy):
    """Keeps one order on each side, ten ticks behind the touch, at every price move; no model, no limits."""

    def on_start(self) -> None:
        """Listen."""
        self._touch = (0, 0)
        self._orders: dict[OrderSide, Order] = {}
        self._instrument = self.cache.instrument(INSTRUMENT)
        self.subscribe_quote_ticks(INSTRUMENT)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Move both orders with the touch."""
        touch = tick.bid_price.raw, tick.ask_price.raw
        if touch != self._touch:
            self._touch = touch
            away = 10 * self._instrument.price_increment.raw
            self._stand(OrderSide.BUY, touch[0] - away)
            self._stand(OrderSide.SELL, touch[1] + away)

    def _stand(self, side: OrderSide, price_raw: int) -> None:
        price = Price.from_raw(price_raw, self._instrument.price_precision)
        order = self._orders.get(side)
        if order is None or order.is_closed:
            quantity = self._instrument.make_qty(1)
            order = self._orders[side] = self.order_factory.limit(INSTRUMENT, side, quantity, price, post_only=True)
            self.submit_order(order)
        elif order.is_open and order.price != price:
            self.modify_order(order, price=price)


SIZES = {"instrument_id": INSTRUMENT, "order_qty": 1.0, "max_position": 10.0, **QUIET}
MODEL = {"risk_aversion_per_bps": 0.003, "kappa_per_bps": 0.35, "volatility_window_secs": 60.0}

MAKERS: dict[str, Callable[[], Strategy]] = {
    "floor": lambda: Floor(IdleConfig(**QUIET)),
    "avellaneda_stoikov": lambda: AvellanedaStoikov(AvellanedaStoikovConfig(**SIZES, **MODEL)),
    "avellaneda_stoikov_infinite": lambda: AvellanedaStoikov(
        AvellanedaStoikovConfig(**SIZES, kappa_per_bps=0.35, risk_aversion_per_bps=0.003, horizon="infinite")
    ),
    "glft": lambda: Glft(GlftConfig(**SIZES, **MODEL, intensity_per_s=0.3)),
    "glft_exact": lambda: Glft(GlftConfig(**SIZES, **MODEL, intensity_per_s=0.3, solution="exact")),
    "fixed_spread": lambda: FixedSpread(FixedSpreadConfig(**SIZES, half_spread_bps=3.0)),
    "fair_value": lambda: FairValueMaker(
        FairValueMakerConfig(**SIZES, half_spread_bps=3.0, adverse_selection_weight=0.0)
    ),
}
"""The floor, and makers without tolerance: they move their quotes on every price move."""


def load(hours: float, quotes_per_s: float) -> tuple[Any, list[Any]]:
    """Return the instrument and the ticks of a synthetic market."""
    with TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog"
        write_synthetic_market(catalog, SyntheticMarket(hours=hours, quotes_per_s=quotes_per_s))
        requests = [DataRequest(INSTRUMENT.value, kind) for kind in ("quotes", "trades")]
        chunks = stream(catalog, requests, 0, 2**62)
        return load_instruments(catalog, [INSTRUMENT.value])[0], [tick for chunk in chunks for tick in chunk]


def run(instrument: Any, ticks: list[Any], strategy: Strategy, fills: str) -> tuple[float, int]:
    """Replay `ticks` through `strategy`; return CPU seconds and the number of order events."""
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
    engine.add_strategy(strategy)
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
    engine.dispose()
    return cpu_s, events


@click.command()
@click.option("--hours", default=0.4, help="Length of the synthetic market.")
@click.option("--quotes-per-s", default=33.0, help="Quotes per second: the more, the fewer of them move the price.")
@click.option("--rounds", default=3, help="Runs of each.")
@click.option("--fills", default="queue", type=click.Choice(list(FILL_ASSUMPTIONS)), help="Fill assumption.")
@click.option("--maker", "makers", multiple=True, default=tuple(MAKERS), type=click.Choice(list(MAKERS)))
def main(hours: float, quotes_per_s: float, rounds: int, fills: str, makers: tuple[str, ...]) -> None:
    """Print the ratios."""
    instrument, ticks = load(hours, quotes_per_s)
    run(instrument, ticks[:2_000], MAKERS["avellaneda_stoikov"](), fills)
    idle: list[float] = []
    busy: dict[str, list[float]] = {name: [] for name in makers}
    order_events = dict.fromkeys(makers, 0)
    for _ in range(rounds):
        idle.append(run(instrument, ticks, Idle(IdleConfig()), fills)[0])
        for name in makers:
            cpu_s, order_events[name] = run(instrument, ticks, MAKERS[name](), fills)
            busy[name].append(cpu_s)
    quotes = [tick for tick in ticks if isinstance(tick, QuoteTick)]
    moves = sum(
        (a.bid_price.raw, a.ask_price.raw) != (b.bid_price.raw, b.ask_price.raw) for a, b in itertools.pairwise(quotes)
    )
    idle_s = statistics.median(idle)
    result = {
        "benchmark": "maker_cost",
        "ticks": len(ticks),
        "price_moves_pct": round(100 * moves / len(quotes), 1),
        "idle_us_per_tick": round(idle_s / len(ticks) * 1e6, 2),
        "makers": {
            name: {
                "us_per_tick": round(statistics.median(busy[name]) / len(ticks) * 1e6, 2),
                "us_per_price_move": round((statistics.median(busy[name]) - idle_s) / moves * 1e6, 1),
                "order_events": order_events[name],
                "ratio": round(statistics.median(busy[name]) / idle_s, 2),
            }
            for name in makers
        },
        "at_most": AT_MOST,
    }
    ratios = [statistics.median(times) / idle_s for times in busy.values()]
    print(json.dumps(result | {"passed": max(ratios) <= AT_MOST}, indent=2))


if __name__ == "__main__":
    main()
