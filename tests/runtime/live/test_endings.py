"""How a run ends, however it ends: nothing of ours is left on the venue, or exit status 4 says what."""

import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def live_of(tmp_path: Path) -> Iterator[Any]:
    """Return a function that makes a run on an exchange of its own; both end with the test."""
    from contextlib import ExitStack

    from tests.runtime.live.live_kit import Live, new_double

    with ExitStack() as stack:

        def make(kind: str) -> Live:
            live = Live(kind, stack.enter_context(new_double()), tmp_path)
            stack.callback(live.kill)
            return live

        yield make


def test_a_position_that_the_books_do_not_have_ends_the_run(live_of: Any) -> None:
    live = live_of("perpetual").start().until_quoting()

    resting = {"type": "LIMIT", "timeInForce": "GTC", "price": "59000", "newClientOrderId": "by-hand"}
    live.send_by_hand(side="BUY", quantity="0.02", **resting)
    live.send_by_hand(side="BUY", type="MARKET", quantity="0.005")

    live.until(lambda: "at the venue and" in live.errors())
    assert live.ended() == 1
    assert [order.asked.client_order_id for order in live.orders()] == ["by-hand"]


@pytest.mark.slow
def test_a_process_that_hangs_is_killed_and_swept(live_of: Any) -> None:
    live = live_of("perpetual").start("--set", "live.heartbeat_timeout_secs=3").until_quoting()

    os.kill(live.process.pid, signal.SIGSTOP)

    assert live.ended() == -signal.SIGKILL
    live.until_swept()
    assert "silent for 3 s" in live.supervisor_log()


def test_orders_that_cannot_be_cancelled_are_exit_status_4(live_of: Any) -> None:
    live = live_of("spot").start("--set", "live.sweep_timeout_secs=2").until_quoting()
    names = {order.asked.client_order_id for order in live.orders()}
    live.double.faults.answer("cancel", 503, times=None)

    assert live.stop() == 4

    assert all(name in live.errors() for name in names)
    assert {order.asked.client_order_id for order in live.orders()} == names
    live.double.faults.clear()
    live.until_swept()  # by the supervisor, which tries again


def test_cancellations_that_hang_at_the_stop_are_made_by_the_sweep(live_of: Any) -> None:
    live = live_of("spot").start("--set", "live.reconcile_secs=60").until_quoting()
    live.double.faults.delay("cancel", 60, times=2)  # the strategy's own
    live.process.send_signal(signal.SIGINT)
    live.until(lambda: "stopping" in live.errors())

    # Both are filled in part after the last word of the strategy; of one fill no word comes.
    live.double.faults.lose_events("TRADE")
    for order in live.orders():
        live.double.fill(order.asked.client_order_id, quantity="10")

    assert live.ended() == 0
    assert "the sweep cancelled 2" in live.errors()
    assert not live.orders()
    summary = live.summary()
    assert summary["fills"] == 2
    assert Decimal(repr(summary["equity_end"])) == pytest.approx(live.venue_equity(), abs=Decimal("0.005"))
    assert summary["pnl"] == pytest.approx(sum(summary["pnl_parts"].values()), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True])
def test_funding_during_the_stop_is_booked_once(live_of: Any, lost: bool) -> None:
    live = live_of("perpetual").start().until_quoting()
    live.double.fill(next(o.asked.client_order_id for o in live.orders() if o.asked.side.value == "BUY"))
    live.until(live.fills)
    live.process.send_signal(signal.SIGINT)
    live.until(lambda: "stopping" in live.errors())

    if lost:
        live.double.faults.lose_events("ACCOUNT_UPDATE")
    venue = live.double.futures.venue
    live.double.call(venue.settle_funding, "BTCUSDT", Decimal("0.001"))

    assert live.ended() == 0
    summary = live.summary()
    assert summary["pnl_parts"]["funding"] == float(venue.account.funding_received["USDT"]) < 0
    assert Decimal(repr(summary["equity_end"])) == pytest.approx(live.venue_equity(), abs=Decimal("0.005"))
    assert ("of which no word came" in live.errors()) is lost


