"""What a quote at each depth would have earned: who reaches it, what they know, and the fee."""

from dataclasses import dataclass

import numpy as np

from data_catalog.calibration.market_orders import MarketOrders
from data_catalog.calibration.market_window import Floats, MarketWindow
from models.market_statistics import Interval, overlapping_means, percentile_interval, price_impacts

MIN_ORDERS = 50
"""Market orders that must reach a depth before anything is said about it."""

_DEPTHS = 10


@dataclass(frozen=True)
class DepthEarnings:
    """
    A quote that always stood at one depth, alone, first in the queue and without delay.

    Parameters
    ----------
    depth_bps : float
        Its distance from the mid.
    orders : int
        Market orders that reached it, of both sides.
    per_hour : float
        The same per hour and side.
    impact_bps : Interval
        Mean move of the mid against it afterwards. It grows with depth: who goes deep knows why.
    earned_bps : Interval
        Depth less impact less maker fee: what is left of each fill.

    """

    depth_bps: float
    orders: int
    per_hour: float
    impact_bps: Interval
    earned_bps: Interval

    @property
    def per_hour_bps(self) -> float:
        """What is left per hour and side, in basis points of a quote's value."""
        return self.per_hour * self.earned_bps.value


def earnings_by_depth(
    window: MarketWindow, orders: MarketOrders, maker_fee_bps: float, horizon_secs: float
) -> list[DepthEarnings]:
    """
    Return what quotes at up to 10 depths from the touch outwards would have earned.

    Parameters
    ----------
    window, orders
        The data.
    maker_fee_bps : float
        The fee of each fill.
    horizon_secs : float
        How long after the market order its impact is taken.

    Returns
    -------
    list of DepthEarnings
        By depth; empty where no depth was reached by 50 market orders.

    """
    impacts = order_impacts(window, orders, horizon_secs)
    depths_bps = orders.half_ticks * window.tick_bps / 2
    known = ~np.isnan(impacts)
    depths_bps, impacts = depths_bps[known], impacts[known]
    found = []
    for depth in _depths(depths_bps):
        reached = impacts[depths_bps >= depth * (1 - 1e-9)]
        rate = len(reached) / (window.seconds - horizon_secs)
        samples = overlapping_means(reached[:, None], horizon_secs * rate)
        if samples is None:
            continue
        impact = percentile_interval(float(reached.mean()), samples[:, 0])
        left = depth - maker_fee_bps
        earned = Interval(left - impact.value, left - impact.high, left - impact.low)
        found.append(DepthEarnings(depth, len(reached), rate * 1800.0, impact, earned))
    return found


def order_impacts(window: MarketWindow, orders: MarketOrders, horizon_secs: float) -> Floats:
    """Return the move of the mid in each order's direction, in basis points; NaN where the window ends before it."""
    horizon_ns = round(horizon_secs * 1e9)
    impacts = price_impacts(
        window.quote_ns,
        window.mid,
        horizon_ns,
        order_times_ns=orders.time_ns,
        start_mids=orders.mid,
        sides=orders.side,
        end_ns=window.end_ns,
    )
    return impacts


def _depths(depths_bps: Floats) -> list[float]:
    """Return depths that orders reached, from the least to the deepest with enough of them, evenly spaced."""
    levels, counts = np.unique(depths_bps[depths_bps > 0.0], return_counts=True)
    levels = levels[np.cumsum(counts[::-1])[::-1] >= MIN_ORDERS]
    if len(levels) > _DEPTHS:
        places = np.searchsorted(levels, np.linspace(levels[0], levels[-1], _DEPTHS) * (1 - 1e-9))
        levels = levels[np.unique(places)]
    return [float(level) for level in levels]
