"""The faults of drills: what happens, what should answer, and how `--inject` names them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from bad_input import BadInput, nearest_name

type Side = Literal["up", "down"]

LOSS_RULES: Final = ("max_drawdown_pct", "max_loss_pct", "max_daily_loss_pct", "stop_loss_pct", "trailing_stop_pct")
"""The controls that answer to a loss, and must not answer to one bad price."""

_PRICE_RULES: Final = (*LOSS_RULES, "max_price_move_bps")
_OPTION: Final = "--inject"
_MOST_PCT: Final = Decimal(1_000)
_MOST_SECS: Final = Decimal(86_400)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """
    A kind of fault.

    Parameters
    ----------
    name : str
        How `--inject` calls it.
    sentence : str
        What happens, for reports; `{size}` is how much and for how long.
    keys : tuple of str
        What can be set of pct, secs and side; every fault takes `instrument`.
    answers : tuple of str
        The rules of which one should answer.
    moves_price : bool
        Whether it costs (or earns) what is held.

    """

    name: str
    sentence: str
    keys: tuple[str, ...]
    answers: tuple[str, ...]
    moves_price: bool = False


FAULTS: Final = {
    kind.name: kind
    for kind in (
        FaultKind("gap", "All prices are {size} at once, and stay there.", ("pct", "side"), _PRICE_RULES, True),
        FaultKind("crash", "All prices are {size}, step by step.", ("pct", "secs", "side"), _PRICE_RULES, True),
        FaultKind(
            "price-spike",
            "One quote is {size}, at a point of the ledger's grid, and the next is right again.",
            ("pct", "side"),
            ("price_collar_bps", "max_price_move_bps"),
            True,
        ),
        FaultKind("feed-stall", "No market data come {size}; the clock goes on.", ("secs",), ("max_data_age_secs",)),
        FaultKind(
            "reject-storm",
            "The venue refuses every new and every changed order {size}; it still cancels.",
            ("secs",),
            ("max_rejections_per_window",),
        ),
        FaultKind(
            "equity-unknown",
            "Every quote has its bid above its ask {size}, so that no equity can be computed.",
            ("secs",),
            ("equity_unknown",),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Injection:
    """
    What the user asks for; None where the drill is to choose.

    Parameters
    ----------
    kind : FaultKind
        The fault.
    pct : Decimal, optional
        How far prices move, in percent.
    secs : Decimal, optional
        How long it takes or lasts.
    side : {"up", "down"}, optional
        Where prices move to.
    instrument : str, optional
        The only instrument that is concerned.

    """

    kind: FaultKind
    pct: Decimal | None = None
    secs: Decimal | None = None
    side: Side | None = None
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A fault with nothing left to choose.

    Parameters
    ----------
    kind : FaultKind
        The fault.
    at_ns : int
        Its first moment, UNIX ns.
    secs : Decimal
        How long it takes or lasts; 0 for one that happens at once.
    change_pct : Decimal
        The change of prices in percent, negative for a fall; 0 where prices do not move.
    instruments : frozenset of str
        What is concerned.

    """

    kind: FaultKind
    at_ns: int
    secs: Decimal
    change_pct: Decimal
    instruments: frozenset[str]

    @property
    def end_ns(self) -> int:
        """Its last moment, excluded, UNIX ns."""
        return self.at_ns + int(self.secs.scaleb(9))

    @property
    def sentence(self) -> str:
        """What happens, for reports."""
        return self.kind.sentence.format(size=" ".join(self._size()))

    @property
    def settings(self) -> dict[str, float]:
        """Its sizes as JSON numbers."""
        sizes = {"change_pct": float(self.change_pct)} if self.kind.moves_price else {}
        return sizes | ({"secs": float(self.secs)} if self.secs else {})

    def _size(self) -> Iterable[str]:
        if self.kind.moves_price:
            yield f"{abs(self.change_pct).normalize():f} % {'lower' if self.change_pct < 0 else 'higher'}"
        if self.secs:
            yield f"{'within' if self.kind.moves_price else 'for'} {self.secs.normalize():f} s"


def parse_injection(text: str, instruments: Iterable[str]) -> Injection:
    """
    Read `FAULT` or `FAULT:key=value,key=value`, such as `crash:pct=8,secs=60`.

    Parameters
    ----------
    text : str
        What was given.
    instruments : iterable of str
        The instruments of the setup.

    Raises
    ------
    BadInput
        For a fault, key or value that is not known or out of its bounds.

    """
    name, _, rest = text.partition(":")
    kind = FAULTS.get(name.strip())
    if kind is None:
        problem = f'was "{name.strip()}", expected one of {", ".join(FAULTS)}'
        raise BadInput(problem, key=_OPTION, hint=nearest_name(name.strip(), FAULTS))
    values: dict[str, str] = {}
    known = (*kind.keys, "instrument")
    for part in filter(None, rest.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in known:
            problem = f'{kind.name} has no "{part.strip()}", expected {" or ".join(f"{key}=…" for key in known)}'
            raise BadInput(problem, key=_OPTION, hint=nearest_name(key, known))
        if key in values:
            raise BadInput(f"{key} stands twice", key=_OPTION)
        values[key] = value
    return Injection(
        kind,
        pct=_number(values, "pct", _MOST_PCT if values.get("side") == "up" else Decimal(100)),
        secs=_number(values, "secs", _MOST_SECS),
        side=_side(values.get("side")),
        instrument=_instrument(values.get("instrument"), list(instruments)),
    )


def _number(values: dict[str, str], key: str, most: Decimal) -> Decimal | None:
    text = values.get(key)
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 < number < most:
        raise BadInput(f'{key} was "{text}", expected a number above 0 and below {most}', key=_OPTION)
    return number


def _side(text: str | None) -> Side | None:
    sides: dict[str | None, Side | None] = {None: None, "up": "up", "down": "down"}
    if text not in sides:
        raise BadInput(f'side was "{text}", expected up or down', key=_OPTION)
    return sides[text]


def _instrument(text: str | None, known: list[str]) -> str | None:
    if text is not None and text not in known:
        problem = f'instrument was "{text}", expected one of {", ".join(known)}'
        raise BadInput(problem, key=_OPTION, hint=nearest_name(text, known))
    return text
