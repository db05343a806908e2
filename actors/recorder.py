"""
Writes a run down: what it heard, what it decided and what it sent, in one order, in backtest and live alike.

The recorder stands in front of every strategy wherever it listens, so that what a strategy does about an event
comes after that event. On the event loop it only appends to a sink: market data and answers as the engine's own
objects, which never change; `row_of` makes rows of them, wherever and whenever that costs nobody anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.core.data import Data
from nautilus_trader.execution.messages import (
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    SubmitOrder,
    SubmitOrderList,
    TradingCommand,
)
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.events import (
    AccountState,
    OrderEvent,
    OrderInitialized,
    OrderPendingCancel,
    OrderPendingUpdate,
)
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order

from data_catalog.run_recordings import rows
from data_catalog.run_recordings.importing import instrument_row
from messages.ledger import (
    CHARGE_TOPIC,
    FUNDING_RATE_TOPIC,
    FUNDING_TOPIC,
    AccountCharged,
    FundingPaid,
    FundingRateSettled,
)
from messages.risk import ALARM_TOPIC, RISK_STATE_TOPIC, RiskAlarm, RiskStateChanged
from messages.trading import DECISION_TOPIC, QuotesWanted

ORDERS_ENDPOINT: Final = "RiskEngine.execute"
COMMANDS_ENDPOINT: Final = "ExecEngine.execute"
ANSWERS_ENDPOINT: Final = "Portfolio.update_order"

_BEFORE_ALL: Final = 1_000
_AFTER_A_VENUE_ON_PAPER: Final = 50
"""A simulated venue fills at an event before anybody hears of it, and so it is written down."""
_OF_THE_STRATEGY_ITSELF: Final = (OrderInitialized, OrderPendingUpdate, OrderPendingCancel)

type Sink = Callable[[Any], None]
"""Takes rows, and pairs of a time and an object of the engine that `row_of` makes a row of."""


@dataclass(frozen=True)
class Endpoints:
    """
    Who stands at the endpoints where the recorder listens, and gets everything from it.

    Parameters
    ----------
    orders : callable
        Takes new orders and changes, at `ORDERS_ENDPOINT`.
    commands : callable
        Takes all commands, at `COMMANDS_ENDPOINT`.
    answers : callable
        Takes order events when they are acted on, at `ANSWERS_ENDPOINT`.

    """

    orders: Callable[[TradingCommand], None]
    commands: Callable[[TradingCommand], None]
    answers: Callable[[OrderEvent], None]


class Recorder(Actor):
    """
    Appends everything to a sink.

    Parameters
    ----------
    run : Run
        What runs; completed with what the engine knows when it starts, and written first.
    instrument_ids : sequence of InstrumentId
        What is recorded.
    trades : bool
        Whether trades are recorded, too.
    endpoints : Endpoints
        Who gets what passes here.
    sink : callable
        Gets the rows.

    """

    def __init__(
        self, run: rows.Run, instrument_ids: Sequence[InstrumentId], *, trades: bool, endpoints: Endpoints, sink: Sink
    ) -> None:
        super().__init__()
        self.run = run
        self.components: Mapping[int, str] = {}
        """The names of strategies and actors by the identity of their clock."""
        self.outside_rules: frozenset[str] = frozenset()
        """The rules whose alarms come from outside the system."""
        self._instrument_ids = tuple(instrument_ids)
        self._trades = trades
        self._endpoints = endpoints
        self._sink = sink
        self._answered: set[Any] = set()
        self._has_begun = False

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Write the beginning, ask for the market, and stand in front of whoever acts on it."""
        self._sink(self._beginning())
        self._has_begun = True
        for instrument_id in self._instrument_ids:
            self.subscribe_quote_ticks(instrument_id)
            if self._trades:
                self.subscribe_trade_ticks(instrument_id)
        listeners: dict[str, Callable[[Any], None]] = {
            "events.order.*": self._on_event,
            "events.account.*": self._on_balances,
            DECISION_TOPIC: self._on_decision,
            RISK_STATE_TOPIC: self._on_risk_state,
            ALARM_TOPIC: self._on_alarm,
            FUNDING_TOPIC: self._on_funding,
            CHARGE_TOPIC: self._on_charge,
            FUNDING_RATE_TOPIC: self._on_funding_rate,
        }
        for kind in ("quotes", "trades"):
            self.msgbus.subscribe(f"data.{kind}.{self._venue}.*", self._on_market, priority=_AFTER_A_VENUE_ON_PAPER)
        for topic, listener in listeners.items():
            self.msgbus.subscribe(topic, listener, priority=_BEFORE_ALL)
        self._replace(ORDERS_ENDPOINT, self._endpoints.orders, self._on_order_command)
        self._replace(COMMANDS_ENDPOINT, self._endpoints.commands, self._on_command)
        self._replace(ANSWERS_ENDPOINT, self._endpoints.answers, self._on_answer)

    def on_stop(self) -> None:
        """Note the stop; what strategies do about it is written down after it."""
        self._sink(rows.Stopped(self.clock.timestamp_ns()))

    @property
    def _venue(self) -> str:
        return str(self._instrument_ids[0].venue.value)

    def _replace(self, endpoint: str, before: Callable[[Any], None], after: Callable[[Any], None]) -> None:
        self.msgbus.deregister(endpoint, before)
        self.msgbus.register(endpoint, after)

    def _beginning(self) -> rows.Run:
        accounts = self.cache.accounts()
        return msgspec.structs.replace(
            self.run,
            at=self.clock.timestamp_ns(),
            instruments=[instrument_row(self.cache.instrument(each)) for each in self._instrument_ids],
            accounts=[_without_info(AccountState.to_dict(account.last_event)) for account in accounts],
            computes_balances=any(account.calculate_account_state for account in accounts),
            positions=[str(position.id.value) for position in self.cache.positions_open()],
        )

    # -- What happens -------------------------------------------------------------------------------------------------

    def _on_market(self, event: Data) -> None:
        self._sink((self.clock.timestamp_ns(), event))

    def _on_answer(self, event: OrderEvent) -> None:
        """Note an event of an order before anything is done about it."""
        self._answered.add(event.id)
        self._sink((self.clock.timestamp_ns(), event))
        self._endpoints.answers(event)

    def _on_event(self, event: OrderEvent) -> None:
        """Note an event that changes nothing in the books, and is told to strategies all the same."""
        if event.id in self._answered:
            self._answered.remove(event.id)
        elif not isinstance(event, _OF_THE_STRATEGY_ITSELF):
            self._sink((self.clock.timestamp_ns(), event))

    def _on_balances(self, state: AccountState) -> None:
        if state.is_reported:
            self._sink((self.clock.timestamp_ns(), state))

    def _on_alarm(self, alarm: RiskAlarm) -> None:
        if alarm.breach.rule in self.outside_rules:
            self._sink(rows.OutsideAlarm(self.clock.timestamp_ns(), msgspec.to_builtins(alarm)))

    def _on_funding(self, paid: FundingPaid) -> None:
        self._sink(rows.FundingTold(self.clock.timestamp_ns(), msgspec.to_builtins(paid)))

    def _on_funding_rate(self, settled: FundingRateSettled) -> None:
        values = (settled.instrument_id, str(settled.rate), str(settled.mark), settled.ts_ns)
        self._sink(rows.FundingRateSeen(self.clock.timestamp_ns(), *values))

    def _on_charge(self, charged: AccountCharged) -> None:
        self._sink(rows.ChargeTold(self.clock.timestamp_ns(), msgspec.to_builtins(charged)))

    def note_timer(self, clock: object, event: TimeEvent) -> None:
        """Note a timer that is about to be answered."""
        name = self.components.get(id(clock))
        if name is not None and self._has_begun:
            self._sink(rows.TimerFired(self.clock.timestamp_ns(), name, event.name, event.ts_event))

    def note_person(self, halt: str | None, resumed: bool, scope: str) -> None:
        """Note what a person commands for the account or a strategy."""
        if self._has_begun:
            self._sink(rows.PersonSaid(self.clock.timestamp_ns(), halt, resumed, scope))

    # -- What is done -------------------------------------------------------------------------------------------------

    def _on_decision(self, wanted: QuotesWanted) -> None:
        quotes = [(side, f"{price:f}", f"{quantity:f}") for side, price, quantity in wanted.quotes]
        self._sink(rows.Decided(self.clock.timestamp_ns(), wanted.strategy_id, wanted.instrument_id, quotes))

    def _on_risk_state(self, change: RiskStateChanged) -> None:
        rule = None if change.cause is None else change.cause.rule
        self._sink(rows.RiskState(self.clock.timestamp_ns(), change.scope, change.state, change.action, rule))

    def _on_order_command(self, command: TradingCommand) -> None:
        self._note(command)
        self._endpoints.orders(command)

    def _on_command(self, command: TradingCommand) -> None:
        """Note cancellations; orders and changes have passed the other endpoint."""
        if isinstance(command, CancelOrder | CancelAllOrders):
            self._note(command)
        self._endpoints.commands(command)

    def _note(self, command: TradingCommand) -> None:
        now_ns = self.clock.timestamp_ns()
        names = (command.strategy_id.value, command.instrument_id.value)
        match command:
            case SubmitOrder():
                self._sink(_submission(now_ns, names, command.order))
            case SubmitOrderList():
                for order in command.order_list.orders:
                    self._sink(_submission(now_ns, names, order))
            case ModifyOrder():
                texts = (_text(command.price), _text(command.quantity))
                order_id = command.client_order_id.value
                self._sink(rows.Sent(now_ns, "modify", *names, order_id, None, None, *texts))
            case CancelOrder():
                self._sink(rows.Sent(now_ns, "cancel", *names, command.client_order_id.value))
            case CancelAllOrders():
                self._sink(rows.Sent(now_ns, "cancel_all", *names))