@pytest.mark.slow
def test_books_that_may_lack_the_last_fills_go_on(live_of: Any) -> None:
    live = live_of("spot").start("--set", "live.reconcile_secs=60").until_quoting()
    live.double.faults.delay("cancel", 60, times=2)  # the strategy's own
    live.double.faults.answer("trades", 503, times=None)
    live.double.faults.lose_events("TRADE")
    live.process.send_signal(signal.SIGINT)
    live.until(lambda: "stopping" in live.errors())
    live.double.fill(live.orders()[0].asked.client_order_id, quantity="10")

    assert live.ended() == 0
    assert "nobody knows whether anything was filled during the stop" in live.errors()
    summary = live.summary()
    assert summary["fills"] == 0
    assert any("may be missing" in warning for warning in summary["warnings"])

    live.double.faults.clear()
    live.start().until_quoting()
    assert "1 fills that nobody heard of are brought in" in live.errors()
    assert live.stop() == 0
    assert live.summary()["fills"] == 1


@pytest.mark.slow
def test_cancellations_that_hang_for_ever_are_exit_status_4(live_of: Any) -> None:
    live = live_of("spot").start("--set", "live.sweep_timeout_secs=6").until_quoting()
    names = {order.asked.client_order_id for order in live.orders()}
    live.double.faults.delay("cancel", 600, times=None)

    assert live.stop() == 4

    assert all(name in live.errors() for name in names)
    live.double.faults.clear()
    live.until_swept()  # by the supervisor, which tries again


def test_a_halt_by_hand_is_exit_status_3_and_holds(live_of: Any) -> None:
    live = live_of("perpetual")
    live.setup.write_text(live.setup.read_text().replace("risk:", f"{WIDE}risk:"))
    live.start("--set", "live.positions_at_start=adopt")
    live.until(lambda: len(live.orders()) == 4)
    folder = live.folder / "state" / "live_perpetual"
    by_hand = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "59000", "quantity": "0.02"}
    live.send_by_hand(newClientOrderId="by-hand", **by_hand)
    bid, _ = sorted(orders_of(live, "wide").items(), key=lambda order: order[1])
    live.double.fill(bid[0])
    live.until(live.fills)

    # One strategy alone: its position is closed, the other goes on.
    (folder / "HALT.FixedSpread-wide").write_text("quotes too wide")
    live.until(lambda: "FixedSpread-wide is HALTED" in live.errors())
    before = orders_of(live, "000")
    live.until(lambda: len(orders_of(live, "000")) == 2 and orders_of(live, "000") != before)
    assert not orders_of(live, "wide")
    assert [fill["strategy_id"] for fill in live.fills()] == ["FixedSpread-wide"] * 2
    assert live.double.futures.venue.account.position("BTCUSDT", "BOTH").amount == 0

    # Everything; an order that a person sent stays, whatever is adopted.
    (folder / "HALT").write_text("the feed looks wrong")
    live.until(lambda: "account is HALTED" in live.errors())
    assert live.stop() == 3
    assert [order.asked.client_order_id for order in live.orders()] == ["by-hand"]
    summary = live.summary()
    assert summary["risk"]["state"] == "HALTED"
    assert [halt["scope"] for halt in summary["risk"]["halts"]] == ["FixedSpread-wide", "account"]
    states = live.compared(live.run)["same_inputs"]["risk states"]  # a person's command is recorded, too
    assert states["live"] == states["equal"] > 0


WIDE = """\
  - path: strategies.fixed_spread:FixedSpread
    config:
      {instrument_id: BTCUSDT-PERP.BINANCE, order_qty: 0.01, max_position: 0.1, half_spread_bps: 20, order_id_tag: wide}
"""


