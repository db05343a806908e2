"""Which data a backtest replays: the setup's wishes held against what the catalog has."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pandas as pd
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput, nearest_name
from data_catalog.store.contents import Entry, contents, load_instruments
from data_catalog.store.origin import Gap, counted, unrecorded_ns
from data_catalog.store.stream import DataRequest, stream
from data_catalog.synth import SyntheticMarket, write_synthetic_market
from runtime.data_quality import DataQuality, check_quality
from runtime.setup.load import LoadedSetup
from runtime.setup.parse import parse_part
from runtime.venue.fees import with_fees
from runtime.venue.funding import FundingPlan, catalog_rates, plan_funding

EMBEDDED = "synthetic"
"""The name of the embedded market, in place of a catalog's folder."""


@dataclass(frozen=True)
class MarketData:
    """
    The data of one backtest.

    Parameters
    ----------
    catalog : Path
        The Parquet catalog.
    instruments : tuple of Instrument
        In the order of the setup, with the setup's fees.
    entries : tuple of Entry
        What the catalog holds of them, of the wanted types.
    start_ns, end_ns : int
        The first and last moment of the replay, both included, UNIX ns.
    warnings : tuple of str
        What a reader of the report should know of the data.
    funding : FundingPlan
        What perpetuals pay, and when.
    quality : DataQuality
        What is wrong with the data.
    kept : tuple of list, optional
        All of the data, for a process that replays them often; streamed from the catalog where None.

    """

    catalog: Path
    instruments: tuple[Instrument, ...]
    entries: tuple[Entry, ...]
    start_ns: int
    end_ns: int
    warnings: tuple[str, ...]
    funding: FundingPlan
    quality: DataQuality
    kept: tuple[list[Data], ...] | None = field(default=None, repr=False, compare=False)

    def chunks(self) -> Iterator[list[Data]]:
        """Return an iterator over the data, for `BacktestEngine.add_data_iterator`."""
        return stream(self.catalog, self.requests, self.start_ns, self.end_ns) if self.kept is None else iter(self.kept)

    @property
    def requests(self) -> list[DataRequest]:
        """What to stream from the catalog."""
        return [DataRequest(entry.instrument_id, entry.data_type, entry.bar_type) for entry in self.entries]

    @property
    def synthetic(self) -> bool:
        """Whether any of the data was generated."""
        return any(entry.synthetic for entry in self.entries)

    @property
    def reconstructed(self) -> bool:
        """Whether any quotes were rebuilt from trades or bars."""
        return any(entry.reconstructed for entry in self.entries)


def find_market_data(loaded: LoadedSetup, working_folder: Path, silent: Collection[tuple[str, str]] = ()) -> MarketData:
    """
    Return the data that the setup asks for.

    The embedded market is generated when it is not there yet.

    Parameters
    ----------
    loaded : LoadedSetup
        The setup.
    working_folder : Path
        What a relative catalog is relative to.
    silent : collection of (instrument, data type)
        What was listened to, and never came: it may be missing.

    Raises
    ------
    BadInput
        If the catalog is missing or empty, lacks an instrument or a data type, or has nothing in the period.

    """
    catalog = _catalog_folder(loaded, working_folder)
    available = contents(catalog)
    entries = _wanted_entries(loaded, available, catalog, silent)
    start_ns, end_ns, warnings = _period(loaded, entries)
    warnings += _unrecorded(entries, start_ns, end_ns)
    fees = loaded.setup.backtest.fees
    instruments = tuple(with_fees(found, fees) for found in load_instruments(catalog, loaded.setup.instruments))
    quality = check_quality(catalog, entries, start_ns, end_ns)
    rates = catalog_rates(catalog, _funding_entries(loaded, available))
    funding = plan_funding(
        loaded.setup.backtest.funding,
        instruments,
        rates,
        frozenset(entry.instrument_id for entry in entries if entry.synthetic),
        (start_ns, end_ns),
    )
    told = {rate.instrument_id for rate in rates if start_ns <= rate.ts_ns <= end_ns}
    entries += [entry for entry in _funding_entries(loaded, available) if entry.instrument_id in told]
    warnings += [*quality.warnings, *funding.warnings]
    return MarketData(catalog, instruments, tuple(entries), start_ns, end_ns, tuple(warnings), funding, quality)


def first_quote(data: MarketData, instrument_id: str) -> QuoteTick:
    """
    Return the instrument's first quote in the period.

    Raises
    ------
    BadInput
        If it has none there.

    """
    quote = _first_kept(data.kept, instrument_id) if data.kept is not None else _first_stored(data, instrument_id)
    if quote is None:
        period = f"from {iso_time(data.start_ns)} to {iso_time(data.end_ns)}"
        raise BadInput(f"the catalog has no quotes of {instrument_id} {period}", file=data.catalog)
    return quote


def _first_kept(kept: tuple[list[Data], ...], instrument_id: str) -> QuoteTick | None:
    rows = (row for chunk in kept for row in chunk)
    return next((row for row in rows if isinstance(row, QuoteTick) and row.instrument_id.value == instrument_id), None)


def _first_stored(data: MarketData, instrument_id: str) -> QuoteTick | None:
    chunks = stream(data.catalog, [DataRequest(instrument_id, "quotes")], data.start_ns, data.end_ns, chunk_rows=1)
    return next(chunks, [None])[0]


