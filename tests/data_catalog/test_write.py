from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.core.nautilus_pyo3 import DataBackendSession, NautilusDataType, drop_cvec_pycapsule
from nautilus_trader.model.data import (
    Bar,
    BarType,
    BookOrder,
    FundingRateUpdate,
    OrderBookDelta,
    QuoteTick,
    TradeTick,
    capsule_to_list,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog

import data_catalog.store.staged_file
import data_catalog.store.write
from bad_input import BadInput
from data_catalog.columns import Bars, Deltas, FundingRates, Quotes, Trades
from data_catalog.instruments import find_instrument, synthetic_perpetual
from data_catalog.store.fixed_point import fixed_point
from data_catalog.store.origin import Origin, Source, record_of
from data_catalog.store.write import CatalogWriter

NEXO = find_instrument("NEXOUSDT.BINANCE")
BTC = find_instrument("BTCUSDT-PERP.BINANCE")
BAR_TYPE = "NEXOUSDT.BINANCE-1-MINUTE-LAST-EXTERNAL"
START = 1_721_750_400_000_000_000
RECORDED = Origin("recorded", sources=[Source("nexo.gz", "a" * 64)], notes={"dropped": 3})
OTHER = Origin("recorded", sources=[Source("other.gz", "b" * 64)])


def times(rows: int, start: int = START) -> np.ndarray:
    return start + np.arange(rows, dtype=np.int64) * 1_000


def times_in_threes(rows: int, start: int = START) -> np.ndarray:
    return start + np.arange(rows, dtype=np.int64) // 3 * 1_000


def quotes(rows: int = 50, start: int = START) -> Quotes:
    n = np.arange(rows, dtype=np.int64)
    return Quotes(1_000 + n, 1_001 + n, 1 + n, 2 * n, times(rows, start), times(rows, start))


def trades(rows: int = 50, start: int = START) -> Trades:
    n = np.arange(rows, dtype=np.int64)
    side = (1 + n % 2).astype(np.uint8)
    return Trades(1_000 + n, 1 + n, side, 10**12 + n, times(rows, start), times(rows, start))


def deltas(rows: int = 50, start: int = START) -> Deltas:
    n = np.arange(rows, dtype=np.int64)
    action = np.where(n == 0, BookAction.CLEAR, 1 + n % 3).astype(np.uint8)
    side = np.where(n == 0, 0, 1 + n % 2).astype(np.uint8)
    price, size = np.where(n == 0, 0, 1_000 + n), np.where(action == BookAction.DELETE, 0, n)
    flags = np.where(n % 3 == 2, 128, 0).astype(np.uint8)
    ts = times_in_threes(rows, start)
    return Deltas(action, side, price, size, flags, n, ts, ts)


def bars(rows: int = 50, start: int = START) -> Bars:
    n = np.arange(rows, dtype=np.int64)
    ts = start + n * 60_000_000_000
    return Bars(1_000 + n, 1_010 + n, 990 + n, 1_005 + n, n * 7, ts, ts)


def funding_rates() -> FundingRates:
    ts = START + np.arange(3, dtype=np.int64) * 28_800_000_000_000
    return FundingRates(np.array([10**12, -3 * 10**11, 0], dtype=np.int64), ts, ts)


def engine_objects(columns, instrument) -> list:
    """The same rows built one by one with the engine's constructors."""
    id_, pp, sp = instrument.id, instrument.price_precision, instrument.size_precision

    def price(count) -> Price:
        return Price.from_str(f"{Decimal(int(count)).scaleb(-pp):.{pp}f}")

    def size(count) -> Quantity:
        return Quantity.from_str(f"{Decimal(int(count)).scaleb(-sp):.{sp}f}")

    rows = zip(*(getattr(columns, name).tolist() for name in columns.__slots__), strict=True)
    match columns:
        case Quotes():
            return [QuoteTick(id_, price(b), price(a), size(bs), size(az), e, i) for b, a, bs, az, e, i in rows]
        case Trades():
            return [
                TradeTick(id_, price(p), size(s), AggressorSide(side), TradeId(str(tid)), e, i)
                for p, s, side, tid, e, i in rows
            ]
        case Deltas():
            return [
                OrderBookDelta(
                    id_, BookAction(action), BookOrder(OrderSide(side), price(p), size(s), 0), flags, seq, e, i
                )
                for action, side, p, s, flags, seq, e, i in rows
            ]
        case Bars():
            bar_type = BarType.from_str(BAR_TYPE)
            return [
                Bar(bar_type, price(o), price(h), price(lo), price(c), size(v), e, i) for o, h, lo, c, v, e, i in rows
            ]
        case FundingRates():
            return [FundingRateUpdate(id_, Decimal(r).scaleb(-16), e, i) for r, e, i in rows]


def dicts(objects: list) -> list[dict]:
    return [type(item).to_dict(item) for item in objects]


def read_by_session(kind: NautilusDataType, path: Path) -> list:
    session = DataBackendSession(7)
    session.add_file(kind, "rows", str(path), "SELECT * FROM rows ORDER BY ts_init")
    found = []
    for capsule in session.to_query_result():
        found += capsule_to_list(capsule)
        drop_cvec_pycapsule(capsule)
    return found


def write_all(catalog: Path, origin: Origin = RECORDED, *, replace: bool = False, start: int = START) -> CatalogWriter:
    with CatalogWriter(catalog, replace=replace) as writer:
        writer.quotes(NEXO, quotes(start=start), origin)
        writer.trades(NEXO, trades(start=start), origin)
        writer.deltas(NEXO, deltas(start=start), origin)
        writer.bars(BAR_TYPE, NEXO, bars(start=start), origin)
    return writer


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@given(
    counts=st.lists(st.integers(-(2**63), 2**63 - 1)),
    precision=st.integers(0, 16),
)
def test_fixed_point_is_exact(counts, precision):
    values = fixed_point(np.array(counts, dtype=np.int64), precision).to_pylist()
    assert [int.from_bytes(value, "little", signed=True) for value in values] == [
        count * 10 ** (16 - precision) for count in counts
    ]


def test_fixed_point_is_exact_across_blocks():
    counts = np.random.default_rng(1).integers(-(10**12), 10**12, 20_000)
    values = fixed_point(counts, 3).to_pylist()
    assert [int.from_bytes(value, "little", signed=True) for value in values] == [int(n) * 10**13 for n in counts]


@pytest.mark.parametrize("precision", [-1, 17])
def test_fixed_point_refuses_decimals_the_engine_lacks(precision):
    with pytest.raises(ValueError, match=str(precision)):
        fixed_point(np.zeros(1, dtype=np.int64), precision)


@pytest.mark.parametrize(
    ("columns", "data_cls", "kind"),
    [
        (quotes(), QuoteTick, NautilusDataType.QuoteTick),
        (trades(), TradeTick, NautilusDataType.TradeTick),
        (deltas(), OrderBookDelta, NautilusDataType.OrderBookDelta),
        (bars(), Bar, NautilusDataType.Bar),
    ],
)
def test_both_readers_of_the_engine_return_the_rows_that_its_own_writer_would_have_stored(
    tmp_path, columns, data_cls, kind
):
    own, reference = tmp_path / "own", tmp_path / "reference"
    write_all(own)
    reference.mkdir()
    objects = engine_objects(columns, NEXO)
    ParquetDataCatalog(str(reference)).write_data(objects)
    expected = dicts(ParquetDataCatalog(str(reference)).query(data_cls))
    (path,) = (own / "data").glob(f"{next((reference / 'data').iterdir()).name}/*/*.parquet")
    assert dicts(ParquetDataCatalog(str(own)).query(data_cls)) == expected
    assert dicts(read_by_session(kind, path)) == expected
    if data_cls is not OrderBookDelta:  # the engine itself does not keep the decimals of a CLEAR
        assert expected == dicts(objects)


def test_files_are_named_and_laid_out_as_the_engine_does(tmp_path):
    own, reference = tmp_path / "own", tmp_path / "reference"
    write_all(own)
    reference.mkdir()
    catalog = ParquetDataCatalog(str(reference))
    catalog.write_data([NEXO])
    for columns in (quotes(), trades(), deltas(), bars()):
        catalog.write_data(engine_objects(columns, NEXO))
    assert sorted(tree(own / "data")) == sorted(tree(reference / "data"))
    for name in tree(reference):
        ours, theirs = pq.read_schema(own / name), pq.read_schema(reference / name)
        assert ours.equals(theirs)
        assert ours.metadata == theirs.metadata


def test_prices_and_sizes_beyond_64_bits_of_the_engines_units_are_exact(tmp_path):
    big = Quotes(*(np.array([value], dtype=np.int64) for value in (619_991, 10**13, 10**12 + 7, 1, START, START)))
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(BTC, big, RECORDED)
    (tick,) = ParquetDataCatalog(str(tmp_path)).quote_ticks()
    found = (str(tick.bid_price), str(tick.ask_price), str(tick.bid_size), str(tick.ask_size))
    assert found == ("61999.1", "1000000000000.0", "1000000000.007", "0.001")


def test_negative_prices_survive(tmp_path):
    columns = Quotes(*(np.array([value], dtype=np.int64) for value in (-37_630, -37_620, 1, 1, START, START)))
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, columns, RECORDED)
    assert str(ParquetDataCatalog(str(tmp_path)).quote_ticks()[0].bid_price) == "-37.630"


