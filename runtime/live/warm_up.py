"""
Prices from before the start, from the venue's candles: what a backtest would have seen by now.

A candle's close is the last trade before its end, where a backtest has the mid: half a spread of difference, in a
window of hours or days. Makers are not warmed up: within their memory of minutes the bounce of trades between bid and
ask would count as volatility.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from actors.history import HistoryRow, HistoryWanted
from runtime.live.account import symbol_of
from runtime.live.prepare import PreparedLive
from runtime.live.rest import Rest, VenueError
from runtime.setup.load import LoadedSetup

CANDLE_SECS: Final = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": 86_400,
}
"""The lengths of Binance's candles; futures have none of a second."""

_ROWS: Final = 1_000
_MAX_REQUESTS: Final = 100
_MS: Final = 1_000_000

type Histories = Mapping[HistoryWanted, list[HistoryRow]]


class NoHistory(Exception):  # noqa: N818 (reads as what it is at every raise)
    """There is no history of the kind that is wanted, and why."""


def wanted_by(loaded: LoadedSetup) -> list[HistoryWanted]:
    """Return what the strategies and actors of a setup look back on, each once."""
    found = (history_of(part.kind, part.config) for part in (*loaded.actors, *loaded.strategies))
    return list(dict.fromkeys(wanted for wanted in found if wanted is not None))


def history_of(kind: type[Any], config: object) -> HistoryWanted | None:
    """Return what one part looks back on; None where it does not."""
    ask = getattr(kind, "history_wanted", None)
    wanted: HistoryWanted | None = None if ask is None else ask(config)
    return wanted


def warm_up(prepared: PreparedLive, say: Callable[[str], None]) -> Histories:
    """Return the history of everything that looks back, and say what there is; what is missing is waited for."""
    histories: dict[HistoryWanted, list[HistoryRow]] = {}
    for wanted in wanted_by(prepared.loaded):
        names = ", ".join(symbol_of(instrument_id.value) for instrument_id in wanted.instrument_ids)
        asked = f"{wanted.samples} prices of {names}, {wanted.interval_secs} s apart"
        try:
            rows = fetch(prepared.rest, prepared.venue.spot, wanted)
        except (VenueError, NoHistory) as problem:
            say(f"not warmed up with {asked}: {problem}; waiting for them takes {_duration(wanted, wanted.samples)}")
            continue
        histories[wanted] = rows
        period = f"{_time(rows[0])} to {_time(rows[-1])}"
        told = f"warmed up with {len(rows)} of {asked}: closes of the venue's candles, {period}"
        missing = wanted.samples - len(rows)
        say(f"{told}; waiting for the rest takes {_duration(wanted, missing)}" if missing > 0 else told)
    return histories


def fetch(rest: Rest, spot: bool, wanted: HistoryWanted) -> list[HistoryRow]:
    """
    Return the last prices at whole multiples of the interval, the oldest first, without a gap up to now.

    Raises
    ------
    VenueError
        If the venue does not say.
    NoHistory
        If it has none up to now, or asking for it takes too much.

    """
    interval_ms = wanted.interval_secs * 1_000
    last_ms = rest.now_ms() // interval_ms * interval_ms
    first_ms = last_ms - (wanted.samples - 1) * interval_ms
    closes = [_closes(rest, spot, str(each), wanted, (first_ms, last_ms)) for each in wanted.instrument_ids]
    rows: list[HistoryRow] = []
    for time_ms in range(last_ms, first_ms - 1, -interval_ms):
        prices = [found.get(time_ms) for found in closes]
        if any(price is None for price in prices):
            break
        rows.append(HistoryRow(time_ms * _MS, tuple(price for price in prices if price is not None)))
    if not rows:
        raise NoHistory(
            f"the venue has no candles that end at {datetime.fromtimestamp(last_ms / 1_000, UTC):%H:%M:%SZ}"
        )
    return rows[::-1]


def _closes(
    rest: Rest, spot: bool, instrument_id: str, wanted: HistoryWanted, period: tuple[int, int]
) -> dict[int, float]:
    """Return the closes of an instrument's candles by the time of their end, ms."""
    name, length_secs = _candle(wanted.interval_secs, spot)
    first_ms, last_ms = period
    length_ms = length_secs * 1_000
    start_ms, end_ms = first_ms - length_ms, last_ms - length_ms
    if (end_ms - start_ms) / length_ms > _ROWS * _MAX_REQUESTS:
        raise NoHistory(f"that takes more than {_MAX_REQUESTS} requests for candles of {name}")
    path = "/api/v3/klines" if spot else "/fapi/v1/klines"
    closes: dict[int, float] = {}
    while start_ms <= end_ms:
        asked = {"symbol": symbol_of(instrument_id), "interval": name, "limit": _ROWS}
        page = rest.get(path, startTime=start_ms, endTime=end_ms, **asked)
        closes |= {int(row[0]) + length_ms: float(row[4]) for row in page}
        if len(page) < _ROWS:
            break
        start_ms = int(page[-1][0]) + length_ms
    return closes


def _candle(interval_secs: int, spot: bool) -> tuple[str, int]:
    """Return the longest candles whose ends are at all multiples of an interval."""
    fitting = [(name, secs) for name, secs in CANDLE_SECS.items() if interval_secs % secs == 0 and (spot or secs >= 60)]
    if not fitting:
        raise NoHistory(f"futures have no candles for an interval of {interval_secs} s")
    return fitting[-1]


def of_parts(parts: Iterable[Any], histories: Histories) -> dict[str, list[HistoryRow]]:
    """Return the history of each part that looks back and whose history there is, by its id."""
    found = {part.id.value: histories.get(history_of(type(part), part.config)) for part in parts}  # type: ignore[arg-type]
    return {name: rows for name, rows in found.items() if rows is not None}


def _time(row: HistoryRow) -> str:
    return f"{datetime.fromtimestamp(row.ts_ns / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _duration(wanted: HistoryWanted, samples: int) -> str:
    secs = samples * wanted.interval_secs
    return f"{secs / 3_600:.1f} h" if secs >= 3_600 else f"{secs / 60:.0f} min"
