"""Quotes at the closes of bars: as wide as asked for, at the time of the close, and labelled."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bad_input import BadInput
from data_catalog.__main__ import data_catalog
from data_catalog.columns import Bars
from data_catalog.rebuilt_quotes.from_closes import quotes_from_closes
from data_catalog.store.contents import contents
from data_catalog.store.stream import DataRequest, stream

HOUR_MS = 3_600_000
START_MS = 1_609_459_200_000
closes = st.lists(st.integers(100_000, 10_000_000), min_size=1, max_size=20)


def bars_of(values: list[int], volume: int = 800) -> Bars:
    close = np.array(values, np.int64)
    ts = (np.arange(len(values)) + 1) * 10**9
    return Bars(close, close, close, close, np.full(len(values), volume, np.int64), ts, ts)


@given(closes, st.sampled_from([1, 5, 10]), st.floats(0, 100))
def test_the_close_is_inside_the_quote_which_is_as_wide_as_asked_for_and_on_the_tick(values, tick, spread_bps):
    bars = bars_of([value * tick for value in values])

    quotes = quotes_from_closes(bars, tick, spread_bps)

    spread = quotes.ask_price - quotes.bid_price
    assert (quotes.bid_price <= bars.close).all()
    assert (quotes.ask_price >= bars.close).all()
    assert (spread >= np.maximum(bars.close * spread_bps / 1e4 - 1e-6, tick)).all()
    assert (spread <= bars.close * spread_bps / 1e4 + 2 * tick).all()
    assert (quotes.bid_price % tick == 0).all()
    assert (quotes.ts_init == bars.ts_init).all()


def test_both_sides_carry_an_eighth_of_the_volume_and_a_bar_without_gives_no_quote():
    bars = bars_of([1000, 2000, 3000])
    bars.volume[1] = 0

    quotes = quotes_from_closes(bars, 1, 10.0)

    assert quotes.bid_size.tolist() == quotes.ask_size.tolist() == [100, 100]
    assert quotes.ts_init.tolist() == [10**9, 3 * 10**9]


@pytest.mark.parametrize(
    ("bars", "spread_bps", "problem"),
    [(bars_of([1000], volume=0), 5.0, "no bar has a volume"), (bars_of([1]), 10_000.0, "--spread-bps: was 10000")],
)
def test_what_gives_no_quotes_is_refused(bars, spread_bps, problem):
    with pytest.raises(BadInput, match=problem):
        quotes_from_closes(bars, 1, spread_bps)


# -- The command ------------------------------------------------------------------------------------------------------


def run(folder: Path, *options: object) -> Result:
    rows = [[START_MS + i * HOUR_MS, 1000 + i, 1010 + i, 990 + i, 1005 + i, 80.0] for i in range(5)]
    file = folder / "ETH_USDT-1h.json"
    file.write_text(json.dumps(rows))
    arguments = ["import", file, "--instrument", "ETHUSDT.BINANCE", "--catalog", folder / "catalog", *options]
    return CliRunner().invoke(data_catalog, [str(argument) for argument in arguments])


def test_the_import_writes_quotes_at_the_closes_and_says_so(tmp_path):
    result = run(tmp_path, "--quotes-from-closes", "--spread-bps", 10)

    assert result.exit_code == 0, result.output
    assert "The spread of the rebuilt quotes is 10 bps, and a tick at least." in result.output
    entry = next(entry for entry in contents(tmp_path / "catalog") if entry.data_type == "quotes")
    assert (entry.rows, entry.reconstructed) == (5, True)
    request = DataRequest("ETHUSDT.BINANCE", "quotes")
    first = next(stream(tmp_path / "catalog", [request], entry.first_ns, entry.last_ns))[0]
    assert first.ts_init == (START_MS + HOUR_MS) * 10**6
    assert (str(first.bid_price), str(first.ask_price)) == ("1004.49", "1005.51")
    assert str(first.bid_size) == "10.0000"


def test_another_spread_needs_replace(tmp_path):
    run(tmp_path, "--quotes-from-closes", "--spread-bps", 10)

    assert "held all of it already" in run(tmp_path, "--quotes-from-closes", "--spread-bps", 10).output
    assert isinstance(run(tmp_path, "--quotes-from-closes", "--spread-bps", 20).exception, BadInput)
    assert run(tmp_path, "--quotes-from-closes", "--spread-bps", 20, "--replace").exit_code == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--quotes-from-closes"], "--quotes-from-closes: needs --spread-bps"),
        (["--spread-bps", 5], "--spread-bps: goes with --quotes-from-closes alone"),
        (["--quotes-from-bars", "--spread-bps", 5], "--spread-bps: goes with --quotes-from-closes alone"),
        (["--quotes-from-closes", "--spread-bps", 5, "--spread-ticks", 2], "--spread-ticks: goes with"),
        (["--quotes-from-bars", "--quotes-from-closes", "--spread-bps", 5], "goes without --quotes-from-bars"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, options, problem):
    result = run(tmp_path, *options)

    assert isinstance(result.exception, BadInput)
    assert problem in str(result.exception)
    assert not (tmp_path / "catalog").exists()
