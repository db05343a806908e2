"""
The memory of a sweep: an optuna study in SQLite or, for several machines, in PostgreSQL.

Its number is a trial's only name: whoever creates the trial of a number has claimed it, and runs the point that the
plan has for that number. A claim is kept alive by a beat; one that stands still belongs to a process that is gone, and
anybody may take it over. Two who do come to the same result, and only the first is kept.
"""

import contextlib
import fcntl
import itertools
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO, Any, Final

import msgspec
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.samplers import BaseSampler
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

from bad_input import BadInput
from command_line import Failed
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.settings import Choice
from runtime.sweep.space import Parameter
from runtime.sweep.trial import TrialResult

BEAT_SECS: Final = 5.0
GONE_SECS: Final = 30.0
"""A claim whose beat stood still so long is taken over."""

_ATTEMPTS, _RETRY_SECS = 10, 0.5
_STATES: Final = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
_RESULT, _BEAT, _SURPLUS, _FACTS = "result", "beat", "surplus", "facts"


class SweepStudy:
    """
    The trials of one sweep, shared by everybody who works on it.

    Parameters
    ----------
    url : str
        The storage, such as `sqlite:///study.sqlite3` or `postgresql+psycopg://user@host/database`.
    name : str
        The study's name there.
    sweep : LoadedSweep
        What is tried.
    plan : Plan
        Which point each trial has.
    alone : bool
        Whether nobody else can work on the study: then every claim that is not ours is one of a process that is gone.

    Raises
    ------
    BadInput
        If the storage cannot be reached.

    """

    def __init__(self, url: str, name: str, sweep: LoadedSweep, plan: Plan, *, alone: bool) -> None:
        self._sweep, self._plan, self._alone = sweep, plan, alone
        self._owner = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}"
        self._ours: dict[int, Trial] = {}
        self._running: set[int] = set()
        self._lock = Lock()
        self._beats: dict[int, tuple[str, float]] = {}
        self.results: dict[int, TrialResult] = {}
        self._open: dict[int, FrozenTrial] = {}
        self._created = 0
        directions = [wanted.direction for wanted in sweep.settings.objectives]
        self._storage = open_storage(url)
        self._study: Study = optuna.create_study(
            storage=self._storage,
            study_name=name,
            directions=directions,
            sampler=_Planned(plan, sweep),
            load_if_exists=True,
        )

    def look(self) -> None:
        """Learn what others have done; afterwards `results` has every finished trial."""
        self._open = {}
        for trial in self._study.get_trials(deepcopy=False):
            self._created = max(self._created, trial.number + 1)
            if not trial.state.is_finished():
                self._open[trial.number] = trial
            elif trial.number not in self.results and _RESULT in trial.user_attrs:
                self.results[trial.number] = msgspec.json.decode(trial.user_attrs[_RESULT], type=TrialResult)
            elif trial.number not in self.results and _SURPLUS not in trial.user_attrs:
                self.results[trial.number] = TrialResult("failed", "it was ended in the storage, not by a sweep")
        self._plan.learn(self.results)

    def claim(self) -> int | None:
        """
        Return a trial that is ours to run now, or None if there is nothing to do at the moment.

        It may be one whose process is gone.
        """
        for number in sorted(self._open):
            if self._plan.may_start(number, self.results) and self._is_free(number):
                if number not in self._ours:
                    self._take(Trial(self._study, self._open[number]._trial_id))
                return self._start(number)
        if not self._plan.may_start(self._created, self.results):
            return None
        trial = self._study.ask()
        self._created = trial.number + 1
        if trial.number >= self._plan.size:  # others were faster with the last ones
            trial.set_user_attr(_SURPLUS, True)
            self._study.tell(trial, state=TrialState.FAIL)
            return None
        self._take(trial)
        return self._start(trial.number) if self._plan.may_start(trial.number, self.results) else None

    def _take(self, trial: Trial) -> None:
        trial.set_user_attr(_BEAT, f"{self._owner} 0")
        with self._lock:
            self._ours[trial.number] = trial

    def _start(self, number: int) -> int:
        """Write the point of a trial of ours down."""
        trial = self._ours[number]
        self._running.add(number)
        point = tuple(_record(trial, parameter) for parameter in self._sweep.space.parameters)
        if point != self._plan.points[number]:
            raise Failed(
                f"trial {number} of the study is another point than this sweep gives it: another version of optuna or "
                "of the project began the study; begin anew, under another name"
            )
        return number

    def _is_free(self, number: int) -> bool:
        """Return whether nobody runs a trial: it is ours and waited for its time, or its process is gone."""
        if number in self._ours:
            return number not in self._running
        return self._is_gone(number)

    def _is_gone(self, number: int) -> bool:
        if self._alone:
            return True
        beat = str(self._open[number].user_attrs.get(_BEAT, ""))
        known, since = self._beats.get(number, (None, 0.0))
        if beat != known:
            self._beats[number] = beat, time.monotonic()
            return False
        return time.monotonic() - since > GONE_SECS

    def tell(self, number: int, result: TrialResult) -> None:
        """Write the result of a trial of ours down, if nobody else has done so."""
        with self._lock:
            trial = self._ours.pop(number)
        self._running.discard(number)
        with contextlib.suppress(UpdateFinishedTrialError):
            trial.set_user_attr(_RESULT, msgspec.json.encode(result).decode())
            for constraint, violation in zip(self._sweep.constraints, result.violations, strict=False):
                trial.set_constraint(constraint.text, violation)
            if result.state == "complete":
                trial.set_constraint("not liquidated", 0.0 if result.error is None else 1.0)
            self._study.tell(trial, result.objectives, state=_STATES[result.state], skip_if_finished=True)

    def close(self) -> None:
        """Let go of the storage."""
        _let_go(self._storage)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Keep our claims alive while the block runs."""
        if self._alone:
            yield
            return
        stop = Event()
        thread = Thread(target=self._beat, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _beat(self, stop: Event) -> None:
        for count in itertools.count(1):
            if stop.wait(BEAT_SECS):
                return
            with self._lock:
                ours = list(self._ours.values())
            for trial in ours:
                # A trial that has just been told, or a storage that is away for a moment: the next beat will do.
                with contextlib.suppress(UpdateFinishedTrialError, StorageInternalError):
                    trial.set_user_attr(_BEAT, f"{self._owner} {count}")

    def agree_on(self, facts: Mapping[str, Any]) -> None:
        """
        Compare what the results depend on with what the study was begun with.

        Raises
        ------
        BadInput
            If something is different.

        """
        begun = self._study.user_attrs.get(_FACTS)
        if begun is None:
            self._study.set_user_attr(_FACTS, dict(facts))
            return
        for name, value in facts.items():
            if begun.get(name) != value:
                raise BadInput(f"the study was begun with {name} {begun.get(name)}, here it is {value}", key="--resume")


class _Planned(BaseSampler):
    """Gives every trial the values that the plan has for its number."""

    def __init__(self, plan: Plan, sweep: LoadedSweep) -> None:
        self._plan = plan
        self._places = {parameter.path: place for place, parameter in enumerate(sweep.space.parameters)}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._plan.points[trial.number][self._places[param_name]]


def _record(trial: Trial, parameter: Parameter) -> Choice:
    """Write the value of a parameter down, and return it; what is there already stays."""
    if parameter.span is None:
        return trial.suggest_categorical(parameter.path, parameter.values or ())
    if parameter.span.integer:
        return trial.suggest_int(
            parameter.path, int(parameter.span.low), int(parameter.span.high), log=parameter.span.log
        )
    return trial.suggest_float(parameter.path, parameter.span.low, parameter.span.high, log=parameter.span.log)


def study_exists(url: str, name: str) -> bool:
    """Return whether the storage has a study of this name."""
    storage = open_storage(url)
    try:
        return name in optuna.get_all_study_names(storage)
    finally:
        _let_go(storage)


def _let_go(storage: RDBStorage) -> None:
    """Close the connections to a storage."""
    storage.remove_session()
    storage.engine.dispose()


def open_storage(url: str) -> RDBStorage:
    """
    Return the storage at `url`; its tables are made if it has none.

    Raises
    ------
    BadInput
        If it cannot be reached.

    """
    for attempt in itertools.count(1):
        try:
            return RDBStorage(url)
        except (ProgrammingError, IntegrityError) as error:  # several parents make the tables at the same time
            if attempt == _ATTEMPTS:
                raise _unreachable(error) from None
            time.sleep(_RETRY_SECS)
        except (SQLAlchemyError, ImportError) as error:
            raise _unreachable(error) from None
    raise AssertionError


def _unreachable(error: Exception) -> BadInput:
    return BadInput(
        f"the storage could not be opened: {str(error).splitlines()[0]}",
        key="--storage",
        hint="expected a URL such as postgresql://user:password@host/database (uv sync --extra postgres)",
    )


@contextmanager
def held_alone(file: Path) -> Iterator[None]:
    """
    Be the only process that works on a study in `file` while the block runs.

    Raises
    ------
    BadInput
        If another process does.

    """
    lock = file.with_name(f"{file.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with _locked(lock, file):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _locked(lock: Path, file: Path) -> IO[str]:
    while True:
        held = lock.open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            problem = "another process works on this sweep"
            raise BadInput(problem, file=file, hint="several processes need --storage") from None
        if lock.exists() and os.fstat(held.fileno()).st_ino == lock.stat().st_ino:
            return held
        held.close()  # its last holder has just removed it
