"""
What a maker has to know of a market besides its volatility: spread, market orders, and what the price does after them.

Times are in nanoseconds (whole numbers) unless a name says seconds. A side is +1 for a market order that bought and -1
for one that sold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

BOOTSTRAP_SEED = 1
RESAMPLES = 999


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its 95 % confidence interval, in the unit of the estimate."""

    value: float
    low: float
    high: float


def sweep_starts(
    times_ns: ArrayLike, prices: ArrayLike, buyers: ArrayLike, largest_gap_ns: int = 1_000_000
) -> NDArray[np.bool_]:
    """
    Tell which trades begin a market order.

    A trade belongs to the market order of the trade before it when the same side took liquidity, it came within
    `largest_gap_ns`, and the price did not turn back: one order goes through the book outwards only.

    Parameters
    ----------
    times_ns, prices, buyers : array_like, shape (n,)
        Trades in order: time, price in any unit, and whether the buyer took liquidity.
    largest_gap_ns : int
        A millisecond by default: an exchange reports the trades of one order at once, a recorder receives them within
        microseconds to a fraction of a millisecond of each other.

    Returns
    -------
    ndarray of bool, shape (n,)
        True at the first trade of each market order.

    """
    time, price = np.asarray(times_ns, dtype=np.int64), np.asarray(prices)
    buyer = np.asarray(buyers, dtype=np.bool_)
    starts = np.ones(len(time), dtype=np.bool_)
    onward = np.where(buyer[1:], np.diff(price) >= 0, np.diff(price) <= 0)
    starts[1:] = (np.diff(time) > largest_gap_ns) | (buyer[1:] != buyer[:-1]) | ~onward
    return starts


def time_weighted_mean(values: ArrayLike, times_ns: ArrayLike, end_ns: int) -> float:
    """
    Return the mean of a quantity that holds each value until the next: sum v_i (t_(i+1) - t_i) / (end - t_0).

    Parameters
    ----------
    values : array_like, shape (n,)
        Such as spreads; at least one.
    times_ns : array_like, shape (n,)
        From when each holds, non-decreasing.
    end_ns : int
        Until when the last one holds, after the first time.

    Returns
    -------
    float
        In the unit of the values.

    Raises
    ------
    ValueError
        If there is no value, the lengths differ, or the end is not after the first time.

    """
    quantity, held = _held(values, times_ns, end_ns)
    return float(np.dot(quantity, held) / held.sum())


def time_weighted_shares(values: ArrayLike, times_ns: ArrayLike, end_ns: int) -> tuple[Floats, Floats]:
    """
    Return the different values of a quantity, ascending, and the share of time it held each.

    Parameters
    ----------
    values, times_ns, end_ns
        As for `time_weighted_mean`.

    Returns
    -------
    tuple[ndarray, ndarray]
        Values and shares; the shares sum to 1.

    Raises
    ------
    ValueError
        As for `time_weighted_mean`.

    """
    quantity, held = _held(values, times_ns, end_ns)
    distinct, place = np.unique(quantity, return_inverse=True)
    shares = np.bincount(place, weights=held) / held.sum()
    return distinct, shares


def dispersion_index(times_ns: ArrayLike, start_ns: int, end_ns: int, bin_ns: int) -> float:
    """
    Return how far arrivals come in bursts: variance/mean of their number per bin.

    Parameters
    ----------
    times_ns : array_like, shape (n,)
        Times of arrivals.
    start_ns, end_ns : int
        The time that was watched; a last bin that is not whole is left out.
    bin_ns : int
        Length of a bin.

    Returns
    -------
    float
        1 for a Poisson process, more for bursts; NaN with fewer than two bins or no arrivals in them.

    References
    ----------
    Cox and Lewis, "The statistical analysis of series of events", 1966, section 4.5 (index of dispersion).

    """
    bins = (end_ns - start_ns) // bin_ns
    place = (np.asarray(times_ns, dtype=np.int64) - start_ns) // bin_ns
    counts = np.bincount(place[(place >= 0) & (place < bins)], minlength=max(bins, 0))
    if bins < 2 or not counts.any():
        return math.nan
    return float(counts.var(ddof=1) / counts.mean())


