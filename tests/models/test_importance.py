"""What parameters explain, against scipy; and the front of several objectives, against brute force."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kruskal, rankdata

from models.validation.importance import groups_of, importance
from models.validation.pareto import pareto_front
from models.validation.ranks import average_ranks


@pytest.mark.parametrize("effect", [0.0, 0.5, 5.0])
def test_it_is_the_effect_of_kruskal_and_wallis(effect):
    random = np.random.default_rng(1)
    groups = random.integers(0, 4, 60)
    values = np.round(random.normal(size=60) + effect * groups, 1)  # with ties
    height, p_value = kruskal(*(values[groups == group] for group in range(4)))
    found = importance(values, groups)
    assert found.share == pytest.approx(max(0.0, (height - 3) / 56), abs=1e-9)
    assert found.p_value == pytest.approx(p_value, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "groups"), [([1.0, 2.0, 3.0], [0, 0, 0]), ([1.0, 2.0], [0, 1]), ([1.0, 1.0, 1.0], [0, 1, 1])]
)
def test_what_cannot_be_explained(values, groups):
    assert importance(values, np.array(groups)) is None


def test_few_values_are_groups_of_their_own():
    assert groups_of((3, 1, None, 3)).tolist() == [0, 1, 2, 0]
    assert groups_of(("finite", "infinite", "finite")).tolist() == [0, 1, 0]
    assert groups_of((True, False)).tolist() == [0, 1]


def test_many_numbers_are_groups_of_equal_size():
    values = tuple(np.random.default_rng(2).permutation(np.geomspace(1, 1000, 80)).tolist())
    assert np.bincount(groups_of(values)).tolist() == [10] * 8
    assert np.bincount(groups_of((*values[:20], None))).tolist() == [5, 5, 5, 5, 1]


@given(st.lists(st.integers(0, 14), min_size=9, max_size=60))
def test_groups_have_no_gaps_and_keep_the_order(values):
    groups = groups_of(tuple(values))
    assert set(groups.tolist()) == set(range(groups.max() + 1))
    if len(set(values)) > 8:
        assert all(a <= b for (_, a), (_, b) in pairwise(sorted(zip(values, groups.tolist(), strict=True))))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_nothing_beats_the_front(points):
    def beaten(point):
        return any(o[0] >= point[0] and o[1] <= point[1] and o != point for o in points)

    found = pareto_front(np.array(points, float).reshape(-1, 2), [True, False])
    assert found.tolist() == [not beaten(point) for point in points]


def test_an_unknown_point_is_not_on_the_front():
    assert pareto_front([[1.0, np.nan], [0.0, 0.0]], [True, True]).tolist() == [False, True]


@given(st.lists(st.integers(-4, 4), min_size=1))
def test_equal_values_share_their_rank(values):
    np.testing.assert_array_equal(average_ranks(values), rankdata(values))
