"""The last things that happened: fills, and orders refused here or by the venue; the rest is what the user was told."""

from collections import deque
from collections.abc import Iterable
from typing import Final, Literal

from nautilus_trader.common.component import MessageBus
from nautilus_trader.model.enums import LiquiditySide, OrderSide
from nautilus_trader.model.events import OrderDenied, OrderEvent, OrderFilled, OrderModifyRejected, OrderRejected

from messages.risk import REFUSAL_TOPIC, OrderRefused
from models.risk_limits import plain
from runtime.live.web.state import Event

_KEPT: Final = 60
_LONGEST: Final = 300
_MS_NS: Final = 1_000_000
_REJECTIONS: Final = {
    OrderRejected: "the venue refused an order",
    OrderModifyRejected: "an order was not changed",
    OrderDenied: "an order was not sent",
}


class EventTail:
    """Listens to a system, and keeps the last events of it; the same thing again only counts."""

    def __init__(self, msgbus: MessageBus) -> None:
        self._events: deque[Event] = deque(maxlen=_KEPT)
        msgbus.subscribe("events.fills.*", self._on_fill)
        msgbus.subscribe("events.order.*", self._on_order_event)
        msgbus.subscribe(REFUSAL_TOPIC, self._on_refusal)

    def last(self, told: Iterable[tuple[int, str]]) -> list[Event]:
        """Return the last events together with what the user was told (when, in UNIX ms, and what), newest first."""
        said = [Event(time_ms=time_ms, kind="said", text=text) for time_ms, text in told]
        return sorted([*self._events, *said], key=lambda event: event.time_ms, reverse=True)[:_KEPT]

    def _on_fill(self, fill: OrderFilled) -> None:
        side = "bought" if fill.order_side == OrderSide.BUY else "sold"
        how = "maker" if fill.liquidity_side == LiquiditySide.MAKER else "taker"
        quantity, price = plain(fill.last_qty.as_decimal()), plain(fill.last_px.as_decimal())
        paid = fill.commission
        fee = "" if paid is None else f", fee {plain(paid.as_decimal())} {paid.currency.code}"
        text = f"{fill.strategy_id} {side} {quantity} {fill.instrument_id.symbol} at {price} ({how}{fee})"
        self._keep(fill.ts_init, "fill", text)

    def _on_order_event(self, event: OrderEvent) -> None:
        if type(event) in _REJECTIONS:
            what = _REJECTIONS[type(event)]
            text = f"{event.strategy_id}: {what} on {event.instrument_id.symbol}: {event.reason}"
            self._keep(event.ts_init, "rejected", text[:_LONGEST])

    def _on_refusal(self, refused: OrderRefused) -> None:
        rule = refused.breach.rule
        self._keep(
            refused.ts_ns, "refused", f"{refused.strategy}: the guard refused an order on {refused.instrument}: {rule}"
        )

    def _keep(self, ts_ns: int, kind: Literal["fill", "rejected", "refused"], text: str) -> None:
        count = 1
        if kind != "fill":
            known = next((event for event in self._events if (event.kind, event.text) == (kind, text)), None)
            if known is not None:
                count += known.count
                self._events.remove(known)
        self._events.append(Event(time_ms=ts_ns // _MS_NS, kind=kind, text=text, count=count))
