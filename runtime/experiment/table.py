"""The table of the experiment: what was published, what is exact, and what the engine's sample says, with its error."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.market_making.paper_moments import (
    PUBLISHED,
    Experiment,
    FillProbability,
    PublishedRow,
    Strategy,
    exact_moments,
)
from models.market_making.paper_paths import Figures
from runtime.experiment.setup import ExperimentSettings
from runtime.experiment.workers import PathRun

FIGURES = {
    "mean_profit": "profit",
    "std_profit": "std(profit)",
    "mean_inventory": "final q",
    "std_inventory": "std(q)",
}
"""The figures of the paper by their names in summary.json."""

FAR = 3.0
"""From how many standard errors on a figure is far from the exact one."""


class Cell(NamedTuple):
    """One figure: as published (None where it is not), exactly, and in our sample."""

    published: float | None
    exact: float
    sample: float
    standard_error: float

    @property
    def off(self) -> float | None:
        """How far the sample is from the exact figure, in standard errors; None where there is no error."""
        off = (self.sample - self.exact) / self.standard_error if self.standard_error > 0.0 else math.nan
        return off if math.isfinite(off) else None

    def as_dict(self) -> dict[str, float | None]:
        """Return the figure as JSON types."""
        error = self.standard_error if math.isfinite(self.standard_error) else None
        return {**self._asdict(), "standard_error": error, "standard_errors_off": self.off}


class TableRow(NamedTuple):
    """One row of the paper's tables; the cells stand in the order of `FIGURES`."""

    gamma: float
    strategy: Strategy
    published_spread: float | None
    spread: float
    cells: tuple[Cell, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        figures = {name: cell.as_dict() for name, cell in zip(FIGURES, self.cells, strict=True)}
        spread = {"published": self.published_spread, "exact": self.spread}
        return {"gamma": self.gamma, "strategy": self.strategy.value, "average_spread": spread, **figures}


class Farthest(NamedTuple):
    """The figure that is farthest from the exact one, in standard errors."""

    standard_errors: float
    gamma: float
    strategy: str
    figure: str


def table_rows(
    settings: ExperimentSettings, runs: Mapping[tuple[float, Strategy], Sequence[PathRun]]
) -> list[TableRow]:
    """
    Return the rows of the table.

    Parameters
    ----------
    settings : ExperimentSettings
        What was sampled; the published figures are shown where it is the paper's experiment.
    runs : mapping
        The paths of each row.

    """
    return [_row(settings, gamma, strategy, paths) for (gamma, strategy), paths in runs.items()]


def _row(settings: ExperimentSettings, gamma: float, strategy: Strategy, runs: Sequence[PathRun]) -> TableRow:
    published = _published(settings, gamma, strategy)
    exact = exact_moments(gamma, strategy, settings.market, settings.fills)
    errors = exact.standard_errors(len(runs))
    sample = Figures.of_sample(
        np.array([float(run.engine.profit) for run in runs]), np.array([run.engine.inventory for run in runs])
    )
    cells = tuple(
        Cell(getattr(published, name, None), getattr(exact, name), getattr(sample, name), getattr(errors, name))
        for name in FIGURES
    )
    return TableRow(gamma, strategy, published.average_spread if published else None, exact.average_spread, cells)


def _published(settings: ExperimentSettings, gamma: float, strategy: Strategy) -> PublishedRow | None:
    if settings.market != Experiment() or settings.fills is not FillProbability.LINEAR:
        return None
    return next((row for row in PUBLISHED if (row.risk_aversion, row.strategy) == (gamma, strategy)), None)


def farthest(rows: Sequence[TableRow]) -> Farthest | None:
    """Return the figure that is farthest from the exact one; None where no figure has an error."""
    found = [
        Farthest(abs(cell.off), row.gamma, row.strategy.value, label)
        for row in rows
        for label, cell in zip(FIGURES.values(), row.cells, strict=True)
        if cell.off is not None
    ]
    return max(found, default=None)


# -- Lines of text ----------------------------------------------------------------------------------------------------

_COLUMNS = ("spread", *FIGURES.values())
_PUBLISHED_DECIMALS = (1, 1, 2, 1)
_OFF = "off, s.e."


def _lines(row: TableRow, ascii_only: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Yield the lines of a row: what it is, then the spread and the figures as text."""
    if row.published_spread is not None:
        published = zip(row.cells, _PUBLISHED_DECIMALS, strict=True)
        yield "published", [f"{row.published_spread:.2f}", *(f"{cell.published:.{n}f}" for cell, n in published)]
    yield "exact", [f"{row.spread:.2f}", *(_number(cell.exact) for cell in row.cells)]
    yield "engine", ["", *(f"{_number(cell.sample)}{_error(cell, ascii_only)}" for cell in row.cells)]
    yield _OFF, ["", *("" if cell.off is None else f"{round(cell.off, 1) + 0.0:+.1f}" for cell in row.cells)]


def _number(value: float) -> str:
    """Return a number without the sign of a rounded zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def _error(cell: Cell, ascii_only: bool) -> str:
    if not math.isfinite(cell.standard_error):
        return ""
    return f" ({cell.standard_error:.2f})" if ascii_only else f" ± {cell.standard_error:.2f}"


def rich_table(rows: Sequence[TableRow], console: Console) -> Table:
    """Return the table for a terminal; 80 columns suffice."""
    table = Table("", "", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for label in _COLUMNS:
        table.add_column(label, justify="right", no_wrap=True)
    for row in rows:
        names = iter([row.strategy.value, f"gamma {row.gamma:g}"])
        for what, texts in _lines(row, console.options.ascii_only):
            table.add_row(Text(next(names, ""), "bold"), what, *(_styled(text, what) for text in texts))
        table.add_row()
    return table


def _styled(text: str, what: str) -> Text:
    if what != _OFF:
        return Text(text, "bold" if what == "engine" else "")
    return Text(text, "bold red" if text and abs(float(text)) >= FAR else "dim")


def markdown_table(rows: Sequence[TableRow]) -> str:
    """Return the table as Markdown."""
    lines: list[Sequence[str]] = [("gamma", "strategy", "", *_COLUMNS), ("---", "---", "---", *["---:"] * 5)]
    for row in rows:
        start = [f"{row.gamma:g}", row.strategy.value]
        for what, texts in _lines(row):
            lines.append([*start, what, *texts])
            start = ["", ""]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
