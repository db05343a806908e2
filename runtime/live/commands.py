"""What `run_live.py` does: check, or check and trade."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from command_line import FAILED, STOPPED_BY_RISK
from runtime.live.check_rows import print_rows
from runtime.live.environment import Credentials, Environment
from runtime.live.journal import BooksJournal
from runtime.live.node import NodeOptions
from runtime.live.preflight import Preflight, check
from runtime.live.prepare import (
    PreparedLive,
    ledger_currency,
    prepare_live,
    prepare_paper,
    prepare_rehearsal,
    require_credentials,
)
from runtime.live.recording import RunRecording
from runtime.live.rehearsal import Rehearsal
from runtime.live.run_folder import RunFolder
from runtime.live.run_lock import RunLock
from runtime.live.session import Session
from runtime.live.state import KeptState
from runtime.live.warm_up import wanted_by, warm_up
from runtime.live.web.address import Place
from runtime.live.web.live_page import Sources, live_page, run_of
from runtime.prepare import prepare_backtest, starting_balances
from runtime.risk.commands import halting_on_signal
from runtime.setup.load import load_setup

REDIS_PASSWORD: Final = "BALLAST_REDIS_PASSWORD"

_LOCK_WAIT_SECS: Final = 60.0


@dataclass(frozen=True)
class LiveRequest:
    """
    What the command line asks for.

    Parameters
    ----------
    setup : Path
        The setup file.
    environment : Environment
        Where.
    overrides : tuple of str
        `PATH=VALUE` each.
    out : Path
        The folder of results.
    as_json : bool
        Whether stdout gets JSON and nothing else.
    fresh : bool
        Whether strategies forget what earlier runs have kept.
    page : Place, optional
        Where the live page is served; nowhere where left out.

    """

    setup: Path
    environment: Environment
    overrides: tuple[str, ...]
    out: Path
    as_json: bool = False
    fresh: bool = False
    page: Place | None = None


def run_check(request: LiveRequest) -> int:
    """Print what was found; return 0 for go, 3 where a risk control alone says no, 1 for everything else."""
    prepared = prepare_live(load_setup(request.setup, request.overrides), request.environment, Path.cwd())
    found = check(prepared, request.out)
    if request.as_json:
        click.echo(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    else:
        _show(prepared, found, Console())
    return _status(found)


def trade(request: LiveRequest, credentials: Credentials | None = None) -> int:
    """Check, and trade if nothing speaks against it; return the exit status."""
    loaded = load_setup(request.setup, request.overrides)
    prepared = prepare_live(loaded, request.environment, Path.cwd(), credentials)
    require_credentials(prepared)
    return _check_and_run(prepared, request)


def trade_on_paper(request: LiveRequest) -> int:
    """Trade a live market with the backtest's simulated fills, without keys; return the exit status."""
    prepared = prepare_paper(load_setup(request.setup, request.overrides), request.environment, Path.cwd())
    return _check_and_run(prepared, replace(request, fresh=True))


def rehearse(request: LiveRequest, catalog: Path, speed: float) -> int:
    """Trade a recorded market on an exchange of this process until the recording ends; return the exit status."""
    overrides = (f"backtest.catalog={json.dumps(str(catalog))}", *request.overrides)
    loaded = load_setup(request.setup, overrides)
    played = prepare_backtest(loaded, Path.cwd(), warmed_up=True)
    with Rehearsal(played, speed, wanted_by(loaded)) as rehearsal:
        prepared = prepare_rehearsal(loaded, rehearsal.url, Path.cwd(), rehearsal.credentials, rehearsal.pace)
        rehearsal.set_leverage(prepared.leverage)
        return _check_and_run(prepared, replace(request, fresh=True), rehearsal)


def _check_and_run(prepared: PreparedLive, request: LiveRequest, rehearsal: Rehearsal | None = None) -> int:
    with RunLock(prepared.strategy_folder, _LOCK_WAIT_SECS, lambda text: click.echo(text, err=True)) as lock:
        states = KeptState(prepared.strategy_folder)
        books = BooksJournal(prepared.strategy_folder)
        if request.fresh:
            states.forget()
            books.forget()
        if rehearsal is not None:
            prepared.latch.forget()  # a halt was of the market that was played, and --resume is of real trading
        states.read()
        books.read()
        found = check(prepared, request.out)
        _show(prepared, found, Console(stderr=True))
        if not found.passed:
            click.echo("not started: the check says no-go", err=True)
            return _status(found)
        return _run(prepared, found, request, lock, rehearsal)


def _run(
    prepared: PreparedLive, found: Preflight, request: LiveRequest, lock: RunLock, rehearsal: Rehearsal | None
) -> int:
    setup = prepared.loaded.setup
    options = _options(prepared, found)
    folder = RunFolder(request.out, setup.name, setup.sha256())
    with halting_on_signal(prepared.latch):
        folder.say(banner(prepared))
        options = replace(options, histories=warm_up(prepared, folder.say))
        recording = RunRecording(prepared, folder, None if rehearsal is None else rehearsal.market)
        session = Session(prepared, options, folder, lock.descriptor, recording)
        run = run_of(prepared, folder, options.currency)
        with live_page(request.page, run, session, Sources(prepared, folder, recording)):
            status = session.run() if rehearsal is None else rehearsal.play(session)
    folder.say(f"ended with exit status {status}: {folder.path}")
    summary = folder.path / "summary.json"
    if request.as_json and summary.exists():
        click.echo(summary.read_text(encoding="utf-8"))
    folder.close()
    return status


def _options(prepared: PreparedLive, found: Preflight) -> NodeOptions:
    currency = ledger_currency(prepared.loaded, [each.quote_currency.code for each in found.instruments])
    if prepared.paper:
        return NodeOptions(currency, tuple(starting_balances(prepared.loaded, found.instruments, currency)))
    return NodeOptions(currency, redis_password=os.environ.get(REDIS_PASSWORD))


def banner(prepared: PreparedLive) -> str:
    """Return what is going to be traded where, and within which limits."""
    setup, venue = prepared.loaded.setup, prepared.venue
    account = "spot" if venue.spot else f"USD-M futures at {prepared.leverage}x"
    limits = "none"
    if setup.risk is not None:
        values = {key: value for key, value in setup.as_dict()["risk"].items() if key.startswith(("max_", "stop_"))}
        limits = ", ".join(f"{key} {value}" for key, value in values.items() if value and key != "stop_confirmations")
    data_of = f", market data of {venue.environment.value.upper()}" if prepared.paper else ""
    return (
        f"{setup.name}: {prepared.mode.upper()}{data_of} at {venue.http}, {account}; "
        f"{', '.join(setup.instruments)}; orders carry the tag {prepared.owner.tag}; limits: {limits}"
    )


def _show(prepared: PreparedLive, found: Preflight, console: Console) -> None:
    place = f"market data of {prepared.venue.http}" if prepared.paper else prepared.venue.http
    print_rows(found.rows, f"{prepared.loaded.setup.name}: {prepared.mode} ({place})", console)
    console.print("[green]go[/]" if found.passed else "[bold red]no-go[/]")


def _status(found: Preflight) -> int:
    if found.passed:
        return 0
    return STOPPED_BY_RISK if found.halted_alone else FAILED
