import json

import numpy as np
import pytest
from click.testing import CliRunner

from bad_input import BadInput
from data_catalog.__main__ import data_catalog
from data_catalog.columns import Bars, Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter

NEXO = find_instrument("NEXOUSDT.BINANCE")
SYN = find_instrument("SYNUSDT-PERP.BINANCE")
BAR_TYPE = "NEXOUSDT.BINANCE-5-MINUTE-LAST-EXTERNAL"
START = 1_721_748_000_000_000_000


def run(*arguments):
    return CliRunner().invoke(data_catalog, ["list", *map(str, arguments)])


@pytest.fixture
def catalog(tmp_path):
    ts = START + np.arange(1_234, dtype=np.int64) * 1_000_000_000
    ones = np.ones(1_234, dtype=np.int64)
    quotes = Quotes(ones, ones, ones, ones, ts, ts)
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(SYN, quotes, Origin("synthetic"))
        writer.quotes(NEXO, quotes, Origin("archive", reconstructed=True))
        writer.bars(BAR_TYPE, NEXO, Bars(ones, ones, ones, ones, ones, ts, ts), Origin("klines"))
    return tmp_path


def test_the_table_shows_every_series_whole_also_where_there_is_no_terminal(catalog):
    result = run("--catalog", catalog)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    (nexo,) = (line for line in lines if line.startswith("NEXOUSDT.BINANCE quotes"))
    assert nexo.startswith("NEXOUSDT.BINANCE quotes 1,234 2024-07-23 15:20:00 2024-07-23 15:40:33")
    assert nexo.endswith(" 1 reconstructed")
    assert any(line.startswith("NEXOUSDT.BINANCE bars 5-MINUTE-LAST-EXTERNAL 1,234") for line in lines)
    assert any(line.startswith("SYNUSDT-PERP.BINANCE quotes") and line.endswith(" 1 synthetic") for line in lines)
    assert any(line.startswith("3 series") for line in lines)


def test_json_has_every_field(catalog):
    entries = json.loads(run("--catalog", catalog, "--json").stdout)
    quotes, bars, synthetic = entries
    assert (quotes["instrument_id"], quotes["rows"], quotes["reconstructed"]) == ("NEXOUSDT.BINANCE", 1_234, True)
    assert (quotes["first"], quotes["first_ns"]) == ("2024-07-23T15:20:00.000000000Z", START)
    assert (bars["data_type"], bars["bar_type"], quotes["bar_type"]) == ("bars", BAR_TYPE, None)
    assert synthetic["synthetic"]
    assert all(entry["bytes_on_disk"] > 0 and entry["files"] == 1 and entry["fingerprint"] for entry in entries)


def test_help_shows_an_example():
    result = run("--help")
    assert result.exit_code == 0
    assert "python -m data_catalog list --catalog my_catalog --json" in result.stdout


@pytest.mark.parametrize("name", [".", "none"])
def test_nothing_to_list_is_bad_input(tmp_path, name):
    result = run("--catalog", tmp_path / name)
    assert isinstance(result.exception, BadInput)
    assert result.stdout == ""