def test_funding_rates_come_back_through_the_engines_catalog(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.funding_rates(BTC, funding_rates(), RECORDED)
    found = ParquetDataCatalog(str(tmp_path)).query(FundingRateUpdate)
    assert [(update.ts_event, update.ts_init) for update in found] == [
        (time, time) for time in funding_rates().ts_init.tolist()
    ]
    # The engine's catalog returns rates as text; data_catalog.store.stream makes them decimals again.
    assert [str(update.rate) for update in found] == ["0.0001", "-0.00003", "0"]


def test_chunks_of_one_series_become_one_file_equal_to_one_call(tmp_path, monkeypatch):
    monkeypatch.setattr(data_catalog.store.staged_file, "ROW_GROUP", 16)
    with CatalogWriter(tmp_path / "chunks") as writer:
        for start in range(0, 50, 7):
            writer.quotes(NEXO, quotes().slice(start, start + 7), RECORDED)
    with CatalogWriter(tmp_path / "whole") as writer:
        writer.quotes(NEXO, quotes(), RECORDED)
    (chunks,) = (tmp_path / "chunks" / "data" / "quote_tick").rglob("*.parquet")
    (whole,) = (tmp_path / "whole" / "data" / "quote_tick").rglob("*.parquet")
    assert chunks.name == whole.name
    assert pq.read_table(chunks).equals(pq.read_table(whole))
    assert record_of(tmp_path / "chunks", chunks).content_sha256 == record_of(tmp_path / "whole", whole).content_sha256
    assert pq.read_metadata(chunks).num_row_groups > 1


def test_pending_rows_of_many_series_are_written_out_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(data_catalog.store.write, "_PENDING_LIMIT", 2_000)
    instruments = [synthetic_perpetual(f"SYN{letter}USDT") for letter in "ABCD"]
    with CatalogWriter(tmp_path) as writer:
        for start in range(0, 50, 10):
            for instrument in instruments:
                writer.quotes(instrument, quotes().slice(start, start + 10), RECORDED)
    for path in (tmp_path / "data" / "quote_tick").rglob("*.parquet"):
        assert pq.read_metadata(path).num_row_groups > 1
        assert pq.read_metadata(path).num_rows == 50


def test_origin_and_a_hash_of_the_rows_are_kept_beside_the_data(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes().slice(0, 9), OTHER)
        writer.quotes(NEXO, quotes().slice(9, 50), RECORDED)
    (path,) = (tmp_path / "data" / "quote_tick").rglob("*.parquet")
    record = record_of(tmp_path, path)
    assert record.origin == RECORDED
    assert len(record.content_sha256) == 64


def test_the_hash_tells_different_rows_apart(tmp_path):
    hashes = set()
    for number, columns in enumerate((quotes(), quotes(49), broken(quotes(), ask_size=quotes().ask_size + 1))):
        catalog = tmp_path / str(number)
        with CatalogWriter(catalog) as writer:
            writer.quotes(NEXO, columns, RECORDED)
        (path,) = (catalog / "data" / "quote_tick").rglob("*.parquet")
        hashes.add(record_of(catalog, path).content_sha256)
    assert len(hashes) == 3


def test_the_record_of_a_file_that_another_program_replaced_is_void(tmp_path):
    write_all(tmp_path)
    (path,) = (tmp_path / "data" / "quote_tick").rglob("*.parquet")
    path.write_bytes(path.read_bytes() + b"more")
    assert record_of(tmp_path, path) is None


def test_the_instrument_is_stored_with_its_data_and_written_once(tmp_path):
    write_all(tmp_path)
    (path,) = (tmp_path / "data" / "currency_pair").rglob("*.parquet")
    before = path.stat().st_mtime_ns, path.read_bytes()
    write_all(tmp_path, start=START + 10**15)
    (stored,) = ParquetDataCatalog(str(tmp_path)).instruments()
    assert stored.to_dict(stored) == NEXO.to_dict(NEXO)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def changed_nexo(**changes):
    return type(NEXO).from_dict(NEXO.to_dict(NEXO) | changes)


def test_a_changed_definition_replaces_the_stored_one(tmp_path):
    write_all(tmp_path)
    with CatalogWriter(tmp_path) as writer:
        writer.instrument(changed_nexo(min_notional="5.00000000 USDT", ts_init=7, ts_event=7))
    (stored,) = ParquetDataCatalog(str(tmp_path)).instruments()
    assert str(stored.min_notional) == "5.00000000 USDT"


def test_decimals_cannot_change_under_stored_data(tmp_path):
    coarse = changed_nexo(price_precision=2, price_increment="0.01", min_price="0.01", max_price="1000.00")
    write_all(tmp_path)
    before = tree(tmp_path)
    with (
        pytest.raises(BadInput, match="3 decimals of price and 2 of size, the new definition has 2 and 2"),
        CatalogWriter(tmp_path) as writer,
    ):
        writer.instrument(coarse)
    assert tree(tmp_path) == before


def test_decimals_may_change_when_all_data_is_replaced(tmp_path):
    coarse = changed_nexo(price_precision=2, price_increment="0.01", min_price="0.01", max_price="1000.00")
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(), RECORDED)
    with CatalogWriter(tmp_path, replace=True) as writer:
        writer.quotes(coarse, quotes(), OTHER)
    assert str(ParquetDataCatalog(str(tmp_path)).quote_ticks()[0].bid_price) == "10.00"


