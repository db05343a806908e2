"""
Exact quotes of Guéant, Lehalle and Fernandez-Tapia under an inventory limit, as a table by inventory.

With at most Q lots long or short the maker's problem becomes linear: v = exp(-M (T - t)) v_T for the 2Q + 1
inventories, where M has alpha q^2 on the diagonal and -eta beside it, and the quotes are logarithms of v_q/v_{q+1}
(GLFT 2013, arXiv:1105.3115v5, Propositions 1 and 2 and Theorem 1). Long before the end v is the eigenvector of the
smallest eigenvalue (Theorem 2). Drift is Proposition 4, impact Proposition 5. Guéant 2017 (arXiv:1605.01862) adds the
order size D and the aversion xi to random fills; v = exp(k theta/D) makes its equations linear in the same way.

Outer entries of v are smaller than the inner ones by many orders of magnitude, and the quotes need their ratios, not
their differences. So the eigenvector comes from its three-term recursion, run from the limits inwards, and the matrix
exponential from sums and products of positive numbers alone: nothing cancels.

Units as in `glft`.
"""

import math
from dataclasses import dataclass

import numpy as np

from models.market_making.avellaneda_stoikov import liquidity_premium
from models.market_making.glft import MAX_IMPACT
from models.market_making.inventory_quotes import InventoryQuotes, Vector, check_max_lots, quotes_from_log_ratios

# The widest range of values of one vector, as a logarithm, that a double holds with room to spare.
_MAX_LOG_RANGE = 650.0
_TAYLOR_TERMS = 18


@dataclass(frozen=True, slots=True)
class GlftModel:
    """
    The market and the maker.

    Parameters
    ----------
    risk_aversion : float
        gamma, at least 0.
    sigma : float
        Absolute volatility in price per square root of the time unit, at least 0.
    intensity : float
        A, fills per time unit at the mid, above 0.
    kappa : float
        k, per unit of price, above 0.
    drift : float
        mu, the expected rise of the price per time unit.
    impact : float
        How far the mid moves against us after a fill, in price, at least 0.
    xi : float or None
        Aversion to random fills, at least 0; None for gamma, as in GLFT.
    lot : float
        D, units of the asset in one order, above 0.

    Raises
    ------
    ValueError
        If a value is out of its range or not finite.

    """

    risk_aversion: float
    sigma: float
    intensity: float
    kappa: float
    drift: float = 0.0
    impact: float = 0.0
    xi: float | None = None
    lot: float = 1.0

    def __post_init__(self) -> None:
        for name in ("intensity", "kappa", "lot"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} was not positive and finite")
        for name in ("risk_aversion", "sigma", "impact", "fill_aversion"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} was negative or not finite")
        if not math.isfinite(self.drift):
            raise ValueError("drift was not finite")
        if not self.kappa * self.impact <= MAX_IMPACT:
            raise ValueError(f"impact was above {MAX_IMPACT:g}/kappa: nothing would be filled")

    @property
    def fill_aversion(self) -> float:
        """Xi, or gamma where xi is None."""
        return self.risk_aversion if self.xi is None else self.xi

    @property
    def premium(self) -> float:
        """The distance that does not depend on the inventory: ln(1 + xi D/k)/(xi D) + impact/2, in price."""
        return liquidity_premium(self.fill_aversion * self.lot, self.kappa) + 0.5 * self.impact

    @property
    def hop(self) -> float:
        """Eta, the coupling of neighbours per time unit: A (1 + xi D/k)^-(1 + k/(xi D)) exp(-k impact/2)."""
        x = self.fill_aversion * self.lot
        power = self.kappa * liquidity_premium(x, self.kappa) + math.log1p(x / self.kappa)
        return self.intensity * math.exp(-power - 0.5 * self.kappa * self.impact)

    def potential(self, max_lots: int) -> Vector:
        """Return the diagonal of M at n = -Q, ..., Q lots, per time unit: k gamma sigma^2 D n^2/2 - k mu n."""
        lots = _lots(max_lots)
        alpha = 0.5 * self.kappa * self.risk_aversion * self.sigma * self.sigma * self.lot
        return np.asarray(alpha * lots * lots - self.kappa * self.drift * lots)


def stationary_quotes(model: GlftModel, max_lots: int) -> InventoryQuotes:
    """
    Return the quotes far from the end of trading, GLFT Theorem 2.

    Parameters
    ----------
    model : GlftModel
        The market and the maker.
    max_lots : int
        Q, the inventory limit in lots, 1 to 500.

    Returns
    -------
    InventoryQuotes
        The table.

    Raises
    ------
    ValueError
        If `max_lots` is out of its range.

    """
    check_max_lots(max_lots)
    ratios = ground_state_log_ratios(model.potential(max_lots), model.hop)
    return quotes_from_log_ratios(ratios, model.kappa, model.premium)


