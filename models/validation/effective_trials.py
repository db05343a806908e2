"""
How many independent trials a search amounts to.

A grid of two hundred near-copies is not two hundred chances to be lucky. The plain number of trials is the careful
figure; this is the second one.
"""

import numpy as np
from numpy.typing import ArrayLike


def effective_trials(returns: ArrayLike) -> float:
    """
    Return the number of independent trials implied by the mean correlation of the trials.

    rho + (1 - rho) N, with the mean correlation rho of all pairs: N for independent trials, 1 for copies of one
    (Bailey and Lopez de Prado 2014, "The Deflated Sharpe Ratio", appendix 3).

    Parameters
    ----------
    returns : array_like, shape (intervals, trials)
        Finite. A trial that does not vary (it never traded) is no chance to be lucky and is not counted.

    Returns
    -------
    float
        From 1 to the number of trials.

    Raises
    ------
    ValueError
        If it is not a table of finite numbers.

    """
    table = np.asarray(returns, dtype=np.float64)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ValueError("returns were not a table of finite numbers")
    centred = table - table.mean(axis=0) if len(table) else table
    size = np.sqrt((centred**2).sum(axis=0))
    varied = size > 1e-12 * np.abs(table).max(axis=0, initial=0.0) * np.sqrt(len(table))
    trials = int(varied.sum())
    if trials < 2:
        return 1.0
    standard = centred[:, varied] / size[varied]
    # The sum of all correlations is the squared length of the sum of all standardised columns.
    total = float((standard.sum(axis=1) ** 2).sum())
    mean = (total - trials) / (trials * (trials - 1))
    return float(np.clip(mean + (1.0 - mean) * trials, 1.0, trials))