def first_mid(data: MarketData, instrument_id: str) -> Decimal:
    """Return the mid of `first_quote`."""
    return mid_of(first_quote(data, instrument_id))


def mid_of(quote: QuoteTick) -> Decimal:
    """Return the middle of a quote."""
    return Decimal(quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2


def _catalog_folder(loaded: LoadedSetup, working_folder: Path) -> Path:
    settings = loaded.setup.backtest
    path = ("backtest", "synthetic")
    if settings.catalog != EMBEDDED:
        if settings.synthetic:
            raise loaded.tree.complaint(f"goes with catalog: {EMBEDDED} alone", path)
        return working_folder / Path(settings.catalog).expanduser()
    if "instruments" in settings.synthetic:
        raise loaded.tree.complaint("is what the setup's instruments are", (*path, "instruments"))
    values = {**settings.synthetic, "instruments": loaded.setup.instruments}
    market = parse_part(loaded.tree, path, values, SyntheticMarket)
    fingerprint = hashlib.sha256(msgspec.json.encode(market)).hexdigest()[:8]
    folder = working_folder / "catalogs" / f"{EMBEDDED}-{fingerprint}"
    if not folder.exists():
        write_synthetic_market(folder, market)
    return folder


def _wanted_entries(
    loaded: LoadedSetup, available: list[Entry], catalog: Path, silent: Collection[tuple[str, str]]
) -> list[Entry]:
    entries = []
    known = sorted({entry.instrument_id for entry in available})
    for i, instrument_id in enumerate(loaded.setup.instruments):
        if instrument_id not in known:
            hint = nearest_name(instrument_id, known)
            problem = f'the catalog {catalog} has no "{instrument_id}"; it has {", ".join(known)}'
            raise loaded.tree.complaint(problem, ("instruments", i), hint)
        for data_type in loaded.setup.backtest.data:
            entry = next((e for e in available if (e.instrument_id, e.data_type) == (instrument_id, data_type)), None)
            if entry is None and (instrument_id, data_type) in silent:
                continue
            if entry is None:
                has = ", ".join(sorted(e.data_type for e in available if e.instrument_id == instrument_id))
                problem = f"the catalog {catalog} has no {data_type} of {instrument_id}; it has {has}"
                raise loaded.tree.complaint(problem, ("backtest", "data"))
            entries.append(entry)
    return entries


def _funding_entries(loaded: LoadedSetup, available: list[Entry]) -> list[Entry]:
    """Return the funding rates of the setup's instruments, where the setup wants them."""
    if loaded.setup.backtest.funding != "catalog":
        return []
    wanted = loaded.setup.instruments
    return [entry for entry in available if entry.data_type == "funding_rates" and entry.instrument_id in wanted]


def _period(loaded: LoadedSetup, entries: list[Entry]) -> tuple[int, int, list[str]]:
    first, last = min(entry.first_ns for entry in entries), max(entry.last_ns for entry in entries)
    covered = f"the data reach from {iso_time(first)} to {iso_time(last)}"
    start, end = _time(loaded, "start"), _time(loaded, "end")
    if start is not None and end is not None and start >= end:
        raise loaded.tree.complaint(f"{iso_time(start)} is not before the end {iso_time(end)}", ("backtest", "start"))
    if start is not None and start > last:
        raise loaded.tree.complaint(f"{iso_time(start)} is after the data: {covered}", ("backtest", "start"))
    if end is not None and end < first:
        raise loaded.tree.complaint(f"{iso_time(end)} is before the data: {covered}", ("backtest", "end"))
    warnings = []
    if start is not None and start < first:
        warnings.append(f"The period begins at {iso_time(start)}, but {covered}.")
    if end is not None and end > last:
        warnings.append(f"The period ends at {iso_time(end)}, but {covered}.")
    return max(first, start or first), min(last, end or last), warnings


def _unrecorded(entries: list[Entry], start_ns: int, end_ns: int) -> list[str]:
    """Return a warning for each series whose recording missed a part of the period."""
    warnings = []
    for entry in entries:
        inside = [
            Gap(max(gap.start_ns, start_ns), min(gap.end_ns, end_ns), gap.reason)
            for gap in entry.gaps
            if gap.start_ns < end_ns and gap.end_ns > start_ns
        ]
        if inside:
            longest = max(inside, key=lambda gap: gap.end_ns - gap.start_ns)
            longest_secs = (longest.end_ns - longest.start_ns) / 1e9
            warnings.append(
                f"The recording of {entry.instrument_id} {entry.data_type} missed {unrecorded_ns(inside) / 1e9:,.1f} s "
                f"of the period in {counted(inside)}, the longest {longest_secs:,.1f} s "
                f"from {iso_time(longest.start_ns)} ({longest.reason})."
            )
    return warnings


def _time(loaded: LoadedSetup, key: str) -> int | None:
    text = getattr(loaded.setup.backtest, key)
    if text is None:
        return None
    try:
        stamp = pd.Timestamp(text)
    except ValueError:
        problem = f'was "{text}", expected a UTC time such as 2024-07-23T16:00:00Z'
        raise loaded.tree.complaint(problem, ("backtest", key)) from None
    return int((stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")).value)


def iso_time(time_ns: int) -> str:
    """Return a UNIX time in ns as people read it, to the second."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
