"""The maker of the paper: the closed form, decided once per move of the market, for one session."""

import math
from typing import Any

import pytest
from nautilus_trader.model.identifiers import InstrumentId

from strategies.paper_maker import PaperMaker, PaperMakerConfig

SYN = InstrumentId.from_str("SYNUSDT-PERP.BINANCE")


def maker(**values: Any) -> PaperMaker:
    return PaperMaker(
        PaperMakerConfig(
            **{
                "instrument_id": SYN,
                "order_qty": 2.0,
                "max_position": 100.0,
                "risk_aversion_per_quote": 0.1,
                "kappa_per_quote": 1.5,
                "sigma_quote_per_sqrt_sec": 2.0,
                "horizon_secs": 1.0,
            }
            | values
        )
    )


def half_spread(time_left: float) -> float:
    return 0.1 * 4 * time_left / 2 + math.log(1 + 0.1 / 1.5) / 0.1


def orders_at_end(run: Any) -> list[float]:
    return [float(order.price) for order in run.orders()]


def test_quotes_are_those_of_the_closed_form_rounded_outwards(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 95, 105)
    market.quote(0.25, 95.01, 105.01)
    market.quote(0.26, 95.01, 105.01)

    run = replay(market, [maker()], fills="optimistic")

    bid, ask = 100.01 - half_spread(0.75), 100.01 + half_spread(0.75)
    expected = [math.floor(bid * 100) / 100, math.ceil(ask * 100) / 100]
    assert orders_at_end(run) == pytest.approx(expected)


def test_a_fill_moves_no_quote_until_the_market_moves(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 95, 105)
    market.trade(0.1, 99, 2, buyer=False)
    market.trade(0.2, 100.01 + half_spread(1), 2, buyer=True)
    market.quote(0.3, 95, 105)

    run = replay(market, [maker()], fills="optimistic")

    prices = [float(fill.price) for fill in run.ledger.fills]
    assert prices == pytest.approx([100 - half_spread(1), 100 + half_spread(1)], abs=0.0101)


def test_the_next_move_leans_against_what_was_bought(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 95, 105)
    market.trade(0.1, 99, 2, buyer=False)
    market.quote(0.5, 95.01, 105.01)
    market.quote(0.6, 95.01, 105.01)

    run = replay(market, [maker()], fills="optimistic")

    lean = 1 * 0.1 * 4 * 0.5
    resting = sorted(float(order.price) for order in run.orders() if order.filled_qty == 0)
    assert resting == pytest.approx([100.01 - lean - half_spread(0.5), 100.01 - lean + half_spread(0.5)], abs=0.0101)


def test_nothing_is_quoted_after_the_horizon(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for at in range(6):
        market.quote(at / 2, 95 + at, 105 + at)
        market.trade(at / 2 + 0.1, 90, 5, buyer=False)

    run = replay(market, [maker()], fills="optimistic")

    assert len(run.ledger.fills) > 0
    assert max(fill.ts_ns for fill in run.ledger.fills) < market.ticks[0].ts_init + 1_000_000_000
    assert all(order.is_closed for order in run.orders())
