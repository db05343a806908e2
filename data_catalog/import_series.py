"""Files to import, put together into series: each gives pieces of columns in the order of time."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.archive.files import archive_kind, bar_type, parse_archive_file
from data_catalog.archive.index import ArchiveKind, parse_file_name
from data_catalog.columns import Bars, Columns, Deltas, FundingRates, Int64, Quotes, Trades
from data_catalog.detect import FileFormat, detect_format
from data_catalog.klines import Klines, parse_klines
from data_catalog.recordings.parser import RecordingParser
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.origin import Gap, Kind

NANOS_PER_MS = 1_000_000
DATA_TYPE_OF: dict[type[Columns], DataTypeName] = {
    Quotes: "quotes",
    Trades: "trades",
    Deltas: "deltas",
    Bars: "bars",
    FundingRates: "funding_rates",
}

type OnBytes = Callable[[int], None]
type Remarks = dict[str, Counter[str]]
"""By data type: rows left out or changed, by reason."""
type Gaps = dict[DataTypeName, list[Gap]]
"""By data type: when data are missing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one data type, and for bars their type."""

    columns: Columns
    bar_type: str | None = None

    @property
    def data_type(self) -> DataTypeName:
        """Which kind of rows these are."""
        return DATA_TYPE_OF[type(self.columns)]


class Series(Protocol):
    """
    Files that belong together.

    Attributes
    ----------
    kind : Kind
        As the catalog names the origin.
    paths : Sequence[Path]
        The files in the order in which they are read.
    label : str
        For messages.

    """

    @property
    def kind(self) -> Kind: ...  # noqa: D102 (stated above)

    @property
    def paths(self) -> Sequence[Path]: ...  # noqa: D102 (stated above)

    @property
    def label(self) -> str: ...  # noqa: D102 (stated above)

    def pieces(self, on_bytes: OnBytes) -> Iterator[Piece]:
        """Yield the rows, each data type in the order of time; `on_bytes` is told how much was read."""
        ...

    def dropped(self) -> Remarks:
        """Return what was left out, once all pieces are read."""
        ...

    def changed(self) -> Remarks:
        """Return what was put right, once all pieces are read."""
        ...

    def facts(self) -> dict[str, int | float]:
        """Return further figures worth keeping with the data, once all pieces are read."""
        ...

    def gaps(self) -> Gaps:
        """Return what is known to be missing, once all pieces are read."""
        ...


class RecordingSeries:
    """Recorded websocket files."""

    kind: Kind = "recorded"

    def __init__(self, paths: Sequence[Path], instrument: Instrument) -> None:
        self.parser = RecordingParser(paths, instrument)
        self.paths: Sequence[Path] = self.parser.paths
        self.label: str = FileFormat.RECORDING

    def pieces(self, on_bytes: OnBytes) -> Iterator[Piece]:
        """Yield quotes, trades, deltas and funding rates."""
        for columns in self.parser.batches(on_bytes):
            yield Piece(columns)

    def dropped(self) -> Remarks:
        """Return messages left out; those of kinds that are not imported stand under `messages`."""
        return {**self.parser.dropped, "messages": self.parser.stats.ignored}

    def changed(self) -> Remarks:
        """Return sizes finer than the step, which were rounded."""
        return {name: Counter({"sizes rounded to the step": n}) for name, n in self.parser.rounded.items() if n}

    def facts(self) -> dict[str, int | float]:
        """Return gaps in the update ids, snapshots applied and the offset of the recorder's clock in milliseconds."""
        clock, book = self.parser.stats.clock, self.parser.depth.chain
        facts: dict[str, int | float] = {"sequence_gaps": book.gaps, "snapshots": book.snapshots}
        median = clock.median_ns()
        if median is not None:
            facts |= {
                "clock_offset_ms_median": median / NANOS_PER_MS,
                "clock_offset_ms_min": clock.least_ns / NANOS_PER_MS,
                "clock_offset_ms_max": clock.greatest_ns / NANOS_PER_MS,
            }
        return facts

    def gaps(self) -> Gaps:
        """Return what the recorder missed, and places where ids are missing."""
        return self.parser.gaps


