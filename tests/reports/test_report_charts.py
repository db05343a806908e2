import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from reports.charts import charts, drawdown_pct, markouts_chart, mean_markout_bps, undrawn_markets
from reports.definitions import MARKOUTS
from reports.figures import Summary
from reports.parts_charts import parts_chart
from reports.plotting import Chart, packed
from reports.results_folder import Fills, Results, read_results
from tests.reports.results_writer import Shape, write_results


def with_plain_colors(node: Any, key: str = "") -> Any:
    if isinstance(node, dict):
        return {name: with_plain_colors(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [with_plain_colors(item, key) for item in node]
    return "#123456" if key.endswith("color") and str(node).startswith("@") else node


def unpacked(column: dict[str, str]) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(column["bdata"]))
    return values.reshape([int(size) for size in column["shape"].split(",")]) if "shape" in column else values


def colors_of(node: Any, key: str = "") -> set[str]:
    if isinstance(node, dict):
        return set().union(*(colors_of(value, name) for name, value in node.items()), set())
    if isinstance(node, list):
        return set().union(*(colors_of(item, key) for item in node), set())
    return {node[1:]} if key.endswith("color") and str(node).startswith("@") else set()


def chart_of(results: Results, key: str) -> Chart:
    return next(chart for chart in charts(results) if chart.key == key)


def trace_of(chart: Chart, name: str) -> dict[str, Any]:
    assert chart.figure is not None
    return next(trace for trace in chart.figure["data"] if trace["name"].startswith(name))


def test_every_figure_is_one_that_plotly_accepts(any_results: Results) -> None:
    drawn = [chart for chart in charts(any_results) if chart.figure is not None]
    assert {"parts", "equity", "parts-over-time", "market-0"} <= {chart.key for chart in drawn}
    for chart in drawn:
        figure = go.Figure(with_plain_colors(chart.figure))
        assert len(figure.data) == len(chart.figure["data"])


def test_every_color_is_in_both_palettes(day: Path) -> None:
    style = (Path(__file__).parents[2] / "reports" / "style.css").read_text()
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    used = set().union(*(colors_of(chart.figure) for chart in charts(read_results(day))))
    assert {"buy", "sell", "text"} <= used
    assert [name for name in used if f"--{name}:" not in light or f"--{name}:" not in dark] == []


def test_every_grid_point_and_fill_of_a_day_is_in_the_page(day: Path) -> None:
    results = read_results(day)
    market = chart_of(results, "market-0")
    assert len(unpacked(trace_of(market, "Mid")["x"])) == 8_640
    markers = [trace_of(market, name) for name in ("Buys", "Sells")]
    assert sum(len(unpacked(trace["x"])) for trace in markers) == 3_000
    assert unpacked(markers[0]["customdata"]).shape[1] == 2
    assert market.note == ""


def test_fills_beyond_what_the_page_holds_are_counted(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.market_chart.rows_to_keep", lambda columns: np.arange(min(100, len(columns[0]))))
    assert chart_of(read_results(day), "market-0").note == "2,800 of 3,000 fills are left out of the picture."


def test_the_waterfall_ends_at_the_pnl() -> None:
    parts = {"spread": 10.0, "inventory": -4.0, "fees": -7.5, "funding": 0.25}
    figure = parts_chart(Summary({"pnl": -1.25, "pnl_parts": parts, "currency": "USDT"})).figure
    assert figure is not None
    trace = figure["data"][0]
    assert trace["y"] == [10.0, -4.0, -7.5, 0.25, -1.25]
    assert trace["text"] == ["+10.000", "−4.000", "−7.500", "+0.250", "−1.250"]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < -1.5
    assert high > 10


def test_what_was_held_stands_behind_what_trading_earned() -> None:
    parts = {"spread": 2.0, "inventory": 27.75, "fees": -6.5, "funding": 0.0}
    summary = Summary({"pnl": 23.25, "pnl_parts": parts, "pnl_holdings": 28.0, "currency": "USDT"})
    figure = parts_chart(summary).figure
    assert figure is not None
    trace = figure["data"][0]
    assert trace["x"] == ["Spread", "Inventory", "Fees", "Trading<br>P&L", "Holdings", "P&L"]
    assert trace["y"] == [2.0, -0.25, -6.5, -4.75, 28.0, 23.25]
    assert [kind == "total" for kind in trace["measure"]] == [False, False, False, True, False, True]


def test_pointing_at_a_markout_tells_how_many_fills_it_rests_on(short: Path) -> None:
    results = read_results(short)
    counts = trace_of(chart_of(results, "markouts"), "All fills")["customdata"]
    known = [int((~np.isnan(results.fills.markout_mid[horizon])).sum()) for horizon in MARKOUTS]
    assert counts == [60, *known]


def test_parts_that_are_not_known_are_not_drawn() -> None:
    parts = {"spread": None, "inventory": -4.0, "fees": -7.5, "funding": 0.25}
    assert parts_chart(Summary({"pnl": 1.0, "pnl_parts": parts})).figure is None


@pytest.mark.parametrize(
    ("equity", "expected"),
    [
        ([100.0, 110.0, 99.0, 121.0], [0.0, 0.0, -10.0, 0.0]),
        ([100.0, 50.0, 75.0], [0.0, -50.0, -25.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([7.0], [0.0]),
    ],
)
def test_drawdown_is_below_the_running_peak(equity: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(drawdown_pct(np.array(equity)), expected)


def markout_by_hand(fills: Fills, side: str, horizon: str) -> float:
    gained = traded = 0
    for fill in fills.table.to_pylist():
        mid = fill["mid"] if horizon == "fill" else fill[f"markout_mid_{horizon}"]
        if fill["side"] == side and mid is not None:
            gained += (mid - fill["price"]) * fill["quantity"] * (1 if side == "BUY" else -1)
            traded += fill["price"] * fill["quantity"]
    return float(gained / traded * 10_000)


@pytest.mark.parametrize("horizon", ["fill", *MARKOUTS])
@pytest.mark.parametrize(("side", "sign"), [("BUY", 1), ("SELL", -1)])
def test_markouts_are_weighted_by_value(short: Path, horizon: str, side: str, sign: int) -> None:
    fills = read_results(short).fills
    assert mean_markout_bps(fills, fills.sign == sign, horizon) == pytest.approx(markout_by_hand(fills, side, horizon))


def test_a_horizon_beyond_the_data_has_no_markout(short: Path) -> None:
    fills = read_results(short).fills
    last = np.arange(len(fills)) == len(fills) - 1
    assert np.isnan(fills.markout_mid["300s"][last]).all()
    assert mean_markout_bps(fills, last, "300s") is None


def test_the_markout_chart_takes_all_fills_from_the_summary(short: Path) -> None:
    results = read_results(short)
    given = {"1s": 1.0, "5s": None, "30s": -3.0, "60s": -4.0, "300s": -5.0}
    chart = markouts_chart(Summary({"markouts_bps": given, "fees": {"maker_bps": 2.0}}), results.fills)
    assert trace_of(chart, "All fills")["y"][1:] == [1.0, None, -3.0, -4.0, -5.0]
    assert set(trace_of(chart, "Maker fee")["y"]) == {2.0}


def test_markouts_of_fills_that_took_are_held_against_the_takers_fee(short: Path) -> None:
    fees = {name: {"maker_bps": 2.0, "taker_bps": 5.0} for name in ("A", "B")}
    chart = markouts_chart(Summary({"maker_share": 0.0, "fees": fees}), read_results(short).fills)
    assert set(trace_of(chart, "Taker fee")["y"]) == {5.0}


def test_no_fills_leave_words_in_place_of_the_markouts(short: Path) -> None:
    results = read_results(short)
    none = replace(results.fills, ts_ns=results.fills.ts_ns[:0])
    chart = markouts_chart(results.summary, none)
    assert (chart.figure, chart.note) == (None, "There are no fills.")


def test_instruments_beyond_the_twelfth_are_named(short: Path) -> None:
    results = read_results(short)
    crowd = [replace(results.positions[0], instrument=f"C{n}USDT.BINANCE") for n in range(14)]
    many = replace(results, positions=crowd)
    assert sum(chart.key.startswith("market-") for chart in charts(many)) == 12
    assert undrawn_markets(many) == ["C12USDT.BINANCE", "C13USDT.BINANCE"]


def test_an_instrument_that_is_only_watched_has_no_chart(short: Path) -> None:
    results = read_results(short)
    used = results.positions[0]
    nothing = np.full(len(used.ts_ns), np.nan)
    watched = replace(used, instrument="WATCHED", quote_bid=nothing, quote_ask=nothing, position=np.zeros_like(nothing))
    both = replace(results, positions=[watched, used])
    assert undrawn_markets(both) == ["WATCHED"]
    assert chart_of(both, "market-0").title.startswith(used.instrument)
    assert undrawn_markets(replace(results, positions=[watched])) == []


def test_packed_columns_are_read_back_as_they_were() -> None:
    table = np.array([[1.5, -2.0], [np.nan, 1e300]])
    np.testing.assert_array_equal(unpacked(packed(table)), table)
    assert json.loads(json.dumps(packed(np.arange(3))))["dtype"] == "f8"


SHOWN = ["Spread", "Inventory", "Fees", "Trading P&amp;L"]


def test_trading_is_told_from_what_was_held(short: Path) -> None:
    results = read_results(short)
    chart = chart_of(results, "parts-over-time")
    assert chart.figure is not None
    names = {trace["name"]: trace["visible"] for trace in chart.figure["data"]}
    assert [name for name, visible in names.items() if visible is True] == [
        "Spread",
        "Inventory",
        "Fees",
        "Trading P&amp;L",
    ]
    columns = {name: unpacked(trace_of(chart, name)["y"]) for name in names}
    parts = columns["Spread"] + columns["Inventory"] + columns["Fees"]
    np.testing.assert_allclose(parts, columns["Trading P&amp;L"], atol=1e-9)
    np.testing.assert_allclose(columns["Trading P&amp;L"] + columns["Holdings"], columns["Whole P&amp;L"], atol=1e-9)
    assert columns["Trading P&amp;L"][-1] == pytest.approx(results.summary.number("pnl_trading"))


def test_without_holdings_nothing_is_said_of_them(tmp_path: Path) -> None:
    results = read_results(write_results(tmp_path, Shape(points=60, fills=20, held_lots=0)))
    chart = chart_of(results, "parts-over-time")
    assert chart.figure is not None
    assert [trace["name"] for trace in chart.figure["data"]] == ["Spread", "Inventory", "Fees", "P&amp;L"]
    assert chart_of(results, "parts").note == ""