def test_the_same_import_again_changes_nothing_and_says_so(tmp_path):
    first = write_all(tmp_path)
    before = tree(tmp_path)
    again = write_all(tmp_path)
    assert [result.outcome for result in first.results] == ["written"] * 4
    assert [result.outcome for result in again.results] == ["unchanged"] * 4
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("origin", "start"),
    [
        (OTHER, START),  # other files, same interval
        (RECORDED, START + 2_000),  # same files, another interval
        (Origin("recorded", reconstructed=True, sources=RECORDED.sources), START),
        (Origin("synthetic", notes={"seed": 1}), START),
    ],
)
def test_an_overlap_is_refused_naming_both_and_nothing_changes(tmp_path, origin, start):
    write_all(tmp_path)
    before = tree(tmp_path)
    with pytest.raises(BadInput, match=r"quotes 2024-07-23T16:00:00.*overlap with stored .*\(nexo\.gz\); --replace"):
        write_all(tmp_path, origin, start=start)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("columns", [quotes(40_000), trades(40_000)])
def test_rows_of_one_time_keep_their_order_by_a_nanosecond_each(tmp_path, columns):
    ts = times_in_threes(len(columns))
    columns = replace(columns, ts_event=ts, ts_init=ts)
    with CatalogWriter(tmp_path) as writer:
        for start in range(0, len(columns), 1_001):  # chunks that part rows of one time
            part = columns.slice(start, start + 1_001)
            (writer.quotes if isinstance(columns, Quotes) else writer.trades)(NEXO, part, RECORDED)
    catalog = ParquetDataCatalog(str(tmp_path))
    ticks = catalog.quote_ticks() if isinstance(columns, Quotes) else catalog.trade_ticks()
    n = np.arange(len(columns))
    assert [tick.ts_init for tick in ticks] == list(ts + n % 3)
    assert [tick.ts_event for tick in ticks] == list(ts + n % 3)
    first = columns.bid_price if isinstance(columns, Quotes) else columns.price
    prices = [tick.bid_price if isinstance(columns, Quotes) else tick.price for tick in ticks]
    assert [price.raw // NEXO.price_increment.raw for price in prices] == list(first)


def test_intervals_that_touch_overlap(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(3), RECORDED)
    with pytest.raises(BadInput, match="overlap"), CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(3, START + 2_000), OTHER)
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(3, START + 2_001), OTHER)
    assert len(ParquetDataCatalog(str(tmp_path)).quote_ticks()) == 6


