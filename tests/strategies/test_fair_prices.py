"""The learned micro-price: what it learns from, and what it does not."""

from itertools import cycle, islice

import pytest

from models.market_making.fair_price import Quote
from models.market_making.micro_price import MicroPrice, fit_micro_price
from strategies.fair_prices import LearnedMicroPrice

SOUND = list(islice(cycle([Quote(100, 101, 9, 1), Quote(101, 102, 1, 9), Quote(101, 102, 5, 5)]), 600))
"""A large bid lifts the price by a tick, a large ask takes it back."""


def fitted(quotes: list[Quote]) -> MicroPrice:
    """Return what these quotes teach."""
    bid, ask, bid_size, ask_size = (list(column) for column in zip(*quotes, strict=True))
    return fit_micro_price(bid, ask, bid_size, ask_size)


def learned(quotes: list[Quote]) -> LearnedMicroPrice:
    """Return what learns once a second, after one quote a second."""
    price = LearnedMicroPrice(refit_secs=1)
    for second, quote in enumerate(quotes, 1):
        price.update(quote, float(second))
    return price


@pytest.mark.parametrize(
    "bad", [Quote(101, 100, 5, 5), Quote(100, 100, 5, 5), Quote(100, 101, 0, 0)], ids=["crossed", "locked", "empty"]
)
def test_a_quote_that_is_none_teaches_nothing(bad: Quote) -> None:
    table = fitted(SOUND)
    quote = Quote(100, 101, 9, 1)

    price = learned([bad, bad, *SOUND[:300], bad, *SOUND[300:], bad])

    assert price.price(quote) == min(max(table.price(*quote), 100), 101) != 100.5


def test_a_price_that_never_comes_back_teaches_nothing_yet() -> None:
    away = [Quote(100 + n, 101 + n, 9, 1) for n in range(300)]

    assert learned(away).price(Quote(100, 101, 9, 1)) == 100.5
    with pytest.raises(ValueError, match="never came back"):
        fitted(away)
