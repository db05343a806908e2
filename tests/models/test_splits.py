"""Splits in time: nothing of the test is known in training."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.validation.splits import Split, purged_folds, walk_forward


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


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=2, max_size=40), st.data())
def test_purged_rows_are_those_that_brute_force_finds(spans, data):
    spans = sorted((start, start + length) for start, length in spans)
    first, last = (np.array(column) for column in zip(*spans, strict=True))
    folds, embargo = data.draw(st.integers(2, len(spans))), data.draw(st.integers(0, 5))
    sizes = [len(spans) // folds + (i < len(spans) % folds) for i in range(folds)]
    at = 0
    for (train, test), size in zip(purged_folds(first, last, folds, embargo), sizes, strict=True):
        fold = range(at, at + size)
        begin, end = min(first[i] for i in fold), max(last[i] for i in fold)
        expected = [
            i
            for i in range(len(spans))
            if i not in fold and (last[i] < begin or first[i] > end) and not at + size <= i < at + size + embargo
        ]
        assert test.tolist() == list(fold)
        assert train.tolist() == expected
        at += size


@pytest.mark.parametrize(
    ("first", "last", "folds", "embargo"),
    [([0, 1], [1, 0], 2, 0), ([1, 0], [2, 2], 2, 0), ([0, 1], [1, 2], 3, 0), ([0, 1], [1, 2], 2, -1)],
)
def test_spans_out_of_order_and_bounds_are_refused(first, last, folds, embargo):
    with pytest.raises(ValueError, match=r"order of time|expected 2 to"):
        purged_folds(first, last, folds, embargo)
