"""What a position in a pair may be expected to earn, against what it is certain to cost."""

from typing import NamedTuple

_BPS = 1e-4
_DAY_SECS = 86_400.0


class LegCost(NamedTuple):
    """
    What trading one leg costs.

    Parameters
    ----------
    fee : float
        Of one trade, as a share of its value.
    half_spread : float
        Half the distance of ask and bid, as a share of the mid; 0 for a leg that is traded passively.

    """

    fee: float
    half_spread: float


def round_trip_cost(y: LegCost, x: LegCost, beta: float) -> float:
    """Return what entering and leaving both legs costs, as a share of the value of y, x being beta times as large."""
    return 2.0 * (y.fee + y.half_spread + abs(beta) * (x.fee + x.half_spread))


def expected_reversion(away: float) -> float:
    """Return what of a gap is expected to be gone after one half-life: half of it, in the unit of the gap."""
    return abs(away) / 2.0


def holding_cost(bps_per_day: float, half_life_secs: float) -> float:
    """Return what funding costs over one half-life, as a share of the value of y."""
    return bps_per_day * _BPS * half_life_secs / _DAY_SECS


def edge_bps(away: float, cost: float, holding: float) -> float:
    """
    Return what is left of the expected reversion after all costs, in basis points of the value of y.

    Parameters
    ----------
    away : float
        How far the gap is from its mean.
    cost : float
        `round_trip_cost`.
    holding : float
        `holding_cost`.

    """
    return (expected_reversion(away) - cost - holding) / _BPS
