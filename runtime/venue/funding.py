"""Funding of perpetuals at the simulated venue: which rates settle when, and their payment, once for each position."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from nautilus_trader.backtest.engine import SimulatedExchange
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CryptoPerpetual, Instrument
from nautilus_trader.model.objects import Money

from data_catalog.store.contents import Entry
from data_catalog.store.stream import DataRequest, stream
from messages.ledger import FUNDING_TOPIC, FundingPaid
from models.funding import funding_hour, funding_payment, funding_times
from runtime.setup.sections import ConstantFunding, FundingSetting

USUAL_HOURS: Final = 8
"""Between two funding times of most perpetuals; where the venue settles more often, these are among its times."""

MARK: Final = "mid of the last quote at the funding time, in place of the mark price, which catalogs do not hold"

BPS: Final = Decimal("0.0001")
_ALERT: Final = "!funding"
"""Alerts of one moment go off in the order of their names: after what arrives, before the ledger."""


@dataclass(frozen=True)
class Settlement:
    """One funding time of one perpetual: when (UNIX ns), which, and the rate as a share."""

    ts_ns: int
    instrument_id: str
    rate: Decimal


@dataclass(frozen=True)
class FundingPlan:
    """
    The funding of a backtest.

    Parameters
    ----------
    settlements : tuple of Settlement
        In the order of time.
    sources : mapping
        Of each perpetual, where its rates come from, in words.
    missing : mapping
        Of each perpetual, how many of the usual funding times in the period have no rate.
    warnings : tuple of str
        What a reader of the results should know.
    mark : str
        What values a position, in words.

    """

    settlements: tuple[Settlement, ...] = ()
    sources: Mapping[str, str] = MappingProxyType({})
    missing: Mapping[str, int] = MappingProxyType({})
    warnings: tuple[str, ...] = ()
    mark: str = MARK


def plan_funding(
    setting: FundingSetting,
    instruments: Sequence[Instrument],
    rates: Iterable[Settlement],
    generated: frozenset[str],
    period: tuple[int, int],
) -> FundingPlan:
    """
    Return which funding times of the period settle at which rate.

    Parameters
    ----------
    setting : FundingSetting
        What the setup says: "catalog", "none", or a constant rate.
    instruments : sequence of Instrument
        What is traded; only perpetuals have funding.
    rates : iterable of Settlement
        Those of the catalog, in any order.
    generated : frozenset of str
        Instruments of a synthetic market: it has no funding, so none is missed.
    period : (int, int)
        First and last moment, UNIX ns. A time at its start belongs to the period before.

    """
    known = _once_each(rates)
    perpetuals = [each.id.value for each in instruments if isinstance(each, CryptoPerpetual)]
    plans = [_plan_of(name, setting, known.get(name, {}), name in generated, period) for name in perpetuals]
    settlements = sorted((each for plan in plans for each in plan.settlements), key=_order)
    return FundingPlan(
        settlements=tuple(settlements),
        sources={name: source for plan in plans for name, source in plan.sources.items()},
        missing={name: missing for plan in plans for name, missing in plan.missing.items()},
        warnings=tuple(warning for plan in plans for warning in plan.warnings),
    )


def _plan_of(
    name: str, setting: FundingSetting, known: dict[int, Settlement], generated: bool, period: tuple[int, int]
) -> FundingPlan:
    """Return the plan of one perpetual; `known` are the catalog's rates by the hour of their settlement."""
    start_ns, end_ns = period
    if isinstance(setting, ConstantFunding):
        rate, hours = setting.rate_bps * BPS, setting.interval_hours
        assumed = tuple(Settlement(time, name, rate) for time in funding_times(start_ns, end_ns, hours))
        source = f"assumed: {setting.rate_bps} bps every {hours} h"
        warnings = (f"Funding of {name} is {source}: {len(assumed)} times in the period.",) if assumed else ()
        return FundingPlan(assumed, {name: source}, {name: 0}, warnings)
    if generated and not known:
        return FundingPlan((), {name: "none: a synthetic market has no funding"}, {name: 0})
    usual = list(funding_times(start_ns, end_ns, USUAL_HOURS))
    if setting == "none":
        warnings = (f"Funding of {name} is switched off: {len(usual)} funding times passed without a payment.",)
        return FundingPlan((), {name: "none: switched off in the setup"}, {name: len(usual)}, warnings if usual else ())
    missing = sum(funding_hour(time) not in known for time in usual)
    warnings = (
        f"The catalog has no funding rate of {name} for {missing} of {len(usual)} funding times in the period: nothing "
        "was paid at them. Import or download fundingRate files, or state a rate in backtest.funding.",
    )
    inside = tuple(each for each in known.values() if start_ns < each.ts_ns <= end_ns)
    return FundingPlan(inside, {name: "rates of the catalog"}, {name: missing}, warnings if missing else ())


