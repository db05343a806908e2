"""Sweeps of known truth: noise, or noise with an edge around one point."""

from typing import Any

import numpy as np
from msgspec.structs import replace

from reports.sweeps.record import (
    Curves,
    FoldRecord,
    Objective,
    OutOfSample,
    Parameter,
    Sweep,
    SweepRecord,
    Trial,
)
from runtime.validation.judge import (
    beaten_share,
    best_number,
    importances,
    luck_of,
    plateau_of,
    rank_correlation,
    stitched,
    with_plateaus,
)

MINUTE = 60.0
SPREAD, RISK, HORIZON = (
    "strategies[0].config.half_spread_bps",
    "strategies[0].config.risk",
    "strategies[0].config.horizon",
)
PARAMETERS = (
    Parameter(path=SPREAD, label="half_spread_bps", scale="linear"),
    Parameter(path=RISK, label="risk", scale="log"),
    Parameter(path=HORIZON, label="horizon", scale="category"),
)
OBJECTIVE = Objective(key="sharpe_trading", maximise=True)


def edge_of(parameters: dict[str, Any]) -> float:
    """Return the edge of a point where there is one: a hill around a half spread of 7."""
    return max(0.0, 1.0 - abs(parameters[SPREAD] - 7.0) / 3.0)


def a_sweep(edge: float = 0.0, *, folds: int = 3, trials: int = 60, rows: int = 159, seed: int = 1) -> Sweep:
    """Return a sweep on returns of which we know the truth; `edge` is in standard deviations at its best point."""
    random = np.random.default_rng(seed)
    found, records, tests = [], [], {"winner": [], "base": [], "random": []}
    train_pct = []
    for fold in range(folds):
        made, returns, test_returns = [], {}, {}
        for number in range(trials + 1):
            kind = "base" if number == trials else "trial"
            point = {
                SPREAD: round(random.uniform(1, 12), 3),
                RISK: float(10 ** random.uniform(-4, -1)),
                HORIZON: ("finite", "infinite")[random.integers(2)],
            }
            if number == 3:
                made.append(Trial(fold=fold, number=number, state="failed", parameters=point, error="it <b>broke</b>"))
                continue
            mean = edge * edge_of(point)
            train, test = (random.standard_t(5, size) + mean for size in (rows, rows // 3))
            returns[number], test_returns[number] = train * 1e-5, test * 1e-5
            values = [float(row.mean() / row.std(ddof=1) * 725) for row in (train, test)]
            made.append(
                Trial(
                    fold=fold,
                    number=number,
                    kind=kind,
                    parameters=point,
                    values=(values[0],),
                    test_values=(values[1],),
                    figures={"fills": 12.0},
                )
            )
        own = with_plateaus([trial for trial in made if trial.kind == "trial"], PARAMETERS, OBJECTIVE)
        winner = best_number(own, OBJECTIVE)
        base_returns = returns.pop(trials)
        del base_returns
        luck = luck_of(returns, winner, MINUTE, trials=trials, adaptive=False)
        times = [f"2024-07-23T{hour:02}:00:00Z" for hour in (fold * 2, fold * 2 + 10, fold * 2 + 12)]
        records.append(
            FoldRecord(
                number=fold,
                train_start=times[0],
                train_end=times[1],
                test_start=times[1],
                test_end=times[2],
                winner=winner,
                luck=luck,
                plateau=plateau_of(own, winner, 3, OBJECTIVE),
            )
        )
        tests["winner"].append(test_returns[winner])
        tests["base"].append(test_returns[trials])
        tests["random"].append([test_returns[n] for n in sorted(returns)])
        train_pct.append(100 * returns[winner].sum())
        found += [*own, *(trial for trial in made if trial.kind == "base")]
    randoms = [stitched([fold[i] for fold in tests["random"]], MINUTE).pnl_pct for i in range(trials - 1)]
    winner = stitched(tests["winner"], MINUTE)
    out = OutOfSample(
        winner=winner,
        base=stitched(tests["base"], MINUTE),
        random_pnl_pct=tuple(randoms),
        beaten_share=beaten_share(winner.pnl_pct, randoms),
        length_secs=folds * (rows // 3) * MINUTE,
        winner_train_pnl_pct_per_day=float(np.mean(train_pct)) * 1440 / rows,
        winner_test_pnl_pct_per_day=winner.pnl_pct * 1440 / (folds * (rows // 3)),
        rank_correlation=rank_correlation(
            [[t for t in found if t.fold == f and t.kind == "trial"] for f in range(folds)]
        ),
    )
    return Sweep(_record(records, found, out, rows), tuple(found), _curves(tests, trials))


def _record(records: list[FoldRecord], found: list[Trial], out: OutOfSample, rows: int) -> SweepRecord:
    last = [trial for trial in found if trial.fold == records[-1].number and trial.kind == "trial"]
    return SweepRecord(
        sweep="maker_sweep",
        description="A maker on a market of known truth",
        run_id="20240723-000000-abc",
        setup="maker",
        instruments=("NEXOUSDT.BINANCE",),
        currency="USDT",
        start="2024-07-23T00:00:00Z",
        end="2024-07-23T23:00:00Z",
        interval_secs=MINUTE,
        synthetic=False,
        reconstructed_quotes=False,
        warnings=(),
        sampler="random",
        adaptive=False,
        parameters=PARAMETERS,
        objectives=(OBJECTIVE,),
        constraints=("max_drawdown_pct <= 5",),
        trials_before=0,
        validation={"scheme": "walk_forward", "train": "10h", "test": "2h", "anchored": False},
        folds=tuple(records),
        importance=importances(last, PARAMETERS),
        out_of_sample=out,
        out_of_sample_why=None,
        manifest={"seed": 1},
    )


def _curves(tests: dict[str, Any], trials: int) -> Curves:
    winner, base = (100 * np.cumsum(np.concatenate(tests[name])) for name in ("winner", "base"))
    paths = [100 * np.cumsum(np.concatenate([fold[i] for fold in tests["random"]])) for i in range(trials - 1)]
    low, median, high = np.quantile(paths, [0.1, 0.5, 0.9], axis=0)
    ts_ns = 1_721_728_800_000_000_000 + np.arange(1, len(winner) + 1) * 60_000_000_000
    return Curves(ts_ns.astype(np.int64), winner, base, low, median, high)


def without_validation(sweep: Sweep) -> Sweep:
    """Return the sweep as if it had searched once and tried nothing out of sample."""
    fold = replace(sweep.record.folds[0], test_start=None, test_end=None)
    record = replace(
        sweep.record,
        folds=(fold,),
        out_of_sample=None,
        out_of_sample_why="no validation",
        validation={"scheme": "none"},
    )
    trials = tuple(replace(trial, test_values=()) for trial in sweep.of_fold(0, "trial", "base"))
    return Sweep(record, trials, None)


def nothing_ran(sweep: Sweep) -> Sweep:
    """Return the sweep as if every trial had failed."""
    plain = without_validation(sweep)
    fold = replace(plain.record.folds[0], winner=None, luck=None, plateau=None)
    record = replace(plain.record, folds=(fold,), importance=())
    gone = {"state": "failed", "values": (), "plateau": None, "feasible": False, "error": "it broke"}
    return Sweep(record, tuple(replace(trial, **gone) for trial in plain.trials), None)


def two_objectives(sweep: Sweep) -> Sweep:
    """Return the sweep with a second objective, of which less is better."""
    plain = without_validation(sweep)
    record = replace(plain.record, objectives=(OBJECTIVE, Objective(key="max_drawdown_pct", maximise=False)))
    trials = tuple(
        replace(trial, values=(*trial.values, abs(trial.values[0]) / 9)) if trial.values else trial
        for trial in plain.trials
    )
    return Sweep(record, trials, None)
