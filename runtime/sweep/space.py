"""The points that a sweep may try: parameters with their values, and conditions between them."""

import itertools
import json
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from runtime.sweep.settings import Choice, Range

type Point = tuple[Choice, ...]
"""One value per parameter, in the order of the file."""

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}
_MOST_DRAWS: Final = 10_000
_CONDITION = re.compile(r"^\s*(\S+)\s*(<=|>=|!=|<|>)\s*(\S+)\s*$")


@dataclass(frozen=True)
class Parameter:
    """
    One key of the setup that differs between trials.

    Parameters
    ----------
    path : str
        The key, such as `strategies[0].config.order_qty`.
    values : tuple, optional
        All of its values in order; None for a range without steps.
    span : Range, optional
        The range; None for a list of values.

    """

    path: str
    values: tuple[Choice, ...] | None
    span: Range | None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def ends(self) -> tuple[Choice, Choice]:
        """The first and the last value."""
        if self.values is not None:
            return self.values[0], self.values[-1]
        assert self.span is not None
        kind = int if self.span.integer else float
        return kind(self.span.low), kind(self.span.high)


def parameter_of(path: str, given: Range | tuple[Choice, ...]) -> Parameter:
    """Return the parameter of a list or range of a sweep file."""
    if isinstance(given, tuple):
        return Parameter(path, given, None)
    if given.points is not None:
        return Parameter(path, _spread(given, given.points), given)
    if given.step is not None or (given.integer and not given.log):
        return Parameter(path, _steps(given), given)
    return Parameter(path, None, given)


def _steps(span: Range) -> tuple[Choice, ...]:
    low, high, step = (Decimal(repr(value)) for value in (span.low, span.high, span.step or 1))
    values = (low + step * number for number in range(int((high - low) / step) + 1))
    return tuple(int(value) if span.integer else float(value) for value in values)


def _spread(span: Range, points: int) -> tuple[Choice, ...]:
    spread = np.geomspace if span.log else np.linspace
    values = [float(value) for value in spread(span.low, span.high, points)]
    values[0], values[-1] = float(span.low), float(span.high)
    # Twelve digits: 0.30000000000000004 is not what anybody asked for.
    tidy = dict.fromkeys(round(value) if span.integer else float(f"{value:.12g}") for value in values)
    return tuple(tidy)


@dataclass(frozen=True)
class Condition:
    """A comparison of one parameter with another or with a number."""

    text: str
    left: int
    compare: str
    right: int | float
    right_is_parameter: bool

    def holds(self, point: Point) -> bool:
        """Return whether `point` keeps it."""
        right = point[int(self.right)] if self.right_is_parameter else self.right
        return _COMPARE[self.compare](point[self.left], right)


@dataclass(frozen=True)
class Space:
    """
    All points of a sweep.

    Parameters
    ----------
    parameters : tuple of Parameter
        In the order of the file.
    conditions : tuple of Condition
        What every point keeps.

    """

    parameters: tuple[Parameter, ...]
    conditions: tuple[Condition, ...] = ()

    def allows(self, point: Point) -> bool:
        """Return whether the point keeps all conditions."""
        return all(condition.holds(point) for condition in self.conditions)

    def grid(self) -> Iterator[Point]:
        """Yield every point that is allowed, the last parameter changing fastest; all must have values."""
        all_values = [parameter.values or () for parameter in self.parameters]
        return (point for point in itertools.product(*all_values) if self.allows(point))

    def corners(self) -> Iterator[Point]:
        """Yield every allowed point that has each parameter at one of its ends."""
        ends = [dict.fromkeys(parameter.ends) for parameter in self.parameters]
        return (point for point in itertools.product(*ends) if self.allows(point))

    def random_points(self, count: int, rng: np.random.Generator) -> Iterator[Point]:
        """Yield up to so many allowed points, drawn evenly; fewer where the conditions leave hardly any."""
        drawn = (tuple(_drawn(parameter, rng) for parameter in self.parameters) for _ in range(_MOST_DRAWS))
        return itertools.islice((point for point in drawn if self.allows(point)), count)

    def assignments(self, point: Point) -> tuple[str, ...]:
        """Return a point as `PATH=VALUE`, which changes the setup to it."""
        named = zip(self.parameters, point, strict=True)
        return tuple(f"{parameter.path}={as_text(value)}" for parameter, value in named)

    def in_words(self, point: Point) -> str:
        """Return a point for people: the last parts of the paths, or the paths where these are not unique."""
        labels = self.labels()
        return ", ".join(f"{label}={as_text(value)}" for label, value in zip(labels, point, strict=True))

    def labels(self) -> list[str]:
        """Return a short name of each parameter, unique among them."""
        names = [parameter.name for parameter in self.parameters]
        return [
            name if names.count(name) == 1 else parameter.path
            for name, parameter in zip(names, self.parameters, strict=True)
        ]


def as_text(value: Choice) -> str:
    """Return a value as YAML reads it back, exactly."""
    if not isinstance(value, str):
        return json.dumps(value)
    # JSON writes letters beyond U+FFFF as two halves, which YAML does not put together.
    return '"' + "".join(f"\\U{ord(c):08x}" if c > "\uffff" else json.dumps(c)[1:-1] for c in value) + '"'


def _drawn(parameter: Parameter, rng: np.random.Generator) -> Choice:
    if parameter.values is not None:
        return parameter.values[int(rng.integers(len(parameter.values)))]
    span = parameter.span
    assert span is not None
    low, high = float(span.low), float(span.high)
    value = float(np.exp(rng.uniform(np.log(low), np.log(high))) if span.log else rng.uniform(low, high))
    return round(value) if span.integer else min(max(value, low), high)


def condition_of(text: str, parameters: Sequence[Parameter]) -> Condition:
    """
    Return the condition that a text such as `stop_zscore > entry_zscore` states.

    Raises
    ------
    ValueError
        If it is no comparison, or a side is neither a parameter nor (on the right) a number.

    """
    match = _CONDITION.match(text)
    if match is None:
        raise ValueError(f'was "{text}", expected a comparison such as "stop_zscore > entry_zscore"')
    left, right = _index(match[1], parameters), _index(match[3], parameters)
    if left is None:
        raise ValueError(f'"{match[1]}" is no parameter of the sweep')
    if right is not None:
        return Condition(text, left, match[2], right, right_is_parameter=True)
    try:
        return Condition(text, left, match[2], float(match[3]), right_is_parameter=False)
    except ValueError:
        raise ValueError(f'"{match[3]}" is neither a parameter of the sweep nor a number') from None


def _index(name: str, parameters: Sequence[Parameter]) -> int | None:
    """Return which parameter a path, or the last part of one where that is unique, means."""
    for part in ("path", "name"):
        found = [i for i, parameter in enumerate(parameters) if getattr(parameter, part) == name]
        if len(found) == 1:
            return found[0]
    return None