def orders_of(live: Any, tag: str) -> dict[str, Decimal]:
    """Return the prices of a strategy's orders at the exchange."""
    names = {order.asked.client_order_id: order.asked.price for order in live.orders()}
    return {name: price for name, price in names.items() if f"-{tag}-" in name}


def test_a_strategy_that_raises_ends_the_run_and_leaves_nothing(live_of: Any) -> None:
    from runtime.live.own_orders import Owner

    live = live_of("spot")
    (live.folder / "raising.py").write_text(RAISING)
    live.setup.write_text(live.setup.read_text().replace("strategies.fixed_spread:FixedSpread", "raising:Raising"))
    left = f"O-20260101-000000-{Owner.of('live_spot').tag}-000-1"
    order = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "1.0", "quantity": "20"}
    live.send_by_hand(newClientOrderId=left, **order)  # an earlier run has left it behind
    live.start(path=live.folder)
    live.until_quoting()
    assert left not in {order.asked.client_order_id for order in live.orders()}

    live.move(50)

    assert live.ended() == 1
    assert not live.orders()


RAISING = """
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig


class Raising(FixedSpread):
    def __init__(self, config: FixedSpreadConfig) -> None:
        super().__init__(config)

    def quote_prices(self):
        if self.bid > 1240:
            raise RuntimeError("nobody thought of that")
        return super().quote_prices()
"""


@pytest.mark.slow
def test_a_stop_that_hangs_is_swept_beside_it(live_of: Any) -> None:
    live = live_of("spot")
    (live.folder / "hanging.py").write_text(HANGING)
    live.setup.write_text(live.setup.read_text().replace("strategies.fixed_spread:FixedSpread", "hanging:Hanging"))
    live.start("--set", "live.stop_timeout_secs=3", path=live.folder).until_quoting()

    assert live.stop() == 1

    assert "the stop took longer than 3 s" in live.errors()
    assert not live.orders()


HANGING = """
import threading

from strategies.fixed_spread import FixedSpread, FixedSpreadConfig


class Hanging(FixedSpread):
    def __init__(self, config: FixedSpreadConfig) -> None:
        super().__init__(config)

    def on_stop(self):
        threading.Event().wait()
"""


@pytest.mark.slow
def test_an_order_of_which_the_venue_never_says_whether_it_is_live_ends_the_run(live_of: Any) -> None:
    live = live_of("spot").start().until_quoting()
    live.double.faults.answer("submit", 503, processed=True)
    live.double.faults.lose_events("NEW")
    for route in ("query_order", "open_orders", "all_orders"):
        live.double.faults.answer(route, 503, times=None)

    live.double.fill(live.orders()[0].asked.client_order_id)
    live.until(lambda: "nobody knows whether" in live.errors(), 60.0)
    live.double.faults.clear()

    assert live.ended() == 1
    assert not live.orders()


@pytest.mark.slow
def test_state_that_cannot_be_kept_ends_the_run(live_of: Any) -> None:
    live = live_of("spot").start().until_quoting()
    kept = live.folder / "state" / "live_spot" / "kept.json"
    kept.unlink()
    kept.mkdir()  # as on a full disk, the file cannot be written

    live.double.fill(live.orders()[0].asked.client_order_id)
    live.until(lambda: "a watch broke" in live.errors())

    assert live.ended() == 1
    assert not live.orders()


def test_a_logon_that_is_refused_for_ever_ends_the_start(live_of: Any) -> None:
    live = live_of("spot")
    live.double.faults.refuse_logons(1_000)

    live.start("--set", "live.start_timeout_secs=3")

    assert live.ended() == 1
    assert "the strategies were not running after 3 s" in live.errors()
    assert not live.orders()


