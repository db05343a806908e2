"""The folder of a live run: there from the first moment, so that a kill leaves what happened until then."""

import json
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import click
from nautilus_trader.model.events import OrderFilled

from runtime.results import new_run_id

_TOLD_KEPT: Final = 50


class RunFolder:
    """
    `results/<name>/<run id>/` of a run that is going on.

    `events.log` has what the user was told, `fills.jsonl` every fill as it came, `log/` the engine's own words.

    Parameters
    ----------
    results : Path
        The folder of all results.
    name : str
        The setup's name.
    sha256 : str
        The setup's hash.

    """

    def __init__(self, results: Path, name: str, sha256: str) -> None:
        wanted, number = new_run_id(sha256, datetime.now(UTC)), 1
        self.run_id = wanted
        while True:
            self.path = results / name / self.run_id
            try:
                self.path.mkdir(parents=True)
                break
            except FileExistsError:
                number += 1
                self.run_id = f"{wanted}-{number}"
        self.log = self.path / "log"
        self.log.mkdir()
        self.told: deque[tuple[datetime, str]] = deque(maxlen=_TOLD_KEPT)
        """What the user was told last, and when."""
        self._events = self._open("events.log")
        self._fills = self._open("fills.jsonl")

    def _open(self, name: str) -> IO[str]:
        return (self.path / name).open("a", encoding="utf-8", buffering=1)

    def say(self, text: str) -> None:
        """Tell the user, and keep it."""
        now = datetime.now(UTC)
        self.told.append((now, text))
        line = f"{now:%Y-%m-%dT%H:%M:%SZ} {text}"
        click.echo(line, err=True)
        self._write(self._events, line)

    def keep_fill(self, fill: OrderFilled) -> None:
        """Write a fill down."""
        self._write(self._fills, json.dumps(_plain(OrderFilled.to_dict(fill)), default=str))

    def _write(self, stream: IO[str], line: str) -> None:
        try:
            stream.write(f"{line}\n")
        except (OSError, ValueError) as error:  # trading goes on: the ledger has it in memory
            click.echo(f"not written: {error}", err=True)

    def close(self) -> None:
        """Close the files."""
        for stream in (self._events, self._fills):
            stream.close()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in ("info", "trader_id")}
