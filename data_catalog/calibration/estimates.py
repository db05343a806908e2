"""From a window of a catalog to what a market maker's models ask for: sigma, A, k, spread, flow and its knowledge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bad_input import BadInput
from data_catalog.calibration.depth import DepthEarnings, earnings_by_depth, order_impacts
from data_catalog.calibration.flow import FlowCalibration, calibrate_flow
from data_catalog.calibration.market_orders import MarketOrders, market_orders
from data_catalog.calibration.market_window import MarketWindow, duration
from data_catalog.calibration.volatility import VolatilityCalibration, calibrate_volatility
from models.market_statistics import (
    AdverseSelection,
    adverse_selection,
    dispersion_index,
    quantiles,
    time_weighted_mean,
    time_weighted_shares,
)

HORIZONS_SECS = (1, 5, 30, 60, 300)
COST_HORIZON_SECS = 30
"""The adverse selection that a quote has to earn back is looked at this long after the market order."""

MIN_SECONDS = 60
MIN_ORDERS = 100

_BURST_BIN_NS = 10_000_000_000
_BURSTY = 2.0
_LARGE_MOVE = 0.05
_SHORT_SECONDS = 3600


@dataclass(frozen=True)
class SpreadStatistics:
    """
    The spread, weighted by time.

    Parameters
    ----------
    mean_bps, mean_ticks : float
        Its mean.
    median_ticks, p95_ticks : float
        Half of the time, and 95 % of the time, it was at most this.
    one_tick_pct : float
        Percentage of time for which it was one tick, the least possible.

    """

    mean_bps: float
    mean_ticks: float
    median_ticks: float
    p95_ticks: float
    one_tick_pct: float


@dataclass(frozen=True)
class TradeStatistics:
    """
    Trades and the market orders that made them.

    Parameters
    ----------
    trades, market_orders : int
        How many.
    orders_per_hour : float
        Both sides together.
    buy_pct : float
        Percentage of market orders that bought.
    trades_per_order : float
        Mean number of trades that one market order made.
    median_qty, mean_qty, p95_qty : float
        Size of a market order in the base asset.
    beyond_touch_pct : float
        Percentage of market orders that went deeper than the touch.
    dispersion : float or None
        Variance/mean of their number per 10 s: 1 for independent arrivals, more for bursts.

    """

    trades: int
    market_orders: int
    orders_per_hour: float
    buy_pct: float
    trades_per_order: float
    median_qty: float
    mean_qty: float
    p95_qty: float
    beyond_touch_pct: float
    dispersion: float | None


@dataclass(frozen=True)
class Calibration:
    """
    All that was estimated.

    Parameters
    ----------
    window : MarketWindow
        The data.
    lag_ms : float
        How much earlier than a trade the touch was looked up.
    volatility : VolatilityCalibration
        sigma.
    flow : FlowCalibration
        A and k.
    spread : SpreadStatistics
        The spread.
    trades : TradeStatistics
        The market orders.
    adverse : tuple of AdverseSelection
        By horizon; those that the window is too short for are left out.
    by_depth : tuple of DepthEarnings
        What quotes at several depths would have earned, with the impact at `cost_horizon_secs`.
    warnings : tuple of str
        What a reader should know before he believes it.

    """

    window: MarketWindow
    lag_ms: float
    volatility: VolatilityCalibration
    flow: FlowCalibration
    spread: SpreadStatistics
    trades: TradeStatistics
    adverse: tuple[AdverseSelection, ...]
    by_depth: tuple[DepthEarnings, ...]
    warnings: tuple[str, ...]

    @property
    def cost(self) -> AdverseSelection | None:
        """What makers lost at the horizon that costs are taken at."""
        return next((one for one in self.adverse if one.horizon_secs == self.cost_horizon_secs), None)

    @property
    def cost_horizon_secs(self) -> float:
        """30 s, or the longest horizon below it that is known."""
        return _cost_horizon(self.adverse)

    @property
    def best_depth(self) -> DepthEarnings | None:
        """The depth at which a quote would have earned the most per hour, if any earned anything."""
        best = max(self.by_depth, key=lambda one: one.per_hour_bps, default=None)
        return best if best is not None and best.per_hour_bps > 0 else None

    @property
    def maker_fee_bps(self) -> float:
        """The maker fee of the instrument's definition."""
        return maker_fee_bps(self.window)


