"""The page over real HTTP with a state of the test's choice: who may read, who may halt, and what every answer says."""

import asyncio
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bad_input import BadInput

HALT = json.dumps({"reason": "the feed looks wrong"}).encode()

type Halts = list[tuple[str, str | None]]


@pytest.fixture
def halts() -> Halts:
    return []


@pytest.fixture
def url(request: pytest.FixtureRequest, halts: Halts) -> Iterator[str]:
    from tests.runtime.live.web.page_kit import page_of, state_of, url_of

    def halt(reason: str, strategy: str | None) -> None:
        if strategy == "Nobody-000":
            raise BadInput("no such strategy")
        halts.append((reason, strategy))

    options = {"halt": halt} | getattr(request, "param", {})
    place, server = page_of(state_of(), **options)
    with server:
        yield url_of(place)


def ask(*arguments: Any, **named: Any) -> Any:
    from tests.runtime.live.web import page_kit

    return page_kit.ask(*arguments, **named)


def bearer(token: str = "correct-horse-battery") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# -- Reading ----------------------------------------------------------------------------------------------------------


def test_the_state_is_what_was_looked_at(url: str) -> None:
    from runtime.live.web.state import State
    from tests.runtime.live.web.page_kit import state_of

    status, said, _ = ask(f"{url}/state")

    assert status == 200
    assert said["version"] == 1
    assert said["money"]["equity"] == "1000.5"  # exact, as text
    assert msgspec.convert(said, State, strict=False) == state_of()


FOREIGN = {
    "another name": {"Host": "rebound.example:80"},
    "a name that begins like ours": {"Host": "127.0.0.1.rebound.example"},
    "another machine's number": {"Host": "192.0.2.7:8080"},
    "another site": {"Origin": "http://elsewhere.example"},
    "a file": {"Origin": "null"},
    "another port of this machine": {"Sec_Fetch_Site": "same-site"},
    "another site's script": {"Sec_Fetch_Site": "cross-site"},
}


@pytest.mark.parametrize("path", ["/", "/state", "/metrics", "/page.js", "/halt"])
@pytest.mark.parametrize("case", FOREIGN)
def test_nothing_is_given_to_other_sites(url: str, halts: Halts, path: str, case: str) -> None:
    method, body = ("POST", HALT) if path == "/halt" else ("GET", None)

    status, said, _ = ask(url + path, method, body, **FOREIGN[case], **bearer())

    assert (status, halts) == (403, [])
    assert "asked for by another" in said["error"]


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"])
def test_a_tunnel_may_use_another_port(url: str, host: str) -> None:
    assert ask(f"{url}/state", Host=host, Sec_Fetch_Site="same-origin")[0] == 200


@pytest.mark.parametrize("path", ["/", "/state", "/nothing", "/halt"])
def test_every_answer_forbids_what_is_not_ours(url: str, path: str) -> None:
    headers = ask(url + path)[2]

    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers
    assert "aiohttp" not in headers["Server"]


@pytest.mark.parametrize("url", [{"public": True}], indirect=True)
def test_on_a_public_address_reading_needs_the_token(url: str) -> None:
    for path in ("/state", "/metrics"):
        assert ask(url + path)[0] == 401
        assert ask(url + path, **bearer("not-the-right-token"))[0] == 401
        assert ask(url + path, **bearer())[0] == 200
    shell = ask(f"{url}/")[1]
    assert "plain" not in shell


def test_metrics_are_what_prometheus_reads(url: str) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    status, said, headers = ask(f"{url}/metrics")

    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(said)}
    values = {name: [sample.value for sample in family.samples] for name, family in families.items()}
    assert values["ballast_equity"] == [1000.5]
    assert values["ballast_fills"] == [3]
    assert values["ballast_pnl_part"] == [1, -0.25, -0.25, 0]
    assert [sample.labels["side"] for sample in families["ballast_quoting"].samples if sample.value] == ["bid"]
    assert values["ballast_limit_used_ratio"] == [0.25]
    figures = {(s.labels["strategy"], s.labels["figure"]): s.value for s in families["ballast_figure"].samples}
    assert figures == {("plain", "inventory"): 0.5, ("plain pair", "z"): 0.5, ("plain pair", "next_ms"): 1800000090000}
    levels = families["ballast_figure_level"].samples
    assert {(sample.labels["level"], sample.labels["end"]): sample.value for sample in levels} == {
        ("inside", "lower"): -2, ("inside", "upper"): 2, ("plain", "lower"): -2, ("plain", "upper"): 2,
        ("exit", "lower"): 0,
    }  # fmt: skip
    assert values["ballast_strategy_held"] == [-2.5]
    assert values["ballast_strategy_wanted"] == [1.25]