def price_impacts(
    mid_times_ns: ArrayLike,
    mids: ArrayLike,
    horizon_ns: int,
    *,
    order_times_ns: ArrayLike,
    start_mids: ArrayLike,
    sides: ArrayLike,
    end_ns: int | None = None,
) -> Floats:
    """
    Return how far the mid moved in each market order's direction: side (m(t + h) - m_before) / m_before, in bps.

    It is what a maker loses on the other side: positive means that the order knew better. The mid at a time is the last
    one at or before it.

    Parameters
    ----------
    mid_times_ns, mids : array_like, shape (m,)
        Mids and since when each holds, in order.
    horizon_ns : int
        h.
    order_times_ns, start_mids, sides : array_like, shape (n,)
        Time of each market order, the mid before it, and +1 for a purchase or -1 for a sale.
    end_ns : int, optional
        Until when the last mid is known to hold; only its own time where left out.

    Returns
    -------
    ndarray of float64, shape (n,)
        Basis points; NaN where nothing is known of t + h.

    References
    ----------
    Huang and Stoll, "Dealer versus auction markets", Journal of Financial Economics 41(3), 1996: price impact, the
    effective half-spread less the realised half-spread.

    """
    known, mid = np.asarray(mid_times_ns, dtype=np.int64), np.asarray(mids, dtype=np.float64)
    before = np.asarray(start_mids, dtype=np.float64)
    later = np.asarray(order_times_ns, dtype=np.int64) + horizon_ns
    place = np.searchsorted(known, later, side="right") - 1
    impact: Floats = np.asarray(sides) * (mid[place] - before) / before * 1e4
    impact[(later > (known[-1] if end_ns is None else end_ns)) | (place < 0)] = np.nan
    return impact


