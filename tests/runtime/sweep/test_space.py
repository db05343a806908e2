"""Points: what lists, ranges and conditions allow, and that a setup reads them as they were meant."""

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.setup.overrides import apply_overrides
from runtime.setup.tree import SetupTree
from runtime.sweep.settings import Range
from runtime.sweep.space import Space, as_text, condition_of, parameter_of


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (Range(low=0.1, high=0.5, step=0.1), (0.1, 0.2, 0.3, 0.4, 0.5)),
        (Range(low=1, high=2, step=0.4), (1.0, 1.4, 1.8)),
        (Range(low=1, high=1000, log=True, points=4), (1.0, 10.0, 100.0, 1000.0)),
        (Range(low=0, high=1, points=3), (0.0, 0.5, 1.0)),
        (Range(low=1, high=4, integer=True), (1, 2, 3, 4)),
        (Range(low=1, high=9, integer=True, step=4), (1, 5, 9)),
        (Range(low=1, high=8, integer=True, log=True, points=4), (1, 2, 4, 8)),
        (("a", True, None, 3), ("a", True, None, 3)),
        (Range(low=1, high=2), None),
    ],
)
def test_a_parameter_has_the_values_of_its_list_or_range(given: Any, values: Any) -> None:
    parameter = parameter_of("backtest.x", given)

    assert parameter.values == values
    if values is not None:
        assert [type(value) for value in parameter.values or ()] == [type(value) for value in values]


def two(*conditions: str) -> Space:
    parameters = (
        parameter_of("strategies[0].config.entry", (1, 2, 3)),
        parameter_of("strategies[0].config.stop", Range(low=1, high=3, integer=True)),
    )
    return Space(parameters, tuple(condition_of(text, parameters) for text in conditions))


@pytest.mark.parametrize(
    ("condition", "keeps"),
    [
        ("stop > entry", lambda entry, stop: stop > entry),
        ("strategies[0].config.stop >= entry", lambda entry, stop: stop >= entry),
        ("entry != stop", lambda entry, stop: stop != entry),
        ("stop<2.5", lambda entry, stop: stop < 2.5),
        ("entry <= 2", lambda entry, stop: entry <= 2),
    ],
)
def test_every_point_keeps_the_conditions(condition: str, keeps: Any) -> None:
    everything = [(entry, stop) for entry in (1, 2, 3) for stop in (1, 2, 3)]

    assert list(two(condition).grid()) == [point for point in everything if keeps(*point)]
    assert set(two(condition).corners()) <= set(two(condition).grid())
    drawn = list(two(condition).random_points(50, np.random.default_rng(1)))
    assert len(drawn) == 50
    assert set(drawn) == set(two(condition).grid())


@pytest.mark.parametrize("text", ["stop", "stop > ", "stop = entry", "stpo > entry", "stop > etnry"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a comparison|is no parameter|neither a parameter"):
        two(text)


def test_random_points_of_a_range_fill_it_evenly_or_by_their_logarithm() -> None:
    space = Space(
        (
            parameter_of("a", Range(low=1, high=3)),
            parameter_of("b", Range(low=0.01, high=100, log=True)),
            parameter_of("c", Range(low=1, high=1000, integer=True, log=True)),
        )
    )

    points = list(space.random_points(4_000, np.random.default_rng(3)))

    a, b, c = zip(*points, strict=True)
    assert 1 <= min(a) < max(a) <= 3
    assert sum(a) / len(a) == pytest.approx(2, abs=0.05)
    assert sum(math.log10(value) for value in b) / len(b) == pytest.approx(0, abs=0.1)
    assert all(isinstance(value, int) and 1 <= value <= 1000 for value in c)
    assert space.parameters[1].ends == (0.01, 100.0)


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans(), st.text(max_size=20), st.none()
    )
)
def test_a_setup_reads_every_value_as_it_was_meant(value: Any) -> None:
    tree = SetupTree(Path("setup.yaml"), {"backtest": {}})

    read = apply_overrides(tree, [f"backtest.key={as_text(value)}"]).values["backtest"]["key"]

    if isinstance(value, float):
        assert isinstance(read, Decimal)
        assert float(read) == value
    else:
        assert read == value
        assert type(read) is type(value)


def test_a_point_is_written_as_set_takes_it_and_with_short_names_for_people() -> None:
    same = Space((parameter_of("strategies[0].config.qty", (1,)), parameter_of("strategies[1].config.qty", (2,))))

    assert two().assignments((1, 2)) == ("strategies[0].config.entry=1", "strategies[0].config.stop=2")
    assert two().in_words((1, 2)) == "entry=1, stop=2"
    assert same.in_words((1, 2)) == "strategies[0].config.qty=1, strategies[1].config.qty=2"
