"""
What /state says, version 1: the page and the metrics are made of nothing else.

Amounts, prices and quantities are exact decimals and come as text; what is measured (ages, distances, percentages)
comes as numbers. Times are UNIX milliseconds. Amounts are in `run.currency`, quantities in the instrument's base asset.
A key may be added without a new version; none changes its meaning or goes without one.
"""

from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from messages.views import Figure, Holding, Scale

VERSION: Final = 1
PAPER: Final = "PAPER"

type Status = Literal[
    "STARTING", "QUOTING", "PARTLY QUOTING", "NOT QUOTING", "TRADING", "WAITING", "REDUCING", "HALTED", "STOPPING"
]


class Run(Struct, frozen=True, kw_only=True):
    """What is traded where; `label` says with whose money: PAPER, REHEARSAL, LOCAL, TESTNET, DEMO or REAL MONEY."""

    setup: str
    description: str
    run_id: str
    label: str
    venue: str
    account: str
    instruments: list[str]
    currency: str
    started_ms: int


class Reason(Struct, frozen=True, kw_only=True):
    """
    Why something is not quoted or traded.

    Parameters
    ----------
    reason : str
        A word for programs: a rule of `risk:`, or one of a strategy's own (docs/live.md); account_events_lost,
        market_silent, disconnected, starting or stopping.
    text : str
        The same for people.
    scope : str
        "account", a strategy or an instrument.
    side : str, optional
        "bid" or "ask" where it is one side of a maker.

    """

    reason: str
    text: str
    scope: str = "account"
    side: str | None = None


class Parts(Struct, frozen=True, kw_only=True):
    """Where the P&L comes from; they sum to it exactly."""

    spread: Decimal
    inventory: Decimal
    fees: Decimal
    funding: Decimal


class Money(Struct, frozen=True, kw_only=True):
    """
    What the account is worth at the market's last mid.

    `trading_pnl` is the P&L without the price change of what was held before the first trade.
    """

    equity: Decimal
    equity_start: Decimal
    pnl: Decimal
    trading_pnl: Decimal
    parts: Parts
    fills: int


class EquityStretch(Struct, frozen=True, array_like=True):
    """A stretch of the equity curve: when it ends, its lowest, highest and last equity."""

    time_ms: int
    low: float
    high: float
    last: float


class OwnQuote(Struct, frozen=True, kw_only=True):
    """
    Our best order of a side.

    `to_touch_bps` is how far it stands behind the market's best of its side (negative where it is better), `to_mid_bps`
    how far from the mid.
    """

    price: Decimal
    quantity: Decimal
    to_touch_bps: float | None
    to_mid_bps: float | None


class Strategy(Struct, frozen=True, kw_only=True):
    """
    A strategy, or an actor that explains itself: what it decides by, and what it holds.

    Parameters
    ----------
    state : str
        Of the engine's component, such as RUNNING.
    is_explained : bool
        Whether it has a view of its own; without one only its state, its orders and what it traded are known.
    open_orders : int
        How many of its orders may still fill.
    scales, figures, holdings : list
        As of `messages.views.View`.
    is_maker, instrument, bid, ask, fair_value, inventory, max_inventory
        For a maker: its best quotes, and its inventory counted from its target.

    """

    strategy: str
    instrument: str | None
    is_maker: bool
    bid: OwnQuote | None
    ask: OwnQuote | None
    fair_value: float | None
    inventory: Decimal | None
    max_inventory: Decimal | None
    state: str = ""
    is_explained: bool = True
    open_orders: int = 0
    scales: list[Scale] = []
    figures: list[Figure] = []
    holdings: list[Holding] = []


class Market(Struct, frozen=True, kw_only=True):
    """An instrument: the market's touch, how old it is, and what the account holds."""

    instrument: str
    bid: Decimal | None
    ask: Decimal | None
    mid: Decimal | None
    spread_bps: float | None
    age_secs: float | None
    held: Decimal | None
    value: Decimal | None


class OpenOrder(Struct, frozen=True, kw_only=True):
    """An order that may still fill."""

    id: str
    strategy: str
    instrument: str
    side: str
    price: Decimal | None
    left: Decimal
    filled: Decimal
    status: str
    age_secs: float


class Limit(Struct, frozen=True, kw_only=True):
    """
    A limit and how near it is.

    `value` and `used_pct` are null where nothing is measured until an order asks. `action` is "refuse" where orders are
    refused, else what happens when it trips.
    """

    rule: str
    scope: str
    value: Decimal | None
    limit: Decimal
    used_pct: float | None
    action: str


class RiskScope(Struct, frozen=True, kw_only=True):
    """The state of the account or of a strategy, and what caused it."""

    scope: str
    state: str
    action: str
    rule: str | None
    value: Decimal | None
    limit: Decimal | None
    reason: str
    since_ms: int | None
    until_ms: int | None
    latched: bool


class Refusal(Struct, frozen=True, kw_only=True):
    """How often the guard refused orders of a strategy by a rule; value and limit of the first."""

    rule: str
    strategy: str
    count: int
    last_ms: int
    value: Decimal
    limit: Decimal


class Event(Struct, frozen=True, kw_only=True):
    """
    Something that happened; `count` says how often, `time_ms` when the last time.

    `kind` is fill, rejected (by the venue), refused (by the guard) or said (what the user was told: states of risk,
    connections, the end).
    """

    time_ms: int
    kind: Literal["fill", "rejected", "refused", "said"]
    text: str
    count: int = 1


class Recording(Struct, frozen=True, kw_only=True):
    """What the run records of its market."""

    ok: bool
    text: str


class Controls(Struct, frozen=True, kw_only=True):
    """Whether this page may halt, and why not."""

    halt: bool
    why_not: str = ""


class State(Struct, frozen=True, kw_only=True):
    """
    Everything at one moment.

    Parameters
    ----------
    version : int
        Of this structure.
    time_ms : int
        When it was made.
    status : str
        In one word.
    why_not : list of Reason
        Why nothing, or less than everything, is quoted or traded; empty when all is.
    signals : list of Strategy
        Actors that explain themselves.
    connections : dict
        By name, whether it stands: "market data", "account events" (not on paper).
    made_in_us : float
        What making it took of the trading loop's time.

    """

    version: int = VERSION
    time_ms: int
    run: Run
    status: Status
    why_not: list[Reason]
    money: Money | None = None
    equity: list[EquityStretch] = []
    strategies: list[Strategy] = []
    signals: list[Strategy] = []
    markets: list[Market] = []
    orders: list[OpenOrder] = []
    orders_left_out: int = 0
    limits: list[Limit] = []
    risk: list[RiskScope] = []
    refusals: list[Refusal] = []
    events: list[Event] = []
    connections: dict[str, bool] = {}
    recording: Recording | None = None
    controls: Controls
    made_in_us: float = 0.0
