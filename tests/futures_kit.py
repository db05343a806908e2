"""A futures account at the simulated venue, for the tests of funding, margin and liquidation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from actors.ledger import Ledger, LedgerConfig
from data_catalog.instruments import currency, find_instrument
from runtime.audit import check_books
from runtime.engine import add_margin
from runtime.setup.sections import BacktestSettings, Fees, FillAssumptionName, Latency, MarginSettings
from runtime.venue.fees import fee_model, with_fees
from runtime.venue.fills import FILL_ASSUMPTIONS
from runtime.venue.funding import FundingSettlement, Settlement
from runtime.venue.margin import VenueMargin

PERP = with_fees(find_instrument("SYNUSDT-PERP.BINANCE"), Fees(maker_bps=Decimal(0), taker_bps=Decimal(0)))
OTHER = with_fees(find_instrument("SYNBUSDT-PERP.BINANCE"), Fees(maker_bps=Decimal(0), taker_bps=Decimal(0)))
MIDNIGHT = 1_704_067_200_000_000_000
HOUR = 3_600_000_000_000
SECOND = 1_000_000_000


def quote(at_ns: int, bid: str, ask: str, instrument: Any = PERP) -> QuoteTick:
    """Return a quote, 1,000 on both sides, `at_ns` after midnight."""
    prices = [instrument.make_price(Decimal(price)) for price in (bid, ask)]
    size = instrument.make_qty(1000)
    return QuoteTick(instrument.id, *prices, size, size, MIDNIGHT + at_ns, MIDNIGHT + at_ns)


@dataclass(frozen=True)
class Do:
    """An order: signed quantity, at the market or at a price; with `move`, a change of the first order to these."""

    at_ns: int
    quantity: str
    price: str | None = None
    instrument: Any = PERP
    reduce_only: bool = False
    move: bool = False


class Trader(Strategy):
    """Sends orders at their times and keeps what it is told."""

    def __init__(self, script: Sequence[Do], tag: str = "001") -> None:
        super().__init__(StrategyConfig(order_id_tag=tag))
        self.script = script
        self.told: list[Any] = []
        self.sent: list[Any] = []

    def on_start(self) -> None:
        for i, do in enumerate(self.script):
            self.clock.set_time_alert_ns(f"do-{i}", MIDNIGHT + do.at_ns, lambda _, do=do: self.do(do))

    def do(self, do: Do) -> None:
        """Send an order, or change the first."""
        quantity = do.instrument.make_qty(abs(Decimal(do.quantity)))
        side = OrderSide.BUY if Decimal(do.quantity) > 0 else OrderSide.SELL
        price = None if do.price is None else do.instrument.make_price(Decimal(do.price))
        if do.move:
            self.modify_order(self.cache.order(self.sent[0]), quantity, price)
            return
        if price is None:
            order = self.order_factory.market(do.instrument.id, side, quantity, reduce_only=do.reduce_only)
        else:
            order = self.order_factory.limit(do.instrument.id, side, quantity, price, reduce_only=do.reduce_only)
        self.sent.append(order.client_order_id)
        self.submit_order(order)

    def on_order_event(self, event: Any) -> None:
        self.told.append(event)

    def reasons(self, kind: str) -> list[str]:
        """Return the reasons of events of one kind."""
        return [event.reason for event in self.told if type(event).__name__ == kind]

    def filled(self) -> Decimal:
        """Return the sum of the signed fills."""
        fills = [event for event in self.told if type(event).__name__ == "OrderFilled"]
        return sum((fill.last_qty.as_decimal() * (1 if fill.is_buy else -1) for fill in fills), Decimal(0))


@dataclass
class Account:
    """A finished run."""

    engine: BacktestEngine
    ledger: Ledger
    margin: VenueMargin
    traders: list[Trader] = field(default_factory=list)

    @property
    def balance(self) -> Decimal:
        """The wallet in the engine's own books."""
        total = self.engine.portfolio.account(Venue("BINANCE")).balance_total(currency("USDT"))
        return Decimal(total.as_decimal())


@contextmanager
def trading(
    ticks: Sequence[Any],
    *scripts: Sequence[Do] | Trader,
    balance: str = "10000",
    leverage: int = 10,
    margin: MarginSettings | None = None,
    settlements: Sequence[Settlement] = (),
    instruments: Sequence[Any] = (PERP,),
    until_ns: int | None = None,
    fills: FillAssumptionName = "optimistic",
) -> Iterator[Account]:
    """Run traders or scripts for them, hold the books against each other, and give what became of it."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    money = Money(Decimal(balance), currency("USDT"))
    settings = BacktestSettings(
        starting_balances=(f"{balance} USDT",), leverage=leverage, margin=margin or MarginSettings()
    )
    venue = FILL_ASSUMPTIONS[fills].add_venue(
        engine,
        Latency(),
        1,
        venue=Venue("BINANCE"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[money],
        base_currency=currency("USDT"),
        default_leverage=Decimal(leverage),
        fee_model=fee_model(Fees(), spot=False),
    )
    for instrument in instruments:
        engine.add_instrument(instrument)
    guard = add_margin(engine, venue, settings, money)
    engine.add_actor(FundingSettlement(venue.exchange, settlements))
    ids = tuple(instrument.id for instrument in instruments)
    ledger = Ledger(LedgerConfig(instrument_ids=ids, currency="USDT", interval_secs=3600))
    engine.add_actor(ledger)
    traders = [each if isinstance(each, Trader) else Trader(each, f"{i:03}") for i, each in enumerate(scripts)]
    for trader in traders:
        engine.add_strategy(trader)
    engine.add_data_iterator("ticks", iter([sorted(ticks, key=lambda tick: tick.ts_init)]))
    last = max(tick.ts_init for tick in ticks) if until_ns is None else MIDNIGHT + until_ns
    engine.run(start=ticks[0].ts_init, end=last)
    check_books(engine, ledger)
    assert guard.equity == ledger.equity()
    yield Account(engine, ledger, guard, traders)
    engine.dispose()
