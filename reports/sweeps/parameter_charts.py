"""Charts of what was searched: heat maps, parallel coordinates, importance, and the front of several objectives."""

from dataclasses import replace
from html import escape
from itertools import combinations, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.validation.importance import groups_of
from models.validation.pareto import pareto_front
from reports.plotting import Chart, axis, layout
from reports.sweeps.record import Parameter, Scalar, Sweep, Trial

MOST_HEAT_MAPS: Final = 6
MOST_LINES: Final = 400
MOST_CELLS: Final = 12
SHADES: Final = 5
COLORSCALE: Final[list[tuple[float, str]]] = [(0.0, "@low"), (0.5, "@middle"), (1.0, "@high")]


def heat_maps(sweep: Sweep) -> list[Chart]:
    """Return a heat map of each pair of parameters, the most important pairs first, at most `MOST_HEAT_MAPS`."""
    trials = measured(sweep)
    order = {found.label: place for place, found in enumerate(sweep.record.importance)}
    parameters = sorted(sweep.record.parameters, key=lambda parameter: order.get(parameter.label, len(order)))
    pairs = sorted(combinations(range(len(parameters)), 2), key=lambda pair: (sum(pair), pair))
    drawn = [
        _heat_map(f"heat-{place}", sweep, trials, parameters[x], parameters[y])
        for place, (x, y) in enumerate(pairs[:MOST_HEAT_MAPS])
    ]
    return drawn if len(drawn) % 2 == 0 else [*drawn[:-1], replace(drawn[-1], wide=True)]


def measured(sweep: Sweep) -> list[Trial]:
    """Return the trials of the last fold that have a value of the first objective."""
    return [trial for trial in sweep.of_fold(sweep.record.last.number) if trial.values and trial.values[0] is not None]


def shown(value: Scalar) -> str:
    """Return the value of a parameter as text."""
    return f"{value:.4g}" if isinstance(value, float) else "—" if value is None else str(value)


def _heat_map(key: str, sweep: Sweep, trials: list[Trial], across: Parameter, up: Parameter) -> Chart:
    objective = sweep.record.objectives[0]
    title = f"{across.label} × {up.label}"
    definition = (
        f"{objective.key} in sample: the median of the trials in a cell, whatever their other parameters. "
        "A lone bright cell is a spike, a bright field a plateau. The circle is the winner."
    )
    if len(trials) < 2:
        return Chart(key, title, definition, None, "There are fewer than two trials.", wide=False)
    columns, column_of = _cells(trials, across)
    rows, row_of = _cells(trials, up)
    values = np.array([trial.values[0] for trial in trials], dtype=np.float64)
    table: list[list[float | None]] = [[None] * len(columns) for _ in rows]
    counts = [[0] * len(columns) for _ in rows]
    for row in range(len(rows)):
        for column in range(len(columns)):
            inside = values[(row_of == row) & (column_of == column)]
            counts[row][column] = len(inside)
            table[row][column] = float(np.median(inside)) if len(inside) else None
    cells: dict[str, Any] = {
        "type": "heatmap",
        "x": columns,
        "y": rows,
        "z": table,
        "text": counts,
        "colorscale": COLORSCALE if objective.maximise else [(1.0 - at, color) for at, color in COLORSCALE[::-1]],
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": f"{escape(across.label)} %{{x}}<br>{escape(up.label)} %{{y}}<br>"
        f"{escape(objective.key)} %{{z:.5g}}<br>trials %{{text}}<extra></extra>",
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickfont": {"color": "@muted"}},
    }
    traces = [cells]
    winner = sweep.winner(sweep.record.last)
    if winner in trials:
        place = trials.index(winner)
        traces.append(_ring(columns[column_of[place]], rows[row_of[place]]))
    shape = layout(
        380,
        showlegend=False,
        hovermode="closest",
        xaxis=axis(across.label, type="category", fixedrange=True, showgrid=False),
        yaxis=axis(up.label, type="category", fixedrange=True, showgrid=False),
    )
    return Chart(key, title, definition, {"data": traces, "layout": shape}, wide=False)


