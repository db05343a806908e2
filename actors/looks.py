"""When watches look: at whole multiples of their interval, so that looks of one time cost the engine one stop."""

from collections.abc import Callable
from decimal import Decimal

from nautilus_trader.common.component import Clock
from nautilus_trader.common.events import TimeEvent


def look_at_times(clock: Clock, name: str, interval_secs: Decimal, look: Callable[[TimeEvent], None]) -> None:
    """Call `look` at every whole multiple of an interval since 1970, as the ledger marks its grid."""
    interval_ns, now_ns = int(interval_secs.scaleb(9)), clock.timestamp_ns()
    clock.set_timer_ns(name, interval_ns, now_ns - now_ns % interval_ns, 0, look)