def test_replace_takes_the_place_of_every_overlapping_file(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(30, START), RECORDED)
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(30, START + 10**6), RECORDED)
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(30, START + 10**9), RECORDED)
    with CatalogWriter(tmp_path, replace=True) as writer:
        writer.quotes(NEXO, quotes(12, START + 9_000), OTHER)
        writer.quotes(NEXO, quotes(12, START + 10**6), OTHER)
    assert writer.results[0].outcome == "replaced"
    stored = [tick.ts_init for tick in ParquetDataCatalog(str(tmp_path)).quote_ticks()]
    new = [*times(12, START + 9_000), *times(12, START + 10**6)]
    assert stored == [*new, *times(30, START + 10**9)]


def test_generated_markets_are_the_same_when_all_their_notes_are(tmp_path):
    for _ in range(2):
        with CatalogWriter(tmp_path) as writer:
            writer.quotes(NEXO, quotes(), Origin("synthetic", notes={"seed": 1, "volatility_bps": 2.5}))
    assert writer.results[0].outcome == "unchanged"
    with pytest.raises(BadInput, match="synthetic data"), CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(), Origin("synthetic", notes={"seed": 2, "volatility_bps": 2.5}))


def test_files_of_other_programs_are_not_overwritten(tmp_path):
    ParquetDataCatalog(str(tmp_path)).write_data(engine_objects(quotes(), NEXO))
    with pytest.raises(BadInput, match="written by another program"):
        write_all(tmp_path)


