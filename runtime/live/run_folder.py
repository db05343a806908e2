"""The folder of a live run: there from the first moment, so that a kill leaves what happened until then."""

import json
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from nautilus_trader.model.events import OrderFilled

from runtime.live.rotating import RotatingLines
from runtime.results import new_run_id

_TOLD_KEPT: Final = 50
_EVENTS_BYTES: Final = 10_000_000
_EVENT_FILES: Final = 5
_FILLS_BYTES: Final = 50_000_000


class RunFolder:
    """
    `results/<name>/<run id>/` of a run that is going on.

    `events.log` has what the user was told, `fills.jsonl` every fill as it came, `log/` the engine's own words. A full
    file is put aside under a number: of events the last ones are kept, of fills all.

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
        self._events = RotatingLines(self.path / "events.log", _EVENTS_BYTES, _EVENT_FILES)
        self._fills = RotatingLines(self.path / "fills.jsonl", _FILLS_BYTES)

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

    def _write(self, lines: RotatingLines, line: str) -> None:
        try:
            lines.write(line)
        except (OSError, ValueError) as error:  # trading goes on: the ledger has it in memory
            click.echo(f"not written: {error}", err=True)

    def close(self) -> None:
        """Close the files."""
        for lines in (self._events, self._fills):
            lines.close()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in ("info", "trader_id")}
