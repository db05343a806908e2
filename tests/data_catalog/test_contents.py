import dataclasses

import numpy as np
import pytest
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from bad_input import BadInput
from data_catalog.columns import Bars, FundingRates, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.store.contents import contents, load_instruments
from data_catalog.store.origin import Origin, Source
from data_catalog.store.write import CatalogWriter

NEXO = find_instrument("NEXOUSDT.BINANCE")
BTC = find_instrument("BTCUSDT-PERP.BINANCE")
BAR_TYPE = "NEXOUSDT.BINANCE-5-MINUTE-LAST-EXTERNAL"
RECORDED = Origin("recorded", sources=[Source("nexo.gz", "a" * 64)])


def quotes(first: int, rows: int = 10) -> Quotes:
    ts = first + np.arange(rows, dtype=np.int64)
    ones = np.ones(rows, dtype=np.int64)
    return Quotes(ones, 2 * ones, ones, ones, ts, ts)


def bars(first: int) -> Bars:
    ts = first + np.arange(4, dtype=np.int64)
    return Bars(*(np.ones(4, dtype=np.int64) for _ in range(5)), ts, ts)


@pytest.fixture
def catalog(tmp_path):
    ts = np.array([7, 9], dtype=np.int64)
    ones = np.ones(2, dtype=np.int64)
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(100), RECORDED)
        writer.bars(BAR_TYPE, NEXO, bars(500), Origin("klines"))
        writer.trades(BTC, Trades(ones, ones, np.ones(2, np.uint8), ts, ts, ts), Origin("synthetic", notes={"seed": 1}))
        writer.funding_rates(BTC, FundingRates(ones, ts, ts), Origin("archive"))
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(300, 5), Origin("archive", reconstructed=True))
    return tmp_path


def test_every_series_is_one_entry_summed_over_its_files(catalog):
    found = [
        (e.instrument_id, e.data_type, e.bar_type, e.rows, e.first_ns, e.last_ns, e.files) for e in contents(catalog)
    ]
    assert found == [
        ("BTCUSDT-PERP.BINANCE", "trades", None, 2, 7, 9, 1),
        ("BTCUSDT-PERP.BINANCE", "funding_rates", None, 2, 7, 9, 1),
        ("NEXOUSDT.BINANCE", "quotes", None, 15, 100, 304, 2),
        ("NEXOUSDT.BINANCE", "bars", BAR_TYPE, 4, 500, 503, 1),
    ]


def test_labels_come_from_the_origins(catalog):
    labels = {(e.instrument_id, e.data_type): (e.synthetic, e.reconstructed) for e in contents(catalog)}
    assert labels["BTCUSDT-PERP.BINANCE", "trades"] == (True, False)
    assert labels["NEXOUSDT.BINANCE", "quotes"] == (False, True)
    assert labels["NEXOUSDT.BINANCE", "bars"] == (False, False)


def test_size_is_what_the_files_take(catalog):
    (entry,) = (e for e in contents(catalog) if e.data_type == "quotes")
    assert entry.bytes_on_disk == sum(path.stat().st_size for path in catalog.glob("data/quote_tick/*/*.parquet"))


def fingerprints(catalog) -> dict:
    return {(e.instrument_id, e.data_type): e.fingerprint for e in contents(catalog)}


def test_fingerprint_follows_the_rows_and_nothing_else(tmp_path):
    changed = dataclasses.replace(quotes(100), ask_size=quotes(100).ask_size + 1)
    for name, columns, origin in (
        ("a", quotes(100), RECORDED),
        ("b", quotes(100), Origin("archive")),
        ("c", changed, RECORDED),
        ("d", quotes(101), RECORDED),
    ):
        with CatalogWriter(tmp_path / name) as writer:
            writer.quotes(NEXO, columns, origin)
    a, b, c, d = (contents(tmp_path / name)[0].fingerprint for name in "abcd")
    assert a == b
    assert len({a, c, d}) == 3


def test_files_of_other_programs_are_listed_with_a_fingerprint_of_their_own(tmp_path):
    def ticks(size: int) -> list[QuoteTick]:
        price, quantity = Price(1, 3), Quantity(size, 2)
        return [QuoteTick(NEXO.id, price, price, quantity, quantity, time, time) for time in range(5)]

    found = []
    for size in (1, 1, 2):
        folder = tmp_path / str(len(found))
        folder.mkdir()
        ParquetDataCatalog(str(folder)).write_data(ticks(size))
        found += contents(folder)
    assert [(entry.rows, entry.synthetic, entry.reconstructed) for entry in found] == [(5, False, False)] * 3
    assert found[0].fingerprint == found[1].fingerprint != found[2].fingerprint


def test_instruments_come_in_the_order_asked_for(catalog):
    found = load_instruments(catalog, ["NEXOUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"])
    assert [instrument.to_dict(instrument) for instrument in found] == [NEXO.to_dict(NEXO), BTC.to_dict(BTC)]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("NEXUSDT.BINANCE", 'did you mean "NEXOUSDT.BINANCE"'), ("X", "it has BTCUSDT-PERP.BINANCE, NEXOUSDT.BINANCE")],
)
def test_an_unknown_instrument_offers_what_there_is(catalog, asked, hint):
    with pytest.raises(BadInput, match=hint):
        load_instruments(catalog, [asked])


@pytest.mark.parametrize("read", [contents, lambda folder: load_instruments(folder, ["NEXOUSDT.BINANCE"])])
def test_a_missing_folder_is_bad_input(tmp_path, read):
    with pytest.raises(BadInput, match="no such catalog"):
        read(tmp_path / "none")


def test_an_empty_catalog_is_bad_input_and_stays_empty(tmp_path):
    with pytest.raises(BadInput, match="the catalog is empty"):
        contents(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_bad_input_naming_it(catalog):
    (path,) = catalog.glob("data/bar/*/*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match=path.name):
        contents(catalog)
