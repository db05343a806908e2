"""
Where things are in Binance's public archive: markets, kinds of data, file names and paths.

Source: the README of github.com/binance/binance-public-data.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair, Instrument

from bad_input import BadInput

BASE_URL = "https://data.binance.vision"


class Market(StrEnum):
    """A market, by its folder in the archive."""

    SPOT = "spot"
    USDM = "futures/um"

    @property
    def words(self) -> str:
        """The name that people use."""
        return "spot" if self is Market.SPOT else "USD-M futures"


class ArchiveKind(StrEnum):
    """A kind of data, by its folder in the archive."""

    AGG_TRADES = "aggTrades"
    TRADES = "trades"
    BOOK_TICKER = "bookTicker"
    KLINES = "klines"
    FUNDING_RATE = "fundingRate"


KINDS = {
    Market.SPOT: (ArchiveKind.AGG_TRADES, ArchiveKind.TRADES, ArchiveKind.KLINES),
    Market.USDM: tuple(ArchiveKind),
}

# The archive's name of a kline interval, and Nautilus's name of the same bar.
INTERVALS = {
    "1s": "1-SECOND",
    "1m": "1-MINUTE",
    "3m": "3-MINUTE",
    "5m": "5-MINUTE",
    "15m": "15-MINUTE",
    "30m": "30-MINUTE",
    "1h": "1-HOUR",
    "2h": "2-HOUR",
    "4h": "4-HOUR",
    "6h": "6-HOUR",
    "8h": "8-HOUR",
    "12h": "12-HOUR",
    "1d": "1-DAY",
    "3d": "3-DAY",
    "1w": "1-WEEK",
    "1mo": "1-MONTH",
}
MONTHLY_INTERVALS = frozenset({"3d", "1w", "1mo"})

# The first and last day of BTCUSDT; other symbols start later or end earlier.
BOOK_TICKER_DAYS = (date(2023, 5, 16), date(2024, 3, 30))

_FILE_NAME = re.compile(
    r"(?P<symbol>[^-/]+)-(?P<what>[A-Za-z0-9]+)-(?P<year>\d{4})-(?P<month>\d{2})(-(?P<day>\d{2}))?\.(zip|csv)"
)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A day or a month, in UTC; `first` is its first day."""

    first: date
    monthly: bool

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}" if self.monthly else f"{self.first:%Y-%m-%d}"

    @property
    def last(self) -> date:
        """The last day."""
        if not self.monthly:
            return self.first
        return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])

    def contains(self, other: "Period") -> bool:
        """Tell whether all of `other` lies within."""
        return self.first <= other.first and other.last <= self.last

    def days(self) -> "Iterator[Period]":
        """Yield the days one by one."""
        for offset in range((self.last - self.first).days + 1):
            yield Period(self.first + timedelta(days=offset), monthly=False)

    @classmethod
    def month_of(cls, day: date) -> "Period":
        """Return the month in which `day` lies."""
        return cls(day.replace(day=1), monthly=True)


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """
    A file of the archive.

    Parameters
    ----------
    symbol : str
        As the exchange names it, such as `BTCUSDT`; the same on spot and USD-M.
    kind : ArchiveKind
        What it holds.
    interval : str or None
        One of `INTERVALS` for klines, None for all else.
    period : Period
        The day or month that it covers.

    """

    symbol: str
    kind: ArchiveKind
    interval: str | None
    period: Period

    @property
    def name(self) -> str:
        """The file name, such as `BTCUSDT-1m-2024-08.zip`; it does not tell spot from USD-M."""
        return f"{self.symbol}-{self.interval or self.kind}-{self.period}.zip"

    def path(self, market: Market) -> str:
        """Return the path below the archive's address."""
        often = "monthly" if self.period.monthly else "daily"
        interval = f"{self.interval}/" if self.interval else ""
        return f"data/{market}/{often}/{self.kind}/{self.symbol}/{interval}{self.name}"

    def of(self, period: Period) -> "ArchiveFile":
        """Return the file of another period."""
        return ArchiveFile(self.symbol, self.kind, self.interval, period)


def parse_file_name(name: str) -> ArchiveFile | None:
    """Return what the name of an archive file says (zipped or not), or None if it is not the name of one."""
    parts = _FILE_NAME.fullmatch(name)
    if parts is None:
        return None
    what = parts["what"]
    kinds = {str(kind) for kind in ArchiveKind} - {str(ArchiveKind.KLINES)}
    if what not in kinds and what not in INTERVALS:
        return None
    try:
        first = date(int(parts["year"]), int(parts["month"]), int(parts["day"] or 1))
    except ValueError:
        return None
    kind, interval = (ArchiveKind.KLINES, what) if what in INTERVALS else (ArchiveKind(what), None)
    return ArchiveFile(parts["symbol"], kind, interval, Period(first, monthly=parts["day"] is None))


def market_of(instrument: Instrument) -> Market:
    """
    Return the market of an instrument.

    Raises
    ------
    BadInput
        If it is neither a spot pair nor a perpetual.

    """
    if isinstance(instrument, CurrencyPair):
        return Market.SPOT
    if isinstance(instrument, CryptoPerpetual):
        return Market.USDM
    raise BadInput(f"{instrument.id} is neither a spot pair nor a USD-M perpetual")


def monthly_only(kind: ArchiveKind, interval: str | None) -> bool:
    """Tell whether the archive has no daily files of this kind."""
    return kind is ArchiveKind.FUNDING_RATE or interval in MONTHLY_INTERVALS
