"""The volatility of a window's mid by several estimators, side by side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bad_input import BadInput
from data_catalog.calibration.market_window import Floats, MarketWindow
from models.market_statistics import Interval, bootstrap_means, percentile_interval
from models.range_volatility import (
    garman_klass_variance,
    parkinson_variance,
    rogers_satchell_variance,
    yang_zhang_variance,
)
from models.realised_volatility import (
    bipower_variance,
    noise_variance,
    optimal_subsamples,
    realised_variance,
    sigma_per_sqrt_second,
    two_scale_variance,
)

STEPS_SECS = (1, 5, 10, 30, 60, 300, 900, 3600)
MIN_MOVES = 20
MIN_STEPS = 200
MIN_BARS = 60

_BPS = 1e4


@dataclass(frozen=True)
class Sigma:
    """
    One estimate of the volatility.

    Parameters
    ----------
    name : str
        The estimator: realised_ticks, realised, bipower, two_scale, parkinson, garman_klass, rogers_satchell,
        yang_zhang.
    label : str
        The same for people, with the step it looks at.
    bps_per_sqrt_s : Interval
        Basis points per square root of a second.

    """

    name: str
    label: str
    bps_per_sqrt_s: Interval


@dataclass(frozen=True)
class VolatilityCalibration:
    """
    What is known of the volatility.

    Parameters
    ----------
    sigmas : tuple of Sigma
        Side by side.
    noise_bps : float
        Standard deviation of the noise in each mid, in basis points; an upper bound.
    signature : tuple of (float, float)
        Step in seconds (0 for every move of the mid) and the realised volatility at that step, in bps per square root
        of a second: flat without noise, falling with it.

    """

    sigmas: tuple[Sigma, ...]
    noise_bps: float
    signature: tuple[tuple[float, float], ...]

    @property
    def best(self) -> Sigma:
        """The two-scale estimate: it uses every move and takes the noise out."""
        return next(sigma for sigma in self.sigmas if sigma.name == "two_scale")


def calibrate_volatility(window: MarketWindow) -> VolatilityCalibration:
    """
    Estimate the volatility of the mid.

    Raises
    ------
    BadInput
        If the mid moved fewer than 20 times.

    """
    log_mid = np.asarray(np.log(window.mid) * _BPS)
    changes = np.diff(log_mid)
    ticks = changes[changes != 0.0]
    if len(ticks) < MIN_MOVES:
        raise BadInput(f"the mid moved only {len(ticks)} times: volatility cannot be measured; use more data")
    steps = {step: _sampled_returns(window, log_mid, step) for step in STEPS_SECS if window.seconds / step >= MIN_STEPS}
    step, sparse = max(steps.items(), default=(1, _sampled_returns(window, log_mid, 1)))
    seconds = step * len(sparse)
    products = np.abs(sparse[1:] * sparse[:-1])
    sigmas = [
        _sigma("realised_ticks", "realised, every move", realised_variance(ticks), window.seconds, parts=ticks**2),
        _sigma("realised", f"realised, every {step} s", realised_variance(sparse), seconds, parts=sparse**2),
        _sigma("bipower", f"bipower (no jumps), every {step} s", bipower_variance(sparse), seconds, parts=products),
        _two_scale(ticks, sparse, window.seconds),
        *_ranges(window, log_mid),
    ]
    signature = [(0.0, sigmas[0].bps_per_sqrt_s.value)]
    signature += [(float(s), sigma_per_sqrt_second(realised_variance(r), s * len(r))) for s, r in steps.items()]
    return VolatilityCalibration(tuple(sigmas), noise_variance(ticks) ** 0.5, tuple(signature))


def _sampled_returns(window: MarketWindow, log_mid: Floats, step_secs: int) -> Floats:
    return np.asarray(np.diff(log_mid[_places(window, step_secs)]))


def _places(window: MarketWindow, step_secs: int) -> NDArray[np.intp]:
    """Return which quote stood every so many seconds from the start."""
    times = np.arange(window.start_ns, window.end_ns + 1, step_secs * 1_000_000_000)
    return np.searchsorted(window.quote_ns, times, side="right") - 1


def _sigma(name: str, label: str, variance: float, seconds: float, *, parts: Floats, block: int | None = None) -> Sigma:
    """Return the volatility of a variance, with an interval from a block bootstrap of what it is the sum of."""
    value, mean = sigma_per_sqrt_second(variance, seconds), float(parts.mean())
    if not mean > 0.0:
        return Sigma(name, label, Interval(value, value, value))
    samples = bootstrap_means(parts[:, None], block or max(1, round(len(parts) ** (1.0 / 3.0))))[:, 0]
    return Sigma(name, label, percentile_interval(value, value * np.sqrt(np.maximum(samples / mean, 0.0))))


def _two_scale(ticks: Floats, sparse: Floats, seconds: float) -> Sigma:
    """
    Return the two-scale estimate, whose slow scale is no faster than the sparse returns.

    The optimal number of grids supposes noise without memory. Moves of a mid have some: it runs on for a while after
    an order, and the optimum then looks at nothing but that.
    """
    moves_per_step = round(len(ticks) / len(sparse))
    subsamples = min(max(optimal_subsamples(ticks, sparse), moves_per_step), len(ticks) // 4)
    log_price = np.append(0.0, np.cumsum(ticks))
    slow = (log_price[subsamples:] - log_price[:-subsamples]) ** 2 / subsamples
    share = len(slow) / subsamples / len(ticks)
    parts = slow - share * ticks[: len(slow)] ** 2
    variance = two_scale_variance(ticks, subsamples)
    label = f"two-scale (no noise), {subsamples} grids"
    return _sigma("two_scale", label, variance, seconds, parts=parts, block=min(2 * subsamples, len(parts) // 5))


def _ranges(window: MarketWindow, log_mid: Floats) -> list[Sigma]:
    """Return the estimates from bars of the mid, as long as they can be with 60 of them: each should see many moves."""
    step = max((step for step in STEPS_SECS if window.seconds / step >= MIN_BARS), default=1)
    places = _places(window, step)
    price = np.exp((log_mid - log_mid[0]) / _BPS)
    # A bar reaches from the mid that stands at its start to the one that stands at its end, both included.
    bounds = np.stack([places[:-1], places[1:] + 1], axis=1).reshape(-1)
    padded = np.append(price, price[-1])
    high, low = np.maximum.reduceat(padded, bounds)[::2], np.minimum.reduceat(padded, bounds)[::2]
    bars = (price[places[:-1]], high, low, price[places[1:]])
    each = [tuple(column[i : i + 1] for column in bars) for i in range(len(high))]
    inside = np.array([rogers_satchell_variance(*bar) for bar in each])
    found = (
        ("parkinson", "Parkinson", parkinson_variance(high, low), np.log(high / low) ** 2),
        ("garman_klass", "Garman-Klass", garman_klass_variance(*bars), [garman_klass_variance(*bar) for bar in each]),
        ("rogers_satchell", "Rogers-Satchell", rogers_satchell_variance(*bars), inside),
        ("yang_zhang", "Yang-Zhang", yang_zhang_variance(*bars), inside),
    )
    return [
        _sigma(name, f"{label}, bars of {step} s", variance * _BPS**2, float(step), parts=np.asarray(parts))
        for name, label, variance, parts in found
    ]
