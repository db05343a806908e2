"""Volatility kept up to date as prices come in: at irregular times, and at regular steps."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_MOVES = 10


class TimeDecayedVariance:
    """
    Exponentially time-weighted variance of a price, per second, updated at irregular times.

    v += (1 - exp(-dt/tau)) ((dp)^2/dt - v) from v = 0, and divided by 1 - exp(-(t - t_0)/tau), the weight seen so far,
    so that the estimate is unbiased from the start. As dt goes to 0 a move adds dp^2/tau: it never explodes. Of several
    prices at one time the first counts; where the others led is part of the move to the next time.

    Feed it mids, not trades: prices that bounce between bid and ask add (spread)^2/tau each time. It knows only what
    it is told: fed on price moves alone it holds its value through a silence, fed an unchanged price it decays.

    Parameters
    ----------
    tau_secs : float
        The memory: an observation this old weighs 1/e of a new one. Above 0.

    Raises
    ------
    ValueError
        If `tau_secs` is not positive.

    """

    __slots__ = ("_anchor_price", "_anchor_time", "_first_time", "_moves", "_tau", "_variance")

    def __init__(self, tau_secs: float) -> None:
        if not tau_secs > 0.0:
            raise ValueError(f"tau_secs was {tau_secs}, expected above 0")
        self._tau = tau_secs
        self.reset()

    def reset(self) -> None:
        """Forget every observation."""
        self._first_time = self._anchor_time = math.nan
        self._anchor_price = 0.0
        self._variance = 0.0
        self._moves = 0

    def update(self, price: float, time_secs: float) -> None:
        """
        Take in a price.

        Parameters
        ----------
        price : float
            The mid, in the quote currency.
        time_secs : float
            Its time in seconds from any fixed origin. A time not after the last one counts as the last one.

        """
        elapsed = time_secs - self._anchor_time
        if elapsed > 0.0:
            move = price - self._anchor_price
            self._variance -= math.expm1(-elapsed / self._tau) * (move * move / elapsed - self._variance)
            self._moves += 1
            self._anchor_price = price
            self._anchor_time = time_secs
        elif math.isnan(self._anchor_time):
            self._first_time = self._anchor_time = time_secs
            self._anchor_price = price

    @property
    def variance(self) -> float:
        """Price variance per second, bias-corrected; 0 before the second observation time."""
        weight = -math.expm1((self._first_time - self._anchor_time) / self._tau)
        return self._variance / weight if weight > 0.0 else 0.0

    @property
    def sigma(self) -> float:
        """Absolute volatility: price per square root of a second; 0 before the second observation time."""
        return math.sqrt(self.variance)

    @property
    def ready(self) -> bool:
        """True once it has seen prices at more than 10 times, over at least `tau_secs`."""
        return self._moves >= MIN_MOVES and self._anchor_time - self._first_time >= self._tau


def time_decayed_variance(prices: ArrayLike, times_secs: ArrayLike, tau_secs: float) -> float:
    """
    Return what `TimeDecayedVariance.variance` shows after these observations, from the closed sum.

    Parameters
    ----------
    prices : array_like, shape (n,)
        Mids in the quote currency.
    times_secs : array_like, shape (n,)
        Their times in seconds, non-decreasing.
    tau_secs : float
        The memory, above 0.

    Returns
    -------
    float
        Price variance per second; 0 with fewer than two distinct times.

    Raises
    ------
    ValueError
        If the lengths differ, the times decrease or `tau_secs` is not positive.

    """
    price: NDArray[np.float64] = np.asarray(prices, dtype=np.float64)
    time: NDArray[np.float64] = np.asarray(times_secs, dtype=np.float64)
    if not tau_secs > 0.0:
        raise ValueError(f"tau_secs was {tau_secs}, expected above 0")
    if price.shape != time.shape or price.ndim != 1:
        raise ValueError(f"prices {price.shape} and times {time.shape} were not two arrays of one length")
    if np.any(np.diff(time) < 0):
        raise ValueError("times were not in order")
    if len(time) == 0 or time[-1] == time[0]:
        return 0.0
    first_of_time = np.append(True, time[1:] > time[:-1])
    price, time = price[first_of_time], time[first_of_time]
    elapsed = np.diff(time)
    weight = -np.expm1(-elapsed / tau_secs) * np.exp((time[1:] - time[-1]) / tau_secs)
    total = -math.expm1((time[0] - time[-1]) / tau_secs)
    return float(np.dot(weight, np.diff(price) ** 2 / elapsed) / total)


class EwmaVariance:
    """
    Exponentially weighted variance of returns at regular steps: v_t = lambda v_(t-1) + (1 - lambda) r_t^2.

    For ticks at irregular times use `TimeDecayedVariance`.

    Parameters
    ----------
    decay : float
        lambda, above 0 and below 1; RiskMetrics uses 0.94 for daily returns. The half-life is ln(1/2)/ln(lambda) steps.
    start : float, optional
        v_0, in the unit of the returns squared. Without it the first return stands in: v_1 = r_1^2.

    Raises
    ------
    ValueError
        If `decay` is not between 0 and 1 or `start` is negative.

    References
    ----------
    J.P. Morgan/Reuters, "RiskMetrics - Technical Document", 4th edition, 1996, section 5.2 (the recursive form).

    """

    __slots__ = ("_decay", "_start", "_variance")

    def __init__(self, decay: float, start: float | None = None) -> None:
        _check_ewma(decay, start)
        self._decay = decay
        self._start = start
        self.reset()

    def reset(self) -> None:
        """Forget every return."""
        self._variance = math.nan if self._start is None else self._start

    def update(self, step_return: float) -> None:
        """Take in the return of one step."""
        square = step_return * step_return
        if math.isnan(self._variance):
            self._variance = square
        else:
            self._variance = self._decay * self._variance + (1.0 - self._decay) * square

    @property
    def variance(self) -> float:
        """Variance per step, in the unit of the returns squared; 0 before the first return where nothing was given."""
        return 0.0 if math.isnan(self._variance) else self._variance

    @property
    def sigma(self) -> float:
        """Volatility per step: the root of the variance."""
        return math.sqrt(self.variance)

    @property
    def ready(self) -> bool:
        """True once there is a variance: given at the start, or after the first return."""
        return not math.isnan(self._variance)


def ewma_variance(returns: ArrayLike, decay: float, start: float | None = None) -> NDArray[np.float64]:
    """
    Return the path of `EwmaVariance.variance` over these returns, from the closed sum.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Returns at regular steps, in any unit.
    decay : float
        lambda, above 0 and below 1.
    start : float, optional
        v_0. Without it v_1 = r_1^2.

    Returns
    -------
    ndarray of float64, shape (n,) or (n + 1,)
        v_1 to v_n, and v_0 before them where it was given; in the unit of the returns squared.

    Raises
    ------
    ValueError
        If `decay` is not between 0 and 1, `start` is negative, or the returns are not one row.

    References
    ----------
    J.P. Morgan/Reuters, "RiskMetrics - Technical Document", 4th edition, 1996, section 5.2.

    """
    _check_ewma(decay, start)
    squares: NDArray[np.float64] = np.asarray(returns, dtype=np.float64) ** 2
    if squares.ndim != 1:
        raise ValueError(f"returns had the shape {squares.shape}, expected one row")
    values = squares if start is None else np.concatenate([[start], squares])
    if not len(values):
        return values
    weighted = (1.0 - decay) * values
    weighted[0] = values[0]
    return _decayed_sums(weighted, decay)


def _decayed_sums(values: NDArray[np.float64], decay: float) -> NDArray[np.float64]:
    """Return s_t = decay s_(t-1) + values_t, by stretches within which the powers of decay stay floats."""
    stretch = max(1, int(150.0 / -math.log10(decay)))
    powers = decay ** np.arange(min(stretch, len(values)))
    sums = np.empty_like(values)
    before = 0.0
    for begin in range(0, len(values), stretch):
        part = values[begin : begin + stretch]
        power = powers[: len(part)]
        sums[begin : begin + stretch] = power * (decay * before + np.cumsum(part / power))
        before = float(sums[begin + len(part) - 1])
    return sums


def _check_ewma(decay: float, start: float | None) -> None:
    if not 0.0 < decay < 1.0:
        raise ValueError(f"decay was {decay}, expected above 0 and below 1")
    if start is not None and not start >= 0.0:
        raise ValueError(f"start was {start}, expected at least 0")
