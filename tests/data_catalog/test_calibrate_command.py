import gzip
import json
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from bad_input import BadInput
from data_catalog.calibration.estimates import calibrate
from data_catalog.calibration.market_orders import market_orders
from data_catalog.calibration.market_window import load_window
from data_catalog.calibration.svg_chart import Axis, Point, Series, chart
from data_catalog.columns import BUYER, SELLER, Quotes, Trades
from data_catalog.commands.calibrate import command
from data_catalog.commands.import_files import command as import_command
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from data_catalog.synth import SyntheticMarket, market_model, write_synthetic_market

SYN = "SYNUSDT-PERP.BINANCE"
NEXO = find_instrument("NEXOUSDT.BINANCE")
START_NS = 1_721_749_182_000_000_000
MS = 1_000_000
RECORDED = Origin("recorded")
MARKET = SyntheticMarket(hours=0.5, market_orders_per_s=2.0, depth_decay_per_bps=0.3)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("calibrate") / "catalog"
    write_synthetic_market(folder, MARKET)
    return folder


@pytest.fixture(scope="module")
def found(synthetic) -> dict:
    result = run(synthetic, SYN, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def run(catalog: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["--catalog", str(catalog), *arguments])


def refusal(catalog: Path, *arguments: str) -> str:
    result = run(catalog, *arguments)
    assert isinstance(result.exception, BadInput), result.output
    assert "\n" not in str(result.exception)
    assert result.stdout == ""
    return str(result.exception)


def nexo_catalog(folder: Path, quotes: list[tuple], trades: list[tuple], origin: Origin = RECORDED) -> Path:
    """Write quotes (ms, bid, ask) and trades (ms, price, buyer) in ticks."""
    times, bid, ask = (np.array(column) for column in zip(*quotes, strict=True))
    when = START_NS + np.rint(times * MS).astype(np.int64)
    sizes = np.full(len(when), 500)
    with CatalogWriter(folder) as writer:
        writer.quotes(NEXO, Quotes(bid, ask, sizes, sizes, when, when), origin)
        if trades:
            times, price, buyer = (np.array(column) for column in zip(*trades, strict=True))
            when = START_NS + np.rint(times * MS).astype(np.int64)
            sides = np.where(buyer, BUYER, SELLER).astype(np.uint8)
            ids = np.arange(len(when))
            writer.trades(NEXO, Trades(price, np.full(len(when), 5_000), sides, ids, when, when), RECORDED)
    return folder


# -- What it finds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ["mle", "wls", "ols", "poisson"])
def test_a_and_k_of_the_generator_lie_within_four_standard_errors(found, estimator):
    fit = found["intensity"]["fits"][estimator]
    assert abs(fit["intensity_a"] - 2.0) < 4 * fit["intensity_a_error"]
    assert abs(fit["kappa_per_bps"] - 0.3) < 4 * fit["kappa_per_bps_error"]
    assert fit["kappa_per_bps_error"] < 0.1 * 0.3


def test_intervals_hold_the_truth_and_errors_match_them(found):
    intensity = found["intensity"]
    for name, truth in (("intensity_a", 2.0), ("kappa_per_bps", 0.3)):
        low, high = intensity[f"{name}_ci95"]
        assert low < truth < high
        # Arrivals are independent here, so that resampled stretches of time say what the formulas say.
        assert (high - low) / 3.92 == pytest.approx(intensity["fits"]["mle"][f"{name}_error"], rel=0.35)


def test_volatility_is_that_of_the_generator(found):
    sigmas = {sigma["name"]: sigma for sigma in found["sigma"]}
    truth = market_model(MARKET).shown_sigma_bps_per_sqrt_s
    for name in ("realised", "bipower", "two_scale"):
        low, high = sigmas[name]["bps_per_sqrt_s_ci95"]
        assert truth == pytest.approx(sigmas[name]["bps_per_sqrt_s"], abs=2 * (high - low))
    assert set(sigmas) > {"parkinson", "garman_klass", "rogers_satchell", "yang_zhang", "realised_ticks"}
    # The touch shows the nearest tick, which adds flicker to every move.
    assert sigmas["realised_ticks"]["bps_per_sqrt_s"] > truth
    yearly = sigmas["two_scale"]["bps_per_sqrt_s"] * math.sqrt(31_536_000) / 100
    assert sigmas["two_scale"]["annualised_pct"] == pytest.approx(yearly, rel=1e-12)


def test_market_orders_know_what_the_generator_told_them(found):
    impact = MARKET.informed_pct / 100 * MARKET.impact_bps
    one_second = found["adverse_selection"][0]
    low, high = one_second["impact_bps_ci95"]
    assert one_second["impact_bps"] == pytest.approx(impact, abs=high - low)
    total = one_second["impact_bps"] + one_second["realised_half_spread_bps"]
    assert one_second["informed_share"] == pytest.approx(one_second["impact_bps"] / total, rel=1e-9)
    assert [one["horizon_secs"] for one in found["adverse_selection"]] == [
        1,
        5,
        30,
        60,
    ]  # half an hour has too few stretches of 300 s


def test_spread_and_trades_are_those_of_the_generator(found):
    assert found["spread"]["mean_ticks"] == pytest.approx(4.0)
    assert found["spread"]["one_tick_pct"] == 0.0
    assert found["trades"]["orders_per_hour"] == pytest.approx(4 * 3600, rel=0.05)
    assert found["trades"]["trades_per_order"] == pytest.approx(1.0, abs=0.01)
    assert found["trades"]["mean_qty"] == pytest.approx(5.0, rel=0.1)
    assert found["trades"]["dispersion"] == pytest.approx(1.0, abs=0.4)
    assert found["synthetic"] is True
    assert found["first_mid"] == pytest.approx(100.0, rel=0.001)


def test_a_quote_at_each_depth_earns_what_is_left(found):
    for one in found["by_depth"]:
        left = one["depth_bps"] - one["impact_bps"] - found["maker_fee_bps"]
        assert one["earned_bps"] == pytest.approx(left, rel=1e-9)
        reached = 2.0 * 3600 * math.exp(-0.3 * one["depth_bps"])
        assert one["per_hour"] == pytest.approx(reached, rel=5 / math.sqrt(one["orders"]) + 0.02)


def test_depth_from_which_to_fit_can_be_chosen(synthetic):
    intensity = json.loads(run(synthetic, SYN, "--json", "--from-bps", "5").stdout)["intensity"]
    assert intensity["from_bps"] == pytest.approx(5.0, rel=0.01)
    fit = intensity["fits"]["mle"]
    assert abs(fit["kappa_per_bps"] - 0.3) < 4 * fit["kappa_per_bps_error"]
    assert abs(fit["intensity_a"] - 2.0) < 4 * fit["intensity_a_error"]


def test_only_the_time_asked_for_counts(synthetic):
    document = json.loads(
        run(synthetic, SYN, "--json", "--start", "2026-01-01T00:05:00Z", "--end", "2026-01-01 00:15").stdout
    )
    assert document["seconds"] == pytest.approx(600, abs=1)
    assert document["start"] >= "2026-01-01T00:05:00"


def test_tables_say_it_in_words(synthetic):
    text = run(synthetic, SYN).stdout
    for words in (f"{SYN}, 2026-01-01T00:00:00Z", "synthetic", "two-scale", "maximum likelihood", "informed share"):
        assert words in text
    assert "Warning: 30.0 min of data tell little about any other time." in text


# -- How trades become market orders -----------------------------------------------------------------------------------


def busy_market(quote_lead_ms: float, minutes: int = 4) -> tuple[list, list]:
    """
    Return a market whose every fourth order takes three levels in three trades and moves the touch.

    The touch is received as moved `quote_lead_ms` before the trade that moved it.
    """
    quotes, trades = [(0.0, 1214, 1215)], []
    bid = 1214
    for i in range(minutes * 60 * 4):
        time, buyer = 100.0 + 250.0 * i, i % 8 < 4
        side, touch = (1, bid + 1) if buyer else (-1, bid)
        levels = 3 if i % 4 == 3 else 1
        trades += [(time + 0.2 * level, touch + side * level, buyer) for level in range(levels)]
        if levels > 1:
            bid += 2 * side
            quotes.append((time - quote_lead_ms, bid, bid + 1))
    return quotes, trades


@pytest.mark.parametrize(("lead_ms", "lag_ms"), [(-1.0, 0), (0.5, 1), (1.5, 2), (7.0, 10)])
def test_trades_of_one_order_are_one_and_met_the_touch_before_it(tmp_path, lead_ms, lag_ms):
    window = load_window(nexo_catalog(tmp_path, *busy_market(lead_ms)), str(NEXO.id), None, None)
    orders = market_orders(window)
    assert orders.lag_ns == lag_ms * MS
    assert len(orders) == 4 * 60 * 4
    assert orders.half_ticks.tolist() == [1, 1, 1, 5] * (len(orders) // 4)
    assert orders.trades.tolist() == [1, 1, 1, 3] * (len(orders) // 4)
    assert orders.qty.tolist() == [50.0, 50.0, 50.0, 150.0] * (len(orders) // 4)
    assert np.mean(orders.paid) == pytest.approx((3 * 0.5 + 1.5) / 4)


def test_what_that_market_is_like(tmp_path):
    found = calibrate(load_window(nexo_catalog(tmp_path, *busy_market(-1.0)), str(NEXO.id), None, None))
    assert found.trades.beyond_touch_pct == 25.0
    assert found.trades.trades_per_order == 1.5
    assert found.spread.one_tick_pct == pytest.approx(100.0)
    # A quarter of the orders goes two steps on: k = ln(1 + 4/2) per tick beyond the touch.
    assert found.flow.best.kappa * found.window.tick_bps == pytest.approx(math.log(3), rel=1e-9)
    assert found.flow.best.intensity_a == pytest.approx(2 * math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(
    ("ticks_from_mid", "begins_at"), [(lambda i, draw: draw if i % 20 else 0, 1.0), (lambda i, draw: draw - 1, 0.0)]
)
def test_fit_begins_where_quotes_stand_unless_trades_inside_them_are_common(tmp_path, ticks_from_mid, begins_at):
    quotes = [(1_000.0 * second, 1214 + second % 2, 1216 + second % 2) for second in range(240)]
    draws = np.random.default_rng(1).geometric(0.6, 960).tolist()
    trades = [(250.0 * i + 100, 1215 + i // 4 % 2 + ticks_from_mid(i, draw), True) for i, draw in enumerate(draws)]
    found = calibrate(load_window(nexo_catalog(tmp_path, quotes, trades), str(NEXO.id), None, None))
    assert found.flow.from_bps / found.window.tick_bps == pytest.approx(begins_at)
    assert found.flow.best.kappa * found.window.tick_bps == pytest.approx(-math.log(0.4), rel=0.15)


# -- What it refuses ---------------------------------------------------------------------------------------------------


def still_market(minutes: int = 4) -> tuple[list, list]:
    """Return a market of one tick that moves up and down, whose orders all stop at the touch."""
    seconds = range(minutes * 60)
    return [(1_000.0 * s, 1214 + s % 2, 1215 + s % 2) for s in seconds], [
        (1_000.0 * s + 500, 1215 + s % 2, True) for s in seconds
    ]


def frozen_market() -> tuple[list, list]:
    _, trades = still_market()
    return [(0.0, 1214, 1215), (240_000.0, 1214, 1215)], [(time, 1215, True) for time, _, _ in trades]


@pytest.mark.parametrize(
    ("market", "arguments", "message"),
    [
        (still_market(), (), r"240 market orders only 0 went deeper .* spread is one tick \(8.2 bps\) before 100 %"),
        (frozen_market(), (), r"the mid moved only 0 times"),
        ((still_market()[0], still_market()[1][:99]), (), r"99 market orders .* in 4.0 min are too few: at least 100"),
        (tuple(part[:50] for part in still_market()), (), r"49.* s of NEXOUSDT.BINANCE are too short"),
        ((still_market()[0], []), (), r"no trades of NEXOUSDT.BINANCE, which a calibration needs; it has quotes"),
        (busy_market(-1.0), ("--from-bps", "30"), r"--from-bps: only 0 market orders reached 30 bps"),
        (busy_market(-1.0), ("--start", "2030-01-01"), r"no quotes .* in this time; there are some from 2024-07-23"),
        (busy_market(-1.0), ("--start", "yesterday-ish"), r'start: was "yesterday-ish", expected a UTC time such as'),
        (busy_market(-1.0), ("--start", "2024-07-24", "--end", "2024-07-23"), r"2024-07-24 is not before 2024-07-23"),
    ],
)
def test_thin_data_and_bad_times_are_refused_with_the_reason(tmp_path, market, arguments, message):
    catalog = nexo_catalog(tmp_path / "catalog", *market)
    outputs = ("--write", str(tmp_path / "setup.yaml"), "--report", str(tmp_path / "fit.html"))
    assert re.search(message, refusal(catalog, str(NEXO.id), *arguments, *outputs))
    assert [path.name for path in tmp_path.iterdir()] == ["catalog"]


def test_rebuilt_quotes_are_refused(tmp_path):
    catalog = nexo_catalog(tmp_path, *busy_market(-1.0), Origin("archive", reconstructed=True))
    assert "were rebuilt from its trades" in refusal(catalog, str(NEXO.id))


def test_unknown_instrument_and_catalog_are_refused(synthetic, tmp_path):
    assert f'did you mean "{SYN}"?' in refusal(synthetic, "SYNUSD-PERP.BINANCE")
    assert "no such catalog" in refusal(tmp_path / "none", SYN)


def test_a_setup_that_is_there_is_not_overwritten(synthetic, tmp_path):
    setup = tmp_path / "mine.yaml"
    setup.write_text("edited")
    assert "there is such a file already" in refusal(synthetic, SYN, "--write", str(setup))
    assert setup.read_text() == "edited"
    assert "there is no folder" in refusal(synthetic, SYN, "--report", str(tmp_path / "no" / "fit.html"))


# -- What it writes ----------------------------------------------------------------------------------------------------


FIGURES = {"kappa_per_bps", "min_spread_bps", "intensity_per_s", "order_qty", "half_spread_bps"}
STRATEGIES = ["avellaneda_stoikov", "glft", "fixed_spread"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_setup_is_accepted_and_holds_what_was_measured(synthetic, found, tmp_path, strategy):
    from runtime.market_data import find_market_data
    from runtime.setup.load import load_setup

    setup = tmp_path / "1e5.yaml"
    result = run(synthetic, SYN, "--write", str(setup), "--strategy", strategy)
    assert result.exit_code == 0
    assert f"Written to {setup}" in result.stdout
    loaded = load_setup(setup, [])
    assert loaded.setup.name == "1e5"
    assert [entry.instrument_id for entry in find_market_data(loaded, tmp_path).entries] == [SYN, SYN]
    config = {key: float(value) for key, value in loaded.setup.strategies[0].config.items() if key in FIGURES}
    costs = found["maker_fee_bps"] + next(
        one["impact_bps"] for one in found["adverse_selection"] if one["horizon_secs"] == 30
    )
    if strategy == "fixed_spread":
        assert config["half_spread_bps"] == pytest.approx(costs + 1 / 0.3, rel=0.5)
    else:
        kappa = found["intensity"]["kappa_per_bps"]
        assert config["kappa_per_bps"] == pytest.approx(kappa, rel=0.01)
        assert config["min_spread_bps"] == pytest.approx(2 * (1 / kappa + costs), rel=0.01)
    if strategy == "glft":
        assert config["intensity_per_s"] == pytest.approx(found["intensity"]["intensity_a"], rel=0.01)
    assert config["order_qty"] == pytest.approx(found["trades"]["median_qty"], rel=0.06)


@pytest.mark.parametrize(
    ("strategy", "lean"),
    [
        ("avellaneda_stoikov", lambda c, sigma: 10 * c["risk_aversion_per_bps"] * sigma**2 * c["horizon_secs"]),
        (
            "glft",
            lambda c, sigma: 10 * sigma * math.sqrt(
                c["risk_aversion_per_bps"] / (2 * c["kappa_per_bps"] * c["intensity_per_s"])
                * (1 + c["risk_aversion_per_bps"] / c["kappa_per_bps"])
                ** (1 + c["kappa_per_bps"] / c["risk_aversion_per_bps"])
            ),
        ),
    ],
)  # fmt: skip
def test_a_full_inventory_moves_quotes_by_the_half_spread(synthetic, found, tmp_path, strategy, lean):
    from ruamel.yaml import YAML

    run(synthetic, SYN, "--write", str(tmp_path / "s.yaml"), "--strategy", strategy)
    config = YAML(typ="safe").load(tmp_path / "s.yaml")["strategies"][0]["config"]
    sigma = next(one["bps_per_sqrt_s"] for one in found["sigma"] if one["name"] == "realised_ticks")
    assert lean(config, sigma) == pytest.approx(config["min_spread_bps"] / 2, rel=0.06)


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("calibrate") / "catalog"
    write_synthetic_market(folder, SyntheticMarket(hours=0.1))
    return folder


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_setup_runs(short, tmp_path, strategy):
    from run_backtest import command as run_backtest

    setup = tmp_path / "calibrated.yaml"
    assert run(short, SYN, "--write", str(setup), "--strategy", strategy).exit_code == 0
    result = CliRunner().invoke(run_backtest, [str(setup), "--out", str(tmp_path / "results"), "--json"])
    summary = json.loads(result.stdout)
    assert (result.exit_code, summary["setup"]) == (0, "calibrated")
    assert summary["orders"] > 0


def test_spot_setup_owns_both_sides_and_takes_the_venues_least_value(tmp_path):
    quotes, trades = busy_market(-1.0)
    catalog = nexo_catalog(tmp_path / "catalog", quotes, trades)
    setup = tmp_path / "nexo.yaml"
    assert run(catalog, str(NEXO.id), "--write", str(setup)).exit_code == 0
    text = setup.read_text()
    assert re.search(r"starting_balances: \[\d+ USDT, 750 NEXO\]", text)
    assert "order_qty: 50\n" in text
    assert "paid_in: received" in text


def test_report_is_one_page_that_needs_nothing_else(synthetic, tmp_path):
    page = tmp_path / "fit.html"
    result = run(synthetic, SYN, "--report", str(page), "--json")
    assert result.stderr == f"Written to {page}\n"
    json.loads(result.stdout)
    text = page.read_text()
    assert not re.search(r"https?://|<script|<link|src=", text)
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == 4
    for one in charts:
        numbers = [float(n) for n in re.findall(r' (?:c?[xy][12]?)="([-\d.]+)"', ET.canonicalize(one))]
        assert min(numbers) >= 0
        assert max(numbers) <= 720
    assert "synthetic" in text


# -- Charts ------------------------------------------------------------------------------------------------------------


def circles(svg: str) -> list[tuple[float, float]]:
    return [(float(c.get("cx")), float(c.get("cy"))) for c in ET.fromstring(svg).iter("circle")]


def test_points_lie_in_order_and_a_log_axis_leaves_out_what_it_cannot_show():
    points = [Point(float(x), y) for x, y in enumerate([1.0, 10.0, 0.0, 100.0])]
    places = circles(chart("t", Axis("x"), Axis("y", log=True), [Series(points)]))
    assert len(places) == 3
    (x0, y0), (x1, y1), (x3, y3) = places
    assert x0 < x1 < x3
    assert y0 - y1 == pytest.approx(y1 - y3, abs=0.2)


def test_a_single_point_and_names_that_need_escaping():
    svg = chart(
        "<t>", Axis("", names=["a & b"]), Axis("y"), [Series([Point(0.0, 5.0, 4.0, 6.0, "x < y")], label="<l>")]
    )
    texts = [element.text for element in ET.fromstring(svg).iter()]
    assert "x < y" in texts
    assert "<l>" in texts


# -- Recorded markets --------------------------------------------------------------------------------------------------


def recorded(shared_data: Path, folder: Path, files: str, instrument: str) -> dict:
    """Import the quotes and trades of recordings, without the books, which take long, and calibrate."""
    parts = []
    for path in sorted(shared_data.glob(files)):
        parts.append(folder / path.name)
        lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        kept = [line for line in lines if b"@bookTicker" in line or b"@trade" in line]
        parts[-1].write_bytes(gzip.compress(b"".join(kept), 1))
    arguments = [*map(str, parts), "--instrument", instrument, "--catalog", str(folder / "catalog")]
    assert CliRunner().invoke(import_command, arguments).exit_code == 0
    page = folder / "fit.html"
    result = run(folder / "catalog", instrument, "--json", "--report", str(page))
    assert result.exit_code == 0
    assert page.read_text().count("<svg") == 4
    return json.loads(result.stdout)


@pytest.mark.real_data
def test_recorded_spot_market_makes_sense(shared_data, tmp_path):
    found = recorded(shared_data, tmp_path, "ticks_nexousdt_spot_202407/*.gz", "NEXOUSDT.BINANCE")
    intensity, fits = found["intensity"], found["intensity"]["fits"]
    assert found["trades"]["trades"] == 12_458
    assert found["trades"]["market_orders"] == pytest.approx(5_754, rel=0.01)
    assert found["spread"]["mean_bps"] == pytest.approx(9.9, abs=0.1)
    # The flow thins out over about 5 bps, and all ways to measure it agree roughly.
    assert 4 < 1 / intensity["kappa_per_bps"] < 6.5
    assert all(fit["kappa_per_bps"] == pytest.approx(0.21, abs=0.04) for fit in fits.values())
    at_touch = intensity["intensity_a"] * math.exp(-intensity["kappa_per_bps"] * found["tick_bps"] / 2)
    assert at_touch * 2 * 3600 == pytest.approx(found["trades"]["orders_per_hour"], rel=0.1)
    assert all(0.8 < sigma["bps_per_sqrt_s"] < 2 for sigma in found["sigma"])
    assert 0.2 < found["adverse_selection"][0]["informed_share"] < 0.5
    # Who goes deep knows more, and at 10 bps a fill nothing is left at any depth.
    moves = [one["impact_bps"] for one in found["by_depth"]]
    assert moves == sorted(moves)
    assert all(one["earned_bps"] < 0 for one in found["by_depth"])


@pytest.mark.real_data
def test_recorded_perpetual_is_fitted_beyond_the_touch_and_says_what_is_thin(shared_data, tmp_path):
    found = recorded(shared_data, tmp_path, "ticks_hftbacktest_202408/usdm_btcusdt_20240808.gz", "BTCUSDT-PERP.BINANCE")
    intensity = found["intensity"]
    assert found["spread"]["one_tick_pct"] > 99
    # Almost all orders stop at the touch, 0.008 bps away, which says nothing of the depths that a maker quotes at.
    assert intensity["from_bps"] > 0.5
    assert 1 < 1 / intensity["kappa_per_bps"] < 3
    assert intensity["exponential"]
    assert found["trades"]["dispersion"] > 10
    assert any("5.7 min of data" in text for text in found["warnings"])
    assert any("bursts" in text for text in found["warnings"])
