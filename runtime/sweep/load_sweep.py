"""A sweep file, checked from the first key to the values of every parameter; its setup is checked with it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from bad_input import BadInput, nearest_name
from runtime.setup.load import LoadedSetup, parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.setup.parse import parse_part
from runtime.setup.tree import SetupTree, read_setup_tree
from runtime.sweep.settings import Choice, Range, SweepFile, SweepSettings
from runtime.sweep.space import Parameter, Space, as_text, condition_of, parameter_of

_OF_THE_FILE = re.compile(r"^\s*(sweep|name|description)\b")
MISSING: Final = 1e300
"""The violation of a constraint on a figure that could not be computed."""
_CONSTRAINT = re.compile(r"^\s*(\S+)\s*(<=|>=)\s*(\S+)\s*$")


@dataclass(frozen=True)
class Constraint:
    """A bound on a figure of the summary; `sign` is +1 for at most, -1 for at least."""

    text: str
    key: str
    sign: int
    bound: float

    def violation(self, value: float | None) -> float:
        """Return by how much a value breaks the bound, 0 or less if it does not; a figure that is missing does."""
        return MISSING if value is None else self.sign * (value - self.bound)


@dataclass(frozen=True)
class LoadedSweep:
    """
    A sweep whose every key has been checked.

    Parameters
    ----------
    file : SweepFile
        What the file says, with the defaults filled in.
    tree : SetupTree
        Its values with their lines.
    base : LoadedSetup
        The setup, with what `set` changes.
    space : Space
        The points that may be tried.
    constraints : tuple of Constraint
        What a feasible trial keeps.

    """

    file: SweepFile
    tree: SetupTree
    base: LoadedSetup
    space: Space
    constraints: tuple[Constraint, ...]

    @property
    def settings(self) -> SweepSettings:
        """The section `sweep`."""
        return self.file.sweep

    @property
    def replicates(self) -> tuple[tuple[str, ...], ...]:
        """What each run of a trial changes of the setup besides its point."""
        replicates = self.settings.replicates
        if replicates is None:
            return ((),)
        return tuple((f"{replicates.vary}={as_text(value)}",) for value in replicates.values)

    def sha256(self) -> str:
        """Return the hash that names this sweep: the file without its name, and the setup."""
        content = (self.settings_that_matter(), self.base.setup.as_dict())
        return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()

    def settings_that_matter(self) -> dict[str, Any]:
        """Return the settings that decide the trials and their results; the validation comes after them."""
        settings = self.file.as_dict()["sweep"]
        return {key: value for key, value in settings.items() if key not in {"setup", "validation"}}


def load_sweep(tree: SetupTree, overrides: Sequence[str] = ()) -> LoadedSweep:
    """
    Check the values of a sweep file and of its setup.

    Parameters
    ----------
    tree : SetupTree
        A file with the key `sweep`.
    overrides : sequence of str
        `PATH=VALUE` of the sweep file (`sweep.trials=8`) or of the setup (`backtest.fills=queue`).

    Raises
    ------
    BadInput
        For the first thing that is wrong, naming file, line, key, value and what was expected.

    """
    own = [text for text in overrides if _OF_THE_FILE.match(text)]
    tree = apply_overrides(tree, own)
    file = parse_part(tree, (), tree.values, SweepFile)
    base = _base(tree, file.sweep, [text for text in overrides if text not in own])
    parameters = tuple(_parameter(tree, path, given) for path, given in file.sweep.parameters.items())
    _check_paths(tree, base, parameters)
    space = Space(parameters, tuple(_conditions(tree, file.sweep, parameters)))
    if file.sweep.sampler.kind == "grid":
        _check_grid(tree, space)
    constraints = tuple(_constraint(tree, i, text) for i, text in enumerate(file.sweep.constraints))
    return LoadedSweep(file, tree, base, space, constraints)


def _base(tree: SetupTree, settings: SweepSettings, overrides: list[str]) -> LoadedSetup:
    setup = tree.file.parent / settings.setup
    if not setup.is_file():
        raise tree.complaint(f"there is no setup file {setup}", ("sweep", "setup"))
    values = read_setup_tree(setup)
    for i, text in enumerate(settings.set):
        try:
            values = apply_overrides(values, [text])
        except BadInput as error:
            raise tree.complaint(error.problem, ("sweep", "set", i), error.hint) from None
    return parse_setup(apply_overrides(values, overrides))


def _parameter(tree: SetupTree, path: str, given: Any) -> Parameter:
    where = ("sweep", "parameters", path)
    if isinstance(given, dict):
        return parameter_of(path, parse_part(tree, where, given, Range))
    if not isinstance(given, list) or not given:
        raise tree.complaint(f'was "{given}", expected a list of values, or low and high', where)
    values = parse_part(tree, where, given, tuple[Choice, ...])
    if len(set(values)) < len(values):
        raise tree.complaint("names a value twice", where)
    return parameter_of(path, values)


def _check_paths(tree: SetupTree, base: LoadedSetup, parameters: Sequence[Parameter]) -> None:
    """Refuse a path that leads nowhere; whether its key is known is found out with the points."""
    for parameter in parameters:
        try:
            apply_overrides(base.tree, [f"{parameter.path}=1"])
        except BadInput as error:
            raise tree.complaint(error.problem, ("sweep", "parameters", parameter.path), error.hint) from None


def _conditions(tree: SetupTree, settings: SweepSettings, parameters: Sequence[Parameter]) -> Any:
    for i, text in enumerate(settings.where):
        try:
            yield condition_of(text, parameters)
        except ValueError as error:
            labels = Space(tuple(parameters)).labels()
            hint = nearest_name(str(error).split('"')[1], labels) or f"parameters: {', '.join(labels)}"
            raise tree.complaint(str(error), ("sweep", "where", i), hint) from None


def _check_grid(tree: SetupTree, space: Space) -> None:
    for parameter in space.parameters:
        if parameter.values is None:
            raise tree.complaint(
                "has no step and no points, which a grid needs", ("sweep", "parameters", parameter.path)
            )
    if next(space.grid(), None) is None:
        raise tree.complaint("no point of the grid keeps all conditions", ("sweep", "where"))


def _constraint(tree: SetupTree, i: int, text: str) -> Constraint:
    match = _CONSTRAINT.match(text)
    try:
        if match is None:
            raise ValueError
        return Constraint(text, match[1], 1 if match[2] == "<=" else -1, float(match[3]))
    except ValueError:
        problem = f'was "{text}", expected FIGURE <= NUMBER or FIGURE >= NUMBER, such as "max_drawdown_pct <= 5"'
        raise tree.complaint(problem, ("sweep", "constraints", i)) from None
