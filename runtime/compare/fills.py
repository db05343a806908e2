"""The fills of a run beside those that the simulated venue gives, and why they are not the same."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median, quantiles
from typing import Final

from data_catalog.run_recordings.rows import OrderAnswer, Sent
from runtime.compare.differences import utc
from runtime.compare.log import RunLog
from runtime.compare.steps import Maker, Steps

_MS: Final = 1e6
_FOREVER: Final = 2**63 - 1
_REFUSALS: Final = ("OrderRejected", "OrderDenied", "OrderModifyRejected")
_GONE: Final = ("OrderCanceled", "OrderExpired", "OrderRejected", "OrderDenied")


@dataclass(frozen=True)
class FillSeen:
    """A fill, when it was heard of (UNIX ns), and after how many market events."""

    at_ns: int
    after: int
    maker: Maker
    order_id: str
    side: str
    price: Decimal
    quantity: Decimal

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self.side == "BUY" else -1


@dataclass(frozen=True)
class _Stand:
    """How long an order stood at a price, UNIX ns."""

    order_id: str
    side: str
    price: Decimal
    sent_ns: int
    from_ns: int
    until_ns: int = _FOREVER


@dataclass(frozen=True)
class FillDifference:
    """A fill that one of the two alone has, and why."""

    time: str
    live: str
    replay: str
    cause: str


@dataclass(frozen=True)
class FillsSideBySide:
    """
    Fills of both.

    Parameters
    ----------
    live, replay : int
        How many.
    same, same_in_replay : int
        How many of each have their like in the other, in one or in parts: side, price and quantity, near in time.
    later_ms_median : float, optional
        By how much the run heard of those later.
    by_cause : dict
        The others, by cause.
    differences : list of FillDifference
        The others, in order.

    """

    live: int
    replay: int
    same: int
    same_in_replay: int
    later_ms_median: float | None
    by_cause: dict[str, int]
    differences: list[FillDifference]


def fills_of(log: RunLog) -> list[FillSeen]:
    """Return the fills of a log in order."""
    return [
        FillSeen(
            placed.row.at,
            placed.after,
            (placed.row.event["strategy_id"], placed.row.event["instrument_id"]),
            placed.row.event["client_order_id"],
            placed.row.event["order_side"],
            Decimal(placed.row.event["last_px"]),
            Decimal(placed.row.event["last_qty"]),
        )
        for placed in log.answers
        if placed.row.kind == "OrderFilled"
    ]


def pair_fills(live: RunLog, free: RunLog, window_ns: int) -> FillsSideBySide:
    """Pair the fills of both, quantity for quantity, within `window_ns` of each other, and explain what is left."""
    mine, theirs = ([_Unpaired(fill, fill.quantity) for fill in fills_of(log)] for log in (live, free))
    lag_ms = [lag_ns / _MS for each in mine for lag_ns in _pair(each, theirs, window_ns)]
    sides = _known(live), _known(free)
    left = [(each, True) for each in mine if each.left] + [(each, False) for each in theirs if each.left]
    differences = []
    for each, is_live in sorted(left, key=lambda one: one[0].fill.at_ns):
        own, other = sides if is_live else sides[::-1]
        cause = _cause(each.fill, own, other, "the replay" if is_live else "the run")
        texts = (str(each), "nothing") if is_live else ("nothing", str(each))
        differences.append(FillDifference(utc(each.fill.at_ns), *texts, cause))
    return FillsSideBySide(
        live=len(mine),
        replay=len(theirs),
        same=sum(not each.left for each in mine),
        same_in_replay=sum(not each.left for each in theirs),
        later_ms_median=median(lag_ms) if lag_ms else None,
        by_cause=dict(Counter(difference.cause.partition(":")[0] for difference in differences)),
        differences=differences,
    )


@dataclass
class _Unpaired:
    """A fill, and what of it has no like in the other."""

    fill: FillSeen
    left: Decimal

    def __str__(self) -> str:
        part = "" if self.left == self.fill.quantity else f"{self.left:f} of "
        return f"{self.fill.side} {part}{self.fill.quantity:f} at {self.fill.price:f}"


def _pair(mine: _Unpaired, others: Sequence[_Unpaired], window_ns: int) -> list[int]:
    """Take what is alike from others, the nearest in time first; return by how much mine came later, of each."""
    fill = mine.fill
    near = [other for other in others if other.left and abs(other.fill.at_ns - fill.at_ns) <= window_ns]
    alike = [each for each in near if _what(each.fill) == _what(fill)]
    lags = []
    for other in sorted(alike, key=lambda each: abs(each.fill.at_ns - fill.at_ns)):
        part = min(mine.left, other.left)
        if part:
            mine.left -= part
            other.left -= part
            lags.append(fill.at_ns - other.fill.at_ns)
    return lags


def _what(fill: FillSeen) -> tuple[Maker, str, Decimal]:
    return fill.maker, fill.side, fill.price


def _known(log: RunLog) -> "_Known":
    """Return where orders stood, and for how long, as the log's run heard of it."""
    steps: list[tuple[int, int, Sent | OrderAnswer]] = []
    steps += [(placed.row.at, 0, placed.row) for placed in log.outputs if isinstance(placed.row, Sent)]
    steps += [(placed.row.at, 1, placed.row) for placed in log.answers]
    book = _OrdersFollowed()
    for _, _, row in sorted(steps, key=lambda step: step[:2]):
        if isinstance(row, Sent):
            book.send(row)
        else:
            book.answer(row)
    return _Known([*book.done, *book.open.values()], book.refused, Steps(log.outputs))