@pytest.mark.parametrize("text", ['quote " and \\ and\nline', "Ω"])
def test_metrics_hold_whatever_a_name_is(text: str) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    from runtime.live.web.metrics import metrics_text
    from tests.runtime.live.web.page_kit import state_of

    families = text_string_to_metric_families((metrics_text(state_of(text)) or b"").decode())

    assert {sample.labels["setup"] for family in families for sample in family.samples if "setup" in sample.labels} == {
        text
    }


def test_without_the_extra_the_metrics_say_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    status, said, _ = ask(f"{url}/metrics")

    assert status == 501
    assert "uv sync --extra metrics" in said


def test_a_flood_waits_its_turn() -> None:
    from runtime.live.web.access import Turnstile

    turnstile = Turnstile(per_second=10, burst=5)
    waits = [turnstile.wait_secs(100.0) for _ in range(40)]

    assert waits[:5] == [0.0] * 5
    assert waits[5:25] == pytest.approx([0.1 * i for i in range(1, 21)])
    assert waits[25:] == [None] * 15  # too long a queue
    assert turnstile.wait_secs(103.0) == 0.0
    # However many ask, no more pass in ten seconds than the rate and one burst.
    passing = [now / 1000 for now in range(200_000, 210_000) if turnstile.wait_secs(now / 1000) is not None]
    assert len(passing) <= 10 * 10 + 5 + 10 * 2 + 1


# -- The one control --------------------------------------------------------------------------------------------------


def test_the_token_halts(url: str, halts: Halts) -> None:
    status, said, _ = ask(f"{url}/halt", "POST", HALT, **bearer())

    assert (status, halts) == (202, [("the feed looks wrong", None)])
    assert said == {"halting": "the feed looks wrong"}


def test_a_strategy_that_is_named_is_halted_alone(url: str, halts: Halts) -> None:
    body = json.dumps({"reason": "too wide", "strategy": "Maker-001"}).encode()

    assert ask(f"{url}/halt", "POST", body, **bearer())[0] == 202
    assert halts == [("too wide", "Maker-001")]


