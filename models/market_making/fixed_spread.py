"""Quotes at a fixed distance from the mid."""


def fixed_spread_quotes(mid: float, half_spread: float) -> tuple[float, float]:
    """
    Return `mid` -/+ `half_spread`.

    Parameters
    ----------
    mid : float
        The mid price.
    half_spread : float
        The distance of each quote from the mid, in price, above 0.

    Returns
    -------
    tuple[float, float]
        Bid and ask.

    Raises
    ------
    ValueError
        If `half_spread` is not positive.

    """
    if not half_spread > 0.0:
        raise ValueError("half_spread was not positive")
    return mid - half_spread, mid + half_spread
