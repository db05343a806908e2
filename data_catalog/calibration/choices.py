"""The values of a setup, derived from a calibration."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Literal

from data_catalog.calibration.estimates import Calibration

type StrategyName = Literal["avellaneda_stoikov", "glft", "fixed_spread"]

LOTS = 10
"""Quotes that fit into the largest inventory."""

_NICE_SECS = (20, 30, 60, 120, 300, 600, 900, 1800, 3600)
_SPARE = Decimal("1.2")


@dataclass(frozen=True)
class Choices:
    """
    The values of a setup, derived from a calibration.

    Parameters
    ----------
    order_qty, max_position : Decimal
        In the base asset.
    half_spread_bps : float
        How far from the mid quotes stand without inventory.
    half_spread_why : str
        Where that comes from.
    horizon_secs : int
        About the time in which `max_position` is traded at that distance.
    volatility_window_secs : int
        The memory of the maker's own estimate.
    risk_aversion_per_bps : float
        With it, a full inventory (with a horizon: at the start of a session) moves quotes by about `half_spread_bps`.
    requote_threshold_bps : float
        A quarter of 1/k.

    """

    order_qty: Decimal
    max_position: Decimal
    half_spread_bps: float
    half_spread_why: str
    horizon_secs: int
    volatility_window_secs: int
    risk_aversion_per_bps: float
    requote_threshold_bps: float


def choose(found: Calibration, strategy: StrategyName) -> Choices:
    """Derive the values of a setup for this strategy."""
    half_spread, why = _half_spread(found, strategy)
    fit, order_qty = found.flow.best, _order_qty(found)
    rate = fit.rate(half_spread)
    horizon = _nice(LOTS / rate if rate > 0.0 else math.inf, 60)
    return Choices(
        order_qty=order_qty,
        max_position=LOTS * order_qty,
        half_spread_bps=half_spread,
        half_spread_why=why,
        horizon_secs=horizon,
        volatility_window_secs=_nice(min(horizon / 5, 300.0, found.window.seconds / 10), 20),
        risk_aversion_per_bps=_risk_aversion(found, strategy, half_spread, horizon),
        requote_threshold_bps=0.25 / fit.kappa,
    )


def costs_bps(found: Calibration) -> float:
    """Return what a fill costs: the maker fee and the mean move of the mid against it, in basis points."""
    impact = found.cost.impact_bps.value if found.cost is not None else 0.0
    return found.maker_fee_bps + max(impact, 0.0)


def _half_spread(found: Calibration, strategy: StrategyName) -> tuple[float, str]:
    """Return how far from the mid to quote, and why."""
    kappa, costs = found.flow.best.kappa, costs_bps(found)
    best = found.best_depth
    if strategy == "fixed_spread" and best is not None:
        why = (
            f"Of the depths measured, a quote {best.depth_bps:.3g} bps from the mid would have earned the most per "
            f"hour: {best.earned_bps.value:.2g} bps a fill after the fee and the move against it"
        )
        return best.depth_bps, why
    why = (
        f"1/k = {1 / kappa:.3g} bps plus the costs of a fill, {costs:.3g} bps (maker fee {found.maker_fee_bps:.3g}, "
        f"mean move against it {costs - found.maker_fee_bps:.2g}): there (depth - costs) A exp(-k depth) is largest"
    )
    return 1.0 / kappa + costs, why


def _risk_aversion(found: Calibration, strategy: StrategyName, lean_bps: float, horizon: int) -> float:
    """
    Return the gamma with which `LOTS` quotes held move the prices by `lean_bps`.

    Avellaneda and Stoikov lean by q gamma sigma^2 (T - t). Gueant, Lehalle and Fernandez-Tapia lean by
    q sigma sqrt(gamma/(2 k A) (1 + gamma/k)^(1 + k/gamma)), which is q sigma sqrt(gamma e/(2 k A)) for a small gamma.
    """
    sigma, fit = found.volatility.sigmas[0].bps_per_sqrt_s.value, found.flow.best
    if strategy == "glft":
        return 2.0 * fit.kappa * fit.intensity_a / math.e * (lean_bps / (LOTS * sigma)) ** 2
    return lean_bps / (LOTS * sigma**2 * horizon)


def _order_qty(found: Calibration) -> Decimal:
    """Return the median market order in two digits, at least the venue's minimum with some to spare."""
    instrument = found.window.instrument
    step, median = instrument.size_increment.as_decimal(), Decimal(repr(found.trades.median_qty))
    least = instrument.min_quantity.as_decimal() if instrument.min_quantity else step
    if instrument.min_notional:
        price = Decimal(repr(float(found.window.mid.min() * found.window.tick)))
        least = max(least, instrument.min_notional.as_decimal() * _SPARE / price)
    rounded = median.quantize(Decimal(1).scaleb(median.adjusted() - 1), ROUND_HALF_EVEN)
    whole: Decimal = (max(rounded, least) / step).to_integral_value(ROUND_CEILING) * step
    return whole


def _nice(seconds: float, least: int) -> int:
    """Return the nearest of the round lengths of time, by ratio."""
    allowed = [nice for nice in _NICE_SECS if nice >= least]
    return min(allowed, key=lambda nice: abs(math.log(nice / min(seconds, allowed[-1]))))
