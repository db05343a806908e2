"""`run_backtest.py SETUP --compare RUN`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bad_input import BadInput
from command_line import FAILED, Failed
from data_catalog.run_recordings.reading import Recording, is_run_folder, open_recording
from reports.compare_tables import print_comparison
from runtime.compare.driven import replay_driven
from runtime.compare.free import Free, prepared_on_recording, replay_free
from runtime.compare.log import RunLog
from runtime.compare.setups import hold_against
from runtime.compare.summary import Replays, comparison
from runtime.progress import replay_progress
from runtime.results import ResultsFolder, new_run_id, write_results
from runtime.setup.load import LoadedSetup, parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.setup.tree import SetupTree, read_setup_tree, require_setup

_NAME: Final = "compare"


@dataclass(frozen=True)
class CompareRequest:
    """
    What the command line asks for.

    Parameters
    ----------
    setup : Path
        The setup file.
    overrides : list of str
        `PATH=VALUE` each.
    run : Path
        The run's folder, or its id.
    out : Path
        The folder of results.
    as_json : bool
        Whether stdout gets JSON and nothing else.

    """

    setup: Path
    overrides: list[str]
    run: Path
    out: Path
    as_json: bool = False

    def refuse(self, options: Mapping[str, object]) -> None:
        """Raise BadInput for the first of other options that is given: a comparison does not go with it."""
        for name, value in options.items():
            if value:
                raise BadInput("goes without --compare", key=name)


def compare_with_run(request: CompareRequest) -> int:
    """
    Replay a run's recording twice, say what is equal, and write it down; return 0 where every decision is.

    Raises
    ------
    BadInput
        If there is no such recording, or the setup is not the run's.

    """
    tree = apply_overrides(read_setup_tree(request.setup), request.overrides)
    require_setup(tree, "--compare")
    loaded = parse_setup(tree)
    recording = open_recording(_run_folder(request, loaded))
    differences = hold_against(recording.run, loaded.setup, tree)
    live = RunLog.of(recording.rows())
    _check_comparable(recording, live)
    driven = replay_driven(recording.run, live, loaded)
    run_id = new_run_id(loaded.setup.sha256(), datetime.now(UTC), None)
    folder = ResultsFolder(request.out, loaded.setup.name, f"{run_id}-{_NAME}")
    with folder:
        try:
            free = _replay_freely(recording, live, tree, folder)
        except (BadInput, Failed) as problem:  # a run of seconds, or a market that no figure can rest on
            found = comparison(recording.run, Replays(live, driven, str(problem)), loaded.setup, differences)
        else:
            found = comparison(recording.run, Replays(live, driven, free.log), loaded.setup, differences)
            write_results(replace(free.finished, compare=found), folder)
        (folder.staging / "compare.json").write_text(
            json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        published = folder.publish()
    if request.as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_comparison(found, published, Console())
    return 0 if found["equal"] else FAILED


def _run_folder(request: CompareRequest, loaded: LoadedSetup) -> Path:
    """Return the run's folder, given as such or by its id."""
    named = request.out / loaded.setup.name / request.run
    for folder in (request.run, named):
        if is_run_folder(folder):
            return folder
    places = " nor ".join(dict.fromkeys((str(request.run), str(named))))
    problem = f"no recorded run: nothing is recorded in {places}"
    raise BadInput(problem, key="--compare", hint="expected a folder of run_live.py, results/NAME/RUN")


def _check_comparable(recording: Recording, live: RunLog) -> None:
    if recording.run.positions:
        held = ", ".join(recording.run.positions)
        raise BadInput(f"the run began with open positions ({held}), which no replay can begin with", key="--compare")
    if not live.market_events:
        raise BadInput("the recording holds no quotes and no trades", file=recording.folder)


def _replay_freely(recording: Recording, live: RunLog, tree: SetupTree, folder: ResultsFolder) -> Free:
    with prepared_on_recording(recording, tree) as prepared:
        for warning in prepared.warnings:
            click.echo(f"warning: {warning}", err=True)
        with replay_progress(prepared.data, Console(stderr=True)) as on_progress:
            return replay_free(recording, live, prepared, on_progress, folder.staging)
