import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML
from scipy.signal import lfilter

from bad_input import BadInput
from command_line import Failed
from data_catalog.columns import Bars, Quotes
from data_catalog.commands.screen import command
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter

START_NS = 1_700_000_000 // 3600 * 3600 * 10**9
NANOS = 10**9
HOUR_NS = 3_600 * NANOS
BARS = 1_200
PAIR = {"AVAXUSDT.BINANCE", "DOTUSDT.BINANCE"}
SYMBOLS = {"ATOMUSDT": 10, "AVAXUSDT": 20, "BTCUSDT": 30_000, "DOTUSDT": 6, "ETHUSDT": 2_000, "SOLUSDT": 25}


def write_bars(catalog: Path, symbol: str, prices: np.ndarray, first: int = 0, bar: str = "1-HOUR") -> None:
    """Write bars that open, trade and close at one price, an hour each, and a quote around it just before the close."""
    instrument = find_instrument(symbol if "." in symbol else f"{symbol}.BINANCE")
    ticks = np.rint(prices / float(instrument.price_increment)).astype(np.int64)
    counts = ticks * int(instrument.price_increment.as_decimal().scaleb(instrument.price_precision))
    times = START_NS + (first + 1 + np.arange(len(prices))) * HOUR_NS
    volume = np.full(len(prices), 1_000, np.int64)
    with CatalogWriter(catalog) as writer:
        columns = Bars(counts, counts, counts, counts, volume, times, times)
        writer.bars(f"{instrument.id}-{bar}-LAST-EXTERNAL", instrument, columns, Origin("klines"))
        size = np.full(len(prices), 10_000_000, np.int64)
        tick = counts[0] // ticks[0]
        quotes = Quotes(counts - tick, counts + tick, size, size, times - NANOS, times - NANOS)
        writer.quotes(instrument, quotes, Origin("klines"))


def log_prices() -> dict[str, np.ndarray]:
    """Return walks, and DOT that follows AVAX: ln DOT = 0.7 ln AVAX + a gap with a half-life of 8 hours."""
    rng = np.random.default_rng(5)
    steps = rng.normal(0, 0.004, (BARS, len(SYMBOLS)))
    paths = {name: math.log(price) + steps[:, i].cumsum() for i, (name, price) in enumerate(SYMBOLS.items())}
    b = 0.5 ** (1 / 8)
    gap = lfilter([1.0], [1.0, -b], rng.normal(0, 0.01 * math.sqrt(1 - b * b), BARS))
    paths["DOTUSDT"] = 0.7 * paths["AVAXUSDT"] + gap
    return paths


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("screen") / "catalog"
    for symbol, path in log_prices().items():
        write_bars(folder, symbol, np.exp(path))
    return folder


def run(catalog: Path, *words: object) -> Result:
    return CliRunner().invoke(command, [*(str(word) for word in words), "--catalog", str(catalog)])


def done(catalog: Path, *words: object) -> str:
    result = run(catalog, *words)
    assert result.exception is None, result.exception
    return result.stdout


def refused(catalog: Path, *words: object) -> str:
    result = run(catalog, *words)
    assert isinstance(result.exception, BadInput), (result.exception, result.output)
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_the_pair_is_found_confirmed_and_measured(catalog):
    found = json.loads(done(catalog, "--json"))
    assert found["formation"]["bars"] == found["confirmation"]["bars"] == BARS // 2
    counts = [step["pairs"] for step in found["funnel"]]
    assert (counts[0], counts[-1]) == (15, 1)
    assert counts == sorted(counts, reverse=True)
    (survivor,) = (pair for pair in found["pairs"] if pair["outcome"] == "confirmed")
    assert {survivor["leg_y"], survivor["leg_x"]} == PAIR
    assert survivor["beta"] == pytest.approx(0.7 if survivor["leg_y"] == "DOTUSDT.BINANCE" else 1 / 0.7, rel=0.1)
    assert 4 * 3_600 < survivor["half_life_secs"] < 16 * 3_600
    # 10 bps of fee and half a tick (0.001 of 6 and 0.01 of 20), in and out, leg x times the ratio.
    assert survivor["cost"] == pytest.approx(2 * (1 + survivor["beta"]) * 0.0011, rel=0.15)


def test_the_table_says_what_was_done(catalog):
    text = done(catalog)
    assert "6 instruments, bars of 1-hour: pairs chosen on 600 bars, 2023-11-14T23:00:00Z to" in text
    assert "AVAXUSDT" in text
    assert "up to 0.75 of 15 would pass their own test at 0.05 by chance" in text


def test_the_page_shows_every_pair_and_needs_no_network(catalog, tmp_path):
    page = tmp_path / "pairs.html"
    done(catalog, "--report", page, "--json", "--level", 0.4, "--correction", "none")
    text = page.read_text()
    assert text.count("<svg") >= 2
    assert re.search(r'class="s\d framed"', text)
    assert "http" not in text.replace("http-equiv", "")


