"""What has to be moved and removed so that staged files become part of a catalog, or why they cannot."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.persistence.funcs import urisafe_identifier

from bad_input import BadInput
from data_catalog.store.data_types import DATA_TYPES, DataFile, DataTypeName, data_folder, file_name, files_in
from data_catalog.store.instrument_files import instrument_path, read_instrument, stored_definitions
from data_catalog.store.origin import Origin, Record, record_of, record_path
from data_catalog.store.staged_file import StagedFile

type Outcome = Literal["written", "replaced", "unchanged"]


@dataclass(frozen=True)
class Plan:
    """Files to move into place, by staged path, and stored files to remove."""

    moves: dict[Path, Path] = field(default_factory=dict)
    removals: list[Path] = field(default_factory=list)


@dataclass
class Series:
    """A staged file with what is known of it."""

    instrument: Instrument
    data_type: DataTypeName
    bar_type: str | None
    file: StagedFile
    origin: Origin

    @property
    def identifier(self) -> str:
        """What names its folder: the bar type, or else the instrument id."""
        return self.bar_type or str(self.instrument.id)


def plan_data(plan: Plan, catalog: Path, series: Series, *, replace: bool) -> Outcome:
    """
    Add one staged series to the plan, unless the catalog already has it from the same sources.

    Raises
    ------
    BadInput
        If stored data of other sources overlaps and `replace` is false; names both.

    """
    staged = series.file
    folder = data_folder(catalog, DATA_TYPES[series.data_type], series.identifier)
    overlapping = [file for file in files_in(folder) if file.intersects(staged.first_ns, staged.last_ns)]
    if overlapping and not replace:
        for stored in overlapping:
            _require_same(series, stored, record_of(catalog, stored.path))
        return "unchanged"
    for stored in overlapping:
        plan.removals.extend((stored.path, record_path(catalog, stored.path)))
    target = folder / file_name(staged.first_ns, staged.last_ns)
    plan.moves[staged.path] = target
    plan.moves[staged.record_path] = record_path(catalog, target)
    return "replaced" if overlapping else "written"


def plan_instrument(plan: Plan, catalog: Path, instrument: Instrument, staged: Path) -> bool:
    """
    Add a definition, to be written to `staged`, to the plan; return False when an equal one is stored already.

    Raises
    ------
    BadInput
        If the decimals of price or size changed and data with the old ones would stay.

    """
    paths = stored_definitions(catalog).get(str(urisafe_identifier(instrument.id)), [])
    if paths:
        stored = read_instrument(paths[-1])
        if stored.to_dict(stored) == instrument.to_dict(instrument):
            return False
        decimals = (stored.price_precision, stored.size_precision)
        if decimals != (instrument.price_precision, instrument.size_precision) and _has_data(plan, catalog, instrument):
            raise BadInput(
                f"{instrument.id}: the catalog holds data with {decimals[0]} decimals of price and {decimals[1]} of "
                f"size, the new definition has {instrument.price_precision} and {instrument.size_precision}",
                file=catalog,
                hint="use another catalog",
            )
    plan.removals.extend(paths)
    plan.moves[staged] = instrument_path(catalog, instrument)
    return True


def _require_same(series: Series, stored: DataFile, record: Record | None) -> None:
    staged = series.file
    same_interval = (stored.first_ns, stored.last_ns) == (staged.first_ns, staged.last_ns)
    if same_interval and record is not None and series.origin.same_source(record.origin):
        return
    ours = f"{_interval(staged.first_ns, staged.last_ns)} ({series.origin.describe()})"
    source = record.origin.describe() if record is not None else "written by another program"
    theirs = f"{_interval(stored.first_ns, stored.last_ns)} ({source})"
    raise BadInput(
        f"{series.identifier} {series.data_type} {ours} overlap with stored {theirs}",
        file=stored.path,
        hint="--replace replaces the stored file",
    )


def _interval(first_ns: int, last_ns: int) -> str:
    return f"{unix_nanos_to_iso8601(first_ns)} to {unix_nanos_to_iso8601(last_ns)}"


def _has_data(plan: Plan, catalog: Path, instrument: Instrument) -> bool:
    """Whether data of the instrument stays in the catalog when the plan is carried out."""
    name = str(urisafe_identifier(instrument.id))
    folders = [data_folder(catalog, data_type, name) for data_type in DATA_TYPES.values()]
    folders += (catalog / "data" / DATA_TYPES["bars"].folder).glob(f"{name}-*")
    return any(file.path not in plan.removals for folder in folders for file in files_in(folder))
