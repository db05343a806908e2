"""Halt and resume a trading system, from the setup file that describes it."""

from pathlib import Path

import click

from command_line import run


@click.command(epilog='Example: run_live.py configs/btcusdt_perp_glft.yaml --halt "the feed looks wrong"')
@click.argument("setup", type=click.Path(path_type=Path))
@click.option("--halt", "halt_reason", metavar="REASON", help="Close everything and halt, for this reason.")
@click.option("--resume", "resume_reason", metavar="REASON", help="End every halt, for this reason.")
@click.option("--risk-state", is_flag=True, help="Say what halts trading; exit status 3 if anything does.")
def command(*, setup: Path, halt_reason: str | None, resume_reason: str | None, risk_state: bool) -> int:
    """Act on the trading system that SETUP describes."""
    from runtime.risk_commands import halt, latch_of, resume, show_state  # noqa: PLC0415 (--help need not wait)

    if (halt_reason is not None) + (resume_reason is not None) + risk_state != 1:
        raise click.UsageError("expected one of --halt, --resume, --risk-state")
    latch = latch_of(setup, Path.cwd())
    if halt_reason is not None:
        return halt(latch, halt_reason)
    return show_state(latch) if resume_reason is None else resume(latch, resume_reason)


if __name__ == "__main__":
    run(command, "run_live.py")
