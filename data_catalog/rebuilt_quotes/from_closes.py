"""
One quote for each bar, at its close: for strategies that decide when bars end, over years and many instruments.

Unlike the path of a bar (`from_bars`) nothing in it is made up but the spread: the close is the last price before the
quote's time, so whoever acts on it acts on nothing that was not known.
"""

import numpy as np

from bad_input import BadInput
from data_catalog.columns import Bars, Quotes

SIZE_SHARE = 8
"""Each side carries this part of the bar's volume: what could be had at the touch nobody knows."""


def quotes_from_closes(bars: Bars, tick: int, spread_bps: float) -> Quotes:
    """
    Return a quote around each close, at the time of the close; a bar without volume gives none.

    Parameters
    ----------
    bars : Bars
        In the order of time, stamped with their close.
    tick : int
        The tick as a count of the price unit.
    spread_bps : float
        The distance of ask and bid in basis points of the close, not negative; both are rounded outwards to the tick,
        and are a tick apart at least.

    Raises
    ------
    BadInput
        If no bar has a volume, or so wide a spread leaves no bid above zero.

    """
    traded = bars.take(bars.volume > 0)
    if not len(traded):
        raise BadInput("no bar has a volume: there is nothing to rebuild quotes from", key="--quotes-from-closes")
    half = traded.close * (spread_bps / 20_000)
    bid = np.floor((traded.close - half) / tick).astype(np.int64) * tick
    ask = np.ceil((traded.close + half) / tick).astype(np.int64) * tick
    ask = np.maximum(ask, bid + tick)
    if bool((bid <= 0).any()):
        raise BadInput(f"was {spread_bps:g}: it leaves no bid above zero", key="--spread-bps")
    size = np.maximum(traded.volume // SIZE_SHARE, 1)
    return Quotes(bid, ask, size, size, traded.ts_event, traded.ts_init)
