"""
Where to enter and leave a mean-reverting gap so that it earns the most per unit of time after costs.

All in the unit of the gap (0.01 is 1 % of the value of y, where gaps are of logarithms) and the time unit of the
process.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import dawsn, ndtr

from models.pairs.ornstein_uhlenbeck import OrnsteinUhlenbeck

type Floats = NDArray[np.float64]

_ROOT_2PI = math.sqrt(2.0 * math.pi)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


@dataclass(frozen=True)
class OptimalThresholds:
    """
    Bertram's thresholds, `entry` below the mean of the gap and as far above it.

    Parameters
    ----------
    entry : float
        Distance from the mean, in the unit of the gap.
    entry_z : float
        The same in long-run standard deviations.
    cycle_time : float
        Expected time from one entry to the next on the same side.
    profit_per_cycle : float
        2 x entry - cost: of one position, entered on one side and left on the other.
    profit_per_time : float
        Of a strategy that is long only, as in the paper. One that turns at each threshold (`ZScoreRule` with an exit
        of -entry) earns twice this, because each half of a cycle holds a position, and each pays `cost`.

    """

    entry: float
    entry_z: float
    cycle_time: float
    profit_per_cycle: float
    profit_per_time: float


def optimal_thresholds(process: OrnsteinUhlenbeck, cost: float) -> OptimalThresholds:
    """
    Return the thresholds with the highest expected profit per unit of time.

    With u = entry sqrt(theta)/sigma the paper's condition is u - D(u) = cost sqrt(theta)/(2 sigma), where D is Dawson's
    integral, and the profit per time is sigma sqrt(theta/pi)/2 exp(-u^2): a higher cost always costs, but never more
    than everything.

    Parameters
    ----------
    process : OrnsteinUhlenbeck
        The gap.
    cost : float
        Of entering and leaving one position (fees of both legs twice, half-spreads), in the unit of the gap, above 0:
        without a cost one would trade without end.

    Raises
    ------
    ValueError
        If `cost` is not positive.

    References
    ----------
    Bertram, "Analytic solutions for optimal statistical arbitrage trading", Physica A 389(11), 2010, section 4.

    """
    if not cost > 0.0:
        raise ValueError(f"cost was {cost}, expected above 0")
    scale = process.sigma / math.sqrt(process.theta)
    half_cost = cost / (2.0 * scale)
    # D lies between 0 and 0.5411, so u is that close to half_cost.
    u = brentq(lambda x: x - dawsn(x) - half_cost, half_cost, half_cost + 0.5411, xtol=1e-14)
    entry = float(u) * scale
    per_time = 0.5 * process.sigma * math.sqrt(process.theta / math.pi) * math.exp(-u * u)
    profit = 2.0 * entry - cost
    return OptimalThresholds(
        entry=entry,
        entry_z=entry / process.sd,
        cycle_time=profit / per_time if per_time > 0.0 else math.inf,
        profit_per_cycle=profit,
        profit_per_time=per_time,
    )


def passage_time(process: OrnsteinUhlenbeck, start_z: float, end_z: float) -> float:
    """
    Return the expected time until z first reaches `end_z` from `start_z`.

    References
    ----------
    Bertram (2010), equation for the expected trade length, for one direction: sqrt(2 pi)/theta times the integral of
    N(z) exp(z^2/2) from start to end, mirrored for a fall.

    """
    low, high = (start_z, end_z) if start_z <= end_z else (-start_z, -end_z)
    return _integral(lambda z: ndtr(z) * np.exp(0.5 * z * z), low, high) / process.theta


def exit_time(process: OrnsteinUhlenbeck, start_z: float, bound_z: float) -> float:
    """
    Return the expected time until |z| first reaches `bound_z` from `start_z`, which must lie within.

    References
    ----------
    The solution f of theta (f'' - z f') = -1 with f(-bound) = f(bound) = 0.

    """
    return _integral(lambda z: (ndtr(z) - 0.5) * np.exp(0.5 * z * z), abs(start_z), bound_z) / process.theta


def profit_per_time(process: OrnsteinUhlenbeck, entry_z: float, exit_z: float, cost: float) -> float:
    """
    Return the expected profit per unit of time of `ZScoreRule(entry_z, exit_z)` on a gap that is watched all the time.

    A cycle waits from the exit until |z| reaches the entry, then holds until the exit: it earns
    (entry - exit) sd - cost. Watched in steps, the gap overshoots its thresholds and the rule earns somewhat more per
    position and takes longer.

    Parameters
    ----------
    process : OrnsteinUhlenbeck
        The gap.
    entry_z, exit_z : float
        In long-run standard deviations, -entry <= exit < entry.
    cost : float
        Of entering and leaving one position, in the unit of the gap.

    """
    held = passage_time(process, -entry_z, -exit_z)
    waited = exit_time(process, exit_z, entry_z)
    return ((entry_z - exit_z) * process.sd - cost) / (held + waited)


def best_entry_z(process: OrnsteinUhlenbeck, exit_z: float, cost: float) -> float:
    """
    Return the entry with which `ZScoreRule(entry, exit_z)` is expected to earn the most per unit of time.

    Where the exit is the mean of the gap the rule holds a position for less of the time than Bertram's, which turns at
    the other threshold, and earns less.

    Parameters
    ----------
    process : OrnsteinUhlenbeck
        The gap.
    exit_z : float
        In long-run standard deviations, at least 0.
    cost : float
        Of entering and leaving one position, in the unit of the gap, above 0.

    Raises
    ------
    ValueError
        If `cost` is not positive or `exit_z` is negative.

    """
    if not (cost > 0.0 and exit_z >= 0.0):
        raise ValueError(f"cost was {cost} and exit_z {exit_z}, expected above 0 and at least 0")
    least = exit_z + cost / process.sd  # earns nothing
    found = minimize_scalar(
        lambda entry: -profit_per_time(process, entry, exit_z, cost), bounds=(least, least + 2.0), method="bounded"
    )
    return float(found.x)


def _integral(density: Callable[[Floats], Floats], low: float, high: float) -> float:
    """Integrate by Gauss-Legendre: these densities are analytic, and the screens ask for thousands of integrals."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    return _ROOT_2PI * half * float(_WEIGHTS @ density(middle + half * _NODES))
