"""The gate before a run: what it finds, what it refuses, and how a refusal is overridden."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bad_input import BadInput
from data_catalog.columns import BUYER, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from reports.figures import Summary
from reports.quality_table import quality_card, quality_line
from run_backtest import command
from runtime.market_data import find_market_data
from runtime.prepare import prepare_backtest
from runtime.setup.load import load_setup

NEXO = "NEXOUSDT.BINANCE"
SECOND = 10**9
START = 1_767_225_600 * SECOND
ROWS = 1_200
SETUP = """\
name: gate
instruments: [NEXOUSDT.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: NEXOUSDT.BINANCE, order_qty: 50, max_position: 500, half_spread_bps: 20}
backtest:
  starting_balances: [5_000 USDT, 4_000 NEXO]
"""
REASON = "backtest.accept_data_because=the exchange was in maintenance then"


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def healthy() -> tuple[Quotes, Trades]:
    """Return twenty minutes of one quote and one trade a second."""
    ts = START + np.arange(ROWS) * SECOND
    bid = 1_200 + np.arange(ROWS) // 100 % 2
    size = np.full(ROWS, 100_000, np.int64)
    trades = Trades(bid, size, np.full(ROWS, BUYER, np.uint8), np.arange(ROWS), ts + 1, ts + 1)
    return Quotes(bid, bid + 2, size, size, ts, ts), trades


def replaced(columns: Any, **changes: Any) -> Any:
    return type(columns)(*(changes.get(name, getattr(columns, name)) for name in columns.__dataclass_fields__))


def at(values: np.ndarray, rows: Any, value: Any) -> np.ndarray:
    changed = values.copy()
    changed[rows] = value
    return changed


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that writes a catalog and a setup into the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "setup.yaml").write_text(SETUP)

    def write(quotes: Quotes, trades: Trades, *, reconstructed: bool = False) -> Path:
        instrument = find_instrument(NEXO)
        with CatalogWriter(tmp_path / "catalog") as writer:
            writer.quotes(instrument, quotes, Origin("recorded", reconstructed=reconstructed))
            writer.trades(instrument, trades, Origin("recorded"))
        return tmp_path

    return write


def findings(folder: Path, *overrides: str) -> list[tuple[str, str, str]]:
    data = find_market_data(load_setup(folder / "setup.yaml", overrides), folder)
    return [(found.level, found.series.removeprefix(f"{NEXO}").strip(), found.text) for found in data.quality.findings]


def test_healthy_data_are_sound(workplace: Any) -> None:
    folder = workplace(*healthy())
    quality = find_market_data(load_setup(folder / "setup.yaml"), folder).quality

    assert quality.findings == ()
    assert quality.as_dict(None)["verdict"] == "sound"
    quotes, trades = quality.series
    assert (quotes["series"], quotes["rows"], quotes["crossed"]) == (f"{NEXO} quotes", ROWS, 0)
    assert (trades["series"], trades["rows"], trades["missing"]) == (f"{NEXO} trades", ROWS, 0)
    assert quotes["longest_silence_secs"] == 1.0


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str, str]]] = {
    "a crossed quote": ({"bid_price": (5, 1_210)}, {}, ("warning", "quotes", "1 quote with the bid above the ask")),
    "crossed quotes": ({"bid_price": (slice(0, 20), 1_210)}, {}, ("fatal", "quotes", "20 quotes with the bid above")),
    "no price": ({}, {"price": (7, 0)}, ("fatal", "trades", "1 price of 0 or less")),
    "missing trades": (
        {},
        {"trade_id": (slice(600, None), 9_000 + np.arange(600))},
        ("warning", "trades", "8,400 are missing in 1 gap"),
    ),
    "trades twice": ({}, {"trade_id": (slice(4, 8), 3)}, ("warning", "trades", "4 rows stand twice")),
    "trades outside": ({}, {"price": (slice(0, 40), 1_300)}, ("warning", "", "3.3 % of the trades are outside")),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_found(workplace: Any, case: str) -> None:
    in_quotes, in_trades, expected = CASES[case]
    quotes, trades = healthy()
    quotes = replaced(quotes, **{name: at(getattr(quotes, name), *change) for name, change in in_quotes.items()})
    trades = replaced(trades, **{name: at(getattr(trades, name), *change) for name, change in in_trades.items()})

    found = findings(workplace(quotes, trades))

    assert any((level, series) == expected[:2] and text.startswith(expected[2]) for level, series, text in found), found


@pytest.mark.parametrize(("mid", "level"), [(1_230, "warning"), (2_400, "fatal")])
def test_a_quote_that_stands_alone(workplace: Any, mid: int, level: str) -> None:
    quotes, trades = healthy()
    quotes = replaced(quotes, bid_price=at(quotes.bid_price, 50, mid), ask_price=at(quotes.ask_price, 50, mid + 2))

    assert [(found[0], found[1]) for found in findings(workplace(quotes, trades))] == [(level, "quotes")]


def test_a_silence_and_trades_that_end_early(workplace: Any) -> None:
    quotes, trades = healthy()
    late = np.where(np.arange(ROWS) >= ROWS // 2, 900 * SECOND, 0)
    quotes = replaced(quotes, ts_event=quotes.ts_event + late, ts_init=quotes.ts_init + late)
    found = findings(workplace(quotes, trades.slice(0, ROWS // 2)))

    assert [(level, series) for level, series, _ in found] == [("warning", "trades"), ("warning", "")]
    assert found[0][2] == "they cover 29 % of the period"
    assert found[1][2] == "no quote and no trade for 901 s at the longest"


def test_rebuilt_quotes_are_noted(workplace: Any) -> None:
    found = findings(workplace(*healthy(), reconstructed=True))

    assert found == [("note", "quotes", "rebuilt from trades or bars, not recorded")]


def test_only_the_period_of_the_run_counts(workplace: Any) -> None:
    quotes, trades = healthy()
    folder = workplace(replaced(quotes, bid_price=at(quotes.bid_price, slice(0, 20), 1_210)), trades)

    assert findings(folder, "backtest.start=2026-01-01T00:00:20Z") == []
    assert findings(folder, "backtest.end=2026-01-01T00:00:30Z")[0][0] == "fatal"


def test_no_trades_in_the_period_are_fatal(workplace: Any) -> None:
    quotes, trades = healthy()
    folder = workplace(quotes, trades.take(ints(0, ROWS - 1)))

    period = ["backtest.start=2026-01-01T00:05:00Z", "backtest.end=2026-01-01T00:10:00Z"]
    assert ("fatal", "trades", "there are none in the period") in findings(folder, *period)


def test_a_maker_without_trades_is_warned(workplace: Any) -> None:
    folder = workplace(*healthy())
    quotes_alone = prepare_backtest(load_setup(folder / "setup.yaml", ["backtest.data=[quotes]"]), folder).warnings
    both = prepare_backtest(load_setup(folder / "setup.yaml"), folder).warnings

    assert len(quotes_alone) == len(both) + 1
    assert "no trades" in quotes_alone[-1]


def run(*options: str) -> Any:
    return CliRunner().invoke(command, ["setup.yaml", "--json", *options], standalone_mode=False)


def test_fatal_data_are_refused_and_nothing_is_written(workplace: Any) -> None:
    quotes, trades = healthy()
    folder = workplace(replaced(quotes, bid_price=at(quotes.bid_price, slice(0, 20), 1_210)), trades)

    refused = run()

    assert isinstance(refused.exception, BadInput)
    assert "20 quotes with the bid above the ask" in str(refused.exception)
    assert "accept_data_because" in str(refused.exception)
    assert not (folder / "results").exists()


def test_a_reason_runs_fatal_data_and_stands_wherever_they_are_shown(workplace: Any) -> None:
    quotes, trades = healthy()
    folder = workplace(replaced(quotes, bid_price=at(quotes.bid_price, slice(0, 20), 1_210)), trades)

    done = run("--set", REASON)

    summary = json.loads(done.stdout)
    reason = REASON.partition("=")[2]
    assert done.return_value == 0
    assert summary["data_quality"]["verdict"] == "accepted"
    assert summary["data_quality"]["accepted_because"] == reason
    assert any("bid above the ask" in warning for warning in summary["warnings"])
    page = (folder / "results" / "gate" / summary["run_id"] / "report.html").read_text()
    assert "Quality of the data" in page
    assert reason in page


def test_a_reason_for_sound_data_is_not_shown(workplace: Any) -> None:
    folder = workplace(*healthy())
    data = find_market_data(load_setup(folder / "setup.yaml", [REASON]), folder)
    shown = Summary({"data_quality": data.quality.as_dict("a reason of no use")})

    assert "reason" not in quality_card(shown) + quality_line(shown)
    assert quality_line(Summary({})) == quality_card(Summary({})) == ""
