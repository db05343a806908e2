"""Whatever a model wants and whatever is held: the quotes that may stand obey these laws."""

from decimal import Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nautilus_trader.model.identifiers import InstrumentId

from models.market_making.quote_plan import Quote, Side
from strategies.grid import Grid
from strategies.quote_shaping import QuoteShaper
from strategies.quoting_config import QuotingConfig

GRID = Grid(
    tick=Decimal("0.01"),
    step=Decimal("0.001"),
    tick_raw=10**14,
    step_raw=10**13,
    price_precision=2,
    size_precision=3,
    order_lots=2_000,
    level_step_lots=500,
    max_position_lots=10_000,
    smallest_lots=1,
    min_value=500_000,
)


class Held:
    """An inventory of so many lots on a futures account."""

    is_spot = False

    def __init__(self, lots: int) -> None:
        self.lots = lots


configs = st.builds(
    QuotingConfig,
    instrument_id=st.just(InstrumentId.from_str("SYNUSDT-PERP.BINANCE")),
    order_qty=st.just(2.0),
    max_position=st.just(10.0),
    order_levels=st.integers(1, 5),
    level_spacing_bps=st.floats(0.1, 20),
    level_qty_step=st.just(0.5),
    min_spread_bps=st.floats(0, 30),
    max_spread_bps=st.one_of(st.just(0.0), st.floats(30, 100)),
    inventory_skew_bps=st.floats(0, 50),
    inventory_size_skew=st.floats(0, 1),
)
touches = st.tuples(st.integers(5_000, 20_000), st.integers(1, 30)).map(lambda pair: (pair[0], pair[0] + pair[1]))
distances = st.floats(-40, 200)
inventories = st.integers(-12_000, 12_000)


def shape(
    config: QuotingConfig, lots: int, touch: tuple[int, int], below: float, above: float
) -> tuple[list[Quote], list[Quote]]:
    held: Any = Held(lots)
    shaper = QuoteShaper(config, GRID, held)
    mid = sum(touch) / 2
    quotes = shaper.quotes((mid - below, mid + above), touch, shaper.default_size_factors(), [])
    return [q for q in quotes if q.side is Side.BID], [q for q in quotes if q.side is Side.ASK]


@given(configs, inventories, touches, distances, distances)
def test_bids_stand_below_asks_and_neither_takes(
    config: QuotingConfig, lots: int, touch: tuple[int, int], below: float, above: float
) -> None:
    bids, asks = shape(config, lots, touch, below, above)

    assert max((q.price for q in bids), default=0) < min((q.price for q in asks), default=10**9)
    assert all(q.price < touch[1] for q in bids)
    assert all(q.price > touch[0] for q in asks)
    assert len({q.price for q in bids}) == len(bids)
    assert len({q.price for q in asks}) == len(asks)


@given(configs, inventories, touches, distances, distances)
def test_all_levels_together_keep_the_inventory_limit_and_the_venue_minimum(
    config: QuotingConfig, lots: int, touch: tuple[int, int], below: float, above: float
) -> None:
    bids, asks = shape(config, lots, touch, below, above)

    assert lots + sum(q.quantity for q in bids) <= max(10_000, lots)
    assert lots - sum(q.quantity for q in asks) >= min(-10_000, lots)
    for quotes in (bids, asks):
        assert all(q.quantity * quotes[0].price >= GRID.min_value for q in quotes)


@given(configs, touches, distances, distances)
def test_prices_are_rounded_outwards_and_never_better_than_wanted(
    config: QuotingConfig, touch: tuple[int, int], below: float, above: float
) -> None:
    plain = QuotingConfig(instrument_id=config.instrument_id, order_qty=2.0, max_position=10.0)
    assume(below + above > 0)

    bids, asks = shape(plain, 0, touch, below, above)

    mid = sum(touch) / 2
    assert all(q.price <= mid - below + 1e-3 for q in bids)
    assert all(q.price >= mid + above - 1e-3 for q in asks)


@settings(max_examples=200)
@given(configs, inventories, touches, distances, distances)
def test_minus_the_inventory_mirrors_the_quotes(
    config: QuotingConfig, lots: int, touch: tuple[int, int], below: float, above: float
) -> None:
    bids, asks = shape(config, lots, touch, below, above)
    mirrored_bids, mirrored_asks = shape(config, -lots, touch, above, below)

    around = sum(touch)

    def mirror(quotes: list[Quote]) -> list[int]:
        return [around - q.price for q in quotes]

    assert mirror(asks) == [q.price for q in mirrored_bids]
    assert mirror(bids) == [q.price for q in mirrored_asks]


@given(configs, touches, st.floats(1, 200), inventories, inventories)
def test_more_inventory_never_raises_a_price(
    config: QuotingConfig, touch: tuple[int, int], half_spread: float, one: int, other: int
) -> None:
    less, more = sorted((one, other))

    bids_with_less, asks_with_less = shape(config, less, touch, half_spread, half_spread)
    bids_with_more, asks_with_more = shape(config, more, touch, half_spread, half_spread)

    if bids_with_less and bids_with_more:
        assert bids_with_more[0].price <= bids_with_less[0].price
        assert bids_with_more[0].quantity <= bids_with_less[0].quantity
    if asks_with_less and asks_with_more:
        assert asks_with_more[0].price <= asks_with_less[0].price
        assert asks_with_more[0].quantity >= asks_with_less[0].quantity