@dataclass(frozen=True)
class _Refused:
    """A command that was refused, and when that was heard of, UNIX ns."""

    at_ns: int
    maker: Maker
    side: str
    reason: str


@dataclass(frozen=True)
class _Known:
    """What is known of the orders of one of the two, and of the quotes that it wanted."""

    stands: list[_Stand]
    refused: list[_Refused]
    wanted: Steps


class _OrdersFollowed:
    """Limit orders from their sending to their end."""

    def __init__(self) -> None:
        self.done: list[_Stand] = []
        self.open: dict[str, _Stand] = {}
        self.refused: list[_Refused] = []
        self._sent: dict[str, Sent] = {}
        self._sent_ns: dict[str, int] = {}
        self._left: dict[str, Decimal] = {}

    def send(self, row: Sent) -> None:
        if row.order_id is None:
            return
        self._sent_ns[row.order_id] = row.at
        if row.kind == "submit" and row.quantity is not None:
            self._sent[row.order_id] = row
            self._left[row.order_id] = Decimal(row.quantity)

    def answer(self, row: OrderAnswer) -> None:
        order_id = row.event["client_order_id"]
        order = self._sent.get(order_id)
        if order is None or order.price is None or order.side is None:
            return
        if row.kind in _REFUSALS:
            self.refused.append(_Refused(row.at, (order.strategy, order.instrument), order.side, row.event["reason"]))
        if row.kind == "OrderFilled":
            self._left[order_id] -= Decimal(row.event["last_qty"])
        is_filled = row.kind == "OrderFilled" and self._left[order_id] <= 0
        price = row.event.get("price") if row.kind == "OrderUpdated" else order.price
        starts = row.kind in ("OrderAccepted", "OrderUpdated") and price is not None
        if order_id in self.open and (row.kind in _GONE or starts or is_filled):
            self.done.append(replace(self.open.pop(order_id), until_ns=row.at))
        if starts:
            sent_ns = self._sent_ns[order_id]
            self.open[order_id] = _Stand(order_id, order.side, Decimal(str(price)), sent_ns, row.at)


