"""One maker on a small market, in the real engine: what its orders do, and what it thinks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType, OrderSide
from nautilus_trader.model.events import OrderAccepted, OrderCanceled, OrderFilled, OrderUpdated
from nautilus_trader.model.identifiers import TradeId, Venue
from nautilus_trader.model.objects import Money
from svg import BLUE, RED, Line

from data_catalog.instruments import currency, find_instrument
from runtime.setup.sections import Fees, Latency
from runtime.venue.fees import fee_model
from runtime.venue.fills import FILL_ASSUMPTIONS
from strategies.quoting import QuotingStrategy

PERPETUAL = find_instrument("SYNUSDT-PERP.BINANCE")
"""A tick of 0.01 at a price of 100 is a basis point."""
START_NS = 1_700_000_000_000_000_000
START_PRICE = 100.0


@dataclass(frozen=True)
class Stretch:
    """A stretch of time in which an order stood at one price; times in seconds, the price in bps from the start."""

    is_bid: bool
    price: float
    start: float
    end: float
    filled: bool


@dataclass
class Run:
    """What a run left behind: the orders' stretches, what was looked at and when, and how often something was sent."""

    stretches: list[Stretch]
    seen: list[tuple[float, Any]]
    sent: list[float]

    def lines(self) -> list[Line]:
        """Return the bids and the asks as interrupted lines, and their fills as dots."""
        lines = []
        for is_bid, colour, name in ((False, RED, "ask"), (True, BLUE, "bid")):
            xs: list[float] = []
            ys: list[float] = []
            for one in (stretch for stretch in self.stretches if stretch.is_bid is is_bid):
                if xs and xs[-1] != one.start:  # otherwise the order was moved: the line goes on
                    xs.append(one.start)
                    ys.append(float("nan"))
                xs += [one.start, one.end]
                ys += [one.price, one.price]
            lines.append(Line(xs, ys, colour, name))
            fills = [(one.end, one.price) for one in self.stretches if one.is_bid is is_bid and one.filled]
            lines.append(Line([x for x, _ in fills], [y for _, y in fills], colour, kind="dots"))
        return lines


class _Watcher(Actor):
    """Looks at a maker at each quote, once the maker has seen one; it has not yet seen this one."""

    def __init__(self, maker: QuotingStrategy, look: Callable[[], Any]) -> None:
        super().__init__()
        self._maker = maker
        self._look = look
        self.seen: list[tuple[float, Any]] = []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(PERPETUAL.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        if self._maker.bid:
            self.seen.append((_seconds(tick.ts_init), self._look()))


def quote(second: float, mid_bps: float, half_bps: int = 1, sizes: tuple[float, float] = (100, 100)) -> QuoteTick:
    """Return a quote; the mid in bps from the start price."""
    ts = START_NS + round(second * 1e9)
    bid, ask = (PERPETUAL.make_price(START_PRICE + (mid_bps + side * half_bps) * 0.01) for side in (-1, 1))
    return QuoteTick(PERPETUAL.id, bid, ask, *(PERPETUAL.make_qty(size) for size in sizes), ts, ts)


def trade(second: float, price_bps: float, is_buyer: bool, size: float = 100) -> TradeTick:
    """Return a trade; its price in bps from the start price."""
    ts = START_NS + round(second * 1e9)
    side = AggressorSide.BUYER if is_buyer else AggressorSide.SELLER
    price = PERPETUAL.make_price(START_PRICE + price_bps * 0.01)
    return TradeTick(PERPETUAL.id, price, PERPETUAL.make_qty(size), side, TradeId(str(ts)), ts, ts)


def run(
    maker: QuotingStrategy,
    ticks: Sequence[QuoteTick | TradeTick],
    look: Callable[[], Any] = lambda: None,
    others: Sequence[Actor] = (),
) -> Run:
    """
    Return what a maker does on a market, whose trades fill whole and at once.

    Parameters
    ----------
    maker : QuotingStrategy
        Quotes `PERPETUAL`.
    ticks : sequence of QuoteTick or TradeTick
        In any order.
    look : callable
        What to look at at each quote.
    others : sequence of Actor
        Run beside it.

    """
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    FILL_ASSUMPTIONS["optimistic"].add_venue(
        engine,
        Latency(),
        1,
        venue=Venue("BINANCE"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(Decimal(100_000), currency("USDT"))],
        base_currency=currency("USDT"),
        fee_model=fee_model(Fees(), False),
        bar_execution=False,
    )
    engine.add_instrument(PERPETUAL)
    in_order = sorted(ticks, key=lambda tick: tick.ts_init)
    engine.add_data_iterator("market", iter([in_order]))
    watcher = _Watcher(maker, look)
    engine.add_strategy(maker)
    for actor in (watcher, *others):
        engine.add_actor(actor)
    engine.run(start=in_order[0].ts_init, end=in_order[-1].ts_init)
    orders = sorted(engine.cache.orders(), key=lambda order: (order.ts_init, order.client_order_id.value))
    end = _seconds(in_order[-1].ts_init)
    found = Run([s for order in orders for s in _stretches(order, end)], watcher.seen, [])
    placed = [event for order in orders for event in order.events if isinstance(event, OrderAccepted | OrderUpdated)]
    found.sent = sorted(_seconds(event.ts_init) for event in placed)
    engine.dispose()
    return found


def _stretches(order: Any, end: float) -> list[Stretch]:
    found: list[Stretch] = []
    price = since = float("nan")
    is_bid = order.side == OrderSide.BUY
    for event in order.events:
        now = _seconds(event.ts_event)
        if isinstance(event, OrderAccepted):
            price, since = _bps(order.init_event.options["price"]), now
        elif isinstance(event, OrderUpdated):
            found.append(Stretch(is_bid, price, since, now, False))
            price, since = _bps(event.price), now
        elif isinstance(event, OrderCanceled | OrderFilled):
            found.append(Stretch(is_bid, price, since, now, isinstance(event, OrderFilled)))
            return found
    return [*found, Stretch(is_bid, price, since, end, False)]


def _seconds(ts_ns: int) -> float:
    return float((ts_ns - START_NS) / 1e9)


def _bps(price: Any) -> float:
    return (float(price) - START_PRICE) * 100
