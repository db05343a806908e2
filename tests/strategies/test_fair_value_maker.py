"""The fair-value maker in the real engine: fair values, edges that must pay, sizes, target weight."""

from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide

from strategies.fair_value_maker import FairValueMaker, FairValueMakerConfig


def maker(instrument: Any, **values: Any) -> FairValueMaker:
    sizes = {"order_qty": 2.0, "max_position": 20.0, "half_spread_bps": 5.0} | values
    return FairValueMaker(FairValueMakerConfig(instrument_id=instrument.id, **sizes))


def still(market: Any, seconds: int = 10, bid_size: float = 100, ask_size: float = 100) -> Any:
    for second in range(seconds):
        market.quote(second, 99.99, 100.01, bid_size=bid_size + second % 2, ask_size=ask_size)
    return market


def first_prices(run: Any) -> tuple[str | None, str | None]:
    bids = [str(order.price) for order in run.orders() if order.side == OrderSide.BUY]
    asks = [str(order.price) for order in run.orders() if order.side == OrderSide.SELL]
    return (bids[0] if bids else None), (asks[0] if asks else None)


def test_quotes_stand_around_the_mid(market_of: Any, replay: Any, perpetual: Any) -> None:
    assert first_prices(replay(still(market_of(perpetual)), [maker(perpetual)])) == ("99.95", "100.05")


def test_more_on_the_bid_lifts_the_weighted_mid(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = still(market_of(perpetual), bid_size=900, ask_size=100)

    run = replay(market, [maker(perpetual, fair_value="weighted_mid", half_spread_bps=10)])

    assert first_prices(run) == ("99.90", "100.11")  # around 100.008, rounded outwards


@pytest.mark.parametrize(
    ("half_spread", "margin", "quotes"), [(1.0, 0, False), (2.1, 0, True), (3.0, 1.4, True), (3.0, 1.6, False)]
)
def test_a_side_whose_edge_does_not_cover_the_fee_and_the_margin_is_not_quoted(
    half_spread: float, margin: float, quotes: bool, market_of: Any, replay: Any, perpetual: Any
) -> None:
    """The fee is 2 bps; rounding outwards adds half a tick, 0.5 bps, to each of these half-spreads."""
    market = market_of(perpetual)
    for second in range(10):
        market.quote(second, 99.99, 100.00, bid_size=100 + second)

    run = replay(market, [maker(perpetual, half_spread_bps=half_spread, min_edge_over_fees_bps=margin)])

    assert (run.orders() != []) is quotes


def test_informed_flow_widens_the_edge_that_is_needed_until_nothing_is_quoted(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    mid, at = 100.0, 0.0
    for _ in range(60):  # every buy is followed by a rise of 5 bps, every sale by a fall
        for buyer in (True, False):
            market.quote(at, mid - 0.01, mid + 0.01)
            market.trade(at + 0.5, mid + 0.01 if buyer else mid - 0.01, 1, buyer)
            mid += 0.05 if buyer else -0.05
            market.quote(at + 1, mid - 0.01, mid + 0.01)
            at += 10

    cautious = replay(market, [maker(perpetual, half_spread_bps=4, adverse_selection_horizon_secs=5)])
    careless = replay(market, [maker(perpetual, half_spread_bps=4, adverse_selection_weight=0)])

    # After twenty trades have settled it knows, and withdraws; the other one goes on.
    last_of_cautious = max(order.ts_last for order in cautious.orders() if order.is_closed)
    assert (last_of_cautious - market.ticks[0].ts_init) / 1e9 < 300
    assert max(order.ts_last for order in careless.orders()) > market.ticks[-10].ts_init - 60e9


def test_a_wild_market_makes_quotes_wider_and_smaller(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(120):
        shift = 0.05 * (second % 2)
        market.quote(second, 99.99 + shift, 100.01 + shift)
    values = {"volatility_window_secs": 20.0, "adverse_selection_weight": 0.0}

    calm = replay(market, [maker(perpetual, **values)])
    wild = replay(
        market,
        [maker(perpetual, volatility_spread_factor=1, volatility_horizon_secs=9, calm_volatility_bps=2.5, **values)],
    )

    # The mid moves by 5 bps every second: sigma is 5 bps, three of them wide in nine seconds, half the size.
    bid = next(order for order in wild.orders() if order.side == OrderSide.BUY)
    assert 99.99 - float(bid.events[0].options["price"]) > 0.12
    assert float(bid.quantity) == pytest.approx(1.0, abs=0.1)
    assert first_prices(calm)[0] == "99.95"


def test_a_rising_trend_lifts_the_fair_value(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(400):
        market.quote(second, 99.99 + 0.01 * second, 100.01 + 0.01 * second)
    values = {"trend_fast_secs": 10.0, "trend_slow_secs": 60.0, "adverse_selection_weight": 0.0}

    without = replay(market, [maker(perpetual, **values)])
    leaning = replay(market, [maker(perpetual, trend_weight=0.5, **values)])

    def last_fair(run: Any) -> float:
        return float(run.ledger.position_points[-2].fair_value)

    assert last_fair(leaning) - last_fair(without) == pytest.approx(0.5 * 0.01 * (60 - 10), rel=0.05)


def test_inventory_is_pulled_to_the_target_weight(market_of: Any, replay: Any, spot: Any) -> None:
    market = market_of(spot)
    market.random(seed=31, seconds=600, mid=1.2, tick=0.001)
    strategy = maker(
        spot,
        order_qty=20,
        max_position=600,
        half_spread_bps=20,
        inventory_skew_bps=30,
        adverse_selection_weight=0.0,
        target_weight_pct=30,
    )

    run = replay(market, [strategy], balances=["1000 USDT", "2000 NEXO"], fills="optimistic")

    def weight(point: Any) -> float:
        return float(point.position * point.mid / point.equity)

    first, last = run.ledger.position_points[0], run.ledger.position_points[-1]
    assert weight(first) == pytest.approx(0.7, abs=0.02)
    assert weight(last) < 0.5


@pytest.mark.parametrize("weight", [-1, 101])
def test_a_target_weight_outside_0_to_100_is_refused(weight: float, spot: Any) -> None:
    import msgspec

    values = {"order_qty": 20, "max_position": 600, "half_spread_bps": 20, "target_weight_pct": weight}
    with pytest.raises(msgspec.ValidationError, match="target_weight_pct"):
        msgspec.convert(
            values | {"instrument_id": spot.id},
            FairValueMakerConfig,
            dec_hook=lambda kind, value: value,
        )


def test_a_target_weight_needs_spot(perpetual: Any) -> None:
    config = maker(perpetual, target_weight_pct=50).config

    with pytest.raises(ValueError, match="target_weight_pct: was 50"):
        FairValueMaker.check_config(config, {perpetual.id: perpetual})
