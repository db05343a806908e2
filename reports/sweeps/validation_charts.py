"""Charts of what became of the winners: out of sample, from fold to fold, and in the other half of the time."""

from html import escape
from typing import Any, Final

import numpy as np

from reports.plotting import Chart, axis, layout, line, packed, time_axis, times
from reports.sweeps.parameter_charts import shown
from reports.sweeps.record import Sweep, Trial

MOST_RANDOM: Final = 400
HOVER: Final = "%{y:+.4f} %"


def out_of_sample_chart(sweep: Sweep) -> Chart | None:
    """Return the profit of winners, setup and random points in the test windows; None without any."""
    curves = sweep.curves
    if curves is None or not len(curves.ts_ns):
        return None
    at = times(curves.ts_ns)
    band = {"color": "@axis", "width": 0.5}
    traces = [
        line("Random points, 90 %", at, packed(curves.high), "axis", line=band, hovertemplate=HOVER, showlegend=False),
        line(
            "Random points, 10 to 90 %",
            at,
            packed(curves.low),
            "axis",
            line=band,
            fill="tonexty",
            fillcolor="@band",
            hovertemplate=HOVER,
        ),
        line("Random points, middle", at, packed(curves.median), "muted", line={"dash": "dot"}, hovertemplate=HOVER),
        line("Setup as it stands", at, packed(curves.base), "buy", hovertemplate=HOVER),
        line("Winners", at, packed(curves.winner), "sell", line={"width": 2.6}, hovertemplate=HOVER),
    ]
    shape = layout(400, xaxis=time_axis(curves.ts_ns), yaxis=axis("% of equity", zeroline=True))
    definition = (
        "Trading profit in the test windows, which no search had seen, one window after the other: the winner of the "
        "search before each window, the setup without the sweep, and random points of the same ranges."
    )
    return Chart("out-of-sample", "Out of sample", definition, {"data": traces, "layout": shape})


def scatter_chart(sweep: Sweep) -> Chart | None:
    """Return what the points of all folds did in sample and out of sample; None without test windows."""
    objective = sweep.record.objectives[0]
    groups = {"Trials": _both(sweep, "trial"), "Random points": _both(sweep, "random"), "Setup": _both(sweep, "base")}
    winners = [sweep.winner(fold) for fold in sweep.record.folds]
    groups["Winners"] = [trial for trial in winners if trial is not None and _has_both(trial)]
    if not any(groups.values()):
        return None
    style = {"Trials": ("axis", 6), "Random points": ("muted", 6), "Setup": ("buy", 11), "Winners": ("sell", 12)}
    traces = [_cloud(name, trials, *style[name]) for name, trials in groups.items() if trials]
    shape = layout(
        400,
        hovermode="closest",
        xaxis=axis(f"{objective.key} in sample"),
        yaxis=axis(f"{objective.key} out of sample", zeroline=True),
    )
    definition = (
        "Each point is a parameter set in one fold: what it reached where the search looked, and where it did not. "
        "A cloud without a slope means that being good in sample says nothing."
    )
    title = "In sample against out of sample"
    return Chart("in-and-out", title, definition, {"data": traces, "layout": shape}, wide=False)


def _both(sweep: Sweep, kind: Any) -> list[Trial]:
    return [trial for trial in sweep.trials if trial.kind == kind and _has_both(trial)][:MOST_RANDOM]


def _has_both(trial: Trial) -> bool:
    return bool(trial.values and trial.test_values) and None not in (trial.values[0], trial.test_values[0])


def _cloud(name: str, trials: list[Trial], color: str, size: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [trial.values[0] for trial in trials],
        "y": [trial.test_values[0] for trial in trials],
        "text": [escape(f"fold {trial.fold + 1}, {trial.kind} {trial.number}") for trial in trials],
        "marker": {"color": f"@{color}", "size": size},
        "hovertemplate": "%{text}<br>%{x:.5g} → %{y:.5g}<extra></extra>",
    }


def halves_chart(sweep: Sweep) -> Chart | None:
    """Return the Sharpe ratio of the best of one half of the time, in the other half; None where it is not known."""
    luck = sweep.record.last.luck
    if luck is None or not luck.pbo_in_sample:
        return None
    inside, outside = np.array(luck.pbo_in_sample), np.array(luck.pbo_out_of_sample)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": packed(inside),
        "y": packed(outside),
        "marker": {"color": "@accent", "size": 5},
        "hovertemplate": "%{x:.2f} → %{y:.2f}<extra></extra>",
    }
    shape = layout(
        400,
        showlegend=False,
        hovermode="closest",
        xaxis=axis("Sharpe ratio in the half where it was best"),
        yaxis=axis("in the other half", zeroline=True),
    )
    definition = (
        "Each point takes one half of the blocks of time, the best trial there, and its Sharpe ratio in the other half "
        f"({len(inside)} of all halves are drawn). Below zero, the best of one half lost in the other."
    )
    title = "The best of one half, in the other half"
    return Chart("halves", title, definition, {"data": [dots], "layout": shape}, wide=False)


def folds_chart(sweep: Sweep) -> Chart | None:
    """Return which values each fold chose; None with a single fold."""
    folds = [(fold, sweep.winner(fold)) for fold in sweep.record.folds]
    chosen = [(fold, winner) for fold, winner in folds if winner is not None]
    if len(chosen) < 2:
        return None
    names = [f"fold {fold.number + 1}" for fold, _ in chosen]
    traces = []
    for place, parameter in enumerate(sweep.record.parameters):
        values = [winner.parameters.get(parameter.path) for _, winner in chosen]
        suffix = "" if place == 0 else str(place + 1)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": names,
                "y": [shown(value) for value in values] if parameter.scale == "category" else values,
                "yaxis": f"y{suffix}",
                "line": {"color": "@accent", "width": 1.6},
                "marker": {"size": 8, "color": "@accent"},
                "hovertemplate": f"{escape(parameter.label)} %{{y}}<extra></extra>",
            }
        )
    count = len(traces)
    axes = {}
    for place, parameter in enumerate(sweep.record.parameters):
        top = 1 - place / count
        style = axis("", domain=[top - 0.72 / count, top - 0.14 / count], nticks=4, fixedrange=True, anchor="x")
        style |= {"type": {"category": "category", "log": "log"}.get(parameter.scale, "linear")}
        axes["yaxis" if place == 0 else f"yaxis{place + 1}"] = style
    labels = [
        {
            "text": escape(parameter.label),
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": 1 - place / count,
            "yanchor": "top",
            "xanchor": "left",
            "showarrow": False,
            "font": {"color": "@muted", "size": 12},
        }
        for place, parameter in enumerate(sweep.record.parameters)
    ]
    shape = layout(
        90 + 110 * count,
        showlegend=False,
        hovermode="closest",
        annotations=labels,
        xaxis=axis(type="category", fixedrange=True, anchor=f"y{count}" if count > 1 else "y"),
        **axes,
    )
    definition = (
        "The winner of each fold, parameter by parameter. Values that jump from fold to fold follow the noise; "
        "values that stay have a reason."
    )
    return Chart("folds", "What each fold chose", definition, {"data": traces, "layout": shape}, wide=False)
