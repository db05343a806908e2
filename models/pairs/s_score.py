"""
The s-score: how far the part of a return that its hedge leaves has wandered, added up.

Avellaneda and Lee, "Statistical arbitrage in the US equities market", Quantitative Finance 10(7), 2010: section 4 for
the rule, the appendix for the estimate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.pairs.ornstein_uhlenbeck import OrnsteinUhlenbeck, fit_ornstein_uhlenbeck
from models.pairs.z_score import FLAT, LONG, SHORT, Side


@dataclass(frozen=True)
class SScore:
    """
    The score and the process that it comes from.

    Parameters
    ----------
    s : float
        (X_n - m) / sigma_eq.
    process : OrnsteinUhlenbeck
        Of the added-up residuals.

    """

    s: float
    process: OrnsteinUhlenbeck

    def reverts_within(self, time: float) -> bool:
        """Return whether 1/theta is less: the paper trades what reverts within half of the window it was fitted to."""
        return 1.0 / self.process.theta < time


@dataclass(frozen=True)
class SScoreRule:
    """
    The thresholds, each above 0 and of the side that its name says; those of the paper where left out.

    Parameters
    ----------
    buy_to_open, sell_to_open : float
        A position is opened at s < -buy_to_open or s > sell_to_open.
    sell_to_close, buy_to_close : float
        A long one is closed at s > -sell_to_close, a short one at s < buy_to_close.

    Raises
    ------
    ValueError
        If a position would be closed where it is opened.

    """

    buy_to_open: float = 1.25
    sell_to_open: float = 1.25
    sell_to_close: float = 0.50
    buy_to_close: float = 0.75

    def __post_init__(self) -> None:
        if not (self.sell_to_close <= self.buy_to_open and self.buy_to_close <= self.sell_to_open):
            raise ValueError("a position would be closed where it is opened")


def s_score(residuals: ArrayLike, dt: float = 1.0) -> SScore | None:
    """
    Return the score of the last of the residuals.

    Parameters
    ----------
    residuals : array_like, shape (n,)
        Returns less what the hedge explains of them, in order of time; see `hedged_returns`.
    dt : float
        Time from one to the next, 1/252 for days in years.

    Returns
    -------
    SScore or None
        None where the sums do not revert.

    Raises
    ------
    ValueError
        If there are fewer than 4, one is not finite, or `dt` is not positive.

    """
    sums = np.cumsum(np.asarray(residuals, dtype=np.float64))
    process = fit_ornstein_uhlenbeck(sums, dt)
    return None if process is None else SScore(process.z(float(sums[-1])), process)


def hedged_returns(y: ArrayLike, x: ArrayLike) -> NDArray[np.float64]:
    """
    Return the residuals of the regression of the returns of y on those of x, with an intercept.

    Parameters
    ----------
    y, x : array_like, shape (n,)
        Returns at the same times.

    """
    ys, xs = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
    dy, dx = ys - ys.mean(), xs - xs.mean()
    return np.asarray(dy - (dx @ dy) / (dx @ dx) * dx)


def next_side(rule: SScoreRule, side: Side, s: float) -> Side:
    """
    Return what to hold after s was seen; inequalities are strict, and a step that closes does not open.

    With an s that is not a number nothing changes.
    """
    if side == LONG:
        return FLAT if s > -rule.sell_to_close else LONG
    if side == SHORT:
        return FLAT if s < rule.buy_to_close else SHORT
    if s < -rule.buy_to_open:
        return LONG
    return SHORT if s > rule.sell_to_open else FLAT
