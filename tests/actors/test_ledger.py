"""The ledger in the real engine: exact parts, the right mids, and the same money that the account counts."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.events import OrderFilled

from actors.books import HOLDINGS
from data_catalog.instruments import find_instrument
from models.attribution import EXACT, Fill, attribute
from runtime.audit import BooksDisagree, check_books
from runtime.setup.sections import Fees
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from tests.engine_kit import START_NS, Market, replays

SPOT_BALANCES = ("5000 USDT", "4000 NEXO")


def maker(instrument: Any, **values: Any) -> FixedSpread:
    sizes = {"order_qty": 20.0, "max_position": 100.0, "half_spread_quote": 0.03} | values
    return FixedSpread(FixedSpreadConfig(instrument_id=instrument.id, **sizes))


@pytest.fixture(scope="module", params=["perpetual", "spot", "spot_fees_in_quote"])
def busy_run(request: Any) -> Iterator[Any]:
    """Return the market and the run of a maker that trades a lot."""
    kind = request.param
    instrument = find_instrument("SYNUSDT-PERP.BINANCE" if kind == "perpetual" else "NEXOUSDT.BINANCE")
    market = Market(instrument)
    for run in replays():
        if kind == "perpetual":
            market.random(seed=11)
            yield market, run(market, [maker(instrument)])
        else:
            market.random(seed=12, mid=1.2, tick=0.001)
            fees = Fees(paid_in="quote" if kind == "spot_fees_in_quote" else "received")
            quoting = maker(instrument, half_spread_quote=0.003)
            yield market, run(market, [quoting], balances=SPOT_BALANCES, fees=fees)


def mids_of(market: Any) -> list[tuple[int, Decimal]]:
    quotes = [tick for tick in market.ticks if isinstance(tick, QuoteTick)]
    return [(quote.ts_init, (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2) for quote in quotes]


def test_the_parts_sum_exactly_to_the_change_in_equity(busy_run: Any) -> None:
    _, run = busy_run
    curve = run.ledger.equity_curve

    assert len(run.ledger.fills) > 30
    assert len(curve) > 290
    assert all(EXACT.subtract(point.equity, curve[0].equity) == point.parts.total for point in curve)


def test_the_parts_agree_with_a_second_count_from_fills_and_mids_alone(busy_run: Any) -> None:
    market, run = busy_run
    strategy = run.ledger.fills[0].strategy
    fills = [
        Fill(
            fill.ts_ns,
            fill.sign * fill.quantity,
            fill.price,
            EXACT.subtract(fill.fee, fill.fee_base * fill.mid),
            fill.fee_base,
        )
        for fill in run.ledger.fills
    ]

    counted = attribute(fills, mids_of(market), horizon_ns=0)

    parts = run.ledger.parts(strategy=strategy)
    assert (parts.spread, parts.inventory, parts.fees) == (counted.spread, counted.inventory_mtm, counted.fees)


def test_the_account_counts_the_same_money(busy_run: Any) -> None:
    _, run = busy_run

    check_books(run.engine, run.ledger)


def test_books_that_disagree_with_the_account_give_no_result(busy_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, run = busy_run
    one_cent_more = run.ledger.equity() + Decimal("0.01")
    monkeypatch.setattr(run.ledger, "equity", lambda: one_cent_more)

    with pytest.raises(BooksDisagree, match=r"differ|difference"):
        check_books(run.engine, run.ledger)


def test_what_was_held_at_the_start_is_told_from_what_was_traded(market_of: Any, replay: Any, spot: Any) -> None:
    market = market_of(spot)
    market.quote(0, 1.199, 1.201)
    market.quote(5, 1.299, 1.301)
    market.quote(9, 1.299, 1.301, bid_size=5)

    run = replay(market, [maker(spot, half_spread_quote=0.5)], balances=SPOT_BALANCES)

    last = run.ledger.equity_curve[-1]
    assert run.ledger.fills == []
    assert run.ledger.equity_curve[0].equity == 5000 + 4000 * Decimal("1.2")
    assert last.holdings == 400
    assert last.parts.inventory == 400
    assert run.ledger.parts(strategy=HOLDINGS).total == 400


def test_the_mid_of_a_fill_counts_a_quote_of_the_same_moment(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(2, 99.90, 50, buyer=False)
    market.quote(2, 99.89, 99.91)
    market.quote(3, 99.79, 99.81)

    run = replay(market, [maker(perpetual, max_position=20.0, requote_threshold_bps=100)])

    (fill,) = run.ledger.fills
    assert (fill.ts_ns, fill.price, fill.mid) == (START_NS + 2_000_000_000, Decimal("99.97"), Decimal("99.90"))
    assert fill.spread == 20 * (Decimal("99.90") - Decimal("99.97"))


def test_markouts_take_the_mid_that_holds_at_the_horizon(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)
    market.quote(2, 99.98, 100.00)  # one second after the fill: this mid counts
    market.quote(5.9, 99.96, 99.98)
    market.quote(6.1, 99.94, 99.96)  # five seconds after the fill the one before still holds
    market.quote(20, 99.94, 99.96)

    run = replay(market, [maker(perpetual, max_position=20.0, requote_threshold_bps=100)])

    (fill,) = run.ledger.fills
    assert fill.markout_mids == {1: Decimal("99.99"), 5: Decimal("99.97")}


def test_the_grid_stands_on_whole_intervals_from_the_first_quote_to_the_last(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    for at in (0.5, 2.25, 4.75):
        market.quote(at, 99.99, 100.01)

    run = replay(market, [maker(perpetual)])

    times = [(point.ts_ns - START_NS) / 1e9 for point in run.ledger.equity_curve]
    assert times == [0.5, 1, 2, 3, 4, 4.75]


def test_a_fee_on_a_spot_buy_is_taken_from_what_is_bought(market_of: Any, replay: Any, spot: Any) -> None:
    market = market_of(spot)
    market.quote(0, 1.199, 1.201)
    market.trade(1, 1.195, 100, buyer=False)
    market.quote(2, 1.199, 1.201)

    run = replay(market, [maker(spot, half_spread_quote=0.003)], balances=SPOT_BALANCES)

    (fill,) = run.ledger.fills
    assert (fill.side, fill.quantity, fill.fee_base) == ("BUY", 20, Decimal("0.02"))
    assert fill.fee == Decimal("0.02") * fill.mid
    assert run.ledger.position(spot.id.value) == 4000 + Decimal("19.98")


def test_fills_after_the_stop_are_in_the_last_point(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)
    market.quote(2, 98.99, 99.01)
    run = replay(market, [maker(perpetual, max_position=20.0)])
    ledger, (bought,) = run.ledger, run.ledger.fills
    (order,) = (order for order in run.orders() if order.filled_qty > 0)
    told = OrderFilled.to_dict(order.last_event)
    topic, two_secs = f"events.fills.{perpetual.id}", START_NS + 2_000_000_000

    for trade_id, ts_event in (("of the stop", two_secs), ("of a venue whose clock is ahead", two_secs + 10**9)):
        fill = OrderFilled.from_dict(told | {"trade_id": trade_id, "ts_event": ts_event})
        run.engine.kernel.msgbus.publish(topic, fill)
    ledger.close([replace(bought, trade_id="of which no word came", mid=None)])

    last = ledger.equity_curve[-1]
    assert [fill.position_after for fill in ledger.fills] == [20, 40, 60, 80]
    assert ledger.position_points[-1].position == 80
    assert last.equity == 100_000 + 80 * (99 - bought.price) - 4 * bought.fee
    assert last.parts == ledger.parts()
    assert last.parts.total == last.equity - 100_000
    points = len(ledger.equity_curve)
    ledger.close()
    assert len(ledger.equity_curve) == points


def test_a_second_run_after_reset_starts_with_empty_books(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.random(seed=13, seconds=30)
    run = replay(market, [maker(perpetual)])
    ledger = run.ledger

    ledger.reset()

    assert (ledger.fills, ledger.equity_curve, ledger.books, ledger.is_open) == ([], [], {}, False)
