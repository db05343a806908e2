"""What a person can say to a trading system from outside: halt, resume, and what halts it."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from bad_input import BadInput
from command_line import STOPPED_BY_RISK, Failed
from runtime.risk.latch import RiskLatch
from runtime.setup.sections import NAME_PATTERN
from runtime.setup.tree import read_setup_tree


def latch_of(setup: Path, working_folder: Path) -> RiskLatch:
    """
    Return the latch of a setup file; only its name is read, so that a mistake elsewhere keeps nobody from halting.

    Raises
    ------
    BadInput
        If there is no such file or it has no name.

    """
    tree = read_setup_tree(setup)
    name = tree.values.get("name")
    if not isinstance(name, str) or not re.match(NAME_PATTERN, name):
        raise tree.complaint(f'was "{name}", expected the name of the trading system', ("name",))
    return RiskLatch.of(name, working_folder)


def halt(latch: RiskLatch, reason: str) -> int:
    """Ask for a halt."""
    _check_reason("--halt", reason)
    try:
        latch.request_halt(reason.strip())
    except OSError as error:
        raise Failed(f"the halt could not be asked for: {error}") from None
    click.echo(f"wrote {latch.halt_file}: a running system halts at its next check, and none starts until --resume")
    return 0


def resume(latch: RiskLatch, reason: str) -> int:
    """End everything that halts trading, and write down why."""
    _check_reason("--resume", reason)
    now = datetime.now(UTC)
    halts = latch.halts(now)
    try:
        latch.resume(reason.strip(), now)
    except OSError as error:
        raise Failed(f"nothing was resumed: {error}") from None
    for line in halts:
        click.echo(f"ended: {line}")
    click.echo(f"nothing halts trading any more; written down in {latch.file}")
    return 0


def show_state(latch: RiskLatch) -> int:
    """Say what halts trading; the exit status tells whether anything does."""
    halts = latch.halts(datetime.now(UTC))
    for line in halts or ["nothing halts trading"]:
        click.echo(line)
    return STOPPED_BY_RISK if halts else 0


@contextmanager
def halting_on_signal(latch: RiskLatch) -> Iterator[None]:
    """Ask for a halt whenever this process gets SIGUSR1; for as long as a system runs, from its main thread."""
    before = signal.signal(signal.SIGUSR1, lambda *_: latch.request_halt("signal SIGUSR1"))
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def _check_reason(option: str, reason: str) -> None:
    if not reason.strip():
        raise BadInput('was "", expected the reason, which is written down', key=option)