def finite_horizon_quotes(
    model: GlftModel, max_lots: int, time_left: float, liquidation_cost: float = 0.0
) -> InventoryQuotes:
    """
    Return the quotes at a time before the end of trading, GLFT Proposition 2 and Theorem 1.

    Parameters
    ----------
    model : GlftModel
        The market and the maker.
    max_lots : int
        Q, the inventory limit in lots, 1 to 500.
    time_left : float
        T - t in the time unit of the model, at least 0 and finite.
    liquidation_cost : float
        What is lost per unit of the asset, and per unit held, when the inventory is closed at the end: an inventory of
        q costs this times q^2. In price per unit, at least 0. (0 in GLFT; it is alpha of Cartea and Jaimungal.)

    Returns
    -------
    InventoryQuotes
        The table.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the outermost inventories are worth less than a double can hold.

    """
    check_max_lots(max_lots)
    if not liquidation_cost >= 0.0:
        raise ValueError("liquidation_cost was negative")
    lots = _lots(max_lots)
    final = -model.kappa * (0.5 * model.impact + liquidation_cost * model.lot) * lots * lots
    ratios = evolved_log_ratios(model.potential(max_lots), model.hop, final, time_left)
    return quotes_from_log_ratios(ratios, model.kappa, model.premium)


def ground_state_log_ratios(potential: Vector, hop: float) -> Vector:
    """
    Return ln(f_q/f_{q+1}) of the eigenvector f of the smallest eigenvalue of M.

    Parameters
    ----------
    potential : ndarray, shape (n,)
        The diagonal of M; convex.
    hop : float
        Minus the entries beside the diagonal, above 0.

    Returns
    -------
    ndarray, shape (n - 1,)
        The logarithms.

    """
    scaled: list[float] = ((potential - potential.min()) / hop).tolist()
    smallest = _smallest_eigenvalue(scaled)
    # (M - lambda) f = 0 gives f_{q-1}/f_q = d_q - f_{q+1}/f_q. Towards the peak of f the ratios are above 1 and errors
    # shrink from step to step, so each side of the peak is run from its own end.
    diagonal = [entry - smallest for entry in scaled]
    ratios = np.empty(len(scaled) - 1)
    ratio = math.inf
    peak = len(scaled) - 1
    while peak > 0:
        ratio = diagonal[peak] - 1.0 / ratio
        if ratio < 1.0:
            break
        peak -= 1
        ratios[peak] = math.log(ratio)
    ratio = math.inf
    for index in range(peak):
        ratio = diagonal[index] - 1.0 / ratio
        ratios[index] = -math.log(ratio)
    return ratios


def evolved_log_ratios(potential: Vector, hop: float, final_log: Vector, time_left: float) -> Vector:
    """
    Return ln(v_q/v_{q+1}) of v = exp(-M time_left) exp(final_log).

    Parameters
    ----------
    potential : ndarray, shape (n,)
        The diagonal of M, per time unit.
    hop : float
        Minus the entries beside the diagonal, per time unit, above 0.
    final_log : ndarray, shape (n,)
        ln v at the end of trading.
    time_left : float
        At least 0 and finite.

    Returns
    -------
    ndarray, shape (n - 1,)
        The logarithms.

    Raises
    ------
    ValueError
        If `time_left` is out of its range, or entries of v differ by more than a double can hold.

    """
    if not 0.0 <= time_left < math.inf:
        raise ValueError(f"time_left was {time_left}, expected at least 0 and finite")
    if np.ptp(final_log) > _MAX_LOG_RANGE:
        raise ValueError("the inventory limit was too wide for this liquidation cost or impact: lower one of them")
    if time_left == 0.0:
        return np.asarray(-np.diff(final_log))
    values = _positive_exponential(potential, hop, time_left) @ np.exp(final_log - final_log.max())
    if not values.min() > math.exp(-_MAX_LOG_RANGE) * values.max():
        raise ValueError("the inventory limit was too wide for this risk aversion and time left: lower it")
    return np.asarray(-np.diff(np.log(values)))


def _smallest_eigenvalue(diagonal: list[float]) -> float:
    """
    Return the smallest eigenvalue of the matrix with this diagonal, whose minimum is 0, and -1 beside it.

    By bisection between Gershgorin's bound and the smallest diagonal entry: x is below all eigenvalues if and only if
    the pivots of the elimination of M - x are all positive.
    """
    low, high = -2.0, 0.0
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return low
        pivot = math.inf
        for entry in diagonal:
            pivot = entry - middle - 1.0 / pivot
            if not pivot > 0.0:
                high = middle
                break
        else:
            low = middle


def _positive_exponential(potential: Vector, hop: float, time: float) -> Vector:
    """Return exp(-M time) up to a positive factor, by scaling and squaring of the non-negative matrix c - M."""
    size = len(potential)
    top = float(potential.max())
    beside = np.eye(size, k=1)
    matrix = np.diag(top - potential) + hop * (beside + beside.T)
    norm = top - float(potential.min()) + 2.0 * hop
    halvings = max(0, math.ceil(math.log2(norm) + math.log2(time)))
    matrix *= time / 2.0**halvings
    result = term = np.eye(size)
    for order in range(1, _TAYLOR_TERMS + 1):
        term = term @ matrix / order
        result = result + term
    for _ in range(halvings):
        result = result @ result
        result /= result.max()
    return np.asarray(result)


def _lots(max_lots: int) -> Vector:
    return np.arange(-max_lots, max_lots + 1, dtype=np.float64)