@pytest.fixture
def setup_of(catalog, tmp_path):
    def write(*words: object) -> dict:
        file = tmp_path / "my pairs.yaml"
        done(catalog, "--write", file, *words)
        return YAML(typ="safe", pure=True).load(file.read_text())

    return write


def test_a_setup_is_written_for_the_survivors(setup_of):
    setup = setup_of("--notional-quote", 500)
    assert setup["name"] == "my_pairs"
    assert set(setup["instruments"]) == PAIR
    (strategy,) = setup["strategies"]
    config, pair = strategy["config"], strategy["config"]["pair"]
    assert strategy["path"] == "strategies.pairs:Pairs"
    assert {pair["leg_y"], pair["leg_x"]} == PAIR
    assert (pair["sample_interval_secs"], pair["hedge_ratio"], config["notional_quote"]) == (3_600, "fixed", 500)
    assert config["exit_z"] < 1 <= config["entry_z"] < config["stop_z"]
    assert 4 * 4 * 3_600 < config["max_holding_secs"] < 4 * 16 * 3_600
    assert pair["lookback"] == pytest.approx(30 * config["max_holding_secs"] / 4 / 3_600, abs=1)
    assert str(config["trade_after"]) == "2024-01-03 22:00:01+00:00"
    assert {text.split()[1] for text in setup["backtest"]["starting_balances"]} == {"USDT", "AVAX", "DOT"}


def test_a_written_setup_runs_and_trades_both_legs_after_what_the_screen_saw(catalog, setup_of, tmp_path):
    from runtime.backtest import run_backtest
    from runtime.prepare import prepare_backtest
    from runtime.setup.load import load_setup

    setup_of("--no-confirmation", "--end", "2023-12-10T00:00:00Z")
    run = run_backtest(prepare_backtest(load_setup(tmp_path / "my pairs.yaml"), tmp_path))
    unseen_ns = pd.Timestamp("2023-12-10T00:00:01Z").value
    assert {fill.instrument for fill in run.ledger.fills} == PAIR
    assert min(fill.ts_ns for fill in run.ledger.fills) >= unseen_ns
    assert run.orders.denied == 0


def test_without_confirmation_all_bars_choose_and_the_setup_says_so(catalog, setup_of, tmp_path):
    setup = setup_of("--no-confirmation", "--end", "2023-12-20")
    assert "Not confirmed" in (tmp_path / "my pairs.yaml").read_text()
    assert str(setup["strategies"][0]["config"]["trade_after"]) == "2023-12-20 00:00:01+00:00"
    assert str(setup["backtest"]["start"]) < "2023-12-20"
    found = json.loads(done(catalog, "--no-confirmation", "--json"))
    assert (found["confirmation"], found["formation"]["bars"]) == (None, BARS)
    assert "selected" in {pair["outcome"] for pair in found["pairs"]}


def test_perpetuals_have_a_margin_account(tmp_path):
    catalog, file, paths = tmp_path / "catalog", tmp_path / "perp.yaml", log_prices()
    write_bars(catalog, "ETHUSDT-PERP.BINANCE", np.exp(paths["ETHUSDT"]))
    write_bars(
        catalog, "BTCUSDT-PERP.BINANCE", 30 * np.exp(paths["ETHUSDT"] + paths["DOTUSDT"] - 0.7 * paths["AVAXUSDT"])
    )
    done(catalog, "--write", file)
    backtest = YAML(typ="safe", pure=True).load(file.read_text())["backtest"]
    assert [text.split()[1] for text in backtest["starting_balances"]] == ["USDT"]
    assert backtest["fees"] == {"maker_bps": 2, "taker_bps": 5}
    assert backtest["leverage"] == 5


def test_nothing_is_written_when_no_pair_survives(catalog, tmp_path):
    file = tmp_path / "none.yaml"
    result = run(catalog, "--write", file, "--fee-bps", 500)
    assert isinstance(result.exception, Failed)
    assert "No pair survived." in result.stdout
    assert not file.exists()


def test_only_the_most_traded_are_screened(catalog):
    found = json.loads(done(catalog, "--most-traded", 2, "--json"))
    assert found["instruments"] == ["BTCUSDT.BINANCE", "SOLUSDT.BINANCE"]
    assert "not among the 2 most traded" in found["left_out"]["ETHUSDT.BINANCE"]


def test_what_lists_late_or_is_quoted_in_another_currency_is_left_out(tmp_path):
    catalog, paths = tmp_path / "catalog", log_prices()
    for name in ("AVAXUSDT", "DOTUSDT"):
        write_bars(catalog, name, np.exp(paths[name]))
    write_bars(catalog, "SOLUSDT", np.exp(paths["SOLUSDT"][300:]), first=300)
    write_bars(catalog, "IOTABTC", np.exp(paths["SOLUSDT"]) * 1e-6)
    found = json.loads(done(catalog, "--json"))
    assert set(found["instruments"]) == PAIR
    assert "900 of 1,200 bars, the first at 2023-11-27" in found["left_out"]["SOLUSDT.BINANCE"]
    assert found["left_out"]["IOTABTC.BINANCE"] == "quoted in BTC"


