"""Watches what positions are worth: prices and losses lead beyond limits that every order kept."""

from decimal import Decimal

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.model.identifiers import InstrumentId

from messages.ledger import EQUITY_TOPIC, EquityMark
from messages.risk import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.pre_trade import ExposureRoom, PreTradeLimits, held_breaches, held_breaches_of_strategy
from models.risk_limits import Breach


class ExposureWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """What positions are held against, at each point of the ledger's grid."""

    instrument_ids: tuple[InstrumentId, ...]
    limits: PreTradeLimits


class ExposureWatch(Actor):
    """Raises an alarm while what is held is worth more than a limit, and ends it when it is not."""

    def __init__(self, config: ExposureWatchConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        self._beyond: dict[tuple[str, str], Breach] = {}
        self._room = ExposureRoom.of(self.config.limits)

    def on_start(self) -> None:
        """Listen to the ledger."""
        self.msgbus.subscribe(EQUITY_TOPIC, self._on_equity)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def _on_equity(self, mark: EquityMark) -> None:
        if not self._beyond and self._room.holds(self._all_together(), mark.equity):
            return
        limits, values = self.config.limits, self._values()
        found = {
            (ACCOUNT, breach.rule): breach for breach in held_breaches(values.pop(ACCOUNT, {}), mark.equity, limits)
        } | {
            (strategy, breach.rule): breach
            for strategy, held in values.items()
            for breach in held_breaches_of_strategy(held, limits)
        }
        for (scope, rule), breach in found.items():
            if (scope, rule) not in self._beyond:
                self._alarm(mark.ts_ns, scope, breach, over=False)
        for (scope, rule), breach in self._beyond.items():
            if (scope, rule) not in found:
                self._alarm(mark.ts_ns, scope, breach, over=True)
        self._beyond = found

    def _all_together(self) -> Decimal:
        """Return what all positions are worth at the mid, without signs: no limit holds anything larger."""
        total = Decimal(0)
        for position in self.cache.positions_open():
            quote = self.cache.quote_tick(position.instrument_id)
            if quote is not None and position.instrument_id in self.config.instrument_ids:
                mid = (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
                total += position.quantity.as_decimal() * mid
        return total

    def _values(self) -> dict[str, dict[str, Decimal]]:
        """Return the signed value of each instrument's position at the mid, of the account and of each strategy."""
        values: dict[str, dict[str, Decimal]] = {}
        for instrument_id in self.config.instrument_ids:
            quote = self.cache.quote_tick(instrument_id)
            if quote is None:
                continue
            mid = (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
            name = instrument_id.value
            for position in self.cache.positions_open(instrument_id=instrument_id):
                for scope in (ACCOUNT, position.strategy_id.value):
                    held = values.setdefault(scope, {})
                    held[name] = held.get(name, Decimal(0)) + position.signed_decimal_qty() * mid
        return values

    def _alarm(self, ts_ns: int, scope: str, breach: Breach, over: bool) -> None:
        alarm = RiskAlarm(ts_ns=ts_ns, scope=scope, breach=breach, latched=False, over=over)
        self.msgbus.publish(ALARM_TOPIC, alarm)
