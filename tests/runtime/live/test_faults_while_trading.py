"""One run on each product, through everything that can go wrong while it trades; each fault leaves it quoting."""

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

OUTAGE_SECS = 12
SIGNATURE = re.compile(r"signature\W{1,4}[0-9A-Za-z%+/]{16,}")


@pytest.fixture(scope="module", params=["spot", "perpetual"])
def live(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Any]:
    from tests.runtime.live.live_kit import Live, new_double

    with new_double() as double:
        live = Live(request.param, double, Path(tmp_path_factory.mktemp("live"))).start()
        try:
            yield live.until_quoting()
            live.double.faults.clear()
            live.until_quoting()
            assert live.stop() == 0
            assert not live.orders()
            _books_agree(live)
            _no_secret_is_written(live)
        finally:
            live.kill()


def _books_agree(live: Any) -> None:
    """Hold the equity of the summary against the exchange's own account, to the cent."""
    summary = live.summary()
    assert Decimal(repr(summary["equity_end"])) == pytest.approx(live.venue_equity(), abs=Decimal("0.005"))
    assert len(live.fills()) == summary["fills"]
    if live.kind == "perpetual":
        received = live.double.futures.venue.account.funding_received["USDT"]
        assert summary["pnl_parts"]["funding"] == float(received)


def _no_secret_is_written(live: Any) -> None:
    listen_keys = live.double.futures.users.issued
    secrets = [live.double.key.key, *live.double.key.secret.splitlines()[1:-1], *listen_keys]
    assert bool(listen_keys) is (live.kind == "perpetual")
    files = [file for file in live.folder.rglob("*") if file.is_file()]
    assert any(file.parent.name == "log" for file in files)
    for file in files:
        text = file.read_text(errors="replace")
        assert not any(secret in text for secret in secrets), file
        assert SIGNATURE.search(text) is None, file


def fill(live: Any, side: str) -> str:
    """Fill our order of one side, whenever it stands still for long enough, and return its name."""
    while True:
        names = [order.asked.client_order_id for order in live.orders() if order.asked.side.value == side]
        try:
            live.double.fill(names[0])
        except LookupError:  # it was just being replaced
            live.until_quoting()
        else:
            return names[0]


def was_filled(live: Any, order_id: str) -> bool:
    return any(row["client_order_id"] == order_id for row in live.fills())


def test_quotes_follow_the_market_and_fills_are_booked(live: Any) -> None:
    order_id = fill(live, "BUY")

    live.until(lambda: was_filled(live, order_id))
    live.move(3)
    live.until_quoting()


def test_funding_is_booked_when_the_venue_pays_it(live: Any) -> None:
    if live.kind == "spot":
        pytest.skip("spot has no funding")
    venue = live.double.venue(live.instrument_id)
    if not venue.account.position("BTCUSDT", "BOTH").amount:
        fill(live, "BUY")

    live.double.call(venue.settle_funding, "BTCUSDT", Decimal("0.01"))  # the books are held against it at the end

    assert abs(venue.account.funding_received["USDT"]) > Decimal("0.1")


@pytest.mark.parametrize(("status", "code"), [(503, None), (400, -1007)])
def test_an_order_of_which_the_venue_is_not_sure_is_found(live: Any, status: int, code: int | None) -> None:
    live.double.faults.answer("submit", status, code, processed=True, times=1)

    order_id = fill(live, "SELL")

    live.until(lambda: was_filled(live, order_id))
    live.until_quoting()
    live.move(2)
    live.until_quoting()


def test_an_order_without_any_answer_is_found(live: Any) -> None:
    live.double.faults.drop("submit", processed=True)

    fill(live, "BUY")

    live.until_quoting()


def test_an_order_that_never_arrived_is_sent_again(live: Any) -> None:
    live.double.faults.drop("submit")

    fill(live, "SELL")

    live.until_quoting()


def test_a_refused_order_is_tried_again(live: Any) -> None:
    short = -2010 if live.kind == "spot" else -2019
    for status, code in ((429, -1003), (418, -1003), (400, -1021), (400, -1013), (400, short), (400, -1015)):
        live.double.faults.answer("submit", status, code)

    fill(live, "BUY")

    live.until_quoting()
    assert live.double.faults.next_for("submit") is None


def test_an_order_that_a_busy_venue_did_not_take_is_sent_again(live: Any) -> None:
    live.double.faults.answer("submit", 503, -1008)

    fill(live, "SELL")

    live.until_quoting()
    assert live.double.faults.next_for("submit") is None


def test_a_refused_cancellation_is_tried_again(live: Any) -> None:
    live.double.faults.answer("cancel", 503, times=2)

    live.move(5)

    live.until_quoting()