def calibrate(window: MarketWindow, from_bps: float | None = None) -> Calibration:
    """
    Estimate everything from a window.

    Parameters
    ----------
    window : MarketWindow
        The data.
    from_bps : float, optional
        The depth from which k is fitted; found from the data where left out.

    Raises
    ------
    BadInput
        If the data are too thin: too short, too few market orders, a mid that does not move, or no orders that go
        deeper than the touch.

    """
    name = window.instrument.id
    if window.seconds < MIN_SECONDS:
        raise BadInput(f"{window.seconds:.1f} s of {name} are too short: a calibration needs at least {MIN_SECONDS} s")
    orders = market_orders(window)
    if len(orders) < MIN_ORDERS:
        raise BadInput(
            f"{len(orders)} market orders of {name} in {duration(window.seconds)} are too few: at least {MIN_ORDERS}"
            " are needed; use more data"
        )
    volatility, flow = calibrate_volatility(window), calibrate_flow(window, orders, from_bps)
    trades, adverse = _trade_statistics(window, orders), _adverse(window, orders)
    return Calibration(
        window=window,
        lag_ms=orders.lag_ns * 1e-6,
        volatility=volatility,
        flow=flow,
        spread=_spread_statistics(window),
        trades=trades,
        adverse=tuple(adverse),
        by_depth=tuple(earnings_by_depth(window, orders, maker_fee_bps(window), _cost_horizon(adverse))),
        warnings=tuple(_warnings(window, flow, trades)),
    )


def maker_fee_bps(window: MarketWindow) -> float:
    """Return the maker fee of the instrument's definition, in basis points."""
    return float(window.instrument.maker_fee) * 1e4


def _cost_horizon(adverse: Sequence[AdverseSelection]) -> float:
    known = [one.horizon_secs for one in adverse if one.horizon_secs <= COST_HORIZON_SECS]
    return max(known, default=float(HORIZONS_SECS[0]))


def _spread_statistics(window: MarketWindow) -> SpreadStatistics:
    ticks = window.ask - window.bid
    values, shares = time_weighted_shares(ticks, window.quote_ns, window.end_ns)
    reached = np.cumsum(shares)
    return SpreadStatistics(
        mean_bps=time_weighted_mean(ticks / window.mid * 1e4, window.quote_ns, window.end_ns),
        mean_ticks=time_weighted_mean(ticks, window.quote_ns, window.end_ns),
        median_ticks=float(values[np.searchsorted(reached, 0.5 - 1e-12)]),
        p95_ticks=float(values[np.searchsorted(reached, 0.95 - 1e-12)]),
        one_tick_pct=100.0 * float(shares[np.isclose(values, 1.0)].sum()),
    )


def _trade_statistics(window: MarketWindow, orders: MarketOrders) -> TradeStatistics:
    median, p95 = quantiles(orders.qty, (0.5, 0.95))
    dispersion = dispersion_index(orders.time_ns, window.start_ns, window.end_ns, _BURST_BIN_NS)
    return TradeStatistics(
        trades=len(window.trade_ns),
        market_orders=len(orders),
        orders_per_hour=len(orders) / window.seconds * 3600.0,
        buy_pct=100.0 * float(np.mean(orders.side > 0)),
        trades_per_order=float(orders.trades.mean()),
        median_qty=median,
        mean_qty=float(orders.qty.mean()),
        p95_qty=p95,
        beyond_touch_pct=100.0 * float(orders.beyond_touch.mean()),
        dispersion=None if math.isnan(dispersion) else dispersion,
    )


def _adverse(window: MarketWindow, orders: MarketOrders) -> list[AdverseSelection]:
    paid_bps, rate = orders.paid / orders.mid * 1e4, len(orders) / window.seconds
    by_horizon = (
        adverse_selection(order_impacts(window, orders, horizon), paid_bps, float(horizon), rate)
        for horizon in HORIZONS_SECS
    )
    return [one for one in by_horizon if one is not None]


def _warnings(window: MarketWindow, flow: FlowCalibration, trades: TradeStatistics) -> list[str]:
    warnings = []
    if window.synthetic:
        warnings.append("This market is synthetic.")
    if window.seconds < _SHORT_SECONDS:
        warnings.append(f"{duration(window.seconds)} of data tell little about any other time.")
    if not flow.exponential:
        warnings.append(
            f"The flow thins out nowhere exponentially: from {flow.from_bps:.3g} bps on it comes nearest"
            f" (distance {flow.distance:.2f}). k differs with the depth one asks for; see --from-bps."
        )
    if trades.dispersion is not None and trades.dispersion > _BURSTY:
        warnings.append(
            f"Market orders come in bursts (variance/mean of their number in 10 s: {trades.dispersion:.1f}), so the"
            " standard errors, which suppose independent orders, are too small: trust the intervals."
        )
    move = float(window.mid.max() / window.mid.min()) - 1.0
    if move > _LARGE_MOVE:
        warnings.append(f"The mid ranged over {100 * move:.0f} %; basis points are those of the first mid.")
    return warnings