@dataclass
class KlineSeries:
    """Candle files; those of one interval become one series of bars."""

    files: Sequence[tuple[Path, Klines]]
    kind: Kind = "klines"
    label: str = FileFormat.KLINES

    @classmethod
    def of(cls, paths: Sequence[Path], instrument: Instrument, interval: str | None) -> "KlineSeries":
        """Read the files and put them in the order of time."""
        parsed = [(path, parse_klines(path, instrument, interval)) for path in paths]
        return cls(sorted(parsed, key=lambda item: (item[1].bar_type, int(item[1].bars.ts_init[0]))))

    @property
    def paths(self) -> Sequence[Path]:
        """The files in the order of time."""
        return [path for path, _ in self.files]

    def pieces(self, on_bytes: OnBytes) -> Iterator[Piece]:
        """Yield bars."""
        order = _Order()
        for path, klines in self.files:
            order.check(path, klines.bars, klines.bar_type)
            on_bytes(path.stat().st_size)
            yield Piece(klines.bars, klines.bar_type)

    def dropped(self) -> Remarks:
        """Return repeated rows."""
        return {"bars": sum((klines.dropped for _, klines in self.files), Counter())}

    def changed(self) -> Remarks:
        """Return prices and volumes that were rounded."""
        return {"bars": sum((klines.rounded for _, klines in self.files), Counter())}

    def facts(self) -> dict[str, int | float]:
        """Return nothing."""
        return {}

    def gaps(self) -> Gaps:
        """Return nothing: `check` finds what is missing."""
        return {}


@dataclass
class ArchiveSeries:
    """Files of one kind from the public archive."""

    paths: Sequence[Path]
    instrument: Instrument
    kind: Kind = "archive"
    label: str = FileFormat.ARCHIVE
    _notes: Counter[str] = field(default_factory=Counter)
    _data_type: str = ""

    def pieces(self, on_bytes: OnBytes) -> Iterator[Piece]:
        """Yield the rows of one file after the other."""
        order = _Order()
        for path in self.paths:
            bars_of = bar_type(path, self.instrument) if archive_kind(path) is ArchiveKind.KLINES else None
            for data_type, columns in parse_archive_file(path, self.instrument, self._notes):
                self._data_type = data_type
                order.check(path, columns, bars_of)
                yield Piece(columns, bars_of)
            on_bytes(path.stat().st_size)

    def dropped(self) -> Remarks:
        """Return repeated rows and quotes with an empty side."""
        return {self._data_type: self._counted("duplicate_rows", "one_sided_quotes")}

    def changed(self) -> Remarks:
        """Return files whose rows were shuffled and rows whose time was raised to that of the row before."""
        return {self._data_type: self._counted("disordered_files", "late_rows")}

    def facts(self) -> dict[str, int | float]:
        """Return nothing."""
        return {}

    def gaps(self) -> Gaps:
        """Return nothing: `check` finds what is missing."""
        return {}

    def _counted(self, *names: str) -> Counter[str]:
        return Counter({name.replace("_", " "): self._notes[name] for name in names if self._notes[name]})


@dataclass(slots=True)
class _Order:
    """Sees to it that the files of a series do not overlap."""

    _ends: dict[str | None, tuple[int, Path]] = field(default_factory=dict)

    def check(self, path: Path, columns: Columns, bars_of: str | None) -> None:
        times: Int64 = getattr(columns, "ts_init")  # noqa: B009 (every kind of columns has it, their base has not)
        end, before = self._ends.get(bars_of, (0, path))
        # Bars are told apart by their time alone: the same one must not come twice.
        if before != path and (times[0] < end or (bars_of is not None and times[0] == end)):
            raise BadInput(f"starts before {before} ends", file=path, hint="import only one of the two")
        self._ends[bars_of] = int(times[-1]), path


def plan_series(paths: Sequence[Path], instrument: Instrument, interval: str | None) -> list[Series]:
    """
    Return the series that files make up, given in any order.

    Raises
    ------
    BadInput
        If a file cannot be used, is given twice, or `interval` is given without candle files.

    """
    if twice := [path for path in paths if paths.count(path) > 1]:
        raise BadInput("is given twice", file=twice[0])
    by_format: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        file_format = detect_format(path)
        key = (file_format, *_archive_group(path)) if file_format is FileFormat.ARCHIVE else (file_format,)
        by_format.setdefault(key, []).append(path)
    if interval is not None and (FileFormat.KLINES,) not in by_format:
        raise BadInput("no candle file among the files", key="--interval")
    series: list[Series] = []
    for key, group in by_format.items():
        if key[0] == FileFormat.RECORDING:
            series.append(RecordingSeries(group, instrument))
        elif key[0] == FileFormat.KLINES:
            series.append(KlineSeries.of(group, instrument, interval))
        else:
            series.append(ArchiveSeries(sorted(group, key=_archive_period), instrument))
    return series


def _archive_group(path: Path) -> tuple[str, ...]:
    file = parse_file_name(path.name)
    return (file.kind, file.interval or "") if file else ()


def _archive_period(path: Path) -> tuple[str, str]:
    file = parse_file_name(path.name)
    return (file.period.first.isoformat() if file else "", path.name)