def broken(columns, **changes):
    return type(columns)(*(changes.get(name, getattr(columns, name)) for name in columns.__slots__))


@pytest.mark.parametrize(
    ("call", "columns", "message"),
    [
        ("quotes", broken(quotes(), ts_init=quotes().ts_init[::-1]), "quotes ts_init decreases"),
        ("quotes", broken(quotes(), ts_event=-quotes().ts_event), "quotes ts_event has a row with -17"),
        ("quotes", broken(quotes(), bid_size=quotes().bid_size - 2), "quotes bid_size has a row with -1"),
        ("quotes", broken(quotes(), ask_price=quotes().ask_price + 10**17), "quotes ask_price is larger"),
        ("trades", broken(trades(), size=trades().size - 1), "trades size has a row with 0"),
        ("trades", broken(trades(), aggressor=np.full(50, 3, np.uint8)), "trades aggressor has codes outside 0 to 2"),
        ("deltas", broken(deltas(), action=np.zeros(50, np.uint8)), "deltas action has codes outside 1 to 4"),
        ("deltas", broken(deltas(), sequence=-deltas().sequence), "deltas sequence has a row with -49"),
    ],
)
def test_rows_that_the_engine_cannot_hold_are_refused_and_nothing_is_left(tmp_path, call, columns, message):
    catalog = tmp_path / "catalog"
    with CatalogWriter(tmp_path / "other") as writer, pytest.raises(BadInput, match=message):
        getattr(writer, call)(NEXO, columns, RECORDED)
    with pytest.raises(BadInput), CatalogWriter(catalog) as writer:
        getattr(writer, call)(NEXO, columns, RECORDED)
    assert not catalog.exists()


def test_chunks_out_of_order_are_refused(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.trades(NEXO, trades().slice(30, 50), RECORDED)
        with pytest.raises(BadInput, match="decreases between chunks"):
            writer.trades(NEXO, trades().slice(0, 20), RECORDED)


def test_bars_of_another_instrument_are_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="is not one of BTCUSDT-PERP"), CatalogWriter(tmp_path) as writer:
        writer.bars(BAR_TYPE, BTC, bars(), RECORDED)


def test_no_rows_no_file(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(0), RECORDED)
    assert writer.results == []
    assert not (tmp_path / "data" / "quote_tick").exists()
