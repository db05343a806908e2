"""A strategy that does what a script says, at the simulated venue, and writes down what becomes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType, OrderSide, TriggerType
from nautilus_trader.model.identifiers import TradeId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from data_catalog.instruments import currency, find_instrument
from runtime.setup.sections import Latency
from runtime.venue.fills import FILL_ASSUMPTIONS

INSTRUMENT = find_instrument("SYNUSDT-PERP.BINANCE")
START = 1_700_000_000_000_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
BUYER, SELLER = AggressorSide.BUYER, AggressorSide.SELLER
VENUE: dict[str, Any] = {
    "venue": Venue("BINANCE"),
    "oms_type": OmsType.NETTING,
    "account_type": AccountType.MARGIN,
    "starting_balances": [Money(100_000, currency("USDT"))],
}

type AddVenue = Callable[..., None]
"""Adds the venue to an engine: `stock` or `under(...)`."""


def stock(engine: BacktestEngine, latency: LatencyModel | None = None, **options: Any) -> None:
    """Add the engine's own venue; further options go to `add_venue`."""
    engine.add_venue(latency_model=latency or LatencyModel(1), trade_execution=True, **options)


def under(name: str, insert_ms: int = 50, modify_ms: int = 50, cancel_ms: int = 50) -> AddVenue:
    """Return what adds the project's venue under a fill assumption."""
    latency = Latency(insert_ms=insert_ms, modify_ms=modify_ms, cancel_ms=cancel_ms)
    return partial(FILL_ASSUMPTIONS[name].add_venue, latency=latency, seed=1)  # type: ignore[index]


def ns(at_s: float) -> int:
    """Return a time in UNIX ns; `at_s` in seconds from the start."""
    return START + round(at_s * 1e9)


def quote(at_s: float, bid: str, ask: str, size: str = "100", ask_size: str | None = None) -> QuoteTick:
    """Return a quote with `size` on both sides, or `ask_size` at the ask."""
    prices = [INSTRUMENT.make_price(Decimal(price)) for price in (bid, ask)]
    sizes = [INSTRUMENT.make_qty(Decimal(text)) for text in (size, ask_size or size)]
    return QuoteTick(INSTRUMENT.id, *prices, *sizes, ns(at_s), ns(at_s))


def trade(at_s: float, price: str, size: str, aggressor: AggressorSide) -> TradeTick:
    """Return a trade."""
    price_, size_ = INSTRUMENT.make_price(Decimal(price)), INSTRUMENT.make_qty(Decimal(size))
    return TradeTick(INSTRUMENT.id, price_, size_, aggressor, TradeId(str(ns(at_s))), ns(at_s), ns(at_s))


@dataclass(frozen=True)
class Order:
    """A post-only limit order, sent at a time; with a `trigger`, a stop-limit order."""

    at_s: float
    side: OrderSide
    price: str
    size: str
    name: str = ""
    trigger: str = ""


@dataclass(frozen=True)
class Move:
    """A change of price, or of size, of the order with this name."""

    at_s: float
    name: str
    price: str
    size: str = ""


@dataclass(frozen=True)
class Cancel:
    """A cancellation of the order with this name."""

    at_s: float
    name: str


type Action = Order | Move | Cancel


class Scripted(Strategy):
    """
    Does what its script says.

    `fills` are (second, quantity, price); `fills_of` the same by order name; `notes` every other event of an order as
    (kind, name, ns from the start).
    """

    def __init__(self, script: Sequence[Action], tag: str = "001") -> None:
        super().__init__(StrategyConfig(order_id_tag=tag))
        self.script = script
        self.fills: list[tuple[float, str, str]] = []
        self.fills_of: dict[str, list[tuple[float, str, str]]] = {}
        self.notes: list[tuple[str, str, int]] = []
        self._names: dict[Any, str] = {}
        self._ids: dict[str, Any] = {}

    @property
    def rejections(self) -> int:
        """How many orders were refused."""
        return sum(kind == "OrderRejected" for kind, _, _ in self.notes)

    def on_start(self) -> None:
        for i, action in enumerate(self.script):
            self.clock.set_time_alert_ns(f"send-{i}", ns(action.at_s), lambda _, action=action: self.act(action))

    def act(self, action: Action) -> None:
        """Send the command."""
        match action:
            case Order():
                order = self._limit(action)
                self._names[order.client_order_id] = action.name
                self._ids[action.name] = order.client_order_id
                self.submit_order(order)
            case Move():
                order = self.cache.order(self._ids[action.name])
                quantity = INSTRUMENT.make_qty(Decimal(action.size)) if action.size else order.quantity
                self.modify_order(order, quantity, INSTRUMENT.make_price(Decimal(action.price)))
            case Cancel():
                self.cancel_order(self.cache.order(self._ids[action.name]))

    def _limit(self, action: Order) -> Any:
        quantity = INSTRUMENT.make_qty(Decimal(action.size))
        price = INSTRUMENT.make_price(Decimal(action.price))
        if not action.trigger:
            return self.order_factory.limit(INSTRUMENT.id, action.side, quantity, price, post_only=True)
        trigger = INSTRUMENT.make_price(Decimal(action.trigger))
        return self.order_factory.stop_limit(
            INSTRUMENT.id, action.side, quantity, price, trigger, trigger_type=TriggerType.BID_ASK
        )

    def on_order_event(self, event: Any) -> None:
        name = self._names.get(event.client_order_id, "")
        if type(event).__name__ == "OrderFilled":
            fill = ((event.ts_event - START) / 1e9, str(event.last_qty.as_decimal()), str(event.last_px))
            self.fills.append(fill)
            self.fills_of.setdefault(name, []).append(fill)
        else:
            self.notes.append((type(event).__name__, name, event.ts_event - START))

    def noted(self, kind: str) -> dict[str, int]:
        """Return when an event of this kind happened, in ns from the start, by order name."""
        return {name: at for found, name, at in self.notes if found == kind}


class Ticking(Actor):
    """Has a timer, and nothing to do with anything else."""

    def __init__(self, every: timedelta) -> None:
        super().__init__()
        self.every = every
        self.ticks: list[int] = []

    def on_start(self) -> None:
        self.clock.set_timer("tick", self.every, callback=lambda event: self.ticks.append(event.ts_event))


def run(ticks: Sequence[Any], script: Sequence[Action], add_venue: AddVenue, *others: Any) -> Scripted:
    """Run one script; `others` are further strategies and actors."""
    strategy = Scripted(script)
    run_all(ticks, [strategy, *others], add_venue)
    return strategy


def run_all(ticks: Sequence[Any], components: Sequence[Any], add_venue: AddVenue) -> None:
    """Run several strategies and actors on one market."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    add_venue(engine, **VENUE)
    engine.add_instrument(INSTRUMENT)
    for component in components:
        (engine.add_strategy if isinstance(component, Strategy) else engine.add_actor)(component)
    engine.add_data_iterator("ticks", iter([list(ticks)]))
    engine.run(start=START, end=ticks[-1].ts_init)
    engine.dispose()
