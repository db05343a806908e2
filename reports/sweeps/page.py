"""Builds sweep.html: one page that opens offline, with the verdict on top and what it rests on below."""

from dataclasses import replace
from pathlib import Path

from reports.markup import banner, items, text
from reports.page import document, write_page
from reports.plotting import Chart
from reports.sections import charts, data_labels
from reports.sweeps import tables
from reports.sweeps.parameter_charts import heat_maps, importance_chart, parallel_coordinates, pareto_charts
from reports.sweeps.record import Sweep, read_sweep
from reports.sweeps.validation_charts import folds_chart, halves_chart, out_of_sample_chart, scatter_chart
from reports.sweeps.verdict import Level, Verdict, verdict

PAGE_FILE = "sweep.html"


def write_sweep_page(folder: Path) -> Path:
    """
    Build `sweep.html` in the results folder of a sweep.

    Parameters
    ----------
    folder : Path
        With validation.json, points.parquet and, where there is one, out_of_sample.parquet.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    BadInput
        If the folder holds no sweep; nothing is written.

    """
    return write_page(folder / PAGE_FILE, build_sweep_page(read_sweep(folder)))


def build_sweep_page(sweep: Sweep) -> str:
    """Return the whole page."""
    drawn = sweep_charts(sweep)
    record = sweep.record
    return document(f"{record.sweep} · {record.run_id}", _body(sweep, drawn), drawn)


def sweep_charts(sweep: Sweep) -> list[Chart]:
    """Return the charts in the order of the page."""
    halves = [scatter_chart(sweep), halves_chart(sweep), importance_chart(sweep), folds_chart(sweep)]
    narrow = [found for found in halves if found is not None]
    if len(narrow) % 2:
        narrow[-1] = replace(narrow[-1], wide=True)
    return [
        *(found for found in [out_of_sample_chart(sweep)] if found is not None),
        *narrow,
        *heat_maps(sweep),
        parallel_coordinates(sweep),
        *pareto_charts(sweep),
    ]


def _body(sweep: Sweep, drawn: list[Chart]) -> str:
    found = verdict(sweep)
    return "\n".join(
        (
            tables.header(sweep.record),
            _banners(sweep),
            _verdict(found),
            tables.tiles(sweep),
            tables.checks(found),
            tables.winner(sweep),
            tables.folds(sweep),
            charts(drawn),
            tables.best_trials(sweep),
            tables.errors(sweep),
            tables.glossary(),
            tables.manifest(sweep.record),
            tables.footer(sweep.record),
        )
    )


def _verdict(found: Verdict) -> str:
    styles = {Level.FOUND: "notice found", Level.DOUBTFUL: "notice", Level.TOO_SHORT: "notice"}
    label = f"<strong>{text(found.level.value)}</strong>"
    return f'<div class="banner {styles.get(found.level, "halted")}" id="verdict">{label}{text(found.sentence)}</div>'


def _banners(sweep: Sweep) -> str:
    record = sweep.record
    found = data_labels(record.synthetic, record.reconstructed_quotes)
    if record.warnings:
        found.append(banner("notice", "Warnings", items(record.warnings)))
    return "\n".join(found)