def test_missing_bars_cost_only_themselves(tmp_path):
    catalog, paths = tmp_path / "catalog", log_prices()
    write_bars(catalog, "AVAXUSDT", np.exp(paths["AVAXUSDT"]))
    write_bars(catalog, "DOTUSDT", np.exp(paths["DOTUSDT"][:590]))
    write_bars(catalog, "DOTUSDT", np.exp(paths["DOTUSDT"][600:]), first=600)
    found = json.loads(done(catalog, "--json"))
    assert found["formation"]["bars"] + found["confirmation"]["bars"] == BARS - 10
    assert found["pairs"][0]["outcome"] == "confirmed"


def test_the_same_price_twice_is_no_pair(tmp_path):
    catalog, paths = tmp_path / "catalog", log_prices()
    for name in ("AVAXUSDT", "SOLUSDT"):
        write_bars(catalog, name, np.exp(paths["AVAXUSDT"]))
    found = json.loads(done(catalog, "--json"))
    assert [step["pairs"] for step in found["funnel"][:2]] == [1, 0]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["--instrument", "AVAXUSDT.BINANCE", "--instrument", "AVAXUSDT.BINANCE"],
            '--instrument: "AVAXUSDT.BINANCE" is',
        ),
        (["--instrument", "AVAXUSDT.BINANCE"], "alone make no pair"),
        (["--instrument", "AVAXUSD.BINANCE", "--instrument", "DOTUSDT.BINANCE"], 'did you mean "AVAXUSDT.BINANCE"?'),
        (["--bar", "1-MINUTE"], '--bar: the catalog has no bars of "1-MINUTE"; it has 1-HOUR'),
        (["--end", "2023-11-20"], "to choose pairs on: 200 are needed"),
        (["--start", "2025-01-01"], "fewer than two instruments have bars of 1-HOUR at the same times"),
        (["--start", "2023-12-01", "--end", "2023-11-20"], "--start: 2023-12-01 is not before 2023-11-20"),
        (["--split", "2024-01-02"], "to confirm pairs on: 100 are needed; an earlier --split"),
        (["--split", "tomorrow"], '--split: was "tomorrow", expected a UTC time'),
        (["--split", "2023-12-01", "--no-confirmation"], "--split: goes without --no-confirmation alone"),
        (["--max-half-life-secs", "3600"], "--max-half-life-secs: half-lives of 2 bars or more and 1 bars"),
        (["--write", "there.yaml"], "there.yaml: there is such a file already"),
        (["--report", "nowhere/page.html"], "--report: there is no folder"),
    ],
)
def test_what_cannot_be_screened_is_refused_in_one_line(catalog, tmp_path, monkeypatch, words, problem):
    monkeypatch.chdir(tmp_path)
    Path("there.yaml").write_text("edited")
    written = [] if "--write" in words or "--report" in words else ["--write", "new.yaml", "--report", "new.html"]
    assert problem in refused(catalog, *words, *written)
    assert [path.name for path in tmp_path.iterdir()] == ["there.yaml"]


@pytest.mark.parametrize(
    ("second", "first", "bar", "problem"),
    [
        (
            "DOTUSDT",
            BARS,
            "1-HOUR",
            "fewer than two instruments have bars of 1-HOUR at the same times; DOTUSDT.BINANCE: 0 of",
        ),
        ("DOTUSDT", 0, "2-HOUR", "--bar: the catalog has bars of 1-HOUR, 2-HOUR: which?"),
        ("IOTABTC", 0, "1-HOUR", "no two instruments have one quote currency: AVAXUSDT.BINANCE, IOTABTC.BINANCE"),
        (None, 0, "", "bars of AVAXUSDT.BINANCE alone make no pair"),
    ],
)
def test_two_instruments_that_do_not_go_together_are_refused(tmp_path, second, first, bar, problem):
    catalog = tmp_path / "catalog"
    write_bars(catalog, "AVAXUSDT", np.full(500, 20.0))
    if second:
        write_bars(catalog, second, np.full(500, 6.0), first, bar)
    assert problem in refused(catalog)


def test_a_catalog_without_bars_is_refused(tmp_path):
    assert "no such catalog" in refused(tmp_path / "nowhere")


@pytest.mark.slow
@pytest.mark.real_data
def test_of_eight_real_coins_no_pair_survives_the_correction(shared_data, tmp_path):
    """Two of 28 pass a test of their own in the first half; 1.4 would by chance."""
    from data_catalog.commands.import_files import command as import_files

    words = [str(shared_data / "klines_e0v1e_5m_202208"), "--catalog", str(tmp_path / "c")]
    assert CliRunner().invoke(import_files, words).exception is None
    found = json.loads(done(tmp_path / "c", "--json"))
    assert [step["pairs"] for step in found["funnel"]] == [28, 28, 2, 0, 0, 0, 0, 0]
    alone = json.loads(done(tmp_path / "c", "--json", "--correction", "none"))
    assert [pair["outcome"] for pair in alone["pairs"]] == ["confirmed", "confirmed"]
