"""All books of an account: what is kept up to date must be what a count from the start says."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from actors.books import HOLDINGS, Books
from actors.marking import Marking
from actors.touches import Touches

NAMES = ("BTCUSDT.BINANCE", "ETHUSDT.BINANCE")
OWNERS = ("maker", "taker")

cents = st.integers(1, 100_000).map(lambda n: Decimal(n).scaleb(-2))
lots = st.integers(-1_000, 1_000).filter(bool).map(lambda n: Decimal(n).scaleb(-3))
fill = st.tuples(st.just("fill"), st.sampled_from(OWNERS), st.sampled_from(NAMES), lots, cents)
charge = st.tuples(st.just("charge"), st.sampled_from(OWNERS), st.sampled_from(NAMES), cents)
receipt = st.tuples(st.just("receipt"), st.sampled_from(("", *NAMES)), lots)
quote = st.tuples(st.just("quote"), st.sampled_from(NAMES), cents, st.integers(1, 3))


class Market:
    """Last quotes in the engine's cache, and books that are marked to them."""

    def __init__(self) -> None:
        self.cache = Cache()
        self.books = Books()
        self.books.equity_start = Decimal(1_000)
        ids = [InstrumentId.from_str(name) for name in NAMES]
        self.touches = Touches(self.cache, ids)
        self.marking = Marking(self.books, self.touches, NAMES)
        for name in NAMES:
            self.quote(name, Decimal(100), 1)
        self.books.open(HOLDINGS, NAMES[0], Decimal(2), self.touches.of(NAMES[0]).mid)

    def quote(self, name: str, bid: Decimal, size: int) -> None:
        prices = Price(bid, 2), Price(bid + Decimal("0.01"), 2)
        self.cache.add_quote_tick(
            QuoteTick(InstrumentId.from_str(name), *prices, Quantity(size, 0), Quantity(1, 0), 0, 0)
        )

    def happen(self, kind: str, *values: Any) -> None:
        if kind == "quote":
            self.quote(*values)
        elif kind == "fill":
            owner, name, quantity, price = values
            self.books.to_book(owner, name).fill(quantity, price, Decimal("0.01"), self.touches.of(name).mid)
        elif kind == "charge":
            owner, name, amount = values
            self.books.to_book(owner, name).charge(amount)
        else:
            name, amount = values
            self.books.receive(name, amount, self.touches.of(name).mid if name else Decimal(1))


@given(st.lists(st.one_of(fill, charge, receipt, quote), max_size=12))
@settings(max_examples=25, deadline=None)
def test_marks_are_what_a_count_from_the_start_says(events: list[Any]) -> None:
    market = Market()
    books = market.books
    market.marking.marks()

    for event in events:
        market.happen(*event)
        marks = market.marking.marks()

        assert (marks.equity, marks.parts) == (books.equity(), books.parts())
        assert marks.holdings == books.parts(HOLDINGS).total
        assert marks.equity == books.equity_start + marks.parts.total
        for name, touch, held in marks.positions:
            assert touch.mid == market.touches.of(name).mid
            assert held == sum(book.position for (_, traded), book in books.by_owner.items() if traded == name)
            assert {book.mid for (_, traded), book in books.by_owner.items() if traded == name} <= {touch.mid}


def test_nothing_is_counted_anew_until_a_price_or_a_book_has_changed() -> None:
    market = Market()
    name = NAMES[0]
    first = market.marking.marks()

    market.quote(name, Decimal(100), 7)
    assert market.marking.marks() is first

    market.quote(name, Decimal(101), 7)
    dearer = market.marking.marks()
    assert dearer.equity == first.equity + 2

    market.happen("charge", "maker", name, Decimal(5))
    assert market.marking.marks().equity == dearer.equity - 5
