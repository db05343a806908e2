"""The price that quotes stand around, from supply and demand at the touch; all prices in ticks, sizes in lots."""

from collections import deque
from contextlib import suppress
from typing import Literal, Protocol

from models.market_making.fair_price import OrderFlowImbalance, Quote, fit_flow_impact, flow_adjusted_mid, weighted_mid
from models.market_making.micro_price import MicroPrice, fit_micro_price

type FairPriceName = Literal["mid", "weighted_mid", "micro_price", "flow_adjusted"]


class FairPrice(Protocol):
    """A fair price that follows the quotes."""

    def update(self, quote: Quote, time_secs: float) -> None:
        """Take in a quote."""

    def price(self, quote: Quote) -> float:
        """Return the fair price at a quote, in ticks."""


def fair_price_of(name: FairPriceName, window_secs: float, refit_secs: float) -> FairPrice:
    """
    Return the fair price with this name.

    Parameters
    ----------
    name : str
        "mid"; "weighted_mid", which leans to the side with less on offer; "micro_price", what the mid has gone on to on
        average after the same imbalance; "flow_adjusted", the mid moved by the recent order-flow imbalance.
    window_secs : float
        The window of the order flow, in seconds.
    refit_secs : float
        How often the last two learn anew from the market; until they first have, they are the mid.

    """
    match name:
        case "mid":
            return Mid()
        case "weighted_mid":
            return WeightedMid()
        case "micro_price":
            return LearnedMicroPrice(refit_secs)
        case "flow_adjusted":
            return FlowAdjusted(window_secs, refit_secs)


def _mid(quote: Quote) -> float:
    return (quote.bid + quote.ask) / 2


class Mid:
    """The middle of bid and ask."""

    def update(self, quote: Quote, time_secs: float) -> None:
        """Learn nothing."""

    def price(self, quote: Quote) -> float:
        """Return the mid."""
        return _mid(quote)


class WeightedMid:
    """The mid weighted with the sizes of the other side."""

    def update(self, quote: Quote, time_secs: float) -> None:
        """Learn nothing."""

    def price(self, quote: Quote) -> float:
        """Return the weighted mid."""
        return weighted_mid(quote.bid, quote.ask, quote.bid_size, quote.ask_size)


class LearnedMicroPrice:
    """
    Stoikov's micro-price, fitted to the last quotes, and never beyond bid or ask.

    A quote that is locked, crossed or without any size teaches nothing. Where the quotes do not say where the price
    ends up, what was learned before holds.
    """

    QUOTES = 20_000
    """How many quotes it learns from at the most."""

    def __init__(self, refit_secs: float) -> None:
        self._refit_secs = refit_secs
        self._seen: deque[Quote] = deque(maxlen=self.QUOTES)
        self._table: MicroPrice | None = None
        self._due = 0.0

    def update(self, quote: Quote, time_secs: float) -> None:
        """Remember the quote, and learn when it is time."""
        if quote.bid < quote.ask and quote.bid_size + quote.ask_size:
            self._seen.append(quote)
        self._due = self._due or time_secs + self._refit_secs
        if time_secs >= self._due and len(self._seen) > 1:
            self._due = time_secs + self._refit_secs
            columns = zip(*self._seen, strict=True)
            bid, ask, bid_size, ask_size = (list(column) for column in columns)
            with suppress(ValueError):  # the price went one way and never came back: the next quotes may tell more
                self._table = fit_micro_price(bid, ask, bid_size, ask_size)

    def price(self, quote: Quote) -> float:
        """Return the micro-price."""
        if self._table is None:
            return _mid(quote)
        learned = self._table.price(quote.bid, quote.ask, quote.bid_size, quote.ask_size)
        return min(max(learned, quote.bid), quote.ask)


class FlowAdjusted:
    """The mid moved by the order-flow imbalance of the last seconds, as far as such a flow has moved it lately."""

    SAMPLES = 2_000
    """How many windows it learns from at the most."""

    MIN_SAMPLES = 100
    """Below so many it is the mid."""

    def __init__(self, window_secs: float, refit_secs: float) -> None:
        self._window_secs = window_secs
        self._refit_secs = refit_secs
        self._flow = OrderFlowImbalance(window_secs)
        self._changes: deque[float] = deque(maxlen=self.SAMPLES)
        self._flows: deque[float] = deque(maxlen=self.SAMPLES)
        self._impact_per_lot = 0.0
        self._current = 0.0
        self._window_start = 0.0
        self._window_mid = 0.0
        self._due = 0.0

    def update(self, quote: Quote, time_secs: float) -> None:
        """Count the flow, close the window when it is over, and learn when it is time."""
        flow_before = self._flow.at(time_secs)
        self._current = self._flow.update(quote, time_secs)
        if not self._window_start:
            self._window_start, self._window_mid = time_secs, _mid(quote)
            self._due = time_secs + self._refit_secs
        elif time_secs >= self._window_start + self._window_secs:
            self._changes.append(_mid(quote) - self._window_mid)
            self._flows.append(float(flow_before))
            self._window_start, self._window_mid = time_secs, _mid(quote)
        if time_secs >= self._due and len(self._flows) >= self.MIN_SAMPLES:
            self._due = time_secs + self._refit_secs
            self._impact_per_lot = fit_flow_impact(list(self._changes), list(self._flows)).per_lot

    def price(self, quote: Quote) -> float:
        """Return the adjusted mid, never beyond bid or ask."""
        half_spread = (quote.ask - quote.bid) / 2
        return flow_adjusted_mid(_mid(quote), self._current, self._impact_per_lot, half_spread)
