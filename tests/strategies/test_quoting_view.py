"""Why a maker has no order on a side, as it says when it is asked, in the real engine."""

from decimal import Decimal
from typing import Any

import pytest

from runtime.setup.sections import Latency
from strategies.avellaneda_stoikov import AvellanedaStoikov, AvellanedaStoikovConfig
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from tests.view_kit import Asker


def said(asker: Asker) -> list[dict[str | None, str]]:
    return [{silence.side: silence.reason for silence in view.silences} for view in asker.views]


def asked(replay: Any, market: Any, maker: Any, **options: Any) -> Asker:
    asker = Asker(maker, maker.config.instrument_id)
    replay(market, [maker, asker], **options)
    return asker


def fixed(instrument: Any, **values: Any) -> FixedSpread:
    sizes = {"order_qty": 2.0, "max_position": 4.0, "half_spread_quote": 0.05} | values
    return FixedSpread(FixedSpreadConfig(instrument_id=instrument.id, **sizes))


@pytest.fixture
def calm(market_of: Any, perpetual: Any) -> Any:
    market = market_of(perpetual)
    for second in range(6):
        market.quote(second, 99.99, 100.01, bid_size=50 + second)
    return market


def test_a_maker_that_quotes_has_nothing_to_explain(replay: Any, calm: Any, perpetual: Any) -> None:
    asker = asked(replay, calm, fixed(perpetual))

    assert said(asker)[-1] == {}
    last = asker.views[-1]
    assert (last.inventory_qty, last.max_position_qty, last.fair_value) == (Decimal(0), Decimal(4), 100.0)


def test_an_order_that_travels_is_on_its_way(replay: Any, calm: Any, perpetual: Any) -> None:
    slow = Latency(insert_ms=2_500, modify_ms=2_500, cancel_ms=2_500)

    asker = asked(replay, calm, fixed(perpetual), fills="queue_latency", latency=slow)

    assert said(asker)[1] == {"bid": "on_its_way", "ask": "on_its_way"}
    assert said(asker)[-1] == {}


def test_a_model_that_knows_too_little_is_warming_up(replay: Any, calm: Any, perpetual: Any) -> None:
    config = AvellanedaStoikovConfig(
        instrument_id=perpetual.id,
        order_qty=1.0,
        max_position=4.0,
        kappa_per_bps=0.3,
        risk_aversion_per_bps=0.01,
        volatility_window_secs=60.0,
    )

    asker = asked(replay, calm, AvellanedaStoikov(config))

    assert said(asker)[2] == {"bid": "warming_up", "ask": "warming_up"}
    assert asker.views[2].silences[0].text.startswith("the model has no price")


def test_at_the_limit_the_inventory_is_the_reason(replay: Any, market_of: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)  # takes the whole bid
    market.quote(2, 99.99, 100.01, bid_size=7)
    market.quote(3, 99.99, 100.01, bid_size=8)

    asker = asked(replay, market, fixed(perpetual, max_position=2.0))

    assert asker.views[-1].inventory_qty == Decimal(2)
    assert said(asker)[-1] == {"bid": "inventory_limit"}


def test_after_a_fill_the_delay_is_the_reason(replay: Any, market_of: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)
    for second in range(2, 9):
        market.quote(second, 99.99, 100.01, bid_size=second)

    asker = asked(replay, market, fixed(perpetual, filled_order_delay_secs=4.0))

    assert {"bid": "delay_after_fill"} in said(asker)
    assert said(asker)[-1] == {}


def test_a_budget_that_is_used_up_is_the_reason(replay: Any, calm: Any, perpetual: Any) -> None:
    asker = asked(replay, calm, fixed(perpetual, order_budget=1, order_budget_window_secs=60.0))

    assert said(asker)[-1] == {"ask": "order_budget"}


def test_an_empty_balance_is_the_reason(replay: Any, market_of: Any, spot: Any) -> None:
    market = market_of(spot)
    for second in range(4):
        market.quote(second, 1.200, 1.202, bid_size=500 + second)
    maker = FixedSpread(
        FixedSpreadConfig(instrument_id=spot.id, order_qty=20.0, max_position=200.0, half_spread_bps=30.0)
    )

    asker = asked(replay, market, maker, balances=("1000 USDT", "0 NEXO"))

    assert said(asker)[-1] == {"ask": "cannot_pay"}


def test_before_the_first_quote_there_is_no_market(replay: Any, calm: Any, perpetual: Any) -> None:
    maker = fixed(perpetual)
    asker = Asker(maker, maker.config.instrument_id)
    asker.on_start = lambda: asker.views.append(maker.view())  # type: ignore[method-assign]

    replay(calm, [maker, asker])

    assert said(asker)[0] == {"bid": "no_market_data", "ask": "no_market_data"}
    assert {silence.reason for silence in maker.view().silences} <= {"not_running"}
