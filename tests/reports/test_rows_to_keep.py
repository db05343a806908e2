import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reports.downsample import rows_to_keep

VALUES = st.floats(-1e6, 1e6) | st.just(float("nan"))


def columns_of(count: int) -> st.SearchStrategy[list[NDArray[np.float64]]]:
    column = st.lists(VALUES, min_size=count, max_size=count).map(np.array)
    return st.lists(column, min_size=1, max_size=3)


@given(st.integers(1, 120).flatmap(columns_of), st.integers(15, 60))
def test_extremes_ends_and_gaps_stay(columns: list[NDArray[np.float64]], most: int) -> None:
    rows = rows_to_keep(columns, most)
    assert len(rows) <= most
    assert (np.diff(rows) > 0).all()
    assert {0, len(columns[0]) - 1} <= set(rows.tolist())
    gaps = np.isnan(columns).any(axis=0)
    assert gaps.any() == gaps[rows].any()
    for column in columns:
        if not np.isnan(column).all():
            assert np.nanmin(column) == np.nanmin(column[rows])
            assert np.nanmax(column) == np.nanmax(column[rows])


def test_few_rows_all_stay() -> None:
    assert rows_to_keep([np.arange(10.0)], 10).tolist() == list(range(10))


def test_a_spike_of_one_row_stays_among_a_million() -> None:
    column = np.zeros(1_000_000)
    column[654_321] = 1.0
    rows = rows_to_keep([column], 4_000)
    assert 654_321 in rows
    assert len(rows) <= 4_000


@pytest.mark.parametrize("length", [1, 7])
def test_a_gap_keeps_its_length(length: int) -> None:
    column = np.sin(np.arange(10_000) / 50)
    column[5_000 : 5_000 + length] = np.nan
    rows = rows_to_keep([column], 1_000)
    assert {4_999, 5_000, 5_000 + length} <= set(rows.tolist())


def test_columns_with_different_gaps_show_both() -> None:
    bid, ask = np.ones(5_000), np.ones(5_000)
    bid[100:105], ask[4_000:4_100] = np.nan, np.nan
    rows = rows_to_keep([bid, ask], 500)
    assert np.isnan(bid[rows]).any()
    assert np.isnan(ask[rows]).any()
