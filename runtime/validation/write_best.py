"""The winner of a sweep as a setup of its own, with where it comes from in its first lines."""

import io
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from bad_input import BadInput
from reports import format as fmt
from reports.sweeps.record import Sweep
from reports.sweeps.tables import number
from reports.sweeps.verdict import ratio, share, sure, verdict
from runtime.setup.overrides import parse_path
from runtime.setup.tree import KeyPath, SetupTree
from runtime.sweep.load_sweep import LoadedSweep

BEST_FILE: Final = "best.yaml"
_WIDTH: Final = 110
_NAME_LENGTH: Final = 80


def check_target(file: Path | None) -> None:
    """
    Refuse a file that cannot be written, before anything runs.

    Raises
    ------
    BadInput
        If it is there already, or its folder is not.

    """
    if file is None:
        return
    if file.exists():
        raise BadInput("is there already; it is not overwritten", file=file, key="--write-best")
    if not file.parent.is_dir():
        raise BadInput(f"the folder {file.parent} is not there", file=file, key="--write-best")


def best_setup(loaded: LoadedSweep, sweep: Sweep) -> str | None:
    """
    Return the setup with the values of the last fold's winner; None without a winner.

    The base setup's own lines and comments stay; what the sweep's `set` and the command line changed is changed here
    as well, so that the setup, over the window that was searched, does what the trial did.
    """
    winner = sweep.winner(sweep.record.last)
    if winner is None:
        return None
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(loaded.base.tree.file.read_text(encoding="utf-8"))
    content["name"] = f"{sweep.record.sweep}_best"[:_NAME_LENGTH]
    changed: dict[KeyPath, Any] = {path: _value(loaded.base.tree, path) for path in loaded.base.tree.overridden}
    changed |= {parse_path(path, path): value for path, value in winner.parameters.items()}
    for path, value in changed.items():
        _put(content, path, value)
    text = io.StringIO()
    yaml.dump(content, text)
    body = text.getvalue()
    return "".join(f"# {line}".rstrip() + "\n" for line in provenance(sweep)) + "\n" + body


def provenance(sweep: Sweep) -> list[str]:
    """Return where the winner comes from and how much of it is luck, in lines for a comment."""
    record, found = sweep.record, verdict(sweep)
    fold, winner = record.last, sweep.winner(record.last)
    assert winner is not None
    lines = [
        f"The winner of a sweep: {record.sweep}, run {record.run_id}, trial {winner.number}.",
        f"Sweep sha256 {record.manifest['sweep_sha256']}.",
        f"Setup sha256 {record.manifest['setup_sha256']}, before the winner's values.",
        f"Searched: {fold.train_start} to {fold.train_end}.",
        *(_objective(sweep, place) for place in range(len(record.objectives))),
    ]
    if fold.luck is not None:
        luck = fold.luck
        lines.append(
            f"Trials: {luck.trials}. Sharpe ratio {_known(luck.sharpe.value, ratio)}, luck's best "
            f"{_known(luck.expected_best_sharpe.value, ratio)}."
        )
        lines.append(
            f"Better than luck: {_known(luck.skill.value, sure)}; deflated Sharpe ratio "
            f"{_known(luck.dsr.value, sure)}; probability of overfitting {_known(luck.pbo.value, share)}."
        )
    if record.out_of_sample is not None:
        lines.append(
            f"Out of sample, all folds: {fmt.percent(record.out_of_sample.winner.pnl_pct, signed=True)} in "
            f"{fmt.duration(record.out_of_sample.length_secs)}."
        )
    lines += _wrapped(f"{found.level.value}: {found.sentence}")
    return [line.replace(fmt.MINUS, "-") for line in lines]


def _objective(sweep: Sweep, place: int) -> str:
    winner = sweep.winner(sweep.record.last)
    assert winner is not None
    told = f"{sweep.record.objectives[place].key}: {number(winner.values[place])} in sample"
    if place < len(winner.test_values):
        return f"{told}, {number(winner.test_values[place])} out of sample, in the window after it."
    return f"{told}; not tried out of sample."


def _known(value: float | None, write: Any) -> str:
    return "not known" if value is None else str(write(value))


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= _WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _value(tree: SetupTree, path: KeyPath) -> Any:
    values: Any = tree.values
    for part in path:
        values = values[part]
    return _as_yaml(values)


def _as_yaml(value: Any) -> Any:
    """Return a value as ruamel writes it back: exact decimals as the numbers they are."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _as_yaml(item) for key, item in value.items()}
    return [_as_yaml(item) for item in value] if isinstance(value, list) else value


def _put(content: Any, path: Sequence[str | int], value: Any) -> None:
    for part, after in pairwise(path):
        if isinstance(content, dict):
            content.setdefault(part, [] if isinstance(after, int) else {})
        content = content[part]
    content[path[-1]] = value