REFUSED = {
    "no token": ({}, HALT, 403),
    "another token": (bearer("correct-horse-batterY"), HALT, 403),
    "a token as a cookie": ({"Cookie": "token=correct-horse-battery"}, HALT, 403),
    "a token of another kind": ({"Authorization": "Basic correct-horse-battery"}, HALT, 403),
    "no reason": (bearer(), b"{}", 400),
    "an empty reason": (bearer(), b'{"reason": " "}', 400),
    "an unknown strategy": (bearer(), b'{"reason": "x", "strategy": "Nobody-000"}', 400),
    "no JSON": (bearer(), b"reason=x", 400),
    "a long reason": (bearer(), json.dumps({"reason": "x" * 301}).encode(), 400),
    "a flood": (bearer(), json.dumps({"reason": "x" * 9_000}).encode(), 413),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_else_halts(url: str, halts: Halts, case: str) -> None:
    headers, body, expected = REFUSED[case]

    assert ask(f"{url}/halt", "POST", body, **headers)[0] == expected
    assert halts == []


@pytest.mark.parametrize("url", [{"token": None}], indirect=True)
def test_without_a_token_in_the_environment_nobody_halts(url: str, halts: Halts) -> None:
    for headers in ({}, bearer(), bearer("")):
        status, said, _ = ask(f"{url}/halt", "POST", HALT, **headers)
        assert (status, halts) == (403, [])
        assert "BALLAST_WEB_TOKEN" in said["error"]


@pytest.mark.parametrize("url", [{"halt": None}], indirect=True)
def test_where_nothing_would_obey_the_page_says_so(url: str) -> None:
    assert ask(f"{url}/halt", "POST", HALT, **bearer())[0] == 409


def test_only_post_halts(url: str, halts: Halts) -> None:
    assert ask(f"{url}/halt", **bearer())[0] == 405
    assert ask(f"{url}/halt", "PUT", HALT, **bearer())[0] == 405
    assert halts == []


# -- A loop that trades, and does not answer --------------------------------------------------------------------------


def _ask_desk(loop: asyncio.AbstractEventLoop, said: Any, *, ending: bool = False) -> Any:
    from runtime.live.web.desk import Desk
    from tests.runtime.live.web.page_kit import Canned

    async def twice() -> Any:
        desk = Desk(Canned(said))  # type: ignore[arg-type]
        desk._last = said if ending else None
        desk.open(loop, lambda: ending)
        return await desk.state()

    return asyncio.run(twice())


def test_a_look_that_fails_does_not_reach_the_loop_that_trades() -> None:
    from runtime.live.web.desk import NoAnswerError

    loop = asyncio.new_event_loop()
    complaints: list[Any] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with pytest.raises(NoAnswerError, match="ValueError"):
            _ask_desk(loop, ValueError("cannot be drawn"))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert complaints == []


def test_a_loop_that_hangs_is_told_from_one_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.live.web import desk
    from tests.runtime.live.web.page_kit import state_of

    monkeypatch.setattr(desk, "_PATIENCE_SECS", 0.05)
    loop = asyncio.new_event_loop()  # nobody runs it
    try:
        with pytest.raises(desk.NoAnswerError, match="has not answered"):
            _ask_desk(loop, state_of())
        ending = _ask_desk(loop, state_of(), ending=True)
    finally:
        loop.close()
    assert (ending.status, ending.money.pnl) == ("STOPPING", Decimal("0.5"))


# -- Where it is served -----------------------------------------------------------------------------------------------

BAD_PLACES = {
    "no number": ("eighty", False, {}, "expected PORT or ADDRESS:PORT"),
    "no port": ("70000", False, {}, "expected PORT or ADDRESS:PORT"),
    "no address": ("nowhere.invalid:80", False, {}, "no address of this machine"),
    "somebody else's": ("192.0.2.1:8080", True, {"BALLAST_WEB_TOKEN": "x" * 16}, "cannot be had"),
    "public by mistake": ("0.0.0.0:0", False, {}, "--web-public allows that"),
    "public by mistake, with a token": ("0.0.0.0:0", False, {"BALLAST_WEB_TOKEN": "x" * 16}, "--web-public"),
    "public without a token": ("0.0.0.0:0", True, {}, "set BALLAST_WEB_TOKEN"),
    "not public at all": ("0", True, {}, "needs no --web-public"),
    "a short token": ("0", False, {"BALLAST_WEB_TOKEN": "x" * 15}, "at least 16"),
}


@pytest.mark.parametrize("case", BAD_PLACES)
def test_a_place_that_cannot_be_is_bad_input(case: str) -> None:
    from runtime.live.web.address import open_place

    text, public, variables, words = BAD_PLACES[case]

    with pytest.raises(BadInput, match=words) as refused:
        open_place(text, public, variables)

    assert "x" * 15 not in str(refused.value)


def test_a_port_belongs_to_one() -> None:
    from runtime.live.web.address import open_place

    first = open_place("0", False, {})
    port = first.socket.getsockname()[1]

    with pytest.raises(BadInput, match=f"port {port} of 127.0.0.1 is taken"):
        open_place(str(port), False, {})

    first.socket.close()
    open_place(str(port), False, {}).socket.close()


def test_a_place_does_not_show_its_token() -> None:
    from runtime.live.web.address import open_place

    place = open_place("127.0.0.1:0", False, {"BALLAST_WEB_TOKEN": "correct-horse-battery"})
    try:
        assert "horse" not in repr(place)
        assert place.url == f"http://127.0.0.1:{place.socket.getsockname()[1]}/"
    finally:
        place.socket.close()