def _cause(fill: FillSeen, own: _Known, other: _Known, whose: str) -> str:
    """Say why the other has no such fill: where its order was when this one filled, or where it wanted to be."""
    mine = [stand for stand in own.stands if stand.order_id == fill.order_id and stand.from_ns <= fill.at_ns]
    alike = [stand for stand in other.stands if (stand.side, stand.price) == (fill.side, fill.price)]
    there = next((stand for stand in alike if stand.from_ns <= fill.at_ns < stand.until_ns), None)
    if there is not None:
        waited = ""
        if mine:
            waited = f", {(there.from_ns - mine[-1].from_ns) / _MS:+.1f} ms after this one"
        return f"queue: {whose}'s order stood there too{waited}; what traded did not reach it in the queue, or in part"
    coming = next((stand for stand in alike if stand.sent_ns <= fill.at_ns < stand.from_ns), None)
    if coming is not None:
        late_ms = (coming.from_ns - fill.at_ns) / _MS
        return f"latency of an order: {whose}'s was on its way, and arrived {late_ms:.1f} ms after this fill"
    gone = max((s for s in alike if s.until_ns <= fill.at_ns), key=lambda stand: stand.until_ns, default=None)
    if gone is not None and mine and gone.until_ns >= mine[-1].from_ns:
        early_ms = (fill.at_ns - gone.until_ns) / _MS
        return f"latency of a change: {whose}'s had left the price, or was filled, {early_ms:.1f} ms before"
    refused = next((each for each in reversed(other.refused) if _concerns(each, fill, other.stands)), None)
    if refused is not None:
        early_ms = (fill.at_ns - refused.at_ns) / _MS
        return f"refused: {whose}'s order or change was refused {early_ms:.1f} ms before this fill ({refused.reason})"
    return _cause_in_wishes(fill, own, other, whose)


def _cause_in_wishes(fill: FillSeen, own: _Known, other: _Known, whose: str) -> str:
    """Say what the other wanted where it had no order."""
    if own.wanted.at(fill.maker, fill.after - 1) == other.wanted.at(fill.maker, fill.after - 1):
        return f"latency: both wanted the same quotes, and {whose}'s orders stood where it had wanted them before"
    if not other.wanted.at(fill.maker, fill.after - 1):
        return f"no quotes: {whose} wanted none then"
    return f"another quote: {whose} wanted other quotes then, as fills had made its inventory different"


def _concerns(refused: _Refused, fill: FillSeen, stands: list[_Stand]) -> bool:
    """Return whether a refusal is the last that was heard of a maker's orders on the side of a fill before it."""
    if (refused.maker, refused.side) != (fill.maker, fill.side) or refused.at_ns > fill.at_ns:
        return False
    return not any(stand.side == fill.side and refused.at_ns < stand.from_ns <= fill.at_ns for stand in stands)


# -- How long the venue took ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a command to the answer that it has taken effect, of a run."""

    commands: int
    median_ms: float
    p99_ms: float


def latencies(log: RunLog) -> dict[str, Latency]:
    """Return how long commands of the run took to be answered, by kind; kinds without an answer are left out."""
    answers = {"OrderAccepted": "submit", "OrderUpdated": "modify", "OrderCanceled": "cancel"}
    heard: dict[tuple[str, str], list[int]] = {}
    for placed in log.answers:
        if (kind := answers.get(placed.row.kind)) is not None:
            heard.setdefault((kind, placed.row.event["client_order_id"]), []).append(placed.row.at)
    took: dict[str, list[float]] = {}
    for output in log.outputs:
        row = output.row
        if isinstance(row, Sent) and row.order_id is not None:
            times = heard.get((row.kind, row.order_id), [])
            place = bisect_right(times, row.at)
            if place < len(times):
                took.setdefault(row.kind, []).append((times[place] - row.at) / _MS)
    return {kind: Latency(len(ms), median(ms), _p99(ms)) for kind, ms in took.items()}


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]
