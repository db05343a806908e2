"""
Market data into a catalog: straight from columns to Parquet, all or nothing.

The files are those that the engine's own catalog writes (folders, names, schema), with the origin of the data in
their metadata.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow.parquet as pq
from nautilus_trader.model.data import BarType
from nautilus_trader.model.instruments import Instrument

from data_catalog.columns import Bars, Deltas, FundingRates, Quotes, Trades
from data_catalog.store.arrow_tables import Rows
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.instrument_files import instrument_table
from data_catalog.store.merge_plan import Outcome, Plan, Series, plan_data, plan_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.staged_file import StagedFile
from data_catalog.store.staging import Staging

_PENDING_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Written:
    """
    What became of one series of market data.

    `outcome` is `unchanged` where the catalog already held the same interval from the same sources.
    """

    instrument_id: str
    data_type: DataTypeName
    bar_type: str | None
    rows: int
    first_ns: int
    last_ns: int
    outcome: Outcome


class CatalogWriter:
    """
    Writes market data to a catalog when its `with` block ends well, and nothing at all otherwise.

    Within one block the chunks of one series (data type and instrument or bar type) become one file; each chunk must
    begin where the one before it ended, or later. The instrument is stored with its data.

    Parameters
    ----------
    catalog : Path
        The catalog's folder; it is made when it does not exist.
    replace : bool
        Whether stored files whose interval overlaps with what is written are replaced, as a whole.

    Attributes
    ----------
    results : list of Written
        What was done, once the block has ended.

    Raises
    ------
    BadInput
        If another process is writing to this catalog, rows cannot be stored, or (at the end of the block) what was
        written overlaps with stored data from other sources and `replace` is false.

    Examples
    --------
    >>> with CatalogWriter(Path("catalog")) as writer:
    ...     writer.quotes(instrument, quotes, Origin("recorded", sources=[source_of(path)]))

    """

    def __init__(self, catalog: Path, *, replace: bool = False) -> None:
        self.results: list[Written] = []
        self._catalog = catalog
        self._replace = replace
        self._instruments: dict[str, Instrument] = {}
        self._series: dict[tuple[DataTypeName, str], Series] = {}

    def __enter__(self) -> Self:
        self._staging = Staging(self._catalog)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._give_up()
            return
        try:
            plan = self._plan()
        except BaseException:
            self._give_up()
            raise
        self._staging.commit(plan.moves, plan.removals)

    def instrument(self, instrument: Instrument) -> None:
        """Store a definition; an equal one is left alone, another one of the same id is replaced."""
        self._instruments[str(instrument.id)] = instrument

    def quotes(self, instrument: Instrument, columns: Quotes, origin: Origin) -> None:
        """Store quotes; the origin given with the last chunk counts."""
        self._append("quotes", instrument, columns, origin)

    def trades(self, instrument: Instrument, columns: Trades, origin: Origin) -> None:
        """Store trades; the origin given with the last chunk counts."""
        self._append("trades", instrument, columns, origin)

    def deltas(self, instrument: Instrument, columns: Deltas, origin: Origin) -> None:
        """Store changes of the order book; the origin given with the last chunk counts."""
        self._append("deltas", instrument, columns, origin)

    def bars(self, bar_type: str, instrument: Instrument, columns: Bars, origin: Origin) -> None:
        """Store bars of a type such as `NEXOUSDT.BINANCE-1-MINUTE-LAST-EXTERNAL`."""
        if BarType.from_str(bar_type).instrument_id != instrument.id:
            raise ValueError(f"bar type {bar_type} is not one of {instrument.id}")
        self._append("bars", instrument, columns, origin, bar_type)

    def funding_rates(self, instrument: Instrument, columns: FundingRates, origin: Origin) -> None:
        """Store the funding rates of a perpetual; the origin given with the last chunk counts."""
        self._append("funding_rates", instrument, columns, origin)

    def _append(
        self,
        data_type: DataTypeName,
        instrument: Instrument,
        columns: Rows,
        origin: Origin,
        bar_type: str | None = None,
    ) -> None:
        self.instrument(instrument)
        if len(columns) == 0:
            return
        key = data_type, bar_type or str(instrument.id)
        series = self._series.get(key)
        if series is None:
            path = self._staging.folder / f"{len(self._series)}.parquet"
            file = StagedFile(path, type(columns), instrument, bar_type)
            series = self._series[key] = Series(instrument, data_type, bar_type, file, origin)
        series.origin = origin
        series.file.append(columns)
        files = [series.file for series in self._series.values()]
        while sum(file.pending_bytes for file in files) > _PENDING_LIMIT:
            max(files, key=lambda file: file.pending_bytes).flush()

    def _plan(self) -> Plan:
        plan = Plan()
        for series in self._series.values():
            file = series.file
            if not file.rows:  # its only chunk was refused, and the caller went on without it
                file.abandon()
                continue
            file.finish(series.origin)
            outcome = plan_data(plan, self._catalog, series, replace=self._replace)
            instrument_id = str(series.instrument.id)
            self.results.append(
                Written(
                    instrument_id, series.data_type, series.bar_type, file.rows, file.first_ns, file.last_ns, outcome
                )
            )
        for instrument in self._instruments.values():
            path = self._staging.folder / f"{instrument.id}.parquet"
            if plan_instrument(plan, self._catalog, instrument, path):
                pq.write_table(instrument_table(instrument), path)
        return plan

    def _give_up(self) -> None:
        for series in self._series.values():
            series.file.abandon()
        self._staging.close()
