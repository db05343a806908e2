"""One run of a lookahead check: the setup as it is, or with its future hidden, its dates moved or its start later."""

import random
import re
import tempfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bad_input import BadInput
from command_line import Failed
from data_catalog.store.contents import contents
from data_catalog.store.copy_part import copy_part
from runtime.engine import build_engine
from runtime.lookahead.trace import DecisionRecorder, Trace
from runtime.market_data import MarketData
from runtime.prepare import PreparedBacktest, prepare_backtest
from runtime.setup.load import parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.setup.tree import SetupTree

WEEK_NS: Final = 7 * 86_400 * 10**9
"""Dates move by whole weeks: every grid of time, day of the week and funding time stays what it was."""

_DATE = re.compile(r"^\d{4}-\d\d-\d\d(T.*)?$")
_KNOWN = 'backtest.accept_data_because="a rerun of a run whose data passed the gate"'


@dataclass(frozen=True)
class Rerun:
    """
    What to run.

    Parameters
    ----------
    tree : SetupTree
        The setup.
    working_folder : Path
        What its catalog is relative to.
    start_ns, end_ns : int
        The period, both ends included, UNIX ns; of a rerun in another week, of the original one.
    hidden : bool
        Whether rows after `end_ns` exist: where True, the catalog is a copy without them.
    shift_ns : int
        How much later everything happens.

    """

    tree: SetupTree
    working_folder: Path
    start_ns: int
    end_ns: int
    hidden: bool = False
    shift_ns: int = 0


def trace_of(rerun: Rerun) -> Trace:
    """Run it and return its decisions, with the times of the original week; what it raises stands in the trace."""
    try:
        if not (rerun.hidden or rerun.shift_ns):
            return whole_trace(rerun)
        with tempfile.TemporaryDirectory(prefix="lookahead-") as folder:
            tree = _with_copy(rerun, Path(folder) / "catalog")
            return _moved_back(_traced(_prepared(rerun, tree)), rerun.shift_ns)
    except (BadInput, Failed) as error:
        return Trace(error=str(error))
    except Exception as error:  # noqa: BLE001 (a strategy may raise anything without its future)
        return Trace(error=" ".join(f"{type(error).__name__}: {error}".split()))


def whole_trace(rerun: Rerun) -> Trace:
    """Run it on the catalog as it is and return its decisions; raises what the run raises."""
    return _traced(_prepared(rerun, rerun.tree))


def _with_copy(rerun: Rerun, catalog: Path) -> SetupTree:
    """Return the setup on a copy of its catalog that is made here."""
    data = prepare_backtest(parse_setup(rerun.tree), rerun.working_folder).data
    ids = {str(instrument.id) for instrument in data.instruments}
    entries = [entry for entry in contents(data.catalog) if entry.instrument_id in ids and entry.data_type != "deltas"]
    last_ns = rerun.end_ns if rerun.hidden else None
    copy_part(data.catalog, catalog, entries, last_ns=last_ns, shift_ns=rerun.shift_ns)
    overrides = [f"backtest.catalog={catalog}", "backtest.synthetic={}", _KNOWN]
    tree = apply_overrides(rerun.tree, overrides)
    if rerun.hidden:
        # A strategy that is told where the catalog is must not find the future there.
        return _changed(tree, lambda text: _within(text, data, rerun.working_folder, catalog))
    return _changed(tree, lambda text: _later(text, rerun.shift_ns))


def _changed(tree: SetupTree, change: Callable[[str], str]) -> SetupTree:
    """Return the setup with every text in the configurations of its components changed."""
    values = deepcopy(tree.values)
    for part in ("strategies", "actors"):
        for component in values.get(part) or []:
            component["config"] = _texts_changed(component.get("config", {}), change)
    return replace(tree, values=values)


def _texts_changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _texts_changed(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts_changed(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _within(text: str, data: MarketData, working_folder: Path, copy: Path) -> str:
    """Return a path into the catalog as the same path into its copy, any other text as it is."""
    catalog = data.catalog.resolve()
    try:
        path = (working_folder / text).resolve()
    except (OSError, ValueError):
        return text
    return str(copy / path.relative_to(catalog)) if path.is_relative_to(catalog) else text


def _later(text: str, shift_ns: int) -> str:
    """Return a date of a configuration so much later, any other text as it is."""
    if not _DATE.match(text):
        return text
    try:
        return str((pd.Timestamp(text) + pd.Timedelta(shift_ns, "ns")).isoformat())
    except ValueError:
        return text


def _prepared(rerun: Rerun, tree: SetupTree) -> PreparedBacktest:
    """Return the backtest of exactly the period, whether or not its last moment has an event."""
    start_ns, end_ns = rerun.start_ns + rerun.shift_ns, rerun.end_ns + rerun.shift_ns
    times = {"start": start_ns, "end": end_ns}
    period = [f"backtest.{key}={pd.Timestamp(ns, tz='UTC').isoformat()}" for key, ns in times.items()]
    prepared = prepare_backtest(parse_setup(apply_overrides(tree, period)), rerun.working_folder)
    return replace(prepared, data=replace(prepared.data, start_ns=start_ns, end_ns=end_ns))


def _traced(prepared: PreparedBacktest) -> Trace:
    random.seed(prepared.loaded.setup.backtest.seed)
    engine = build_engine(prepared).engine
    data = prepared.data
    recorder = DecisionRecorder(engine.kernel.exec_engine.execute, data.end_ns)
    try:
        engine.add_actor(recorder)
        engine.add_data_iterator("market", data.chunks())
        engine.run(start=pd.Timestamp(data.start_ns, tz="UTC"), end=pd.Timestamp(data.end_ns, tz="UTC"))
        return recorder.trace
    finally:
        engine.dispose()


def _moved_back(trace: Trace, shift_ns: int) -> Trace:
    return Trace(
        [(ts_ns - shift_ns, told) for ts_ns, told in trace.decisions],
        [(ts_ns - shift_ns, name, value) for ts_ns, name, value in trace.outputs],
        trace.error,
    )
