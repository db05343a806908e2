"""Quotes rebuilt from the other data of a series, piece by piece as it is imported."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import BarAggregation
from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.columns import Bars, Quotes, Trades
from data_catalog.counts import Grid
from data_catalog.import_series import Piece
from data_catalog.rebuilt_quotes.from_bars import quotes_from_bars, usual_spread_ticks
from data_catalog.rebuilt_quotes.from_closes import quotes_from_closes
from data_catalog.rebuilt_quotes.from_trades import TouchRebuilder
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.origin import SPREAD_BPS_NOTE, SPREAD_NOTE

type Notes = dict[str, int | float | str]
type Method = Literal["trades", "bars", "closes"]
"""How quotes are rebuilt: from trades, along the path of bars, or at their closes alone."""


class Rebuilder(Protocol):
    """
    Makes the quotes of one series of files.

    Attributes
    ----------
    source : DataTypeName
        What they are made of.
    method : Method
        How.
    notes : Notes
        What must be known of them, complete with the first quotes.

    """

    source: DataTypeName
    method: Method
    notes: Notes

    def add(self, piece: Piece) -> Iterator[Quotes]:
        """Take in a piece of any type and yield the quotes that it completes."""
        ...

    def finish(self) -> Iterator[Quotes]:
        """Yield the last quotes."""
        ...


def option_of(method: Method) -> str:
    """Return the option of the command line that asks for quotes rebuilt in this way."""
    return f"--quotes-from-{method}"


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """
    How quotes are to be rebuilt, with the spread where it is given.

    Parameters
    ----------
    method : Method
        How.
    spread_ticks : int, optional
        Of quotes along the path of bars; estimated from the bars where left out.
    spread_bps : float, optional
        Of quotes at closes.

    """

    method: Method
    spread_ticks: int | None = None
    spread_bps: float | None = None

    def __post_init__(self) -> None:
        if self.spread_ticks is not None and self.method != "bars":
            raise BadInput("goes with --quotes-from-bars alone", key="--spread-ticks")
        if self.spread_bps is not None and self.method != "closes":
            raise BadInput("goes with --quotes-from-closes alone", key="--spread-bps")
        if self.spread_bps is None and self.method == "closes":
            raise BadInput("needs --spread-bps: closes do not tell the spread", key=option_of("closes"))

    @property
    def option(self) -> str:
        """The option of the command line that asks for it."""
        return option_of(self.method)

    @property
    def source(self) -> DataTypeName:
        """What quotes are made of."""
        return "trades" if self.method == "trades" else "bars"

    def rebuilder(self, instrument: Instrument) -> Rebuilder:
        """Return a rebuilder for one series of files."""
        grid = Grid.of(instrument)
        if self.method == "trades":
            return FromTrades(grid)
        if self.method == "bars":
            return FromBars(grid, self.spread_ticks)
        assert self.spread_bps is not None
        return FromCloses(grid, self.spread_bps)


def chosen_rebuilding(
    methods: Mapping[Method, bool], spread_ticks: int | None, spread_bps: float | None
) -> Rebuilding | None:
    """
    Return how quotes are to be rebuilt, None where they are not.

    Raises
    ------
    BadInput
        If the options do not go together.

    """
    wanted = [method for method, is_wanted in methods.items() if is_wanted]
    if len(wanted) > 1:
        raise BadInput(f"goes without {option_of(wanted[0])}: there is one touch", key=option_of(wanted[1]))
    if wanted:
        return Rebuilding(wanted[0], spread_ticks, spread_bps)
    if spread_ticks is not None:
        raise BadInput("goes with --quotes-from-bars alone", key="--spread-ticks")
    if spread_bps is not None:
        raise BadInput("goes with --quotes-from-closes alone", key="--spread-bps")
    return None


class FromTrades:
    """Quotes that follow each trade."""

    source: DataTypeName = "trades"
    method: Method = "trades"

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


class _Bars:
    """Collects bars of one interval."""

    source: DataTypeName = "bars"
    method: Method

    def __init__(self, grid: Grid) -> None:
        self.notes: Notes = {}
        self._tick = grid.tick
        self._bar_type: str | None = None
        self._bars: list[Bars] = []

    def add(self, piece: Piece) -> Iterator[Quotes]:
        """Collect bars, all of one interval."""
        if isinstance(piece.columns, Bars):
            if self._bar_type not in {None, piece.bar_type}:
                problem = f"the files hold {self._bar_type} and {piece.bar_type}, expected one interval"
                raise BadInput(problem, key=option_of(self.method))
            self._bar_type = piece.bar_type
            self._bars.append(piece.columns)
        yield from ()


class FromBars(_Bars):
    """Quotes along the path of each bar, made at the end: the spread is estimated from all bars unless given."""

    method: Method = "bars"

    def __init__(self, grid: Grid, spread_ticks: int | None) -> None:
        super().__init__(grid)
        self._spread_ticks = spread_ticks

    def finish(self) -> Iterator[Quotes]:
        """Yield all quotes."""
        if self._bar_type is None:
            return
        bars, interval_ns = Bars.concat(self._bars), _interval_ns(self._bar_type)
        spread_ticks = self._spread_ticks or usual_spread_ticks(bars, interval_ns, self._tick)
        self.notes[SPREAD_NOTE] = spread_ticks
        yield from quotes_from_bars(bars, interval_ns, self._tick, spread_ticks)


class FromCloses(_Bars):
    """One quote at the close of each bar, as wide as asked for."""

    method: Method = "closes"

    def __init__(self, grid: Grid, spread_bps: float) -> None:
        super().__init__(grid)
        self._spread_bps = spread_bps

    def finish(self) -> Iterator[Quotes]:
        """Yield all quotes."""
        if self._bars:
            self.notes[SPREAD_BPS_NOTE] = self._spread_bps
            yield quotes_from_closes(Bars.concat(self._bars), self._tick, self._spread_bps)


def _interval_ns(bar_type: str) -> int:
    spec = BarType.from_str(bar_type).spec
    if spec.aggregation == BarAggregation.MONTH:
        raise BadInput("months are not of one length, expected shorter bars", key=option_of("bars"))
    return int(spec.timedelta.value)
