"""Check, trade, halt and resume a trading system, from the setup file that describes it."""

from pathlib import Path
from typing import Any

import click

from command_line import run

_EXPECTED = (
    "expected one of --check, --rehearse, --paper, --testnet, --demo, --real-money, --halt, --resume, --risk-state"
)
_MODES = ("check", "rehearse", "paper", "testnet", "demo", "real_money", "local", "halt", "resume", "risk_state")


@click.command(epilog="Example: run_live.py configs/btcusdt_perp_glft.yaml --check --testnet")
@click.argument("setup", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Say whether everything is ready; change nothing. Alone: for real money.")
@click.option(
    "--rehearse", type=click.Path(path_type=Path), metavar="CATALOG", help="Trade a recorded market, no keys."
)
@click.option("--speed", type=click.FloatRange(0, 1_000, min_open=True), default=1.0, help="Of the rehearsal's market.")
@click.option("--paper", is_flag=True, help="Trade the live market on paper, with the backtest's fills; no keys.")
@click.option("--testnet", is_flag=True, help="Trade on Binance's testnet.")
@click.option("--demo", is_flag=True, help="Trade on Binance's demo exchange.")
@click.option("--real-money", is_flag=True, help="Trade your money on Binance; refused without a passing check.")
@click.option("--local", is_flag=True, help="Trade on an exchange on this machine: live.local_url.")
@click.option("--fresh", is_flag=True, help="Forget what earlier runs have kept: inventory targets, books, losses.")
@click.option("--set", "assignments", multiple=True, metavar="PATH=VALUE", help="Change any value of the setup.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), help="Folder of the results.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the check, or summary.json, to stdout and nothing else there."
)
@click.option("--web", metavar="[ADDRESS:]PORT", help="Serve the live page; to this machine unless ADDRESS says more.")
@click.option("--web-public", is_flag=True, help="Other machines may reach the page; needs BALLAST_WEB_TOKEN.")
@click.option("--halt", metavar="REASON", help="Close everything and halt, for this reason.")
@click.option("--resume", metavar="REASON", help="End every halt, for this reason.")
@click.option("--strategy", metavar="ID", help="Halt or resume this strategy alone, such as FixedSpread-000.")
@click.option("--rehearsal", is_flag=True, help="Halt, resume or look at the rehearsal that runs instead.")
@click.option("--risk-state", is_flag=True, help="Say what halts trading; exit status 3 if anything does.")
def command(setup: Path, **options: Any) -> int:
    """Act on the trading system that SETUP describes."""
    if options["strategy"] is not None and options["halt"] is None and options["resume"] is None:
        raise click.UsageError("--strategy goes with --halt or --resume")
    if options["halt"] is not None or options["resume"] is not None or options["risk_state"]:
        return _command_risk(setup, options)
    if options["rehearsal"]:
        raise click.UsageError("--rehearsal goes with --halt, --resume or --risk-state; --rehearse CATALOG starts one")
    return _trade_or_check(setup, options)


def _command_risk(setup: Path, options: dict[str, Any]) -> int:
    from runtime.risk import commands  # noqa: PLC0415 (--help need not wait)

    if sum(bool(options[mode]) or options[mode] == "" for mode in _MODES) != 1:
        raise click.UsageError(_EXPECTED)
    tree = commands.commanded(setup, options["assignments"], options["strategy"])
    rehearsal = options["rehearsal"]
    latch = commands.latch_of(tree, Path.cwd(), rehearsal=rehearsal)
    if not rehearsal:
        commands.tell_of_a_rehearsal(latch)
    if options["halt"] is not None:
        commands.check_obeyed(tree, latch, rehearsal=rehearsal)
        return commands.halt(latch, options["halt"], commands.scope_of(options["strategy"], tree))
    if options["resume"] is not None:
        return commands.resume(latch, options["resume"], commands.scope_of(options["strategy"], tree, latch.scopes()))
    return commands.show_state(latch)


def _trade_or_check(setup: Path, options: dict[str, Any]) -> int:
    from runtime.live.commands import LiveRequest, rehearse, run_check, trade, trade_on_paper  # noqa: PLC0415 (--help need not wait)
    from runtime.live.environment import Environment  # noqa: PLC0415
    from runtime.live.web.address import page_of  # noqa: PLC0415

    places = {
        "testnet": Environment.TESTNET,
        "demo": Environment.DEMO,
        "real_money": Environment.REAL,
        "local": Environment.LOCAL,
    }
    chosen = [place for name, place in places.items() if options[name]]
    actions = sum(bool(options[name]) for name in ("check", "rehearse", "paper"))
    if actions > 1 or len(chosen) > 1 or (options["rehearse"] and chosen) or not (chosen or actions):
        raise click.UsageError(_EXPECTED)
    request = LiveRequest(
        setup=setup,
        environment=chosen[0] if chosen else Environment.REAL,
        overrides=options["assignments"],
        out=options["out"],
        as_json=options["as_json"],
        fresh=options["fresh"],
        page=page_of(options["web"], options["web_public"], trades=not options["check"]),
    )
    if options["rehearse"]:
        return rehearse(request, options["rehearse"], options["speed"])
    if options["paper"]:
        return trade_on_paper(request)
    return run_check(request) if options["check"] else trade(request)


if __name__ == "__main__":
    run(command, "run_live.py")