@pytest.mark.slow
def test_a_terminated_start_leaves_nothing(live_of: Any) -> None:
    live = live_of("perpetual")
    live.double.faults.refuse_logons(1_000)

    live.start()
    live.until(lambda: live.double.requests("account", live.product)[1:])  # the check's and the adapter's

    assert live.stop(signal.SIGTERM) == 0
    assert not live.orders()


@pytest.mark.slow
def test_rules_that_change_while_trading_halt_the_strategy(live_of: Any) -> None:
    live = live_of("spot").start("--set", "risk.max_rejections_per_window=2").until_quoting()
    live.double.change_rules(live.instrument_id, step=Decimal(7), min_quantity=Decimal(7))

    for ticks in (4, 4, 4, 4, 4, 4):
        live.move(ticks)
        live.until(lambda: not live.orders())

    live.until(lambda: "max_rejections_per_window" in live.errors())
    assert live.stop() == 3
    assert not live.orders()


def test_a_setup_runs_once_at_a_time(tmp_path: Path) -> None:
    from command_line import Failed
    from runtime.live.run_lock import RunLock

    said: list[str] = []
    with RunLock(tmp_path, 0.1, said.append) as first:
        with pytest.raises(Failed, match="running already"), RunLock(tmp_path, 0.1, said.append):
            pass
        # the supervisor of a dead process still has the lock
        os.pwrite(first.descriptor, b"419430499\n", 0)
        with pytest.raises(Failed, match="still being cleaned up"), RunLock(tmp_path, 0.1, said.append):
            pass
    with RunLock(tmp_path, 0.1, said.append):
        pass
    assert said == ["waiting for the supervisor of an earlier run, which cancels its orders"]


@pytest.mark.slow
def test_the_venue_cancels_when_process_and_supervisor_are_dead(live_of: Any) -> None:
    live = live_of("perpetual").start("--set", "live.dead_man_secs=5").until_quoting()

    os.kill(live.supervisor_pid(), signal.SIGKILL)
    live.process.send_signal(signal.SIGKILL)
    live.ended()
    live.process = None

    assert live.orders()
    live.until(lambda: not live.orders(), 10.0)


@pytest.mark.slow
def test_without_a_supervisor_nothing_is_traded(live_of: Any) -> None:
    live = live_of("spot").start().until_quoting()

    os.kill(live.supervisor_pid(), signal.SIGKILL)

    assert live.ended() == 1
    assert "the supervisor is gone" in live.errors()
    assert not live.orders()


@pytest.mark.slow
def test_a_venue_that_is_away_at_the_end_is_exit_status_4(live_of: Any) -> None:
    live = live_of("spot").start("--set", "live.sweep_timeout_secs=6").until_quoting()
    live.double.vanish()

    assert live.stop() == 4

    assert "nobody knows what is left on the venue" in live.errors()
    live.double.resume()
    live.until_swept()  # by the supervisor, which tries again


@pytest.mark.slow
def test_a_position_of_an_earlier_run_is_refused_or_adopted(live_of: Any) -> None:
    live = live_of("perpetual")
    live.send_by_hand(side="BUY", type="MARKET", quantity="0.03")
    live.start()
    assert live.ended() == 1
    assert "live.positions_at_start: adopt" in live.errors()

    live.start("--set", "live.positions_at_start=adopt").until_quoting()
    before = len(live.double.requests("positions"))
    live.until(lambda: len(live.double.requests("positions")) > before + 5)  # the books were compared in between
    live.double.fill(next(o.asked.client_order_id for o in live.orders() if o.asked.side.value == "SELL"))
    live.until(live.fills)
    assert live.stop() == 0

    account = live.double.futures.venue.account
    assert account.position("BTCUSDT", "BOTH").amount == Decimal("0.02")
    equity = account.wallet["USDT"] + account.position("BTCUSDT", "BOTH").unrealised(live._mid)
    assert Decimal(repr(live.summary()["equity_end"])) == pytest.approx(equity, abs=Decimal("0.005"))
    assert live.summary()["fills"] == 1
