"""Replay a setup against recorded or synthetic market data and report what it would have earned, and why."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from bad_input import BadInput
from command_line import STOPPED_BY_RISK, run
from runtime.sweep.options import SweepOptions

DEFAULT_SETUP = Path(__file__).parent / "configs" / "synthetic_avellaneda_stoikov.yaml"


@click.command(epilog="Example: run_backtest.py configs/nexousdt_spot_fixed_spread.yaml --set backtest.fills=queue")
@click.argument("setup", type=click.Path(path_type=Path), default=DEFAULT_SETUP)
@click.option("--start", help="First moment of the replay (UTC, ISO 8601).")
@click.option("--end", help="Last moment of the replay (UTC, ISO 8601).")
@click.option("--catalog", help="Folder of the Parquet catalog.")
@click.option("--fills", help="Fill assumption: optimistic, queue, queue_latency, pessimistic.")
@click.option("--set", "assignments", multiple=True, metavar="PATH=VALUE", help="Change any value of the setup.")
@click.option(
    "--inject",
    metavar="FAULT[:KEY=VALUE,…]",
    help="Drill: gap, crash, price-spike, feed-stall, reject-storm, equity-unknown; see docs/risk.md.",
)
@click.option("--at", help="First moment of the fault of --inject (UTC, ISO 8601).")
@click.option(
    "--compare", type=click.Path(path_type=Path), metavar="RUN", help="Replay what a live run recorded, side by side."
)
@click.option("--fill-ladder", is_flag=True, help="Every fill assumption and many latencies, side by side.")
@click.option("--check-lookahead", is_flag=True, help="Whether decisions stay the same without their future.")
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Processes of a sweep, ladder or lookahead check; one per processor.",
)
@click.option("--resume", is_flag=True, help="Sweep: go on with one that was interrupted, or join others.")
@click.option("--storage", metavar="URL", help="Sweep: a PostgreSQL database that several machines share.")
@click.option("--cluster", metavar="ADDRESS", help="Sweep: a Dask scheduler that runs the trials, tcp://HOST:8786.")
@click.option(
    "--write-best", type=click.Path(path_type=Path), help="Sweep: write the winner's setup to this file, too."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), help="Folder of the results.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json to stdout and nothing else there.")
@click.option("--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), help="Keep the engine's log.")
def command(
    *,
    setup: Path,
    start: str | None,
    end: str | None,
    catalog: str | None,
    fills: str | None,
    assignments: tuple[str, ...],
    inject: str | None,
    at: str | None,
    compare: Path | None,
    fill_ladder: bool,
    check_lookahead: bool,
    workers: int | None,
    resume: bool,
    storage: str | None,
    cluster: str | None,
    write_best: Path | None,
    out: Path,
    as_json: bool,
    log_level: str | None,
) -> int:
    """Replay SETUP (the embedded synthetic market without one) and write a report to results/."""
    shortcuts = {"start": start, "end": end, "catalog": catalog, "fills": fills}
    overrides = [f"backtest.{key}={json.dumps(value)}" for key, value in shortcuts.items() if value is not None]
    if at is not None and inject is None:
        raise BadInput("goes with --inject alone", key="--at")
    if compare is not None:
        from runtime.compare.command import CompareRequest, compare_with_run  # noqa: PLC0415

        request = CompareRequest(setup, [*overrides, *assignments], compare, out, as_json)
        request.refuse({"--inject": inject, "--fill-ladder": fill_ladder, "--check-lookahead": check_lookahead})
        return compare_with_run(request)
    if fill_ladder or check_lookahead:
        from runtime.many_runs import ManyRuns  # noqa: PLC0415

        SweepOptions(None, cluster, storage, resume, write_best).refuse()
        many = ManyRuns(setup, [*overrides, *assignments], workers, as_json)
        many.refuse(
            {"--inject": inject, "--log-level": log_level, "--check-lookahead": fill_ladder and check_lookahead}
        )
        return many.ladder(out) if fill_ladder else many.lookahead()
    fault = None if inject is None else (inject, at)
    sweep = SweepOptions(workers, cluster, storage, resume, write_best)
    return replay(
        setup, [*overrides, *assignments], out, as_json=as_json, log_level=log_level, fault=fault, sweep=sweep
    )


def replay(
    setup: Path,
    overrides: list[str],
    out: Path,
    *,
    as_json: bool,
    log_level: str | None,
    fault: tuple[str, str | None] | None,
    sweep: SweepOptions,
) -> int:
    """Load, check, run and report one setup, experiment or sweep; return the exit status."""
    # The engine takes a second to import: --help and a missing file need not wait for it.
    from rich.console import Console  # noqa: PLC0415

    from reports.terminal import print_summary  # noqa: PLC0415
    from runtime.backtest import run_backtest  # noqa: PLC0415
    from runtime.drills.plan import plan_drill  # noqa: PLC0415
    from runtime.experiment.run import run_experiment  # noqa: PLC0415
    from runtime.prepare import prepare_backtest  # noqa: PLC0415
    from runtime.progress import replay_progress  # noqa: PLC0415
    from runtime.results import ResultsFolder, new_run_id, write_results  # noqa: PLC0415
    from runtime.setup.load import parse_setup  # noqa: PLC0415
    from runtime.setup.overrides import apply_overrides  # noqa: PLC0415
    from runtime.setup.tree import read_setup_tree  # noqa: PLC0415
    from runtime.sweep.command import sweep_of  # noqa: PLC0415

    raw = read_setup_tree(setup)
    if "sweep" in raw.values:
        return sweep_of(raw, overrides, sweep, out, as_json=as_json, fault=fault, log_level=log_level)
    sweep.refuse()
    tree = apply_overrides(raw, overrides)
    if "experiment" in tree.values and fault is not None:
        raise BadInput("drills a setup, and this is an experiment", file=setup, key="--inject")
    if "experiment" in tree.values:
        run_experiment(tree, out, as_json)
        return 0
    loaded = parse_setup(tree)
    prepared = prepare_backtest(loaded, Path.cwd())
    for warning in prepared.warnings:
        click.echo(f"warning: {warning}", err=True)
    drill = None
    if fault is not None:
        with replay_progress(prepared.data, Console(stderr=True)) as on_progress:
            drill = plan_drill(prepared, *fault, on_progress=on_progress)
    run_id = new_run_id(loaded.setup.sha256(), datetime.now(UTC), None if drill is None else drill.fault.kind.name)
    folder = ResultsFolder(out, loaded.setup.name, run_id)
    with folder, replay_progress(prepared.data, Console(stderr=True)) as on_progress:
        finished = run_backtest(
            prepared, drill=drill, on_progress=on_progress, log_level=log_level, log_folder=folder.staging
        )
        summary = write_results(finished, folder)
        published = folder.publish()
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        print_summary(summary, published, Console())
    return STOPPED_BY_RISK if finished.stopped_by_risk else 0


if __name__ == "__main__":
    run(command, "run_backtest.py")
