"""A killed run is gone on with: the same books, equal to the venue's to the cent, and the same drawdown."""

import json
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

OPTIONS = ("--set", "live.positions_at_start=adopt", "--set", "risk.max_drawdown_pct=20")
CENT = Decimal("0.01")


@pytest.fixture(params=["spot", "perpetual"])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    from tests.runtime.live.live_kit import Live, new_double

    with new_double() as double:
        live = Live(request.param, double, tmp_path)
        try:
            yield live
        finally:
            live.kill()


def kept(live: Any) -> Path:
    return Path(live.folder / "state" / f"live_{live.kind}")


def loss_marks(live: Any) -> dict[str, str]:
    return json.loads((kept(live) / "kept.json").read_text())["LossWatch"]


def opening_equity(live: Any) -> Decimal:
    lines = [json.loads(line) for line in (kept(live) / "books.jsonl").read_text().splitlines()]
    return Decimal(next(line["opening"]["equity"] for line in lines if "opening" in line))


def order_of(live: Any, side: str) -> str:
    return next(o.asked.client_order_id for o in live.orders() if o.asked.side.value == side)


def deposit(live: Any, amount: int) -> None:
    venue = live.double.venue(live.instrument_id)
    if live.kind == "spot":
        live.double.set_balance("USDT", str(venue.account.balances["USDT"].free + amount))
    else:
        live.double.set_wallet("USDT", str(venue.account.wallet["USDT"] + amount))


def recorded_bytes(live: Any) -> int:
    return sum(file.stat().st_size for file in live.run.glob("recording/*"))


def test_a_killed_run_is_swept_and_its_books_go_on(live: Any) -> None:
    live.start(*OPTIONS).until_quoting()
    at_first = opening_equity(live)
    assert at_first == pytest.approx(live.venue_equity(), abs=1)  # one tick of what is held on spot
    live.double.fill(order_of(live, "BUY"))
    live.until(live.fills)
    live.move(-20)
    live.until_quoting()
    live.until(lambda: Decimal(loss_marks(live)["peak"]) >= at_first)
    written = recorded_bytes(live)
    live.until(lambda: recorded_bytes(live) > written)  # the recording has some of the market, too
    live.until_quoting()
    before = len(live.fills())
    bought, sold = order_of(live, "BUY"), order_of(live, "SELL")

    live.process.send_signal(signal.SIGSTOP)  # from here on nobody hears of anything
    live.double.fill(bought, quantity="10" if live.kind == "spot" else "0.004")
    live.double.fill(sold)
    if live.kind == "perpetual":
        live.double.call(live.double.futures.venue.settle_funding, "BTCUSDT", Decimal("0.001"))
    live.process.send_signal(signal.SIGKILL)
    assert live.ended() == -signal.SIGKILL
    killed = live.run
    deposit(live, 2)
    peak = loss_marks(live)["peak"]
    _say_it_was_yesterday(live)
    with (kept(live) / "books.jsonl").open("a") as journal:
        journal.write('{"fill": {"ts_ns": 17')  # the kill cut a line in two
    live.start(*OPTIONS)  # waits for the supervisor
    live.until(lambda: live.run != killed)
    assert "no order of ours is left" in (killed / "supervisor.log").read_text()
    live.until_quoting()
    assert ("target_base_qty" in live.errors()) is (live.kind == "spot")
    assert "LossWatch goes on with" in live.errors()
    assert "2 fills that nobody heard of are brought in" in live.errors()
    live.until(lambda: loss_marks(live)["peak"] == peak)
    assert live.stop(signal.SIGTERM) == 0
    assert not live.orders()

    summary = live.summary()
    equity = live.venue_equity()
    assert Decimal(repr(summary["equity_end"])) == pytest.approx(equity, abs=CENT / 2)
    assert Decimal(repr(summary["pnl"])) == pytest.approx(equity - at_first - 2, abs=CENT)
    assert summary["pnl"] == pytest.approx(sum(summary["pnl_parts"].values()), abs=1e-6)
    assert summary["fills"] == before + 2
    assert bool(summary["pnl_parts"]["funding"]) is (live.kind == "perpetual")
    assert not (kept(live) / "books.jsonl").exists()

    assert live.compared(killed, *OPTIONS)["recording"]["complete"] is False
    if live.kind == "spot":  # on futures it began with a position
        resumed = live.compared(live.run, *OPTIONS)["recording"]
        assert resumed["complete"]
        assert "books of an earlier one" in resumed["notes"][0]


def _say_it_was_yesterday(live: Any) -> None:
    file = kept(live) / "kept.json"
    states = json.loads(file.read_text())
    states["LossWatch"]["day"] = str(int(states["LossWatch"]["day"]) - 1)
    file.write_text(json.dumps(states))
