"""Figures of summary.json: found by their path, written with their unit, or missing for a reason."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any

from reports import format as fmt


class Kind(Enum):
    """What a number counts, and so how it is written."""

    MONEY = auto()
    SIGNED_MONEY = auto()
    PERCENT = auto()
    SIGNED_PERCENT = auto()
    BPS = auto()
    SHARE = auto()
    COUNT = auto()
    RATIO = auto()
    MULTIPLE = auto()
    SECONDS = auto()


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One figure of summary.json.

    Parameters
    ----------
    path : str
        Its dotted path in summary.json.
    label : str
        Its name on reports.
    kind : Kind
        How it is written.
    definition : str
        What it measures, in one or two sentences.

    """

    path: str
    label: str
    kind: Kind
    definition: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of summary.json by dotted path, such as `quotes.requotes`."""

    values: Mapping[str, Any]

    def get(self, path: str) -> Any:
        """Return what stands at `path`, or None."""
        found: Any = self.values
        for key in path.split("."):
            if not isinstance(found, Mapping):
                return None
            found = found.get(key)
        return found

    def number(self, path: str) -> float | None:
        """Return the finite number at `path`, or None where there is none."""
        value = self.get(path)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return value

    def why(self, path: str) -> str:
        """Return why the figure at `path` is missing."""
        reason = self.get(f"{path}_why")
        return str(reason) if reason else "summary.json does not tell"

    def text(self, path: str) -> str:
        """Return the text at `path`, "" where there is none."""
        value = self.get(path)
        return "" if value is None else str(value)

    def entries(self, path: str) -> list[Any]:
        """Return the list at `path`, empty where there is none."""
        value = self.get(path)
        return list(value) if isinstance(value, list) else []

    def texts(self, path: str) -> list[str]:
        """Return the entries of the list at `path` as texts."""
        return [str(item) for item in self.entries(path)]

    def table(self, path: str) -> dict[str, Any]:
        """Return the object at `path`, empty where there is none."""
        value = self.get(path)
        return dict(value) if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as it is shown."""

    label: str
    text: str
    why: str
    """Why there is no figure; "" where there is one."""
    definition: str
    sign: int
    """-1 for a loss, 1 for a gain, 0 for anything else."""


MONEY = (Kind.MONEY, Kind.SIGNED_MONEY)


def show(figure: Figure, summary: Summary, decimals: int | None = None) -> Shown:
    """Return `figure` of `summary` as text, money to so many decimals, or "—" with the reason."""
    value = summary.number(figure.path)
    if value is None:
        return Shown(figure.label, fmt.MISSING, summary.why(figure.path), figure.definition, 0)
    signed = figure.kind in (Kind.SIGNED_MONEY, Kind.SIGNED_PERCENT)
    sign = (value > 0) - (value < 0) if signed else 0
    told = written(value, figure.kind, summary.text("currency"), decimals)
    return Shown(figure.label, told, "", figure.definition, sign)


_WRITERS: dict[Kind, Callable[[float], str]] = {
    Kind.PERCENT: fmt.percent,
    Kind.SIGNED_PERCENT: partial(fmt.percent, signed=True),
    Kind.BPS: fmt.basis_points,
    Kind.SHARE: lambda value: fmt.percent(value * 100),
    Kind.COUNT: fmt.count,
    Kind.RATIO: partial(fmt.number, decimals=2),
    Kind.SECONDS: lambda value: f"{fmt.number(value, 3)} s",
    Kind.MULTIPLE: lambda value: f"{fmt.number(value, 2)} ×",
}


def show_alike(figure: Figure, summaries: Iterable[Summary]) -> list[Shown]:
    """Return `figure` of several summaries, money to the same decimals."""
    runs = list(summaries)
    decimals = fmt.decimals_for(*(run.number(figure.path) for run in runs)) if figure.kind in MONEY else None
    return [show(figure, run, decimals) for run in runs]


def written(value: float, kind: Kind, currency: str, decimals: int | None = None) -> str:
    """Return `value` with its unit, money to so many decimals, or to as many as its size asks for."""
    if kind in MONEY:
        return fmt.money(value, currency, decimals=decimals, signed=kind is Kind.SIGNED_MONEY)
    return _WRITERS[kind](value)
