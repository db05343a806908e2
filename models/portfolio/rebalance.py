"""
How far to trade: from what is held to the targets or to the edges of their bands, paid for out of the portfolio itself.

Values are in the quote currency. The equity after trading is V' = V - sum c_i |trade_i|, with c_i the cost per traded
value: weights are held against V', so that a weight that is to stand on an edge stands there after the costs.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Destination = Literal["target", "edge"]

_ROUNDS = 100
_PRECISION = 1e-14
_NOISE = 1e-10


def drifted_weights(weights: Floats, returns: Floats) -> Floats:
    """
    Return what prices make of weights: w_i (1 + r_i) / (sum w (1 + r) + cash).

    The cash, what the weights lack to 1, earns nothing.
    """
    values = weights * (1.0 + returns)
    drifted: Floats = values / (float(values.sum()) + 1.0 - float(weights.sum()))
    return drifted


def two_way_turnover(before: Floats, after: Floats) -> float:
    """Return sum |w' - w|: purchases and sales together. One-way turnover is half of it."""
    return float(np.abs(after - before).sum())


def trades_in_value(
    holdings: Floats, cash: float, targets: Floats, edges: tuple[Floats, Floats], *, costs: Floats, to: Destination
) -> Floats:
    """
    Return the value of each asset to buy (positive) or sell (negative).

    To the target, every asset is traded to it. To the edge, only assets beyond their band are, and only to its nearer
    edge, as is optimal where costs are proportional (Davis and Norman 1990; Leland 1999, "Optimal portfolio management
    with transactions costs and capital gains taxes"). If the cash does not pay for that, the missing money comes from
    the assets that are furthest above their targets, and, when all are at theirs, from all down to their lower edges.

    Parameters
    ----------
    holdings : array
        The value of each asset, not negative.
    cash : float
        What is in the quote currency, not negative.
    targets : array
        Target weights, at most 1 in sum.
    edges : pair of arrays
        The lower and upper edges of the bands, around the targets.
    costs : array
        Cost per traded value, at least 0 and below 1.
    to : {"target", "edge"}
        Where to trade to.

    Raises
    ------
    ValueError
        If the targets are more than 1 in sum, or there is nothing to rebalance.

    """
    if float(targets.sum()) > 1.0 + 1e-12:
        raise ValueError(f"targets were {targets.sum()} in sum, expected at most 1")
    before = float(holdings.sum()) + cash
    if not before > 0.0:
        raise ValueError("the equity was not above 0")
    equity = before
    for _ in range(_ROUNDS):  # a contraction: costs are small
        wanted = equity * _wanted_weights(holdings / equity, targets, edges, to)
        after = before - float(costs @ np.abs(wanted - holdings))
        if abs(after - equity) <= _PRECISION * before:
            break
        equity = after
    trades = wanted - holdings
    return np.where(np.abs(trades) <= _NOISE * before, 0.0, trades)


def leave_alone(
    weights: Floats, targets: Floats, edges: tuple[Floats, Floats], untouched: NDArray[np.bool_]
) -> tuple[Floats, tuple[Floats, Floats]]:
    """
    Return targets and edges with which some assets keep their weights.

    The targets of the others are made smaller, all by the same share, if there is no room for them.
    """
    lower, upper = (np.where(untouched, weights, edge) for edge in edges)
    kept, others = float(weights[untouched].sum()), float(targets[~untouched].sum())
    share = min(1.0, max(1.0 - kept, 0.0) / others) if others > 0.0 else 1.0
    wanted = np.where(untouched, weights, share * targets)
    return wanted, (np.minimum(lower, wanted), np.maximum(upper, wanted))


def _wanted_weights(weights: Floats, targets: Floats, edges: tuple[Floats, Floats], to: Destination) -> Floats:
    if to == "target":
        return targets
    lower, upper = edges
    wanted = np.clip(weights, lower, upper)
    missing = float(wanted.sum()) - 1.0
    if missing > 0.0:
        wanted = _sell_down(wanted, targets, missing)
        missing = float(wanted.sum()) - 1.0
    room = float((wanted - lower).sum())
    if missing > 0.0 and room > 0.0:
        wanted = wanted - min(missing / room, 1.0) * (wanted - lower)
    return wanted


def _sell_down(weights: Floats, floor: Floats, amount: float) -> Floats:
    """Take `amount` from the weights that are furthest above their floor first, none below it."""
    weights = weights.copy()
    for i in np.argsort(floor - weights, kind="stable"):
        taken = min(max(weights[i] - floor[i], 0.0), amount)
        weights[i] -= taken
        amount -= taken
    return weights
