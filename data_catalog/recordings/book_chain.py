"""
Order-book deltas from a REST snapshot and the stream of depth diffs, joined by their update ids.

A snapshot becomes a CLEAR and one ADD per level; a diff becomes UPDATEs, and DELETEs where the size is zero. The last
delta of each message carries F_LAST. Where the chain of update ids breaks, a lone CLEAR says that the book is unknown,
and diffs are left out until the next snapshot: stale levels would flatter whoever trades against them.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from nautilus_trader.model.enums import BookAction, OrderSide, RecordFlag

from bad_input import BadInput
from data_catalog.columns import Deltas, Int64, UInt8
from data_catalog.counts import GRID_HINT, Grid, NotOnGrid
from data_catalog.recordings.gaps import add_gap
from data_catalog.recordings.lines import Level
from data_catalog.store.origin import Gap

ADD, UPDATE, DELETE, CLEAR = (int(BookAction[name]) for name in ("ADD", "UPDATE", "DELETE", "CLEAR"))
NO_SIDE, BID, ASK = (int(OrderSide[name]) for name in ("NO_ORDER_SIDE", "BUY", "SELL"))
F_LAST, F_SNAPSHOT = int(RecordFlag.F_LAST), int(RecordFlag.F_SNAPSHOT)

EARLY_DIFFS = 10_000


@dataclass(frozen=True, slots=True)
class Depth:
    """
    A change of the whole book: a snapshot, a diff, or (with `clears` and no levels) the loss of the book.

    Attributes
    ----------
    place : tuple[Path, int]
        File and line it came from.
    ts : int
        When it was received, UNIX nanoseconds.
    first_id, last_id : int
        Update ids `U` and `u`; both `lastUpdateId` in a snapshot.
    previous_id : int or None
        `pu`, the last id of the message before, on futures only.
    clears : bool
        Whether the book is emptied first.

    """

    place: tuple[Path, int]
    ts: int
    first_id: int
    last_id: int
    previous_id: int | None
    bids: list[Level]
    asks: list[Level]
    clears: bool = False


@dataclass(slots=True)
class BookChain:
    """
    Chooses, from snapshots and diffs in the order received, the changes that make up one continuous book.

    Diffs received before the first snapshot are kept (at most `early_limit`), since a snapshot arrives late: those
    with newer update ids are applied right after it, at its time.

    Attributes
    ----------
    early_limit : int
        The most diffs kept while there is no snapshot; older ones are given up.
    gaps : int
        Breaks in the chain of update ids.
    unusable : int
        Diffs left out because the book was not known: before the first snapshot, or after a gap.
    outdated : int
        Diffs left out because the snapshot already contained them.
    snapshots : int
        Snapshots applied.
    missing : list[Gap]
        From the last change before each break to the first one after it.

    """

    early_limit: int = EARLY_DIFFS
    gaps: int = 0
    unusable: int = 0
    outdated: int = 0
    snapshots: int = 0
    missing: list[Gap] = field(default_factory=list)
    _last_ns: int = 0
    _last_id: int | None = None
    _fresh: bool = False
    _waiting: deque[Depth] = field(default_factory=deque)

    def snapshot(self, depth: Depth) -> list[Depth]:
        """Return the changes to apply for a snapshot: itself, and the diffs received before it that are newer."""
        if self._last_id is not None and depth.last_id < self._last_id:
            return []
        self.snapshots += 1
        self._last_id, self._last_ns, self._fresh = depth.last_id, depth.ts, True
        waiting, self._waiting = self._waiting, deque()
        applied = [depth]
        for early in waiting:
            late = Depth(
                early.place, depth.ts, early.first_id, early.last_id, early.previous_id, early.bids, early.asks
            )
            applied += self.diff(late)
        return applied

    def diff(self, depth: Depth) -> list[Depth]:
        """Return the changes to apply for a diff: itself, nothing, or the loss of the book."""
        if self._last_id is None:
            self._wait(depth)
            return []
        if self._is_outdated(depth):
            self.outdated += 1
            return []
        if not self._continues(depth):
            self.gaps += 1
            self._last_id = None
            add_gap(self.missing, Gap(self._last_ns, depth.ts, "book updates missing"))
            self._wait(depth)
            return [Depth(depth.place, depth.ts, depth.last_id, depth.last_id, None, [], [], clears=True)]
        self._last_id, self._last_ns, self._fresh = depth.last_id, depth.ts, False
        return [depth]

    def finish(self) -> None:
        """Count the diffs that still wait for a snapshot as unusable."""
        self.unusable += len(self._waiting)
        self._waiting.clear()

    def _is_outdated(self, depth: Depth) -> bool:
        assert self._last_id is not None
        if depth.previous_id is None:
            return depth.last_id <= self._last_id
        # On futures the first diff after a snapshot may end at the snapshot's own id.
        return depth.last_id < self._last_id if self._fresh else depth.last_id <= self._last_id

    def _continues(self, depth: Depth) -> bool:
        assert self._last_id is not None
        if depth.previous_id is None:
            return depth.first_id <= self._last_id + 1 if self._fresh else depth.first_id == self._last_id + 1
        if self._fresh:
            return depth.first_id <= self._last_id or depth.previous_id == self._last_id
        return depth.previous_id == self._last_id

    def _wait(self, depth: Depth) -> None:
        self._waiting.append(depth)
        if len(self._waiting) > self.early_limit:
            self._waiting.popleft()
            self.unusable += 1


def deltas_of(changes: list[Depth], grid: Grid) -> tuple[Deltas, int]:
    """
    Return changes of the book as deltas, bids before asks, and the number of sizes that were rounded to the step.

    Raises
    ------
    BadInput
        With file and line of the change that holds a price or size off the grid.

    """
    bids = np.array([len(change.bids) for change in changes], np.int64)
    asks = np.array([len(change.asks) for change in changes], np.int64)
    clears = np.array([change.clears for change in changes], np.int64)
    totals = clears + bids + asks
    owner = np.repeat(np.arange(len(changes)), totals)
    side = _interleave((clears, NO_SIDE), (bids, BID), (asks, ASK))
    price, size = np.zeros(len(owner), np.int64), np.zeros(len(owner), np.int64)
    is_level = side != NO_SIDE
    texts = list(chain.from_iterable(chain.from_iterable(chain.from_iterable((c.bids, c.asks) for c in changes))))
    try:
        price[is_level] = grid.prices(texts[0::2])
        size[is_level], rounded = grid.sizes(texts[1::2])
    except NotOnGrid as error:
        file, line = changes[owner[is_level][error.row]].place
        raise BadInput(error.problem, file=file, line=line, hint=GRID_HINT) from error
    of_snapshot = clears[owner].astype(bool)
    action = np.where(size > 0, np.where(of_snapshot, ADD, UPDATE), DELETE)
    action[~is_level] = CLEAR
    flags = np.where(of_snapshot, F_SNAPSHOT, 0)
    flags[np.cumsum(totals)[totals > 0] - 1] |= F_LAST
    ts = np.array([change.ts for change in changes], np.int64)[owner]
    last_ids = np.array([change.last_id for change in changes], np.int64)[owner]
    deltas = Deltas(action.astype(np.uint8), side, price, size, flags.astype(np.uint8), last_ids, ts, ts)
    return deltas, rounded


def _interleave(*parts: tuple[Int64, int]) -> UInt8:
    """Return, for each change in turn, the value of each part as often as the part's count says."""
    counts = np.stack([count for count, _ in parts], axis=1).reshape(-1)
    values = np.array([value for _, value in parts], np.uint8)
    return np.repeat(np.tile(values, len(parts[0][0])), counts)
