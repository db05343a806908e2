"""A setup file, checked from the first key to the last component's configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.setup.components import ResolvedComponent, resolve_actor, resolve_strategy
from runtime.setup.engine_keys import check_engine_keys
from runtime.setup.overrides import apply_overrides
from runtime.setup.parse import parse_part
from runtime.setup.sections import Setup
from runtime.setup.tree import SetupTree, read_setup_tree


@dataclass(frozen=True)
class LoadedSetup:
    """
    A setup whose every key has been checked.

    Parameters
    ----------
    setup : Setup
        What the file says, with the defaults filled in.
    tree : SetupTree
        The values with their lines, for complaints that need the data or the venue.
    strategies, actors : tuple of ResolvedComponent
        The classes with their parsed configurations.

    """

    setup: Setup
    tree: SetupTree
    strategies: tuple[ResolvedComponent, ...]
    actors: tuple[ResolvedComponent, ...]


def load_setup(file: Path, overrides: Sequence[str] = ()) -> LoadedSetup:
    """
    Read and check a setup file, with `PATH=VALUE` overrides applied.

    Raises
    ------
    BadInput
        For the first thing that is wrong, naming file, line, key, value and what was expected.

    """
    return parse_setup(apply_overrides(read_setup_tree(file), overrides))


def parse_setup(tree: SetupTree) -> LoadedSetup:
    """
    Check the values of a setup file.

    Raises
    ------
    BadInput
        As `load_setup`.

    """
    setup = parse_part(tree, (), tree.values, Setup)
    strategies = tuple(resolve_strategy(tree, ("strategies", i), part) for i, part in enumerate(setup.strategies))
    actors = tuple(resolve_actor(tree, ("actors", i), part) for i, part in enumerate(setup.actors))
    check_engine_keys(tree, strategies, actors)
    return LoadedSetup(setup, tree, strategies, actors)
