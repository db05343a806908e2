"""Quotes rebuilt from the other data of a series, piece by piece as it is imported."""

from collections.abc import Iterator
from typing import Protocol

from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import BarAggregation
from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.columns import Bars, Quotes, Trades
from data_catalog.counts import Grid
from data_catalog.import_series import Piece
from data_catalog.rebuilt_quotes.from_bars import quotes_from_bars, usual_spread_ticks
from data_catalog.rebuilt_quotes.from_trades import TouchRebuilder
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.origin import SPREAD_NOTE

type Notes = dict[str, int | float | str]


class Rebuilder(Protocol):
    """
    Makes the quotes of one series of files.

    Attributes
    ----------
    source : DataTypeName
        What they are made of.
    notes : Notes
        What must be known of them, complete with the first quotes.

    """

    source: DataTypeName
    notes: Notes

    def add(self, piece: Piece) -> Iterator[Quotes]:
        """Take in a piece of any type and yield the quotes that it completes."""
        ...

    def finish(self) -> Iterator[Quotes]:
        """Yield the last quotes."""
        ...


def option_of(source: DataTypeName) -> str:
    """Return the option of the command line that asks for quotes from `source`."""
    return f"--quotes-from-{source}"


def chosen_source(*, from_trades: bool, from_bars: bool, spread_ticks: int | None) -> DataTypeName | None:
    """
    Return what quotes are to be rebuilt from, None where they are not.

    Raises
    ------
    BadInput
        If the options do not go together.

    """
    if from_trades and from_bars:
        raise BadInput("goes without --quotes-from-trades: there is one touch", key=option_of("bars"))
    if spread_ticks is not None and not from_bars:
        raise BadInput("goes with --quotes-from-bars alone", key="--spread-ticks")
    if from_trades:
        return "trades"
    return "bars" if from_bars else None


def rebuilder_of(source: DataTypeName | None, instrument: Instrument, spread_ticks: int | None) -> Rebuilder | None:
    """Return a rebuilder for one series of files, None where quotes are not to be rebuilt."""
    if source is None:
        return None
    grid = Grid.of(instrument)
    return FromTrades(grid) if source == "trades" else FromBars(grid, spread_ticks)


class FromTrades:
    """Quotes that follow each trade."""

    source: DataTypeName = "trades"

    def __init__(self, grid: Grid) -> None:
        self.notes: Notes = {}
        self._touch = TouchRebuilder(grid.tick)

    def add(self, piece: Piece) -> Iterator[Quotes]:
        """Yield the quotes that more trades show."""
        if isinstance(piece.columns, Trades):
            yield self._touch.add(piece.columns)

    def finish(self) -> Iterator[Quotes]:
        """Yield the last quote."""
        yield self._touch.finish()


class FromBars:
    """Quotes along the path of each bar, made at the end: the spread is estimated from all bars unless given."""

    source: DataTypeName = "bars"

    def __init__(self, grid: Grid, spread_ticks: int | None) -> None:
        self.notes: Notes = {}
        self._tick = grid.tick
        self._spread_ticks = spread_ticks
        self._bar_type: str | None = None
        self._bars: list[Bars] = []

    def add(self, piece: Piece) -> Iterator[Quotes]:
        """Collect bars, all of one interval."""
        if isinstance(piece.columns, Bars):
            if self._bar_type not in {None, piece.bar_type}:
                problem = f"the files hold {self._bar_type} and {piece.bar_type}, expected one interval"
                raise BadInput(problem, key=option_of("bars"))
            self._bar_type = piece.bar_type
            self._bars.append(piece.columns)
        yield from ()

    def finish(self) -> Iterator[Quotes]:
        """Yield all quotes."""
        if self._bar_type is None:
            return
        bars, interval_ns = Bars.concat(self._bars), _interval_ns(self._bar_type)
        spread_ticks = self._spread_ticks or usual_spread_ticks(bars, interval_ns, self._tick)
        self.notes[SPREAD_NOTE] = spread_ticks
        yield from quotes_from_bars(bars, interval_ns, self._tick, spread_ticks)


def _interval_ns(bar_type: str) -> int:
    spec = BarType.from_str(bar_type).spec
    if spec.aggregation == BarAggregation.MONTH:
        raise BadInput("months are not of one length, expected shorter bars", key=option_of("bars"))
    return int(spec.timedelta.value)
