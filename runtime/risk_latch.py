"""
The file that keeps a halt over restarts, and the command that ends it.

    uv run python -m runtime.risk_latch FILE [--resume REASON]

The file is JSON: what holds now, by scope, and every resume with its time and reason.
"""

import contextlib
import os
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click
import msgspec

from bad_input import BadInput
from command_line import run
from messages import ACCOUNT
from models.risk_state import Trip

UNREADABLE = "latch_unreadable"
"""The rule of the trip that stands for a file that cannot be read."""


class Resumed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One resume: when, why, and what it ended."""

    time: str
    reason: str
    ended: dict[str, list[Trip]]


class LatchContent(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the file says."""

    holding: dict[str, list[Trip]] = {}
    resumed: list[Resumed] = []


class RiskLatch:
    """
    Keeps the trips that only a person ends.

    Parameters
    ----------
    file : Path
        Where; it need not exist.

    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> dict[str, list[Trip]]:
        """Return the trips that hold, by scope; a damaged file halts the account, as nobody knows what it said."""
        try:
            return self.content().holding
        except BadInput:
            return {ACCOUNT: [Trip(0, UNREADABLE, Decimal(1), Decimal(0), "cancel")]}

    def content(self) -> LatchContent:
        """
        Return what the file says; nothing holds where there is none.

        Raises
        ------
        BadInput
            If it cannot be read.

        """
        if not self._file.exists():
            return LatchContent()
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=LatchContent)
        except (OSError, msgspec.DecodeError) as error:
            raise BadInput(f"the latch file is damaged: {error}", file=self._file) from None

    def save(self, trips: dict[str, list[Trip]]) -> None:
        """Keep what holds, by scope; a file that was damaged stays as it is until a person resumes."""
        with contextlib.suppress(BadInput):
            content = self.content()
            content.holding = {scope: held for scope, held in trips.items() if held}
            if content.holding or self._file.exists():
                self._write(content)

    def resume(self, reason: str, now: datetime) -> LatchContent:
        """End everything that holds, and write down why; return what the file says then."""
        try:
            content = self.content()
        except BadInput:
            content = LatchContent(holding=self.load())
        content.resumed.append(Resumed(time=now.isoformat(), reason=reason, ended=content.holding))
        content.holding = {}
        self._write(content)
        return content

    def _write(self, content: LatchContent) -> None:
        """Replace the file in one step: a process that dies while writing leaves the old one."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._file.parent, delete=False) as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(content), indent=2))
            stream.flush()
            os.fsync(stream.fileno())
        Path(stream.name).replace(self._file)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--resume", "reason", help="End every halt, for this reason; it is written down.")
def command(file: Path, reason: str | None) -> None:
    """Say what halts trading, or end it."""
    latch = RiskLatch(file)
    if reason is not None:
        if not reason.strip():
            raise BadInput('was "", expected why trading may go on', key="--resume")
        latch.resume(reason, datetime.now(UTC))
        click.echo("resumed: nothing halts trading")
        return
    holding = latch.content().holding
    for scope, trips in holding.items():
        for trip in trips:
            click.echo(f"{scope}: {trip.rule} was {trip.value}, the limit is {trip.limit}: {trip.action}")
    if not holding:
        click.echo("nothing halts trading")


if __name__ == "__main__":
    run(command, "python -m runtime.risk_latch")
