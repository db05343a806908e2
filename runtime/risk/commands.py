"""What a person can say to a trading system from outside: halt, resume, and what halts it."""

import re
import signal
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from bad_input import BadInput, nearest_name
from command_line import STOPPED_BY_RISK, Failed
from messages.risk import ACCOUNT
from runtime.live.run_lock import is_running
from runtime.risk.latch import REHEARSAL_FOLDER, RiskLatch
from runtime.setup.overrides import apply_overrides
from runtime.setup.sections import NAME_PATTERN
from runtime.setup.strategy_ids import strategy_ids
from runtime.setup.tree import SetupTree, read_setup_tree

_NAME_LINE: Final = re.compile(r"""^name:[ \t]*["']?([\w.-]+)["']?[ \t]*(?:#.*)?$""", re.MULTILINE)


def commanded(setup: Path, overrides: Sequence[str], strategy: str | None) -> SetupTree:
    """
    Return what a command needs of a setup: where no strategy is named, its name, though the rest is not even YAML.

    Raises
    ------
    BadInput
        If there is no such file, or it is not YAML and more is needed than a name that can be made out.

    """
    try:
        tree = read_setup_tree(setup)
    except BadInput:
        names: list[str] = []
        with suppress(OSError):
            names = _NAME_LINE.findall(setup.read_text(encoding="utf-8", errors="replace"))
        if strategy is not None or len(names) != 1:
            raise
        tree = SetupTree(setup, {"name": names[0]})
    return apply_overrides(tree, overrides)


def latch_of(tree: SetupTree, working_folder: Path, *, rehearsal: bool = False) -> RiskLatch:
    """
    Return the latch of a setup, or of its rehearsal; a mistake elsewhere than in its name keeps nobody from halting.

    Raises
    ------
    BadInput
        If it has no name.

    """
    name = tree.values.get("name")
    if not isinstance(name, str) or not re.match(NAME_PATTERN, name):
        raise tree.complaint(f'was "{name}", expected the name of the trading system', ("name",))
    latch = RiskLatch.of(name, working_folder)
    return RiskLatch(latch.file.parent / REHEARSAL_FOLDER) if rehearsal else latch


def check_obeyed(tree: SetupTree, latch: RiskLatch, *, rehearsal: bool) -> None:
    """
    Check that a halt would be heard; of a file that is not even YAML nobody knows, and it is written all the same.

    Raises
    ------
    BadInput
        If the setup has no limits, or no rehearsal runs: the next one forgets what halted this one.

    """
    if tree.lines and tree.values.get("risk") is None:
        problem = "the setup has no such section, without which a running system hears of no halt"
        hint = f"end it with Ctrl-C or SIGTERM; where it was started with one, `touch {latch.halt_file}` halts it"
        raise tree.complaint(problem, ("risk",), hint)
    if rehearsal and not is_running(latch.file.parent):
        raise BadInput("no rehearsal of this setup runs, and the next one begins without a halt", key="--rehearsal")


def tell_of_a_rehearsal(latch: RiskLatch) -> None:
    """Say that a rehearsal runs, which has a latch of its own, to whoever has not asked for that."""
    if is_running(latch.file.parent / REHEARSAL_FOLDER):
        click.echo("a rehearsal of this setup runs, too; this is not about it: add --rehearsal for that", err=True)


def scope_of(strategy: str | None, tree: SetupTree, also: Collection[str] = ()) -> str:
    """
    Return what a person's command is for: a strategy of a setup, or the account where none is named.

    Raises
    ------
    BadInput
        If there is no such strategy, neither in the setup nor in `also`.

    """
    if strategy is None:
        return ACCOUNT
    known = sorted({*strategy_ids(tree), *also} - {ACCOUNT})
    if strategy not in known:
        problem = f'was "{strategy}", expected one of: {", ".join(known)}' if known else "the setup names no strategies"
        hint = nearest_name(strategy, known) or "without --strategy all of the account is meant"
        raise BadInput(problem, file=tree.file, key="--strategy", hint=hint)
    return strategy


def halt(latch: RiskLatch, reason: str, scope: str = ACCOUNT) -> int:
    """Ask for a halt of the account or a strategy."""
    _check_reason("--halt", reason)
    try:
        latch.request_halt(reason.strip(), scope)
    except OSError as error:
        raise Failed(f"the halt could not be asked for: {error}") from None
    who = "halts at its next check" if scope == ACCOUNT else f"halts {scope} at its next check, and nothing else of it"
    file = latch.halt_file_of(scope)
    if latch.is_of_a_rehearsal:
        click.echo(f"wrote {file}: the rehearsal {who}; the next one begins without it")
    else:
        click.echo(f"wrote {file}: a running system {who}; none starts until --resume")
    return 0


def resume(latch: RiskLatch, reason: str, scope: str = ACCOUNT) -> int:
    """End everything that halts trading, or what halts a strategy, and write down why."""
    _check_reason("--resume", reason)
    now = datetime.now(UTC)
    before = latch.halts(now)
    try:
        latch.resume(reason.strip(), now, scope)
    except OSError as error:
        raise Failed(f"nothing was resumed: {error}") from None
    left = latch.halts(now)
    for line in before:
        click.echo(f"{'still holds' if line in left else 'ended'}: {line}")
    what = f"{scope} is resumed, the rest is not" if left else "nothing halts trading any more"
    click.echo(f"{what}; written down in {latch.file}")
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
