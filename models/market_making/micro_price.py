"""
The micro-price of Stoikov, "The micro-price: a high-frequency estimator of future prices" (Quantitative Finance 18(12),
2018), estimated from quotes.

The state of the book is its spread in ticks and the bucket of its imbalance. From one quote to the next it goes from
state to state, and the mid moves or does not. The micro-price is the mid plus g(state), the sum of all moves that are
expected from now on. In the notation of the paper's section 3, G1 = (I - Q)^-1 R K is the first move, B = (I - Q)^-1 T
leads to the state after it, and g = G1 + B G1 + B^2 G1 + ... That sum solves (I - P) g = r, where P = Q + T takes a
state to the next and r = R K is the expected move on the way, and this is how it is computed here.

The data are used twice, as they are and mirrored (bid and ask exchanged), so that no trend of the sample enters: g of a
mirrored state is -g, and the equations need to be solved for the states with the smaller bid only. Buckets are an odd
number of equal intervals of Qb/(Qb + Qa): a balanced book is in the middle one, where g is 0.

Units: prices in ticks, as whole numbers; sizes in lots.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Beyond this the equations say nothing: from some states the price went one way and never came back.
_MAX_CONDITION = 1e8


def imbalance_bucket(bid_size: float, ask_size: float, buckets: int) -> int:
    """
    Return the bucket of the imbalance Qb/(Qb + Qa).

    An imbalance on the border of two buckets is in the inner one, so that exchanging the sizes gives the mirrored
    bucket, always.

    Parameters
    ----------
    bid_size, ask_size : float
        Sizes at the best prices, at least 0 and not both 0.
    buckets : int
        Their number n, odd.

    Returns
    -------
    int
        0 (all size at the ask) to n - 1 (all at the bid); (n - 1)/2 holds the balanced book.

    """
    total = bid_size + ask_size
    if bid_size < ask_size:
        return int(buckets * bid_size // total)
    return buckets - 1 - int(buckets * ask_size // total)


@dataclass(frozen=True, slots=True)
class MicroPrice:
    """
    The micro-price by state, to look up.

    Parameters
    ----------
    adjustments : tuple of tuple of float
        g in ticks: one row per spread (1 tick, 2 ticks, ..., the last for every wider one), one column per bucket of
        the imbalance. A row mirrored is the row negated.
    observations : tuple of tuple of int
        How many transitions each estimate rests on, its own and those of the mirrored state. Where they were too few
        the adjustment is 0.

    """

    adjustments: tuple[tuple[float, ...], ...]
    observations: tuple[tuple[int, ...], ...]

    def price(self, bid: float, ask: float, bid_size: float, ask_size: float) -> float:
        """
        Return the micro-price.

        Parameters
        ----------
        bid, ask : float
            The best prices in ticks.
        bid_size, ask_size : float
            Their sizes, in any unit, at least 0.

        Returns
        -------
        float
            In ticks. The mid where the book is empty, locked or crossed. It may lie outside bid and ask, far outside
            where the price jumps by many ticks at a time.

        """
        mid = 0.5 * (bid + ask)
        spread = round(ask - bid)
        if spread < 1 or not bid_size + ask_size > 0:
            return mid
        row = self.adjustments[min(spread, len(self.adjustments)) - 1]
        return mid + row[imbalance_bucket(bid_size, ask_size, len(row))]


def fit_micro_price(  # noqa: PLR0917 (the four columns and how fine the table is)
    bid: ArrayLike,
    ask: ArrayLike,
    bid_size: ArrayLike,
    ask_size: ArrayLike,
    buckets: int = 9,
    max_spread: int = 5,
    min_observations: int = 100,
) -> MicroPrice:
    """
    Estimate the micro-price from a series of quotes.

    Updates that leave the state as it is change nothing, so it does not matter whether the rows are all updates or a
    grid in time as long as the grid is fine.

    Parameters
    ----------
    bid, ask : array_like of int, shape (n,)
        The best prices in ticks, in order of time, bid below ask.
    bid_size, ask_size : array_like of int, shape (n,)
        Their sizes in lots, at least 0 and not both 0.
    buckets : int
        Buckets of the imbalance, odd, at least 1.
    max_spread : int
        Spreads of this many ticks and more share a row, at least 1.
    min_observations : int
        States seen less often (with their mirror images) are given no adjustment, at least 1. The moves from a state
        are few among its transitions: dozens of observations can hold two or three of them, and say nothing.

    Returns
    -------
    MicroPrice
        The table.

    Raises
    ------
    ValueError
        If an argument is out of its range, the columns differ in length, there are fewer than two rows, a row is locked
        or crossed or has no size, or the sample does not say where the price ends up.

    """
    if buckets < 1 or buckets % 2 == 0:
        raise ValueError(f"buckets was {buckets}, expected an odd number: a balanced book needs a bucket of its own")
    if max_spread < 1 or min_observations < 1:
        raise ValueError("max_spread or min_observations was below 1")
    moves = _transitions(_checked(bid, ask, bid_size, ask_size), buckets, max_spread)
    adjustment, counts = _expected_moves(moves, buckets, min_observations)
    shape = (max_spread, buckets)
    return MicroPrice(
        tuple(tuple(row) for row in adjustment.reshape(shape).tolist()),
        tuple(tuple(row) for row in counts.reshape(shape).tolist()),
    )


class _Quotes(NamedTuple):
    """Columns of equal length: prices in ticks, sizes in lots."""

    bid: NDArray[np.int64]
    ask: NDArray[np.int64]
    bid_size: NDArray[np.int64]
    ask_size: NDArray[np.int64]


class _Transitions(NamedTuple):
    """Transitions from state to state, shape (m, m), and the sum of the moves of the mid from each state, in ticks."""

    counts: NDArray[np.int64]
    total_move: NDArray[np.float64]


def _checked(bid: ArrayLike, ask: ArrayLike, bid_size: ArrayLike, ask_size: ArrayLike) -> _Quotes:
    quotes = _Quotes(*(np.asarray(column, dtype=np.int64) for column in (bid, ask, bid_size, ask_size)))
    if any(column.shape != (len(quotes.bid),) for column in quotes):
        raise ValueError(f"columns of shapes {[column.shape for column in quotes]} were not of one length")
    if len(quotes.bid) < 2:
        raise ValueError(f"there were {len(quotes.bid)} quotes, expected at least 2")
    if np.any(quotes.ask <= quotes.bid):
        raise ValueError("a quote was locked or crossed")
    if np.any(quotes.bid_size < 0) or np.any(quotes.ask_size < 0) or np.any(quotes.bid_size + quotes.ask_size == 0):
        raise ValueError("a quote had no size")
    return quotes


def _transitions(quotes: _Quotes, buckets: int, max_spread: int) -> _Transitions:
    """Return the transitions of the quotes and of their mirror image, together."""
    total = quotes.bid_size + quotes.ask_size
    smaller = buckets * np.minimum(quotes.bid_size, quotes.ask_size) // total
    bucket = np.where(quotes.bid_size < quotes.ask_size, smaller, buckets - 1 - smaller)
    state = (np.minimum(quotes.ask - quotes.bid, max_spread) - 1) * buckets + bucket
    move = 0.5 * np.diff(quotes.bid + quotes.ask)
    size = buckets * max_spread
    counts = np.bincount(state[:-1] * size + state[1:], minlength=size * size).reshape(size, size)
    total_move = np.bincount(state[:-1], weights=move, minlength=size)
    mirror = _mirror(np.arange(size), buckets)
    return _Transitions(counts + counts[np.ix_(mirror, mirror)], total_move - total_move[mirror])


def _expected_moves(
    moves: _Transitions, buckets: int, min_observations: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return g of every state, in ticks, and from how many transitions it comes."""
    counts = moves.counts.sum(axis=1)
    known = counts >= min_observations
    weights = np.where(known, 1.0 / np.maximum(counts, 1), 0.0)
    step = moves.counts * weights[:, None]
    drift = moves.total_move * weights
    states = np.arange(len(counts))
    mirror = _mirror(states, buckets)
    low = states[states % buckets < buckets // 2]
    # g(mirror) = -g(state) leaves half of (I - P) g = r.
    system = np.eye(len(low)) - step[np.ix_(low, low)] + step[np.ix_(low, mirror[low])]
    if len(low) and np.linalg.cond(system) > _MAX_CONDITION:
        raise ValueError("the sample does not say where the price ends up: it went one way and never came back")
    adjustment = np.zeros(len(counts))
    adjustment[low] = np.linalg.solve(system, drift[low])
    adjustment[mirror[low]] = 0.0 - adjustment[low]
    return adjustment, counts


def _mirror(states: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """Return the states with bid and ask exchanged."""
    return states + buckets - 1 - 2 * (states % buckets)