def _ring(x: str, y: str) -> dict[str, Any]:
    style = {"symbol": "circle-open", "size": 16, "color": "@text", "line": {"width": 3}}
    return {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": style, "hoverinfo": "skip"}


def _cells(trials: list[Trial], parameter: Parameter) -> tuple[list[str], NDArray[np.intp]]:
    """Return the names of the cells along one parameter in order, and the cell of each trial."""
    values = [trial.parameters.get(parameter.path) for trial in trials]
    distinct = list(dict.fromkeys(values))
    if parameter.scale == "category" or len(distinct) <= MOST_CELLS or None in distinct:
        # Categories stand as they came, so that they can be told; numbers in order.
        ordered = distinct if parameter.scale == "category" else sorted(distinct, key=_number)
        return [shown(value) for value in ordered], np.array([ordered.index(value) for value in values])
    groups = groups_of(tuple(values))
    numbers = np.array(values, dtype=np.float64)
    names = [_span(numbers[groups == group]) for group in range(groups.max() + 1)]
    return names, groups


def _number(value: Scalar) -> float:
    return -np.inf if value is None else float(value)


def _span(numbers: NDArray[np.float64]) -> str:
    return f"{numbers.min():.3g} … {numbers.max():.3g}"


def parallel_coordinates(sweep: Sweep) -> Chart:
    """Return every trial as a line through its parameters, coloured by what it reached."""
    objective, parameters = sweep.record.objectives[0], sweep.record.parameters
    title = "All parameters at once"
    definition = (
        f"Each line is a trial: its place on every parameter and, on the last axis, its {objective.key} in sample. "
        "The brighter the better; the winner is the heavy line. Lines that stay together lead to like results."
    )
    trials = measured(sweep)
    if len(trials) < 2:
        return Chart("parallel", title, definition, None, "There are fewer than two trials.")
    values = np.array([trial.values[0] for trial in trials], dtype=np.float64)
    heights = [_heights(trials, parameter) for parameter in parameters] + [_unit(values)]
    order = np.argsort(values if objective.maximise else -values, kind="stable")
    drawn = _thinned(order, MOST_LINES)
    names = [*(parameter.label for parameter in parameters), objective.key]
    traces = [_bundle(drawn[part], heights, names, place) for place, part in enumerate(_parts(len(drawn)))]
    winner = sweep.winner(sweep.record.last)
    if winner in trials:
        place = trials.index(winner)
        texts = [shown(winner.parameters.get(parameter.path)) for parameter in parameters] + [
            shown(float(values[place]))
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers+text",
                "name": "Winner",
                "x": names,
                "y": [float(height[place]) for height in heights],
                "text": [escape(text) for text in texts],
                "textposition": "top center",
                "line": {"color": "@text", "width": 3},
                "marker": {"color": "@text", "size": 8},
                "hovertemplate": "%{x}: %{text}<extra></extra>",
            }
        )
    shape = layout(
        420,
        showlegend=False,
        hovermode="closest",
        xaxis=axis(type="category", fixedrange=True, gridcolor="@axis"),
        yaxis=axis(fixedrange=True, showticklabels=False, showgrid=False, zeroline=False, range=[-0.08, 1.12]),
    )
    return Chart("parallel", title, definition, {"data": traces, "layout": shape}, _ends(trials, sweep))


def _ends(trials: list[Trial], sweep: Sweep) -> str:
    """Return the values at the bottom and the top of each axis of numbers."""
    texts = []
    for parameter in sweep.record.parameters:
        values = [trial.parameters.get(parameter.path) for trial in trials]
        if parameter.scale == "category":
            texts.append(f"{parameter.label}: {', '.join(shown(value) for value in dict.fromkeys(values))}")
            continue
        numbers = [float(value) for value in values if value is not None]
        if numbers:
            texts.append(f"{parameter.label}: {shown(min(numbers))} to {shown(max(numbers))}")
    return f"From bottom to top: {'; '.join(texts)}."


def _parts(count: int) -> list[slice]:
    edges = np.linspace(0, count, SHADES + 1).round().astype(int)
    return [slice(int(start), int(end)) for start, end in pairwise(edges)]


def _bundle(rows: NDArray[np.intp], heights: list[NDArray[np.float64]], names: list[str], shade: int) -> dict[str, Any]:
    """Return many lines as one trace, with gaps between them."""
    x = [name for _ in rows for name in (*names, None)]
    y = [value for row in rows for value in (*(float(height[row]) for height in heights), None)]
    style = {"color": f"@shade-{shade}", "width": 1}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": style, "hoverinfo": "skip"}