def test_a_fill_without_word_is_brought_in_with_its_fee(live: Any) -> None:
    live.double.faults.lose_events("TRADE", times=1)

    order_id = fill(live, "SELL")

    live.until(lambda: was_filled(live, order_id))
    [row] = [row for row in live.fills() if row["client_order_id"] == order_id]
    assert Decimal(row["commission"].split()[0]) > 0
    live.until_quoting()


def test_a_fill_without_word_while_a_change_hangs_is_brought_in_with_its_fee(live: Any) -> None:
    """The engine asks for an order that waits for an answer by itself, before it looks at all of them."""
    change = "cancel" if live.kind == "spot" else "modify"
    live.double.faults.lose_events("*", times=None)
    live.double.faults.delay(change, 8.0, times=2)
    live.move(3)
    filled = [order.asked.client_order_id for order in live.orders()]

    for order_id in filled:
        live.double.fill(order_id)

    for order_id in filled:
        live.until(lambda order_id=order_id: was_filled(live, order_id))
    rows = [row for row in live.fills() if row["client_order_id"] in filled]
    assert [Decimal(row["commission"].split()[0]) > 0 for row in rows] == [True] * len(filled)
    live.double.faults.clear()
    live.until_quoting()


def test_a_fill_that_is_told_twice_counts_once(live: Any) -> None:
    live.double.faults.duplicate_events("TRADE", times=1)

    order_id = fill(live, "BUY")

    live.until(lambda: was_filled(live, order_id))
    live.until_quoting()
    assert sum(row["client_order_id"] == order_id for row in live.fills()) == 1


def test_a_cancellation_without_word_is_found_out(live: Any) -> None:
    live.double.faults.lose_events("CANCELED", times=2)

    live.move(4)

    live.until_quoting()


def test_an_order_that_somebody_cancelled_by_hand_is_replaced(live: Any) -> None:
    live.double.cancel(live.orders()[0].asked.client_order_id)

    live.until_quoting()


def test_a_stray_order_of_ours_is_cancelled(live: Any) -> None:
    from runtime.live.own_orders import Owner

    name = f"O-20260101-000000-{Owner.of(f'live_{live.kind}').tag}-000-1"
    price, quantity = ("1.0", "20") if live.kind == "spot" else ("58000", "0.01")
    order = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": price, "quantity": quantity}
    live.send_by_hand(newClientOrderId=name, **order)

    live.until(lambda: name not in {order.asked.client_order_id for order in live.orders()})
    live.until_quoting()


def test_an_expired_user_stream_is_renewed(live: Any) -> None:
    if live.kind == "spot":
        live.double.terminate_user_stream()
    else:
        live.double.expire_listen_key()

    live.until_quoting()
    order_id = fill(live, "SELL")
    live.until(lambda: was_filled(live, order_id))
    live.until_quoting()


def test_nonsense_is_survived(live: Any) -> None:
    for text in ("{", '{"stream":"unknown","data":{"e":"surprise"}}', '{"e":"surprise"}'):
        live.double.send_market_text(text)
        live.double.send_user_text(text)

    live.move(-3)

    live.until_quoting()


def test_quotes_are_pulled_from_a_silent_market(live: Any) -> None:
    live.double.faults.market_silent = True
    live.until(lambda: not live.orders())
    live.double.faults.market_silent = False

    live.until_quoting()


def test_a_crossed_market_is_not_quoted_into(live: Any) -> None:
    sent = len(live.double.requests("submit", live.product))
    tick = live._tick / 2 if live.kind == "perpetual" else live._tick
    live.double.quote(live.instrument_id, str(live._mid + tick), str(live._mid - tick))
    live.double.quote(live.instrument_id, str(live._mid + 2 * tick), str(live._mid - 2 * tick))

    live.until_quoting()
    assert len(live.double.requests("submit", live.product)) <= sent + 4


def test_a_lost_user_stream_with_a_refused_logon_comes_back(live: Any) -> None:
    live.double.faults.refuse_logons(1)
    live.double.disconnect_users()

    live.until(lambda: "are heard again" in live.errors())
    live.until_quoting()
    order_id = fill(live, "SELL")
    live.until(lambda: was_filled(live, order_id))


def test_a_restart_of_the_exchange_is_survived(live: Any) -> None:
    live.double.restart()

    live.until_quoting()
    order_id = fill(live, "BUY")
    live.until(lambda: was_filled(live, order_id))
    live.until_quoting()


@pytest.mark.slow
def test_an_outage_is_survived(live: Any) -> None:
    end = time.monotonic() + OUTAGE_SECS
    live.double.vanish()
    live.until(lambda: time.monotonic() > end)
    live.double.resume()

    live.until_quoting()
    order_id = fill(live, "SELL")
    live.until(lambda: was_filled(live, order_id))
    live.until_quoting()
