"""Several parents and one study: every trial is made once, and those of a parent that is gone are taken over."""

from pathlib import Path
from typing import Any

import optuna
import pytest

from bad_input import BadInput
from command_line import Failed
from runtime.sweep import study as study_module
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.study import SweepStudy, held_alone, open_storage, study_exists
from runtime.sweep.trial import TrialResult
from tests.runtime.sweep.sweep_kit import loaded, write_workplace

DONE = TrialResult("complete", objectives=(1.0,), violations=(-1.0,), figures={"pnl": 0.1 + 0.2})


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: Any) -> LoadedSweep:
    folder = Path(tmp_path_factory.mktemp("sweep"))
    write_workplace(folder)
    return loaded(folder, "sweep.trials=4")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.sqlite3'}"


def parent(url: str, sweep: LoadedSweep, *, alone: bool = False) -> SweepStudy:
    study = SweepStudy(url, "study", sweep, Plan(sweep), alone=alone)
    study.look()
    return study


def test_two_parents_share_the_trials_and_each_is_made_once(url: str, sweep: LoadedSweep) -> None:
    one, other, late = (parent(url, sweep) for _ in range(3))

    assert [one.claim(), other.claim(), one.claim()] == [0, 1, 2]
    assert (one.claim(), other.claim()) == (None, None)  # the next batch waits for the results of this one
    one.tell(0, DONE)
    other.tell(1, TrialResult("failed", "because"))
    one.tell(2, TrialResult("pruned", first_part=0.5))
    one.look()
    other.look()
    assert (one.claim(), other.claim()) == (None, 3)  # it was the other's already, before its time had come
    assert late.claim() is None
    other.tell(3, DONE)

    other.look()
    assert other.results == {0: DONE, 1: TrialResult("failed", "because"), 2: other.results[2], 3: DONE}
    assert other.results[2].first_part == 0.5
    states = [trial.state.name for trial in optuna.load_study(study_name="study", storage=url).trials]
    assert states == ["COMPLETE", "FAIL", "PRUNED", "COMPLETE", "FAIL"]  # the last is one too many


def test_a_parent_that_is_gone_is_found_by_its_silence(
    url: str, sweep: LoadedSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = parent(url, sweep)
    assert [gone.claim(), gone.claim(), gone.claim()] == [0, 1, 2]
    gone.tell(0, DONE)
    other = parent(url, sweep)
    assert other.claim() is None  # its beat is seen for the first time
    monkeypatch.setattr(study_module, "GONE_SECS", -1.0)

    assert [other.claim(), other.claim(), other.claim()] == [1, 2, None]

    other.tell(1, DONE)
    gone.tell(1, TrialResult("failed", "it came back, too late"))
    gone.look()
    assert gone.results[1] == DONE


def test_a_beat_keeps_a_claim(url: str, sweep: LoadedSweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_module, "BEAT_SECS", 0.001)
    busy, other = parent(url, sweep), parent(url, sweep)
    assert busy.claim() == 0
    other.look()
    with busy.beating():
        beats = set()
        while len(beats) < 3:
            (trial,) = optuna.load_study(study_name="study", storage=url).trials
            beats.add(trial.user_attrs["beat"])

    assert len({beat.split()[0] for beat in beats}) == 1


def test_who_is_alone_takes_over_at_once(url: str, sweep: LoadedSweep) -> None:
    killed = parent(url, sweep, alone=True)
    assert [killed.claim(), killed.claim()] == [0, 1]
    killed.tell(1, DONE)

    resumed = parent(url, sweep, alone=True)

    assert [resumed.claim(), resumed.claim(), resumed.claim()] == [0, 2, None]


def test_a_study_of_other_points_is_refused(url: str, sweep: LoadedSweep) -> None:
    begun = parent(url, sweep, alone=True)
    assert begun.claim() == 0
    resumed = parent(url, sweep, alone=True)
    resumed._plan.points[0] = (1.0, 1.0)

    with pytest.raises(Failed, match="trial 0 of the study is another point"):
        resumed.claim()


def test_other_data_or_versions_are_refused(url: str, sweep: LoadedSweep) -> None:
    parent(url, sweep).agree_on({"data": {"X quotes": "abc"}, "numpy": "2.5.0"})

    parent(url, sweep).agree_on({"data": {"X quotes": "abc"}, "numpy": "2.5.0"})
    with pytest.raises(BadInput, match=r"--resume: the study was begun with numpy 2.5.0, here it is 2.5.1"):
        parent(url, sweep).agree_on({"data": {"X quotes": "abc"}, "numpy": "2.5.1"})


def test_a_trial_ended_from_outside_is_no_reason_to_wait(url: str, sweep: LoadedSweep) -> None:
    study = parent(url, sweep)
    assert study.claim() == 0
    optuna.load_study(study_name="study", storage=url).tell(0, state=optuna.trial.TrialState.FAIL)

    study.look()

    assert study.results[0] == TrialResult("failed", "it was ended in the storage, not by a sweep")


def test_a_file_is_held_by_one_process(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "study.sqlite3"
    with held_alone(file), pytest.raises(BadInput, match="another process works on this sweep"), held_alone(file):
        pass

    with held_alone(file):
        pass
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    ["nonsense", "postgresql://nobody@127.0.0.1:1/none", "unknown://host/x", "sqlite:////nowhere/at/all/x.sqlite3"],
)
def test_a_storage_that_cannot_be_reached_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match=r"^--storage: the storage could not be opened: "):
        open_storage(url)


def test_whether_a_study_exists(url: str, sweep: LoadedSweep) -> None:
    assert not study_exists(url, "study")
    parent(url, sweep)
    assert study_exists(url, "study")
