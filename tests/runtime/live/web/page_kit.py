"""A page with a state of the test's choice, and requests as a program makes them."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from messages.views import Figure, Holding, Level, Scale
from runtime.live.web.address import Place, open_place
from runtime.live.web.desk import Desk
from runtime.live.web.server import PageServer
from runtime.live.web.state import (
    Controls,
    EquityStretch,
    Event,
    Limit,
    Market,
    Money,
    OpenOrder,
    OwnQuote,
    Parts,
    Reason,
    Recording,
    Refusal,
    RiskScope,
    Run,
    State,
    Strategy,
)

TOKEN = "correct-horse-battery"


def state_of(text: str = "plain", **changes: Any) -> State:
    """Return a state with something of everything; `text` stands wherever text from outside can stand."""
    one = Decimal("1.25")
    values: dict[str, Any] = {
        "time_ms": 1_800_000_000_000,
        "run": Run(
            setup=text, description=text, run_id=text, label=text, venue=text, account=text, instruments=[text],
            currency=text, started_ms=1_799_999_000_000,
        ),
        "status": "PARTLY QUOTING",
        "why_not": [Reason(reason=text, text=text, scope=text, side=text)],
        "money": Money(
            equity=Decimal("1000.5"), equity_start=Decimal(1000), pnl=Decimal("0.5"), trading_pnl=Decimal("0.25"),
            parts=Parts(spread=Decimal(1), inventory=Decimal("-0.25"), fees=Decimal("-0.25"), funding=Decimal(0)),
            fills=3,
        ),
        "equity": [EquityStretch(1_799_999_000_000, 999.0, 1001.0, 1000.0)],
        "strategies": [
            Strategy(
                strategy=text, instrument=text, is_maker=True, bid=OwnQuote(price=one, quantity=one, to_touch_bps=1.0,
                to_mid_bps=2.0), ask=None, fair_value=1.26, inventory=Decimal("0.5"), max_inventory=Decimal(2),
                scales=[Scale(name="inventory", label=text, value=Decimal("0.5"), low=-2.0, high=2.0)],
            ),
            Strategy(
                strategy=f"{text} pair", instrument=None, is_maker=False, bid=None, ask=None, fair_value=None,
                inventory=None, max_inventory=None,
                scales=[
                    Scale(
                        name="z", of=text, label=text, value=0.5, low=-4.0, high=4.0, unit=text, inside=(-2.0, 2.0),
                        levels=(Level(name=text, at=-2.0), Level(name=text, at=2.0), Level(name="exit", at=0.0)),
                    ),
                    Scale(name="weight", of=text, label=text, value=None, low=0.0, high=1.0),
                ],
                figures=[
                    Figure(name="position", label=text, text=text, note=text),
                    Figure(name="next_ms", label="Next", value=1_800_000_090_000, unit="ms_utc"),
                ],
                holdings=[Holding(instrument_id=text, held_qty=Decimal("-2.50"), target_qty=one)],
            ),
        ],
        "signals": [
            Strategy(
                strategy=f"{text} own", instrument=None, is_maker=False, bid=None, ask=None, fair_value=None,
                inventory=None, max_inventory=None, state=text, is_explained=False,
            )
        ],
        "markets": [
            Market(
                instrument=text, bid=one, ask=Decimal("1.27"), mid=Decimal("1.26"), spread_bps=158.7, age_secs=0.5,
                held=one, value=Decimal("1.575"),
            )
        ],
        "orders": [
            OpenOrder(
                id=text, strategy=text, instrument=text, side="buy", price=one, left=one, filled=Decimal(0),
                status=text, age_secs=1.0,
            )
        ],
        "limits": [
            Limit(rule=text, scope=text, value=one, limit=Decimal(5), used_pct=25.0, action=text),
            Limit(rule="price_collar_bps", scope=text, value=None, limit=one, used_pct=None, action="refuse"),
        ],
        "risk": [
            RiskScope(
                scope=text, state="RUNNING", action="warn", rule=None, value=None, limit=None, reason=text,
                since_ms=None, until_ms=None, latched=False,
            )
        ],
        "refusals": [Refusal(rule=text, strategy=text, count=2, last_ms=1, value=one, limit=one)],
        "events": [Event(time_ms=1_799_999_999_000, kind="said", text=text, count=2)],
        "connections": {text: True},
        "recording": Recording(ok=True, text=text),
        "controls": Controls(halt=True),
    }  # fmt: skip
    return State(**(values | changes))


class Canned:
    """Looks at nothing, and says what it was given; an error is raised."""

    def __init__(self, said: State | Exception) -> None:
        self.said = said

    def look(self) -> State:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def page_of(
    said: State,
    *,
    token: str | None = TOKEN,
    public: bool = False,
    halt: Callable[[str, str | None], None] | None = None,
) -> tuple[Place, PageServer]:
    """Return a page that shows a state, not started yet."""
    variables = {} if token is None else {"BALLAST_WEB_TOKEN": token}
    place = open_place("0.0.0.0:0" if public else "0", public, variables)
    return place, PageServer(place, Desk(Canned(said)), halt)  # type: ignore[arg-type]


def url_of(place: Place) -> str:
    """Return how this machine reaches a page."""
    return f"http://127.0.0.1:{place.socket.getsockname()[1]}"


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """Ask and return status, answer (JSON where it is) and headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, _content(answer.read()), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, _content(error.read()), dict(error.headers)


def _content(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode()