def _thinned(order: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Return the worst, the best, and evenly many between them."""
    if len(order) <= most:
        return order
    places = np.unique(np.linspace(0, len(order) - 1, most).round().astype(int))
    return np.asarray(order[places])


def _heights(trials: list[Trial], parameter: Parameter) -> NDArray[np.float64]:
    values = [trial.parameters.get(parameter.path) for trial in trials]
    if parameter.scale == "category":
        distinct = list(dict.fromkeys(values))
        return _unit(np.array([distinct.index(value) for value in values], dtype=np.float64))
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    if parameter.scale == "rank":
        numbers = np.searchsorted(np.unique(numbers), numbers).astype(np.float64)
    return _unit(np.log(numbers) if parameter.scale == "log" else numbers)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values from 0 to 1; what is not known lies below the axis."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.full(len(values), -0.06)
    low, high = float(known.min()), float(known.max())
    scaled = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return np.where(np.isnan(values), -0.06, scaled)


def importance_chart(sweep: Sweep) -> Chart:
    """Return how much of the ranking of the trials each parameter explains."""
    title = "Which parameters matter"
    definition = (
        "The share of the ranking of all trials that a parameter explains on its own, less what luck explains. "
        "Grey: luck alone explains as much more than one time in twenty."
    )
    found = sweep.record.importance[::-1]
    if not found:
        return Chart("importance", title, definition, None, "There are too few trials to tell.", wide=False)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [escape(row.label) for row in found],
        "x": [100 * row.share for row in found],
        "text": [f"{100 * row.share:.0f} %" for row in found],
        "customdata": [row.p_value for row in found],
        "marker": {"color": ["@accent" if row.p_value < 0.05 else "@axis" for row in found]},
        "hovertemplate": "%{y}: %{x:.1f} %<br>by luck: p = %{customdata:.2g}<extra></extra>",
    }
    shape = layout(
        max(220, 90 + 34 * len(found)),
        showlegend=False,
        hovermode="closest",
        xaxis=axis("% of the ranking", fixedrange=True, rangemode="tozero"),
        yaxis=axis(fixedrange=True, type="category"),
    )
    return Chart("importance", title, definition, {"data": [bars], "layout": shape}, wide=False)


def pareto_charts(sweep: Sweep) -> list[Chart]:
    """Return the front of each pair of objectives; none where there is one objective."""
    objectives = sweep.record.objectives
    return [_pareto_chart(sweep, x, y) for x, y in combinations(range(len(objectives)), 2)][:3]


def _pareto_chart(sweep: Sweep, across: int, up: int) -> Chart:
    objectives = sweep.record.objectives
    x_key, y_key = objectives[across].key, objectives[up].key
    title = f"Front: {x_key} and {y_key}"
    definition = (
        "Each point is a trial in sample. On the front nothing else is as good in every objective and better in one; "
        "which of its points to take is for you to say."
    )
    trials = [trial for trial in sweep.of_fold(sweep.record.last.number) if _complete(trial, len(objectives))]
    if len(trials) < 2:
        return Chart(f"pareto-{across}-{up}", title, definition, None, "There are fewer than two trials.")
    table = np.array([trial.values for trial in trials], dtype=np.float64)
    front = pareto_front(table, [objective.maximise for objective in objectives])
    best = np.flatnonzero(front)[np.argsort(table[front, across], kind="stable")]
    traces = [
        _points("Trials", table[~front][:, [across, up]], "axis", 6),
        _points("Front", table[best][:, [across, up]], "accent", 9)
        | {"mode": "lines+markers", "line": {"shape": "linear", "width": 1, "color": "@accent"}},
    ]
    winner = sweep.winner(sweep.record.last)
    if winner in trials:
        traces.append(_points("Winner", table[[trials.index(winner)]][:, [across, up]], "sell", 12))
    shape = layout(400, hovermode="closest", xaxis=axis(x_key), yaxis=axis(y_key))
    return Chart(f"pareto-{across}-{up}", title, definition, {"data": traces, "layout": shape})


def _complete(trial: Trial, objectives: int) -> bool:
    return trial.feasible and len(trial.values) == objectives and None not in trial.values


def _points(name: str, table: NDArray[np.float64], color: str, size: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": table[:, 0].tolist(),
        "y": table[:, 1].tolist(),
        "marker": {"color": f"@{color}", "size": size},
        "hovertemplate": "%{x:.5g}, %{y:.5g}<extra></extra>",
    }
