"""The page of real runs: a rehearsal in a real browser, and a run whose market and connections fail."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

TOKEN = "correct-horse-battery"
HOSTILE = """<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>'"&amp;"""

SETUP = """
name: watched
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: SYNUSDT-PERP.BINANCE, order_qty: 1, max_position: 5, half_spread_bps: 3}
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: SYNUSDT-PERP.BINANCE, order_qty: 1, max_position: 5, half_spread_bps: 9, order_id_tag: wide}
risk: {max_position_qty: {SYNUSDT-PERP.BINANCE: 12}, max_data_age_secs: 10, max_leverage: 3, price_collar_bps: 100}
ledger: {interval_secs: 1}
backtest: {catalog: synthetic, synthetic: {hours: 0.2}, starting_balances: [10_000 USDT], leverage: 7}
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Return a real browser; only where none is installed these tests are skipped."""
    from tests.runtime.live.web.browser_kit import Browser, chromium_path

    chromium = chromium_path()
    if chromium is None:
        pytest.skip("no chromium is installed")
    browser = Browser(chromium, tmp_path / "profile")
    yield browser
    browser.close()


@pytest.fixture
def rehearsal(project: Path, tmp_path: Path) -> Iterator[Any]:
    """Return a rehearsal that is going on, and the address of its page."""
    (tmp_path / "watched.yaml").write_text(SETUP)
    halt = tmp_path / "state" / "watched" / "rehearsal" / "HALT"
    halt.parent.mkdir(parents=True)
    halt.write_text("an earlier rehearsal, which halts none but itself")
    command = [sys.executable, str(project / "run_live.py"), "watched.yaml", "--rehearse", "synthetic", "--speed", "4"]
    said = tmp_path / "stderr"
    with said.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--web", "0"],
            cwd=tmp_path,
            env={**os.environ, "BALLAST_WEB_TOKEN": TOKEN},
            stderr=errors,
            stdout=subprocess.DEVNULL,
        )
    try:
        yield process, page_address(said.read_text, process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def page_address(said: Callable[[], str], process: Any) -> str:
    end = time.monotonic() + 60
    while not (found := re.search(r"the live page is (http://\S+)/", said())):
        assert process.poll() is None, said()
        assert time.monotonic() < end, said()
        time.sleep(0.05)
    return found[1]


def test_a_rehearsal_is_watched_and_halted_in_a_browser(rehearsal: Any, browser: Any, tmp_path: Path) -> None:
    process, url = rehearsal

    # It moves by itself.
    browser.open(f"{url}/")
    browser.until("document.getElementById('status').innerText === 'Quoting'")
    browser.value("window.neverReloaded = true")
    figures = "document.getElementById('tiles').innerText + document.getElementById('orders').innerText"
    before = browser.value(figures)
    browser.until(f"{figures} !== {before!r}")
    assert "REHEARSAL" in browser.text("#label")
    assert "SYNUSDT-PERP.BINANCE" in browser.text("#strategies")
    assert "max_position_qty" in browser.text("#limits")
    assert browser.until("document.querySelectorAll('#equity polyline').length") == 1

    # It halts one strategy alone.
    browser.value("document.getElementById('halt').click()")
    browser.value("document.getElementById('halt-what').value = 'FixedSpread-wide'")
    browser.value("document.getElementById('halt-reason').value = 'too wide'")
    browser.value(f"document.getElementById('halt-token').value = {TOKEN!r}")
    browser.value("document.getElementById('halt-now').click()")
    browser.until("document.getElementById('reasons').innerText.includes('FixedSpread-wide: halted by hand: too wide')")
    assert browser.text("#status") == "Partly quoting"
    folder = tmp_path / "state" / "watched" / "rehearsal"
    assert not (folder / "HALT").exists()

    # It halts everything with the token, and with nothing else.
    browser.value("document.getElementById('halt').click()")
    browser.value(f"document.getElementById('halt-reason').value = {HOSTILE!r}")
    for token in ("correct-horse-batterY", TOKEN):
        browser.value(f"document.getElementById('halt-token').value = {token!r}")
        browser.value("document.getElementById('halt-now').click()")
        if token != TOKEN:
            browser.until("document.getElementById('halt-said').innerText === 'not the token'")
            assert browser.text("#status") == "Partly quoting"
    browser.until("document.getElementById('status').innerText === 'Halted'")
    assert HOSTILE in browser.text("#reasons")
    assert HOSTILE in browser.text("#events")
    assert browser.value("document.querySelectorAll('img, body script').length") == 0
    assert browser.value("document.title") == "watched · REHEARSAL"
    assert browser.value("window.neverReloaded") is True

    # It asked nobody else, and no policy had to refuse anything but the wrong token.
    assert {request for request in browser.requested if not request.startswith("data:")} == {
        url + path for path in ("/", "/page.css", "/page.js", "/report.css", "/state", "/halt")
    }
    assert [text for text in browser.complaints if "403" not in text] == []

    # The run ends as one that a person has halted, and the page says that it is gone.
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 3
    browser.until("document.getElementById('trouble').innerText.includes('does not answer')")
    reasons = {"account": (HOSTILE, "HALT"), "FixedSpread-wide": ("too wide", "HALT.FixedSpread-wide")}
    holding = json.loads((folder / "latch.json").read_text())["holding"]
    for scope, (reason, file) in reasons.items():
        assert (folder / file).read_text() == reason
        assert [(trip["rule"], trip["reason"]) for trip in holding[scope]] == [("manual", reason)]
    assert TOKEN not in "".join(file.read_text(errors="replace") for file in tmp_path.rglob("*.log"))


def test_whatever_names_and_messages_say_stays_text(browser: Any) -> None:
    from tests.runtime.live.web.page_kit import page_of, state_of, url_of

    place, server = page_of(state_of(HOSTILE), halt=lambda reason, strategy: None)
    with server:
        browser.screen(390, 844)
        browser.open(f"{url_of(place)}/")
        browser.until("!document.getElementById('body').hidden")
        shown = browser.text()
        found = browser.value("[document.title, document.querySelectorAll('img, body script').length]")
        needed, window = browser.value("[document.documentElement.scrollWidth, innerWidth]")
    assert found == [f"{HOSTILE} · {HOSTILE}", 0]
    assert shown.count(HOSTILE) >= 15
    assert needed <= window
    assert browser.complaints == []


def test_a_public_page_asks_for_the_token_before_it_shows_anything(browser: Any) -> None:
    from tests.runtime.live.web.page_kit import page_of, state_of, url_of

    place, server = page_of(state_of("confidential"), public=True, halt=lambda reason, strategy: None)
    with server:
        browser.open(f"{url_of(place)}/")
        browser.until("document.getElementById('token') !== null")
        locked = browser.value("document.documentElement.outerHTML")
        browser.value(f"document.getElementById('token').value = {TOKEN!r}")
        browser.value("document.querySelector('#sign-in button').click()")
        browser.until("document.getElementById('setup').innerText === 'confidential'")
        opened = browser.value("document.documentElement.outerHTML + document.cookie + JSON.stringify(localStorage)")
        strategies = browser.text("#strategies")
    assert "confidential" not in locked
    assert TOKEN not in opened
    for words in ("confidential ±2 confidential · exit 0 confidential", "in 1 min 30 s", "−2.5\t1.25"):
        assert words in strategies
    assert strategies.count("It does not say what it is after.") == 1


# -- Why it is not quoting --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a run on a local exchange without a token in its environment, with the address of its page."""
    from tests.runtime.live.live_kit import Live, new_double

    with pytest.MonkeyPatch.context() as environment, new_double() as double:
        environment.delenv("BALLAST_WEB_TOKEN", raising=False)
        live = Live("spot", double, tmp_path_factory.mktemp("live")).start("--web", "0")
        try:
            live.page = page_address(live.errors, live.process)
            yield live.until_quoting()
            live.double.faults.clear()
            live.until_quoting()
            assert live.stop() == 0
        finally:
            live.kill()


def ask(live: Any, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Any:
    from tests.runtime.live.web import page_kit

    return page_kit.ask(f"{live.page}{path}", method, body, **headers)


def until_said(live: Any, reason: str, *, speak: bool = True) -> dict[str, Any]:
    """Wait until the state gives a reason, while the market speaks or is silent."""
    end = time.monotonic() + 30
    while True:
        if speak:
            live.speak()
        state = ask(live, "/state")[1]
        if reason in {each["reason"] for each in state["why_not"]}:
            return state
        assert time.monotonic() < end, state
        time.sleep(0.05)


def test_the_state_is_what_the_exchange_has(live: Any) -> None:
    status, state, _ = ask(live, "/state")

    assert (status, state["status"], state["why_not"], state["run"]["label"]) == (200, "QUOTING", [], "LOCAL")
    open_now = {order.asked.client_order_id: order.asked for order in live.orders()}
    assert {order["id"]: Decimal(order["price"]) for order in state["orders"]} == {
        name: order.price for name, order in open_now.items()
    }
    [maker], [market] = state["strategies"], state["markets"]
    mid = (Decimal(market["bid"]) + Decimal(market["ask"])) / 2
    for side, sign in (("bid", 1), ("ask", -1)):
        price, touch = Decimal(maker[side]["price"]), Decimal(market[side])
        assert maker[side]["to_touch_bps"] == pytest.approx(float(sign * (touch - price) / mid * 10_000), abs=1e-3)
    balances = {asset: each.total for asset, each in live.double.venue(live.instrument_id).account.balances.items()}
    money = {key: Decimal(value) for key, value in state["money"].items() if isinstance(value, str)}
    assert money["equity"] == balances["USDT"] + balances["NEXO"] * mid
    assert money["pnl"] == sum(Decimal(part) for part in state["money"]["parts"].values())
    limits = {limit["rule"]: limit for limit in state["limits"]}
    assert Decimal(limits["max_position_qty"]["value"]) == max(order.quantity for order in open_now.values())
    assert limits["max_position_qty"]["used_pct"] == pytest.approx(8.0)
    assert state["connections"] == {"market data": True, "account events": True}
    assert state["recording"]["ok"]


def test_without_a_token_in_the_environment_there_is_no_control(live: Any) -> None:
    status, said, _ = ask(live, "/halt", "POST", b'{"reason": "x"}', Authorization="Bearer ")

    assert status == 403
    assert "BALLAST_WEB_TOKEN" in said["error"]
    assert ask(live, "/state")[1]["controls"]["halt"] is False
    assert "halt" not in ask(live, "/")[1].lower()
    assert not (live.folder / "state" / "live_spot" / "HALT").exists()


def test_a_silent_market_is_the_reason(live: Any) -> None:
    live.until_quoting()

    state = until_said(live, "max_data_age_secs", speak=False)

    assert state["status"] in ("REDUCING", "HALTED")
    assert any("silent for longer than 2 s" in reason["text"] for reason in state["why_not"])
    live.until_quoting()


def test_lost_account_events_are_the_reason(live: Any) -> None:
    live.until_quoting()
    live.double.faults.refuse_logons(times=2)
    live.double.disconnect_users()

    state = until_said(live, "user_stream_lost")

    assert state["connections"]["account events"] is False
    assert state["status"] in ("REDUCING", "HALTED")
    live.until_quoting()
    assert ask(live, "/state")[1]["connections"]["account events"] is True


def test_a_refused_order_is_an_event(live: Any) -> None:
    from tests.runtime.live.test_faults_while_trading import fill

    live.double.faults.answer("submit", 400, -2010)

    fill(live, "BUY")

    live.until(lambda: {"fill", "rejected"} <= {event["kind"] for event in ask(live, "/state")[1]["events"]})
    live.until_quoting()
