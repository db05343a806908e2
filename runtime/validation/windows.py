"""Which part of the market each search sees, and which part its winner is tried on."""

from dataclasses import dataclass, replace
from typing import Final

import pandas as pd
from msgspec.structs import replace as changed

from models.validation.splits import Split, walk_forward
from runtime.market_data import iso_time
from runtime.prepare import PreparedBacktest
from runtime.setup.load import parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.sweep.load_sweep import LoadedSweep
from runtime.validation.settings import ValidationSettings, length_ns

MICROSECOND: Final = 1_000


@dataclass(frozen=True)
class Window:
    """A part of the period, UNIX ns, both ends included."""

    start_ns: int
    end_ns: int

    @property
    def overrides(self) -> tuple[str, ...]:
        """What of the setup makes a run of this window."""
        return tuple(
            f"backtest.{key}={pd.Timestamp(at, tz='UTC').isoformat()}"
            for key, at in (("start", self.start_ns), ("end", self.end_ns))
        )


@dataclass(frozen=True)
class Fold:
    """
    One search and the window after it.

    Parameters
    ----------
    number : int
        From 0.
    train : Window
        What the search sees.
    test : Window, optional
        What it does not see.

    """

    number: int
    train: Window
    test: Window | None


def folds_of(sweep: LoadedSweep, base: PreparedBacktest) -> list[Fold]:
    """
    Return the folds of a sweep over the period of its setup.

    Raises
    ------
    BadInput
        If the period is too short for one of them.

    """
    settings = sweep.settings.validation
    start, end = base.data.start_ns, base.data.end_ns
    if settings.scheme == "none":
        return [Fold(0, Window(start, end), None)]
    splits = _splits(settings, end + 1 - start)
    if not splits:
        parts = (settings.train, settings.purge, settings.embargo, settings.test)
        wanted = " + ".join(part for part in parts if part is not None and length_ns("validation", part))
        raise sweep.tree.complaint(
            f"does not fit: the period {iso_time(start)} to {iso_time(end)} is shorter than {wanted}",
            ("sweep", "validation"),
        )
    # A window ends a microsecond before the next begins: no event is in both, and the engine counts in microseconds.
    return [
        Fold(
            number,
            Window(start + split.train_start, start + split.train_end - MICROSECOND),
            Window(start + split.test_start, start + split.test_end - MICROSECOND),
        )
        for number, split in enumerate(splits)
    ]


def _splits(settings: ValidationSettings, length_ns: int) -> list[Split]:
    if settings.scheme == "walk_forward":
        return walk_forward(
            length_ns,
            settings.train_ns,
            settings.test_ns,
            gap=settings.gap_ns,
            step=settings.step_ns,
            anchored=settings.anchored,
        )
    train_ns = length_ns - settings.gap_ns - settings.test_ns
    return walk_forward(length_ns, train_ns, settings.test_ns, gap=settings.gap_ns) if train_ns > 0 else []


def in_window(sweep: LoadedSweep, window: Window, *, pruning: bool = True) -> LoadedSweep:
    """Return the sweep over a part of its period, without pruning where trials must run to their end."""
    base = parse_setup(apply_overrides(sweep.base.tree, window.overrides))
    file = sweep.file if pruning else changed(sweep.file, sweep=changed(sweep.settings, pruning=None))
    return replace(sweep, base=base, file=file)
