"""Commands that run one setup many times: what they share of the command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from bad_input import BadInput
from command_line import FAILED
from reports.lookahead import print_lookahead
from runtime.ladder.command import run_ladder
from runtime.lookahead.check import check_lookahead
from runtime.lookahead.document import as_document
from runtime.setup.overrides import apply_overrides
from runtime.setup.tree import SetupTree, read_setup_tree, require_setup


@dataclass(frozen=True)
class ManyRuns:
    """
    What is asked for.

    Parameters
    ----------
    setup : Path
        The setup file.
    overrides : sequence of str
        `PATH=VALUE`.
    workers : int, optional
        Processes; one per processor where left out.
    as_json : bool
        Whether JSON is printed, and nothing else.

    """

    setup: Path
    overrides: Sequence[str]
    workers: int | None
    as_json: bool

    def refuse(self, options: Mapping[str, object]) -> None:
        """
        Refuse options that go with a single run.

        Raises
        ------
        BadInput
            For the first that was given.

        """
        for name, value in options.items():
            if value:
                raise BadInput("goes with a single run, and this makes many of them", key=name)

    def ladder(self, out: Path) -> int:
        """Run the fill ladder into a folder of `out`; return the exit status, 0."""
        return run_ladder(self._tree("--fill-ladder"), out, as_json=self.as_json, workers=self.workers)

    def lookahead(self) -> int:
        """Check for lookahead and print what was found; return 0 where every decision stays the same, otherwise 1."""
        check = check_lookahead(self._tree("--check-lookahead"), Path.cwd(), workers=self.workers)
        document = as_document(check)
        if self.as_json:
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            print_lookahead(document, Console())
        return 0 if check.passed else FAILED

    def _tree(self, option: str) -> SetupTree:
        tree = apply_overrides(read_setup_tree(self.setup), self.overrides)
        require_setup(tree, option)
        return tree
