"""The quotes and trades of one instrument over a stretch of time, in ticks: what a calibration looks at."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from nautilus_trader.model.instruments import Instrument
from numpy.typing import NDArray

from bad_input import BadInput, nearest_name
from data_catalog.columns import BUYER, Columns, Int64, Quotes, Trades
from data_catalog.store.column_reader import read_columns
from data_catalog.store.contents import Entry, contents, load_instruments
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MarketWindow:
    """
    One instrument's touch and trades from `start_ns` to `end_ns`.

    Parameters
    ----------
    instrument : Instrument
        Its definition.
    start_ns, end_ns : int
        The first quote and the last event, UNIX nanoseconds.
    quote_ns : ndarray of int64, shape (n,)
        When the touch moved.
    bid, ask : ndarray of float64, shape (n,)
        The touch since then, in ticks; never crossed.
    trade_ns : ndarray of int64, shape (m,)
        When each trade was received.
    price : ndarray of float64, shape (m,)
        In ticks.
    qty : ndarray of float64, shape (m,)
        In the base asset.
    buyer : ndarray of bool, shape (m,)
        Whether the buyer took liquidity.
    synthetic : bool
        Whether any of it was generated.

    """

    instrument: Instrument
    start_ns: int
    end_ns: int
    quote_ns: Int64
    bid: Floats
    ask: Floats
    trade_ns: Int64
    price: Floats
    qty: Floats
    buyer: NDArray[np.bool_]
    synthetic: bool

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end_ns - self.start_ns) * 1e-9

    @property
    def mid(self) -> Floats:
        """The middle of the touch, in ticks."""
        return np.asarray((self.bid + self.ask) / 2)

    @property
    def tick(self) -> float:
        """The price increment, in the quote currency."""
        return float(self.instrument.price_increment)

    @property
    def tick_bps(self) -> float:
        """One tick in basis points of the first mid: the one scale between ticks and basis points."""
        return float(1e4 / self.mid[0])


def load_window(catalog: Path, instrument_id: str, start: str | None, end: str | None) -> MarketWindow:
    """
    Read the quotes and trades of an instrument from a catalog.

    Parameters
    ----------
    catalog : Path
        Its folder.
    instrument_id : str
        Such as `NEXOUSDT.BINANCE`.
    start, end : str, optional
        UTC times (ISO 8601), both included; all there is where left out.

    Raises
    ------
    BadInput
        If the catalog or the instrument is unknown, quotes or trades are missing or were rebuilt, a time cannot be
        read, or nothing lies between the two.

    """
    entries = _entries(catalog, instrument_id)
    first_ns, last_ns = _utc_ns(start, "start"), _utc_ns(end, "end")
    lowest, highest = (0 if first_ns is None else first_ns), (2**63 - 1 if last_ns is None else last_ns)
    if lowest >= highest:
        raise BadInput(f"{start} is not before {end}", key="start")
    (instrument,) = load_instruments(catalog, [instrument_id])
    per_tick = int(instrument.price_increment.as_decimal().scaleb(instrument.price_precision))
    quotes = _in_order(Quotes, list(_moves(_rows(catalog, entries["quotes"], lowest, highest))))
    trades = _in_order(Trades, list(_rows(catalog, entries["trades"], lowest, highest)))
    if quotes is None or trades is None:
        missing = "quotes" if quotes is None else "trades"
        raise BadInput(f"no {missing} of {instrument_id} in this time", file=catalog, hint=_covered(entries[missing]))
    assert isinstance(quotes, Quotes)
    assert isinstance(trades, Trades)
    quotes = quotes.take(quotes.bid_price <= quotes.ask_price)
    trades = trades.take(trades.ts_init >= (quotes.ts_init[0] if len(quotes) else 0))
    if not len(quotes) or not len(trades):
        raise BadInput(f"no trade of {instrument_id} has a quote before it", file=catalog)
    return MarketWindow(
        instrument=instrument,
        start_ns=int(quotes.ts_init[0]),
        end_ns=max(int(trades.ts_init[-1]), min(entries["quotes"].last_ns, highest)),
        quote_ns=quotes.ts_init,
        bid=quotes.bid_price / per_tick,
        ask=quotes.ask_price / per_tick,
        trade_ns=trades.ts_init,
        price=trades.price / per_tick,
        qty=trades.size / 10.0**instrument.size_precision,
        buyer=trades.aggressor == BUYER,
        synthetic=any(entry.synthetic for entry in entries.values()),
    )


def utc_text(time_ns: int) -> str:
    """Return a UNIX time in nanoseconds as UTC, to the second."""
    return str(unix_nanos_to_iso8601(time_ns))[:19] + "Z"


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _entries(catalog: Path, instrument_id: str) -> dict[str, Entry]:
    known = contents(catalog)
    mine = {entry.data_type: entry for entry in known if entry.instrument_id == instrument_id}
    if not mine:
        names = sorted({entry.instrument_id for entry in known})
        hint = nearest_name(instrument_id, names) or f"it has {', '.join(names)}"
        raise BadInput(f'no data of "{instrument_id}"', file=catalog, hint=hint)
    for needed in ("quotes", "trades"):
        if needed not in mine:
            has = ", ".join(str(name) for name in mine)
            raise BadInput(f"no {needed} of {instrument_id}, which a calibration needs; it has {has}", file=catalog)
    if mine["quotes"].reconstructed:
        raise BadInput(
            f"the quotes of {instrument_id} were rebuilt from its trades, so spread and depth cannot be measured",
            file=catalog,
            hint="import recorded quotes",
        )
    return {name: mine[name] for name in ("quotes", "trades")}


def _rows(catalog: Path, entry: Entry, lowest: int, highest: int) -> Iterator[Quotes | Trades]:
    for file in files_in(data_folder(catalog, DATA_TYPES[entry.data_type], entry.instrument_id)):
        if not file.intersects(lowest, highest):
            continue
        for columns in read_columns(file.path, entry.data_type):
            assert isinstance(columns, Quotes | Trades)
            inside = (columns.ts_init >= lowest) & (columns.ts_init <= highest)
            if inside.any():
                yield columns.take(inside)


def _moves(chunks: Iterator[Quotes | Trades]) -> Iterator[Quotes]:
    """Yield the quotes that moved the touch: most change sizes only."""
    last = (-1, -1)
    for quotes in chunks:
        assert isinstance(quotes, Quotes)
        bid, ask = quotes.bid_price, quotes.ask_price
        moved = np.append(True, (np.diff(bid) != 0) | (np.diff(ask) != 0))
        moved[0] = (bid[0], ask[0]) != last
        last = (int(bid[-1]), int(ask[-1]))
        yield quotes.take(moved)


def _in_order[C: Columns](kind: type[C], parts: list[C]) -> C | None:
    """Return the rows of all parts, in order of time even where a flawed catalog has them out of it."""
    if not parts:
        return None
    columns = kind.concat(parts)
    times = getattr(columns, "ts_init")  # noqa: B009 (every kind of columns has it, their base has not)
    return columns if np.all(np.diff(times) >= 0) else columns.take(np.argsort(times, kind="stable"))


def _utc_ns(text: str | None, key: str) -> int | None:
    if text is None:
        return None
    try:
        stamp = pd.Timestamp(text)
    except ValueError:
        stamp = pd.NaT
    if stamp is pd.NaT:
        raise BadInput(f'was "{text}", expected a UTC time such as 2024-07-23T16:00:00Z', key=key)
    return int((stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")).as_unit("ns").value)


def _covered(entry: Entry) -> str:
    return f"there are some from {utc_text(entry.first_ns)} to {utc_text(entry.last_ns)}"