def bootstrap_means(columns: ArrayLike, block: int, resamples: int = RESAMPLES, seed: int = BOOTSTRAP_SEED) -> Floats:
    """
    Return means of the columns over samples drawn in blocks of consecutive rows, which keeps their dependence.

    Parameters
    ----------
    columns : array_like, shape (n, m)
        Rows in order of time; each sample draws the same rows of all columns, so that ratios of means make sense.
    block : int
        Rows per block, at least 1. A block begins anywhere and goes round the end.
    resamples : int
        How many samples.
    seed : int
        The same seed gives the same samples.

    Returns
    -------
    ndarray of float64, shape (resamples, m)

    Raises
    ------
    ValueError
        If there is no row or `block` is below 1.

    References
    ----------
    Politis and Romano, "A circular block-resampling procedure for stationary data", in LePage and Billard (editors),
    Exploring the limits of bootstrap, 1992.

    """
    values = np.asarray(columns, dtype=np.float64)
    rows = len(values)
    if rows == 0 or block < 1:
        raise ValueError(f"{rows} rows cannot be drawn in blocks of {block}")
    block = min(block, rows)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(np.concatenate([values, values[:block]]), axis=0)])
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]))
    for i in range(resamples):
        starts = rng.integers(0, rows, -(-rows // block))
        means[i] = (sums[starts + block] - sums[starts]).mean(axis=0) / block
    return means


def percentile_interval(value: float, samples: ArrayLike) -> Interval:
    """Return a value with the 2.5th and 97.5th percentile of its bootstrap samples."""
    low, high = np.percentile(np.asarray(samples, dtype=np.float64), [2.5, 97.5]).tolist()
    return Interval(value, low, high)


@dataclass(frozen=True, slots=True)
class AdverseSelection:
    """
    What makers lost to better knowledge, at one horizon.

    Parameters
    ----------
    horizon_secs : float
        How long after the market order.
    orders : int
        Market orders for which the mid after it is known.
    impact_bps : Interval
        Mean move of the mid in the direction of the order.
    realised_half_spread_bps : Interval
        What is left to the maker: effective half-spread less impact, before fees.
    informed_share : Interval or None
        Impact as a share of the effective half-spread: 0 for flow that knows nothing, above 1 where makers lose. None
        where the half-spread is not positive.

    """

    horizon_secs: float
    orders: int
    impact_bps: Interval
    realised_half_spread_bps: Interval
    informed_share: Interval | None


def adverse_selection(
    impacts_bps: ArrayLike, half_spreads_bps: ArrayLike, horizon_secs: float, orders_per_second: float
) -> AdverseSelection | None:
    """
    Return mean impact, realised half-spread and informed share of market orders, with block-bootstrap intervals.

    Parameters
    ----------
    impacts_bps : array_like, shape (n,)
        From `price_impacts`, in order of time; NaN where it is not known.
    half_spreads_bps : array_like, shape (n,)
        The effective half-spread of each order: side (price - mid before) / mid before.
    horizon_secs : float
        The horizon of the impacts.
    orders_per_second : float
        How many orders overlap within a horizon: blocks are at least this long.

    Returns
    -------
    AdverseSelection or None
        None where no impact is known, or the horizon covers so many orders that fewer than 5 blocks are left.

    References
    ----------
    Huang and Stoll (1996), as for `price_impacts`; the share is the adverse-selection component of the spread of
    Glosten and Harris, Journal of Financial Economics 21(1), 1988, measured by markouts.

    """
    impact, half = np.asarray(impacts_bps, dtype=np.float64), np.asarray(half_spreads_bps, dtype=np.float64)
    known = ~np.isnan(impact)
    rows = np.column_stack([impact[known], half[known]])
    samples = overlapping_means(rows, horizon_secs * orders_per_second)
    if samples is None:
        return None
    mean_impact, mean_half = rows.mean(axis=0).tolist()
    share = None
    if mean_half > 0.0:
        # A sample whose half-spread is hardly positive says that the share may be anything.
        ratios = samples[:, 0] / np.maximum(samples[:, 1], 1e-9 * mean_half)
        share = percentile_interval(mean_impact / mean_half, ratios)
    return AdverseSelection(
        horizon_secs,
        len(rows),
        percentile_interval(mean_impact, samples[:, 0]),
        percentile_interval(mean_half - mean_impact, samples[:, 1] - samples[:, 0]),
        share,
    )


def overlapping_means(rows: ArrayLike, overlap: float) -> Floats | None:
    """
    Return `bootstrap_means` of rows each of which overlaps with so many that follow, or None where too few are left.

    Parameters
    ----------
    rows : array_like, shape (n, m)
        In order of time.
    overlap : float
        Blocks are at least this long, and at least n^(1/3).

    Returns
    -------
    ndarray of float64, shape (999, m), or None
        None where there are no 5 blocks.

    """
    values = np.asarray(rows, dtype=np.float64)
    block = max(math.ceil(len(values) ** (1.0 / 3.0)), math.ceil(overlap))
    return bootstrap_means(values, block) if len(values) >= 5 * block else None


def quantiles(values: ArrayLike, probabilities: Sequence[float]) -> list[float]:
    """Return quantiles of values that were there at these probabilities: no interpolation between two of them."""
    found: list[float] = np.quantile(np.asarray(values), probabilities, method="inverted_cdf").tolist()
    return found


def _held(values: ArrayLike, times_ns: ArrayLike, end_ns: int) -> tuple[Floats, Floats]:
    quantity, time = np.asarray(values, dtype=np.float64), np.asarray(times_ns, dtype=np.int64)
    if quantity.ndim != 1 or quantity.shape != time.shape or not len(time):
        raise ValueError("values and times were not rows of one length, with at least one value")
    if not end_ns > time[0]:
        raise ValueError("the end was not after the first time")
    held = np.diff(np.minimum(np.append(time, end_ns), end_ns)).astype(np.float64)
    return quantity, held