def _order(settlement: Settlement) -> tuple[int, str]:
    return settlement.ts_ns, settlement.instrument_id


def funding_sources(plan: FundingPlan) -> dict[str, dict[str, Any]] | None:
    """Return for reports where the rates of each perpetual come from; None where there is no perpetual."""
    sources = {
        name: {"source": source, "mark": plan.mark, "times_without_rate": plan.missing[name]}
        for name, source in plan.sources.items()
    }
    return sources or None


def catalog_rates(catalog: Path, entries: Iterable[Entry]) -> list[Settlement]:
    """Return every funding rate that a catalog has of these series."""
    return [
        Settlement(update.ts_event, update.instrument_id.value, update.rate)
        for entry in entries
        for chunk in stream(catalog, [DataRequest(entry.instrument_id, "funding_rates")], entry.first_ns, entry.last_ns)
        for update in chunk
    ]


def _once_each(rates: Iterable[Settlement]) -> dict[str, dict[int, Settlement]]:
    """Return by hour one rate for each funding time: archive and recording tell of the same one, milliseconds apart."""
    found: dict[str, dict[int, Settlement]] = {}
    for each in sorted(rates, key=_order):
        found.setdefault(each.instrument_id, {}).setdefault(funding_hour(each.ts_ns), each)
    return found


class FundingSettlement(Actor):
    """
    Pays funding at each funding time: to and from the simulated account, and in a message for each position.

    What counts is what is held when everything of that moment has happened, fills included.

    Parameters
    ----------
    exchange : SimulatedExchange
        Whose account pays.
    settlements : sequence of Settlement
        In the order of time.

    """

    def __init__(self, exchange: SimulatedExchange, settlements: Sequence[Settlement]) -> None:
        super().__init__(ActorConfig())
        self._exchange = exchange
        self._settlements = settlements
        self._next = 0

    def on_start(self) -> None:
        """Wait for the first funding time."""
        self._next = 0
        self._wait()

    def _wait(self) -> None:
        """Keep one alert: the engine's clock looks at every alert on every tick."""
        if self._next < len(self._settlements):
            self.clock.set_time_alert_ns(_ALERT, self._settlements[self._next].ts_ns, self._on_alert)

    def _on_alert(self, event: TimeEvent) -> None:
        while self._next < len(self._settlements) and self._settlements[self._next].ts_ns <= event.ts_event:
            pay_funding(self._exchange, self._settlements[self._next])
            self._next += 1
        self._wait()


def pay_funding(exchange: SimulatedExchange, settlement: Settlement, mark: Decimal | None = None) -> None:
    """
    Pay funding to and from the simulated account, and say so in a message for each position.

    Parameters
    ----------
    exchange : SimulatedExchange
        Whose account pays.
    settlement : Settlement
        When, of which perpetual, at which rate.
    mark : Decimal, optional
        The mark price; the mid of the last quote where left out.

    """
    instrument_id = InstrumentId.from_str(settlement.instrument_id)
    mark = _mid(exchange, instrument_id) if mark is None else mark
    positions = exchange.cache.positions_open(instrument_id=instrument_id)
    if mark is None or not positions:
        return
    currency = exchange.cache.instrument(instrument_id).settlement_currency
    step = Decimal(1).scaleb(-currency.precision)
    for position in sorted(positions, key=lambda each: each.strategy_id.value):
        held = position.signed_decimal_qty()
        amount = funding_payment(held, mark, settlement.rate, step)
        exchange.adjust_account(Money(amount, currency))
        exchange.msgbus.publish(
            FUNDING_TOPIC,
            FundingPaid(
                ts_ns=settlement.ts_ns,
                strategy_id=position.strategy_id.value,
                instrument_id=settlement.instrument_id,
                position=held,
                amount=amount,
                mark=mark,
                rate=settlement.rate,
            ),
        )


def _mid(exchange: SimulatedExchange, instrument_id: InstrumentId) -> Decimal | None:
    quote = exchange.cache.quote_tick(instrument_id)
    return None if quote is None else Decimal(quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
