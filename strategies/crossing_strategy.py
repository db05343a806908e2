"""What strategies over several instruments share: looking them up, following their orders, obeying risk states."""

from abc import abstractmethod
from collections.abc import Callable, Sequence

from nautilus_trader.model.events import (
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.trading.strategy import Strategy

from messages.risk import RISK_STATE_TOPIC, RiskStateChanged
from strategies.crossing import Crossing


class CrossingStrategy[Leg: Crossing](Strategy):
    """
    Trades several instruments by crossing the spread; a subclass says what to hold of each.

    Every event of an order is taken over by its leg. Then the subclass goes on: with `go_on` as long as everything is
    allowed, with `obey` while a risk state allows less. An order that was refused in such a state is not followed by
    another at once: it would be refused again, without end.
    """

    DECIDES_BY_FEE = True
    """Whether it trades otherwise at another fee: what its fills would earn there is then not what a run would."""

    legs: tuple[Leg, ...] = ()
    """The instruments, in the order of the configuration; none before the start."""

    def find_legs(self, instrument_ids: Sequence[InstrumentId], new_leg: Callable[[Instrument], Leg]) -> bool:
        """Look up the instruments and listen to risk states; without one of them stop, and return False."""
        instruments = [self.cache.instrument(instrument_id) for instrument_id in instrument_ids]
        unknown = [str(i) for i, found in zip(instrument_ids, instruments, strict=True) if found is None]
        if unknown:
            self.log.error(f"{', '.join(unknown)} not known: not trading")
            self.stop()
            return False
        self.legs = tuple(new_leg(found) for found in instruments)
        self.msgbus.subscribe(RISK_STATE_TOPIC, self._on_risk_state)
        return True

    # -- What a subclass says -----------------------------------------------------------------------------------------

    @abstractmethod
    def go_on(self) -> None:
        """Do what comes next after an event of an order."""

    @abstractmethod
    def obey(self) -> None:
        """Do what the risk state asks for; called again after every event of an order."""

    @abstractmethod
    def on_restricted(self, change: RiskStateChanged) -> None:
        """Drop what was under way: less than everything is allowed from now on."""

    def on_unrestricted(self) -> None:
        """Everything is allowed again."""

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_stop(self) -> None:
        """Cancel this strategy's own orders, and no others."""
        for leg in self.legs:
            leg.cancel_all()

    # -- Order events -------------------------------------------------------------------------------------------------

    def on_order_filled(self, event: OrderFilled) -> None:
        """Take over the fill and go on."""
        leg = self._leg_of(event)
        if leg is not None:
            leg.filled(event)
            self._after_event()

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """Forget the order and go on."""
        self._gone(event)

    def on_order_expired(self, event: OrderExpired) -> None:
        """Forget the order and go on."""
        self._gone(event)

    def on_order_rejected(self, event: OrderRejected) -> None:
        """Forget the order and go on, unless a risk state holds."""
        self.log.warning(f"refused by the venue: {event.reason}")
        self._gone(event, rejected=True)

    def on_order_denied(self, event: OrderDenied) -> None:
        """Forget the order and go on, unless a risk state holds."""
        self.log.warning(f"denied before it left: {event.reason}")
        self._gone(event, rejected=True)

    def on_order_cancel_rejected(self, event: OrderCancelRejected) -> None:
        """Keep the order if it is still there."""
        leg = self._leg_of(event)
        if leg is not None:
            leg.not_cancelled(event.client_order_id.value)
            self._after_event()

    def _gone(self, event: OrderEvent, rejected: bool = False) -> None:
        leg = self._leg_of(event)
        if leg is not None:
            leg.gone(event.client_order_id.value, rejected)
            if not (rejected and self.restricted):
                self._after_event()

    def _leg_of(self, event: OrderEvent) -> Leg | None:
        return next((leg for leg in self.legs if leg.id == event.instrument_id), None)

    def _after_event(self) -> None:
        if self.restricted:
            self.obey()
        self.go_on()

    # -- Risk states --------------------------------------------------------------------------------------------------

    @property
    def restricted(self) -> bool:
        """Whether a risk control allows less than everything."""
        return any(leg.risk.restricted for leg in self.legs)

    def _on_risk_state(self, change: RiskStateChanged) -> None:
        if not any([leg.risk.take(change) for leg in self.legs]):
            return
        if self.restricted:
            self.on_restricted(change)
            self.obey()
        else:
            self.on_unrestricted()
