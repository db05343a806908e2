"""
Figures of a run, from its equity on a grid and from its fills; what cannot be computed says why.

Every figure comes as a `Figure`: the value, or None and the reason.

Returns are changes of equity divided by the equity at the START of the run. Their mean then has exactly the sign of
the profit, so a losing run cannot show a positive ratio. (The mean of percentage changes can be positive while the
equity falls: +50 % and then -40 % lose 10 %.) They are not compounded. A year has 365 days, the market never closes.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.attribution import Fill

SECONDS_PER_YEAR = 365 * 86_400
MIN_INTERVALS = 30
MIN_SECONDS = 3_600.0

# Average costs are quotients, so they are rounded: to far more digits than any price or size has.
_MONEY = Context(prec=40)
_ZERO = Decimal(0)


class Figure(NamedTuple):
    """A figure, or None and why it cannot be computed."""

    value: float | None
    why: str | None


def drawdown(equity: ArrayLike) -> NDArray[np.float64]:
    """
    Return how far equity stands below its highest value so far, as a fraction of that value.

    Parameters
    ----------
    equity : array_like, shape (n,)
        Equity in order of time; the first value positive, none NaN.

    Returns
    -------
    ndarray, shape (n,)
        (peak - equity) / peak: 0 at a new high, 1 when everything is lost, more when in debt.

    Raises
    ------
    ValueError
        If the first value is not positive or a value is not finite.

    """
    values = _checked(equity)
    if len(values) and not values[0] > 0:
        raise ValueError(f"equity started at {values[0]}, expected above 0")
    peak = np.maximum.accumulate(values)
    return np.asarray((peak - values) / peak)


def max_drawdown_pct(equity: ArrayLike) -> Figure:
    """
    Return the deepest drawdown in per cent of the peak before it.

    Parameters
    ----------
    equity : array_like, shape (n,)
        Equity in order of time.

    Returns
    -------
    Figure
        At least 0; None without equity, or when it does not start above 0.

    Raises
    ------
    ValueError
        If a value is not finite.

    """
    values = _checked(equity)
    if len(values) == 0:
        return Figure(None, "there is no equity")
    if values[0] <= 0:
        return Figure(None, f"equity started at {values[0]:g}, not above 0")
    return Figure(100.0 * float(drawdown(values).max()), None)


def sharpe(equity: ArrayLike, interval_secs: float) -> Figure:
    """
    Return the annualised Sharpe ratio: mean / standard deviation (ddof 1) x sqrt(intervals per year).

    Parameters
    ----------
    equity : array_like, shape (n,)
        Equity on an even grid, marked to market.
    interval_secs : float
        The step of the grid, above 0.

    Returns
    -------
    Figure
        Of the sign of the profit. None for fewer than 30 intervals or less than an hour, for equity at or below 0,
        and for a profit that does not vary.

    Raises
    ------
    ValueError
        If `interval_secs` is not positive or a value is not finite.

    """
    values = _checked(equity)
    if why := _why_no_ratio(values, interval_secs):
        return Figure(None, why)
    returns = np.diff(values) / values[0]
    deviation = float(np.std(returns, ddof=1))
    if deviation <= _rounding_noise(values):
        return Figure(None, "equity did not vary")
    return Figure(_mean_return(values) / deviation * math.sqrt(SECONDS_PER_YEAR / interval_secs), None)


def sortino(equity: ArrayLike, interval_secs: float) -> Figure:
    """
    Return the annualised Sortino ratio: mean / sqrt(mean(min(return, 0)^2)) x sqrt(intervals per year).

    Parameters
    ----------
    equity : array_like, shape (n,)
        Equity on an even grid, marked to market.
    interval_secs : float
        The step of the grid, above 0.

    Returns
    -------
    Figure
        Of the sign of the profit. None where `sharpe` is None for its length or level, and when no interval lost.

    Raises
    ------
    ValueError
        If `interval_secs` is not positive or a value is not finite.

    """
    values = _checked(equity)
    if why := _why_no_ratio(values, interval_secs):
        return Figure(None, why)
    losses = np.minimum(np.diff(values) / values[0], 0.0)
    deviation = math.sqrt(float(np.mean(losses**2)))
    if deviation <= _rounding_noise(values):
        return Figure(None, "no interval lost")
    return Figure(_mean_return(values) / deviation * math.sqrt(SECONDS_PER_YEAR / interval_secs), None)


def turnover(traded_notional: float, equity_start: float) -> Figure:
    """
    Return the notional traded, bought and sold together, as a multiple of the equity at the start.

    Parameters
    ----------
    traded_notional : float
        Sum of price x quantity over all fills.
    equity_start : float
        Equity before the first fill, in the same currency.

    Returns
    -------
    Figure
        None when equity did not start above 0.

    """
    if not equity_start > 0:
        return Figure(None, f"equity started at {equity_start:g}, not above 0")
    return Figure(traded_notional / equity_start, None)


def realised_pnl(fills: Iterable[Fill], position: Decimal = _ZERO, price: Decimal = _ZERO) -> list[Decimal]:
    """
    Return the profit that each closing fill realised against the average cost of the position, fees included.

    Parameters
    ----------
    fills : iterable of Fill
        The fills of one instrument in order of time. A fee of the opening fill is part of the cost, a fee of the
        closing one lowers the proceeds, and one that does both is shared by quantity.
    position : Decimal
        The position held before the first fill.
    price : Decimal
        What it cost per unit.

    Returns
    -------
    list of Decimal
        One value per fill that made the position smaller or turned it, in the quote currency.

    """
    realised: list[Decimal] = []
    cost = _MONEY.multiply(position, price)
    for fill in fills:
        # Cash and position change together: a fee in the base asset raises the cost of what is left.
        change = _MONEY.subtract(fill.signed_qty, fill.fee_base)
        paid = _MONEY.add(_MONEY.multiply(fill.signed_qty, fill.price), fill.fee)
        if not position or not change or (change > 0) == (position > 0):
            position, cost = _MONEY.add(position, change), _MONEY.add(cost, paid)
            continue
        closed = min(change.copy_abs(), position.copy_abs())
        cost_closed = _share(cost, closed, position)
        paid_closing = _share(paid, closed, change)
        realised.append(_MONEY.add(paid_closing, cost_closed).copy_negate())
        position = _MONEY.add(position, change)
        cost = _MONEY.add(_MONEY.subtract(cost, cost_closed), _MONEY.subtract(paid, paid_closing))
    return realised


def win_rate(realised: Sequence[Decimal]) -> Figure:
    """
    Return the share of closing fills that realised a profit.

    Parameters
    ----------
    realised : sequence of Decimal
        From `realised_pnl`.

    Returns
    -------
    Figure
        Between 0 and 1; a fill that realised exactly 0 is no win. None without a closing fill.

    """
    if not realised:
        return Figure(None, "no fill closed a position")
    return Figure(sum(pnl > 0 for pnl in realised) / len(realised), None)


def profit_factor(realised: Sequence[Decimal]) -> Figure:
    """
    Return realised profits divided by realised losses.

    Parameters
    ----------
    realised : sequence of Decimal
        From `realised_pnl`.

    Returns
    -------
    Figure
        At least 0. None without a closing fill, and when none of them lost.

    """
    if not realised:
        return Figure(None, "no fill closed a position")
    lost = -sum((pnl for pnl in realised if pnl < 0), _ZERO)
    if not lost:
        return Figure(None, "no closing fill lost")
    return Figure(float(sum((pnl for pnl in realised if pnl > 0), _ZERO) / lost), None)


def _checked(equity: ArrayLike) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(equity, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("equity was not one row of finite numbers")
    return values


def _why_no_ratio(values: NDArray[np.float64], interval_secs: float) -> str | None:
    if not interval_secs > 0:
        raise ValueError(f"interval_secs was {interval_secs}, expected above 0")
    intervals = max(len(values) - 1, 0)
    if intervals < MIN_INTERVALS:
        return f"{intervals} intervals are fewer than {MIN_INTERVALS}"
    if intervals * interval_secs < MIN_SECONDS:
        return f"{intervals * interval_secs:g} s are less than an hour"
    if values.min() <= 0:
        return f"equity fell to {values.min():g}, not above 0"
    return None


def _mean_return(values: NDArray[np.float64]) -> float:
    """Return the mean change from both ends, so that rounding cannot turn its sign."""
    return float((values[-1] - values[0]) / values[0]) / (len(values) - 1)


def _rounding_noise(values: NDArray[np.float64]) -> float:
    return 4.0 * float(np.finfo(np.float64).eps * values.max() / values[0])


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return amount x part / |whole|, exactly `amount` when part is the whole."""
    size = whole.copy_abs()
    return amount if part == size else _MONEY.divide(_MONEY.multiply(amount, part), size)
