"""The check before the start: every row against an exchange where that one thing is wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def double() -> Iterator[Any]:
    from tests.runtime.live.live_kit import PERPETUAL, SPOT, new_double

    with new_double() as exchange:
        exchange.quote(SPOT, "1.200", "1.202")
        exchange.quote(PERPETUAL, "60000.0", "60000.1")
        yield exchange


@pytest.fixture
def check(double: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that checks a setup and returns the rows by name, with `go`."""

    def run(kind: str = "spot", *overrides: str, key: Any = None) -> dict[str, Any]:
        from runtime.live.environment import Credentials, Environment
        from runtime.live.preflight import check
        from runtime.live.prepare import prepare_live
        from runtime.setup.load import load_setup
        from tests.runtime.live.live_kit import SETUPS

        file = tmp_path / "setup.yaml"
        file.write_text(SETUPS[kind])
        url = double.addresses(double.spot.venue.product).http
        loaded = load_setup(file, [f"live.local_url={url}", *overrides])
        keys = double.key if key is None else key
        credentials = Credentials(keys.key, keys.secret) if keys else None
        prepared = prepare_live(loaded, Environment.LOCAL, tmp_path, credentials)
        found = check(prepared, tmp_path / "results")
        verdicts = {row.name: row.verdict.value for row in sorted(found.rows, key=lambda row: row.verdict == "no-go")}
        return {"go": found.passed, "halted_alone": found.halted_alone, **verdicts}

    return run


@pytest.mark.parametrize("kind", ["spot", "perpetual"])
def test_a_sound_account_is_go(check: Any, kind: str) -> None:
    found = check(kind)

    assert found["go"]
    assert set(found.values()) == {True, False, "go"}


def test_nothing_is_changed_on_the_venue(check: Any, double: Any) -> None:
    check("perpetual")

    asked = {request.name for request in double.requests()}
    assert not asked & {"submit", "cancel", "cancel_all", "set_leverage", "set_position_mode", "countdown"}


def test_a_missing_key_stops_it(check: Any) -> None:
    found = check(key=False)

    assert (found["go"], found["keys"], found["the account"]) == (False, "no-go", "skipped")


def test_spot_takes_no_hmac_key(check: Any, double: Any) -> None:
    assert check(key=double.hmac_key)["keys"] == "no-go"
    assert check("perpetual", key=double.hmac_key)["go"]


def test_an_unknown_key_stops_it(check: Any) -> None:
    from binance_double.keys import KeyType, new_key

    found = check(key=new_key(KeyType.ED25519))

    assert (found["go"], found["account"]) == (False, "no-go")


def test_a_key_that_may_not_trade_stops_it(check: Any, double: Any) -> None:
    from binance_double.keys import KeyType

    assert check(key=double.add_key(KeyType.ED25519, can_trade=False))["account"] == "no-go"


def test_a_wrong_clock_stops_it(check: Any, double: Any) -> None:
    double.set_clock_skew(-1_500)
    try:
        assert check()["clock"] == "no-go"
    finally:
        double.set_clock_skew(0)


def test_a_venue_that_is_away_stops_it(check: Any, double: Any) -> None:
    double.vanish()
    try:
        found = check()
    finally:
        double.resume()

    assert (found["venue"], found["everything else"]) == ("no-go", "skipped")


@pytest.mark.parametrize(("route", "status", "row"), [("time", 418, "venue"), ("time", 429, "venue")])
def test_a_ban_is_told(check: Any, double: Any, route: str, status: int, row: str) -> None:
    double.faults.answer(route, status, -1003, headers={"Retry-After": "30"})

    assert check()[row] == "no-go"


@pytest.mark.parametrize("route", ["account", "open_orders", "commission_rate", "positions"])
def test_what_the_venue_does_not_say_is_no_go(check: Any, double: Any, route: str) -> None:
    double.faults.answer(route, 503, times=2)
    try:
        assert not check("perpetual")["go"]
    finally:
        double.faults.clear()


@pytest.mark.parametrize(
    ("kind", "override", "row"),
    [
        ("spot", "strategies[0].config.order_qty=0.001", "sizes"),
        ("spot", "strategies[0].config.max_position=1000000", "balances"),
        ("spot", "live.redis=127.0.0.1:1", "redis"),
        ("perpetual", "live.leverage=3", "leverage"),
        ("perpetual", "live.reconcile_secs=1", "rate limits"),
    ],
)
def test_what_does_not_fit_the_setup_is_told(check: Any, kind: str, override: str, row: str) -> None:
    found = check(kind, override)

    assert found[row] in ("no-go", "warn")


def test_what_the_key_may_and_how_fees_are_paid_is_told(check: Any, double: Any) -> None:
    double.spot.venue.keys_withdraw = double.spot.venue.pays_in_bnb = True
    try:
        found = check()
    finally:
        double.spot.venue.keys_withdraw = double.spot.venue.pays_in_bnb = False

    assert (found["key"], found["fees in BNB"], found["go"]) == ("warn", "no-go", False)


def test_hedge_mode_stops_it(check: Any, double: Any) -> None:
    double.futures.venue.account.hedge_mode = True
    try:
        assert check("perpetual")["position mode"] == "no-go"
    finally:
        double.futures.venue.account.hedge_mode = False


@pytest.mark.parametrize("scope", ["account", "FixedSpread-000"])
def test_a_halt_stops_it_alone(scope: str, check: Any, tmp_path: Path) -> None:
    from runtime.risk.latch import RiskLatch

    RiskLatch.of("live_spot", tmp_path).request_halt("the feed looks wrong", scope)

    found = check()
    assert (found["halt latch"], found["halted_alone"]) == ("no-go", True)


def test_open_orders_are_ours_or_others(check: Any, double: Any) -> None:
    from runtime.live.account import BinanceAccount
    from runtime.live.environment import Credentials
    from runtime.live.own_orders import Owner
    from runtime.live.rest import Rest

    url = double.addresses(double.spot.venue.product).http
    rest = Rest(url, Credentials(double.key.key, double.key.secret))
    account = BinanceAccount(rest, spot=True)
    tag = Owner.of("live_spot").tag
    for name in (f"O-20260101-000000-{tag}-000-1", "mine"):
        order = {"symbol": "NEXOUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "50"}
        rest.signed("POST", "/api/v3/order", price="1.0", newClientOrderId=name, **order)
    try:
        assert check()["open orders"] == "no-go"
        assert check("spot", "live.other_orders_at_start=ignore")["open orders"] == "warn"
        refusing = ("live.other_orders_at_start=ignore", "live.own_orders_at_start=refuse")
        assert check("spot", *refusing)["open orders"] == "no-go"
    finally:
        for left in account.open_orders("NEXOUSDT"):
            account.cancel(left)