def _submission(now_ns: int, names: tuple[str, str], order: Order) -> rows.Sent:
    return rows.Sent(
        now_ns,
        "submit",
        *names,
        order.client_order_id.value,
        order.side_string(),
        order.type_string(),
        _text(order.price) if order.has_price else None,
        _text(order.quantity),
        bool(getattr(order, "is_post_only", False)),
        bool(order.is_reduce_only),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def row_of(item: Any) -> rows.Row:
    """Return the row of what a sink was given."""
    if not isinstance(item, tuple):
        row: rows.Row = item
        return row
    at_ns, event = item
    match event:
        case QuoteTick():
            prices = (str(event.bid_price), str(event.ask_price), str(event.bid_size), str(event.ask_size))
            return rows.QuoteSeen(at_ns, event.instrument_id.value, *prices, event.ts_event, event.ts_init)
        case TradeTick():
            values = (str(event.price), str(event.size), 1 if event.aggressor_side == AggressorSide.BUYER else 2)
            ids = (event.instrument_id.value, *values, event.trade_id.value)
            return rows.TradeSeen(at_ns, *ids, event.ts_event, event.ts_init)
        case AccountState():
            return rows.BalancesTold(at_ns, _without_info(AccountState.to_dict(event)))
        case _:
            return rows.OrderAnswer(at_ns, type(event).__name__, _without_info(type(event).to_dict(event)))


def _without_info(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the venue said besides."""
    return {key: value for key, value in values.items() if key != "info"}
