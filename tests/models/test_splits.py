"""Splits in time: nothing of the test is known in training."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.validation.splits import Split, walk_forward


def test_rolling_windows_follow_one_another():
    assert walk_forward(11, 4, 2, gap=1) == [Split(0, 4, 5, 7), Split(2, 6, 7, 9), Split(4, 8, 9, 11)]


def test_anchored_windows_grow():
    assert walk_forward(10, 4, 3, anchored=True) == [Split(0, 4, 4, 7), Split(0, 7, 7, 10)]


def test_a_smaller_step_makes_windows_overlap():
    assert walk_forward(8, 4, 2, step=1) == [Split(0, 4, 4, 6), Split(1, 5, 5, 7), Split(2, 6, 6, 8)]


@given(st.integers(0, 300), st.integers(1, 60), st.integers(1, 40), st.integers(0, 20), st.booleans())
def test_as_many_windows_as_fit_whole(length, train, test, gap, anchored):
    found = walk_forward(length, train, test, gap=gap, anchored=anchored)
    assert len(found) == max(0, (length - train - gap) // test)
    for number, split in enumerate(found):
        assert split.test_start - split.train_end == gap
        assert split.test_end - split.test_start == test
        assert split.train_start == (0 if anchored else number * test)
        assert split.train_end == number * test + train
        assert split.test_end <= length
    assert all(earlier.test_end == later.test_start for earlier, later in pairwise(found))


@pytest.mark.parametrize("wrong", [{"train": 0}, {"test": 0}, {"step": 0}, {"gap": -1}])
def test_windows_without_a_length_are_refused(wrong):
    with pytest.raises(ValueError, match="must be above 0"):
        walk_forward(10, **{"train": 2, "test": 2} | wrong)
