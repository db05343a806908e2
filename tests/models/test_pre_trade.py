"""All rules together: their order, and that no sequence of events leads beyond a position limit."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.pre_trade import (
    Account,
    ExposureRoom,
    Market,
    OrderBounds,
    PreTradeLimits,
    ProposedOrder,
    closing_breach,
    exposure_of_order_breach,
    held_breaches,
    held_breaches_of_strategy,
    market_breach,
    order_breach,
    reduce_only_breach,
)
from models.risk_exposure import InstrumentExposure

MARKET = Market.of(Decimal("99.5"), Decimal("100.5"), 0)


def limits(**values: object) -> PreTradeLimits:
    base = {"max_position_qty": {}, "max_order_qty": {}}
    return PreTradeLimits(**{**base, **values})


UNIT = Decimal("0.01")


def units(number: Decimal) -> int:
    return int(number / UNIT)


def order(side: int = 1, quantity: str = "1", price: str | None = "99", order_id: str = "o") -> ProposedOrder:
    return ProposedOrder(order_id, "s", "X", side, None if price is None else Decimal(price), Decimal(quantity))


@pytest.mark.parametrize(
    ("values", "proposed", "rule"),
    [
        ({}, order(quantity="0.1"), "min_order_qty"),
        ({}, order(quantity="0.5", price="9"), "min_order_notional_quote"),
        ({"max_order_qty": {"X": Decimal(2)}}, order(quantity="2.1"), "max_order_qty"),
        ({"max_order_qty": {"X": Decimal(2)}}, order(quantity="2"), None),
        ({"max_order_notional_quote": Decimal(198)}, order(quantity="2"), None),
        ({"max_order_notional_quote": Decimal("197.99")}, order(quantity="2"), "max_order_notional_quote"),
        ({"max_order_notional_quote": Decimal("199")}, order(quantity="2", price=None), "max_order_notional_quote"),
        ({"price_collar_bps": Decimal(100)}, order(price="101"), None),
        ({"price_collar_bps": Decimal(100)}, order(price="101.01"), "price_collar_bps"),
        ({"price_collar_bps": Decimal(100)}, order(price=None), None),
    ],
)
def test_rules_of_the_order_itself(values: dict[str, object], proposed: ProposedOrder, rule: str | None) -> None:
    breach = order_breach(proposed, MARKET, InstrumentExposure(), limits(**values), (Decimal("0.5"), Decimal(5)))

    assert (breach.rule if breach else None) == rule


def test_no_order_meets_an_own_one_that_stands_or_is_on_its_way() -> None:
    exposure = InstrumentExposure()
    exposure.submitting("ask", "other", -1, Decimal("99.8"), Decimal(1))
    minimum = (Decimal(0), Decimal(0))

    assert order_breach(order(price="99.7"), MARKET, exposure, limits(), minimum) is None
    assert order_breach(order(price="99.8"), MARKET, exposure, limits(), minimum).rule == "self_trade"
    exposure.modifying(exposure.orders["ask"], Decimal("99.6"), Decimal(1))
    assert order_breach(order(price="99.7"), MARKET, exposure, limits(), minimum).rule == "self_trade"
    exposure.unchanged("ask")
    assert order_breach(order(price="99.7"), MARKET, exposure, limits(), minimum) is None


def test_the_market_must_be_fresh_and_sound() -> None:
    held = limits(max_data_age_secs=Decimal(5))

    assert market_breach(None, 0, held).rule == "no_market_data"
    assert market_breach(Market.of(Decimal(2), Decimal(1), 0), 0, held).rule == "crossed_market"
    assert market_breach(MARKET, 5_000_000_000, held) is None
    assert market_breach(MARKET, 5_000_000_001, held).rule == "max_data_age_secs"
    assert market_breach(MARKET, 10**18, limits()) is None


@pytest.mark.parametrize(
    ("values", "quantity", "rule"),
    [
        ({"max_position_qty": {"X": Decimal(10)}}, "4", None),
        ({"max_position_qty": {"X": Decimal(10)}}, "4.1", "max_position_qty"),
        ({"max_instrument_notional_quote": Decimal(1000)}, "4", None),
        ({"max_instrument_notional_quote": Decimal(1000)}, "4.1", "max_instrument_notional_quote"),
        ({"max_strategy_notional_quote": Decimal(900)}, "4", None),  # 1 of the 6 is another strategy's
        ({"max_strategy_notional_quote": Decimal(900)}, "4.1", "max_strategy_notional_quote"),
        ({"max_strategy_net_notional_quote": Decimal(900)}, "4", None),  # without Y, which is another strategy's
        ({"max_strategy_net_notional_quote": Decimal(900)}, "4.1", "max_strategy_net_notional_quote"),
        ({"max_net_notional_quote": Decimal(800)}, "4", None),  # Y is short 2
        ({"max_net_notional_quote": Decimal(800)}, "4.1", "max_net_notional_quote"),
        ({"max_gross_notional_quote": Decimal(1200)}, "4", None),
        ({"max_gross_notional_quote": Decimal(1200)}, "4.1", "max_gross_notional_quote"),
        ({"max_leverage": Decimal(3)}, "4", None),
        ({"max_leverage": Decimal(3)}, "4.1", "max_leverage"),
        ({"min_free_margin_pct": Decimal(70), "account_leverage": Decimal(10)}, "4", None),
        ({"min_free_margin_pct": Decimal(70), "account_leverage": Decimal(10)}, "4.1", "min_free_margin_pct"),
    ],
)
def test_rules_of_exposure_at_their_boundaries(values: dict[str, object], quantity: str, rule: str | None) -> None:
    exposures = {"X": InstrumentExposure(), "Y": InstrumentExposure()}
    exposures["X"].filled("old", "s", 1, Decimal(3))
    exposures["X"].filled("old", "other", 1, Decimal(1))
    exposures["X"].submitting("open", "s", 1, Decimal(98), Decimal(2))
    exposures["Y"].filled("old", "other", -1, Decimal(2))
    account = Account(exposures, {"X": Decimal(100), "Y": Decimal(100)}, Decimal(400))

    breach = exposure_of_order_breach(order(quantity=quantity), account, limits(**values))

    assert (breach.rule if breach else None) == rule
    selling = order(side=-1, quantity="4", price="101")
    assert exposure_of_order_breach(selling, account, limits(**values)) is None


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({"max_instrument_notional_quote": Decimal(600)}, []),
        ({"max_instrument_notional_quote": Decimal(599)}, ["max_instrument_notional_quote"]),
        ({"max_gross_notional_quote": Decimal(800)}, []),
        ({"max_gross_notional_quote": Decimal(799), "max_leverage": Decimal("1.9")},
         ["max_gross_notional_quote", "max_leverage"]),
        ({"max_net_notional_quote": Decimal(400)}, []),
        ({"max_net_notional_quote": Decimal(399)}, ["max_net_notional_quote"]),
        ({"max_leverage": Decimal(2)}, []),
    ],
)  # fmt: skip
def test_what_is_held_is_held_against_the_same_limits(values: dict[str, object], rules: list[str]) -> None:
    held = {"X": Decimal(600), "Y": Decimal(-200)}

    assert [breach.rule for breach in held_breaches(held, Decimal(400), limits(**values))] == rules
    assert not [breach for breach in held_breaches(held, None, limits(max_leverage=Decimal(1)))]
    strict = limits(max_strategy_notional_quote=Decimal(799), max_strategy_net_notional_quote=Decimal(399))
    beyond = [("max_strategy_notional_quote", 800, 799), ("max_strategy_net_notional_quote", 400, 399)]
    assert held_breaches_of_strategy(held, strict) == beyond
    assert held_breaches_of_strategy({"X": Decimal(399)}, strict) == []


def test_closing_a_position_keeps_the_limit_of_all_strategies_together() -> None:
    book = InstrumentExposure()
    book.filled("", "s", 1, Decimal(8))
    book.filled("", "other", -1, Decimal(14))
    held = limits(max_position_qty={"X": Decimal(10)})

    assert closing_breach(order(side=-1, quantity="8"), book, held) == ("max_position_qty", 14, 10)
    assert closing_breach(order(side=-1, quantity="4"), book, held) is None
    assert closing_breach(order(side=-1, quantity="8.1"), book, held).rule == "reduce_only"
    assert closing_breach(order(side=-1, quantity="8"), book, limits()) is None


def test_without_equity_nothing_grows_that_equity_limits() -> None:
    exposures = {"X": InstrumentExposure()}
    exposures["X"].filled("old", "s", 1, Decimal(3))
    account = Account(exposures, {"X": Decimal(100)}, None)

    assert exposure_of_order_breach(order(), account, limits(max_leverage=Decimal(3))).rule == "equity_unknown"
    assert exposure_of_order_breach(order(side=-1, price="101"), account, limits(max_leverage=Decimal(3))) is None
    assert exposure_of_order_breach(order(), account, limits(max_gross_notional_quote=Decimal(1000))) is None


def test_only_what_reduces_the_own_position_passes_reduce_only() -> None:
    exposure = InstrumentExposure()
    exposure.filled("old", "s", 1, Decimal(3))
    exposure.filled("old", "other", -1, Decimal(9))

    assert reduce_only_breach(order(side=-1, quantity="3"), exposure) is None
    assert reduce_only_breach(order(side=-1, quantity="3.1"), exposure) == ("reduce_only", Decimal("3.1"), Decimal(3))
    assert reduce_only_breach(order(side=1, quantity="1"), exposure) == ("reduce_only", Decimal(1), Decimal(0))
    exposure.submitting("ask", "s", -1, Decimal(101), Decimal(2))
    assert reduce_only_breach(order(side=-1, quantity="1"), exposure) is None
    assert reduce_only_breach(order(side=-1, quantity="2"), exposure) == ("reduce_only", Decimal(2), Decimal(1))
    assert reduce_only_breach(order(side=-1, quantity="3", order_id="ask"), exposure) is None


class Venue:
    """Orders that fill in parts, late, or not at all; commands arrive out of step with fills."""

    def __init__(self, exposure: InstrumentExposure) -> None:
        self.exposure = exposure
        self.orders: dict[str, list] = {}  # side, total, filled
        self.coming: list[tuple[str, Decimal | None]] = []  # a modification's new total, or None for a cancel

    def fill(self, order_id: str, share: int) -> None:
        side, total, filled = self.orders[order_id]
        quantity = min(total - filled, Decimal(share))
        if quantity > 0:
            self.orders[order_id][2] += quantity
            self.exposure.filled(order_id, "s", side, quantity)
            if self.orders[order_id][2] >= total:
                del self.orders[order_id]

    def arrive(self) -> None:
        order_id, total = self.coming.pop(0)
        if order_id not in self.orders:
            self.exposure.unchanged(order_id)
        elif total is None:
            del self.orders[order_id]
            self.exposure.gone(order_id)
        elif total <= self.orders[order_id][2]:
            self.exposure.unchanged(order_id)
        else:
            self.orders[order_id][1] = total
            self.exposure.updated(order_id, Decimal(99), total)


class RandomMaker:
    """Sends, moves and cancels at random what the rules allow, while the venue fills at random."""

    def __init__(self, seed: int, limit: int) -> None:
        self.rng = random.Random(seed)
        self.exposure = InstrumentExposure()
        self.venue = Venue(self.exposure)
        self.limits = limits(max_position_qty={"X": Decimal(limit)})
        self.account = Account({"X": self.exposure}, {"X": Decimal(100)}, None)
        self.sent = 0

    def allowed(self, proposed: ProposedOrder) -> bool:
        return exposure_of_order_breach(proposed, self.account, self.limits) is None

    def price(self) -> str:
        return str(self.rng.randint(97, 101))

    def submit(self) -> None:
        self.sent += 1
        proposed = order(self.rng.choice([1, -1]), str(self.rng.randint(1, 6)), self.price(), str(self.sent))
        if self.allowed(proposed):
            self.exposure.submitting(proposed.order_id, "s", proposed.side, proposed.price, proposed.quantity)
            self.venue.orders[proposed.order_id] = [proposed.side, proposed.quantity, Decimal(0)]

    def modify(self, target: str) -> None:
        side, _, filled = self.venue.orders[target]
        proposed = order(side, str(self.rng.randint(1, 6)), self.price(), target)
        pending = any(order_id == target for order_id, _ in self.venue.coming)
        if not pending and self.allowed(proposed):
            self.exposure.modifying(self.exposure.orders[target], proposed.price, proposed.quantity)
            self.venue.coming.append((target, filled + proposed.quantity))

    def step(self) -> None:
        known = list(self.venue.orders)
        choice = self.rng.random()
        if choice < 0.4 or not known:
            self.submit()
        elif choice < 0.6:
            self.modify(self.rng.choice(known))
        elif choice < 0.7:
            self.venue.coming.append((self.rng.choice(known), None))
        elif choice < 0.9:
            self.venue.fill(self.rng.choice(known), self.rng.randint(1, 4))
        elif self.venue.coming:
            self.venue.arrive()


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_the_position_never_passes_its_limit_whatever_happens(seed: int, limit: int) -> None:
    """Each example is 60 random submits, modifications, cancellations, partial fills and late answers."""
    maker = RandomMaker(seed, limit)
    total = maker.exposure.total
    for _ in range(60):
        maker.step()
        assert abs(total.position) <= limit
        for side in (1, -1):
            own = maker.exposure.opposite_prices(side)
            met = [price for price in (98, 99, 100) if any(side * (price - standing) >= 0 for standing in own)]
            assert [price for price in (98, 99, 100) if maker.exposure.meets_own(side, price)] == met
        assert total.worst() <= limit
        assert total == maker.exposure.of("s")
    while maker.venue.coming:
        maker.venue.arrive()
    for order_id in list(maker.venue.orders):
        maker.exposure.gone(order_id)
    assert (total.buys, total.sells) == (0, 0)


@given(
    side=st.sampled_from((1, -1)),
    price=st.decimals("95", "105", places=2),
    quantity=st.decimals("0", "10", places=1),
    own=st.lists(st.decimals("98", "102", places=2), max_size=2),
    band=st.one_of(st.none(), st.integers(0, 500).map(Decimal)),
    largest=st.one_of(st.none(), st.integers(1, 9).map(Decimal)),
    most_valuable=st.one_of(st.none(), st.integers(100, 900).map(Decimal)),
)
def test_what_the_bounds_hold_in_whole_units_breaks_no_rule_of_its_own(
    side: int,
    price: Decimal,
    quantity: Decimal,
    own: list[Decimal],
    band: Decimal | None,
    largest: Decimal | None,
    most_valuable: Decimal | None,
) -> None:
    exposure = InstrumentExposure(UNIT)
    for number, standing in enumerate(own):
        exposure.submitting(f"own-{number}", "MAKER", -side, units(standing), units(Decimal(1)))
    held = limits(
        max_order_qty={} if largest is None else {"X": largest},
        max_order_notional_quote=most_valuable,
        price_collar_bps=band,
    )
    minimum = (Decimal("0.5"), Decimal(50))
    bounds = OrderBounds.of("X", held, minimum, UNIT)

    highest_buy, lowest_sale = bounds.collar(units(2 * MARKET.mid), units(2 * MARKET.mid))
    in_collar = units(price) <= highest_buy if side > 0 else units(price) >= lowest_sale
    fits = in_collar and bounds.size_holds(units(price), units(quantity)) and not exposure.meets_own(side, units(price))
    breach = order_breach(order(side=side, price=str(price), quantity=str(quantity)), MARKET, exposure, held, minimum)

    assert fits == (breach is None) or (breach is None and _at_the_collar(price, band))


@given(
    held=st.lists(st.tuples(st.sampled_from("XY"), st.sampled_from("ab"), st.integers(-4, 4)), max_size=4),
    opened=st.lists(st.tuples(st.sampled_from("XY"), st.sampled_from("ab"), st.integers(-4, 4)), max_size=4),
    side=st.sampled_from((1, -1)),
    quantity=st.integers(1, 5),
    equity=st.one_of(st.none(), st.integers(-100, 1500).map(Decimal)),
    rules=st.dictionaries(
        st.sampled_from(
            [
                *(f"max_{what}_notional_quote" for what in ("instrument", "strategy", "strategy_net", "gross", "net")),
                "max_leverage",
                "min_free_margin_pct",
            ]
        ),
        st.integers(0, 100),
        min_size=1,
    ),
)
def test_where_everything_together_has_room_no_limit_of_values_is_broken(
    held: list[tuple[str, str, int]],
    opened: list[tuple[str, str, int]],
    side: int,
    quantity: int,
    equity: Decimal | None,
    rules: dict[str, int],
) -> None:
    values = {rule: Decimal(size * 12 if rule.endswith("quote") else size) for rule, size in rules.items()}
    held_to = limits(max_position_qty={}, **values)
    books = {name: InstrumentExposure() for name in "XY"}
    for name, strategy, position in held:
        books[name].filled("", strategy, 1 if position > 0 else -1, abs(position))
    for number, (name, strategy, size) in enumerate(opened):
        books[name].submitting(str(number), strategy, 1 if size > 0 else -1, 100, abs(size))
    mids = {"X": Decimal(100), "Y": Decimal(30)}
    most = sum((book.of(owner).most() * mids[name] for name, book in books.items() for owner in "ab"), Decimal(0))
    proposed = ProposedOrder("new", "a", "X", side, Decimal(100), Decimal(quantity))

    has_room = ExposureRoom.of(held_to).holds(most + quantity * mids["X"], equity)
    breach = exposure_of_order_breach(proposed, Account(books, mids, equity), held_to)

    assert breach is None or not has_room
    if has_room:
        held_in_all = {name: book.total.position * mids[name] for name, book in books.items()}
        assert held_breaches(held_in_all, equity, held_to) == []
        for owner in "ab":
            held_by_one = {name: book.of(owner).position * mids[name] for name, book in books.items()}
            assert held_breaches_of_strategy(held_by_one, held_to) == []


def _at_the_collar(price: Decimal, band: Decimal | None) -> bool:
    return band is not None and abs(price - MARKET.mid) * 10_000 == MARKET.mid * band
