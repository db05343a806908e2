"""Watches the market data themselves: whether their clock is ours, and how fast prices move."""

from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.identifiers import InstrumentId

from actors.looks import look_at_times
from messages.risk import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.price_moves import PriceRange
from models.risk_limits import Breach, clock_skew_breach

_CHECK: Final = "market-check"
_CHECKS_PER_WINDOW: Final = 12


class MarketWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """
    How far the venue's time and the local one may be apart, and how far a mid may move within a window.

    A limit that is None is not held. Both are looked at a dozen times in each window or as often as the times may be
    apart, whichever is more, but no more often than `check_interval_secs`: timers cost.
    """

    instrument_ids: tuple[InstrumentId, ...]
    max_clock_skew_secs: Decimal | None = None
    max_price_move_bps: Decimal | None = None
    price_move_window_secs: Decimal = Decimal(60)
    check_interval_secs: Decimal = Decimal(1)

    @property
    def look_interval_secs(self) -> Decimal:
        """How often it looks."""
        wanted = []
        if self.max_price_move_bps is not None:
            wanted.append(self.price_move_window_secs / _CHECKS_PER_WINDOW)
        if self.max_clock_skew_secs is not None:
            wanted.append(self.max_clock_skew_secs)
        return max(self.check_interval_secs, min(wanted, default=self.check_interval_secs))


class MarketWatch(Actor):
    """
    Raises an alarm while market data are stamped too far from when they arrived, or a mid has moved too far.

    A clock that is wrong and a feed that lags look the same. A venue's stream without times of its own says nothing:
    its events carry the time of arrival twice. An alarm of prices ends when all windows are calm again: a maker does
    not know in a spike what anything is worth.
    """

    def __init__(self, config: MarketWatchConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        limit, window_ns = self.config.max_price_move_bps, int(self.config.price_move_window_secs.scaleb(9))
        ranges = {name: None if limit is None else PriceRange(limit, window_ns) for name in self.config.instrument_ids}
        self._markets = [_Market(name, prices) for name, prices in ranges.items()]
        self._raised: set[str] = set()

    def on_start(self) -> None:
        """Look at the last quotes and trades on a timer."""
        self._quote_of, self._trade_of = self.cache.quote_tick, self.cache.trade_tick
        look_at_times(self.clock, _CHECK, self.config.look_interval_secs, self._on_check)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def _on_check(self, event: TimeEvent) -> None:
        now_ns, is_news = event.ts_event, bool(self._raised)
        for market in self._markets:
            quote, trade = self._quote_of(market.name), self._trade_of(market.name)
            if quote is market.quote and trade is market.trade:
                market.same_until_ns = now_ns
            else:
                market.hear(quote, trade)
                is_news = True
        if is_news:  # else nothing has come that could raise an alarm, and there is none to end
            self._judge(now_ns)

    def _judge(self, now_ns: int) -> None:
        skewed, moved = self._skewed(), self._moved(now_ns)
        if skewed or moved or self._raised:
            self._tell("max_clock_skew_secs", skewed, now_ns)
            self._tell("max_price_move_bps", moved, now_ns)

    def _tell(self, rule: str, found: list[Breach], now_ns: int) -> None:
        """Raise the alarm of a rule when its first breach is found, and end it when there is none any more."""
        if bool(found) is not (rule in self._raised):
            self._raised ^= {rule}
            calm = Breach(rule, Decimal(0), getattr(self.config, rule))
            worst = max(found, key=lambda breach: breach.value, default=calm)
            alarm = RiskAlarm(ts_ns=now_ns, scope=ACCOUNT, breach=worst, latched=False, over=not found)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _skewed(self) -> list[Breach]:
        limit, found = self.config.max_clock_skew_secs, []
        for market in self._markets:
            for tick in (market.quote, market.trade):
                # in recorded data both times mostly are the same
                if tick is not None and tick.ts_init != tick.ts_event and limit is not None:
                    found.append(clock_skew_breach(tick.ts_init, tick.ts_event, limit))
        return [breach for breach in found if breach is not None]

    def _moved(self, now_ns: int) -> list[Breach]:
        found = []
        for market in self._markets:
            if market.prices is not None and market.twice_mid:
                found.append(market.prices.update(now_ns, market.twice_mid))
        return [breach for breach in found if breach is not None]


class _Market:
    """The last quote and trade of an instrument that were looked at, and the range of its mids."""

    __slots__ = ("name", "prices", "quote", "same_until_ns", "trade", "twice_mid")

    def __init__(self, name: InstrumentId, prices: PriceRange | None) -> None:
        self.name = name
        self.prices = prices
        self.quote: QuoteTick | None = None
        self.trade: TradeTick | None = None
        self.twice_mid = 0
        """Of the last quote that was not crossed, in whatever unit; 0 before there is one."""
        self.same_until_ns = 0
        """The last look that found nothing new; 0 where the last one did."""

    def hear(self, quote: QuoteTick | None, trade: TradeTick | None) -> None:
        """Take in what is new; until the look before, the price was what it had been."""
        if self.same_until_ns:
            if self.prices is not None and self.twice_mid:
                self.prices.update(self.same_until_ns, self.twice_mid)
            self.same_until_ns = 0
        if quote is not None and quote is not self.quote:
            bid, ask = quote.bid_price.raw, quote.ask_price.raw
            if 0 < bid < ask:
                self.twice_mid = bid + ask
        self.quote, self.trade = quote, trade
