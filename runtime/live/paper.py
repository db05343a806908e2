"""
Paper trading: live data, and fills by the same simulated exchange, preset, fees and latency as in a backtest.

The engine's own sandbox is kinder: no queue, no latency, fees in the quote currency. And it skips most trades on spot,
where quotes carry the time of their arrival and trades that of the venue; here both count from their arrival.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import heappush
from typing import Any, Final

from nautilus_trader.adapters.binance.futures.types import BinanceFuturesMarkPriceUpdate
from nautilus_trader.backtest.engine import SimulatedExchange
from nautilus_trader.backtest.execution_client import BacktestExecClient
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.core.data import Data
from nautilus_trader.execution.messages import (
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    SubmitOrder,
    TradingCommand,
)
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.data import DataType, QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, BookType, OmsType
from nautilus_trader.model.identifiers import AccountId, ClientId, InstrumentId, Venue
from nautilus_trader.model.objects import Currency, Money
from nautilus_trader.system.kernel import NautilusKernel

from data_catalog.instruments import SPOT_MAKER_FEE, SPOT_TAKER_FEE, USDM_MAKER_FEE, USDM_TAKER_FEE
from messages.ledger import FUNDING_RATE_TOPIC, FundingRateSettled
from runtime.live.paper_funding import PaperFunding
from runtime.setup.sections import BacktestSettings, Fees
from runtime.venue.fees import fee_model, with_fees
from runtime.venue.fills import FILL_ASSUMPTIONS
from runtime.venue.funding import Settlement, pay_funding
from runtime.venue.margin import VenueMargin
from runtime.venue.matching import SharesFillModel, SimulatedVenue
from runtime.venue.queues import FillRule

_VENUE: Final = Venue("BINANCE")
_BEFORE_STRATEGIES: Final = 100
_LOOK_SECS: Final = 0.05
_SOON_NS: Final = 1_000_000
_EVENTS: Final = "ExecEngine.process"


@dataclass(frozen=True)
class PaperAccount:
    """
    The account that is traded on paper.

    Parameters
    ----------
    settings : BacktestSettings
        Preset, fees, latency and seed.
    spot : bool
        Whether it is a spot account.
    currency : str
        The currency that margin is held in on futures.
    leverage : int
        On futures.
    balances : sequence of Money
        What it starts with.
    instrument_ids : sequence of InstrumentId
        What is traded.

    """

    settings: BacktestSettings
    spot: bool
    currency: str
    leverage: int
    balances: Sequence[Money]
    instrument_ids: Sequence[InstrumentId]

    @property
    def fees(self) -> Fees:
        """The fees of the setup; the venue's ordinary tier where it names none, as without keys nobody says."""
        fees = self.settings.fees
        maker, taker = (SPOT_MAKER_FEE, SPOT_TAKER_FEE) if self.spot else (USDM_MAKER_FEE, USDM_TAKER_FEE)
        return Fees(
            maker_bps=maker * 10_000 if fees.maker_bps is None else fees.maker_bps,
            taker_bps=taker * 10_000 if fees.taker_bps is None else fees.taker_bps,
            paid_in=fees.paid_in,
        )


def add_paper_venue(kernel: NautilusKernel, account: PaperAccount, loop: asyncio.AbstractEventLoop) -> "PaperClient":
    """Give a node that has data clients alone a venue on paper, and return the client that orders go to."""
    client = PaperClient(kernel, account, loop)
    kernel.exec_engine.register_client(client)
    trades = "trades" in account.settings.data
    kernel.trader.add_actor(MarketListener(account.instrument_ids, trades=trades, funding=client.funding))
    return client


class MarketListener(Actor):
    """Asks for the data that fills and funding count on, whatever the strategies listen to."""

    def __init__(self, instrument_ids: Sequence[InstrumentId], trades: bool, funding: PaperFunding | None) -> None:
        super().__init__()
        self._instrument_ids = instrument_ids
        self._trades = trades
        self._funding = funding

    def on_start(self) -> None:
        """Subscribe."""
        for instrument_id in self._instrument_ids:
            self.subscribe_quote_ticks(instrument_id)
            if self._trades:
                self.subscribe_trade_ticks(instrument_id)
            if self._funding is not None and self._funding.listens:
                kind = DataType(BinanceFuturesMarkPriceUpdate, metadata={"instrument_id": instrument_id})
                self.subscribe_data(kind, client_id=ClientId(_VENUE.value))
        if self._funding is not None:
            self._funding.start()

    def on_data(self, data: Data) -> None:
        """Pass on what the venue announces of funding."""
        if self._funding is not None and isinstance(data, BinanceFuturesMarkPriceUpdate):
            self._funding.hear(data)

    def on_stop(self) -> None:
        """Let nothing be paid that nobody would book any more."""
        if self._funding is not None:
            self._funding.stop()


class PaperClient(LiveExecutionClient):
    """Hands orders to the simulated exchange, and live data."""

    def __init__(self, kernel: NautilusKernel, account: PaperAccount, loop: asyncio.AbstractEventLoop) -> None:
        account_type = AccountType.CASH if account.spot else AccountType.MARGIN
        base_currency = None if account.spot else Currency.from_str(account.currency)
        super().__init__(
            loop=loop,
            client_id=ClientId(_VENUE.value),
            venue=_VENUE,
            oms_type=OmsType.NETTING,
            account_type=account_type,
            base_currency=base_currency,
            instrument_provider=InstrumentProvider(),
            msgbus=kernel.msgbus,
            cache=kernel.cache,
            clock=kernel.clock,
        )
        self._set_account_id(AccountId(f"{_VENUE}-001"))
        self._account_on_paper = account
        self._time = TestClock()
        settings = account.settings
        assumption = FILL_ASSUMPTIONS[settings.fills]
        self._delays = assumption.delays(settings.latency)
        self._simulated_venue = SimulatedVenue(assumption.rule)
        self._sent = 0
        self._exchange = SimulatedExchange(
            venue=_VENUE,
            oms_type=OmsType[settings.oms_type],
            account_type=account_type,
            starting_balances=list(account.balances),
            base_currency=base_currency,
            default_leverage=Decimal(account.leverage),
            leverages={},
            portfolio=kernel.portfolio,
            msgbus=kernel.msgbus,
            cache=kernel.cache,
            clock=self._time,
            fee_model=fee_model(settings.fees, account.spot),
            book_type=BookType.L1_MBP,
            bar_execution=False,
            modules=[self._simulated_venue],
            fill_model=SharesFillModel(self._simulated_venue, settings.seed),
            trade_execution=True,
            liquidity_consumption=assumption.rule is not FillRule.WHOLE,
            use_message_queue=False,
        )
        self._venue_client = BacktestExecClient(
            exchange=self._exchange, msgbus=kernel.msgbus, cache=kernel.cache, clock=self._time
        )
        self._exchange.register_client(self._venue_client)
        self.margin: VenueMargin | None = None
        """What the venue asks of a futures account; None on spot."""
        self.funding: PaperFunding | None = None
        """When perpetuals settle at which rate; None on spot."""
        if not account.spot:
            self.funding = PaperFunding(settings.funding, account.instrument_ids, self._clock, self._pay_funding)
            self.margin = VenueMargin(self._simulated_venue, settings.margin, account.leverage, account.balances[0])
            self.margin.listen(kernel.msgbus)
            self._simulated_venue.margin = self.margin
        # The engine would put what the venue says in a queue; meanwhile the venue could fill an order twice.
        kernel.msgbus.deregister(_EVENTS, kernel.exec_engine.process)
        kernel.msgbus.register(_EVENTS, kernel.exec_engine._handle_event)

    async def _connect(self) -> None:
        """Wait until the data client knows the instruments, then open the account."""
        wanted = self._account_on_paper.instrument_ids
        while not all(self._cache.instrument(instrument_id) for instrument_id in wanted):
            await asyncio.sleep(_LOOK_SECS)
        for instrument_id in wanted:
            self._exchange.add_instrument(with_fees(self._cache.instrument(instrument_id), self._account_on_paper.fees))
        self._venue_client.start()
        self._time.set_time(self._clock.timestamp_ns())
        self._exchange.initialize_account()
        for kind in ("quotes", "trades"):
            self._msgbus.subscribe(f"data.{kind}.{_VENUE}.*", self.on_market, priority=_BEFORE_STRATEGIES)

    async def _disconnect(self) -> None:
        for kind in ("quotes", "trades"):
            self._msgbus.unsubscribe(f"data.{kind}.{_VENUE}.*", self.on_market)

    # -- The market ---------------------------------------------------------------------------------------------------

    def on_market(self, event: Data) -> None:
        """Let a quote or trade meet the orders, at the time of its arrival."""
        now_ns = self._clock.timestamp_ns()
        if isinstance(event, QuoteTick):
            sizes = (event.bid_price, event.ask_price, event.bid_size, event.ask_size)
            self._exchange.process_quote_tick(QuoteTick(event.instrument_id, *sizes, now_ns, now_ns))
        elif isinstance(event, TradeTick):
            values = (event.price, event.size, event.aggressor_side, event.trade_id)
            self._exchange.process_trade_tick(TradeTick(event.instrument_id, *values, now_ns, now_ns))
        self._exchange.process(now_ns)

    def _pay_funding(self, settlement: Settlement, mark: Decimal | None) -> None:
        self._time.set_time(self._clock.timestamp_ns())
        if mark is not None:  # a rate that the setup states is nobody's but the setup's
            ts_ns, name, rate = settlement.ts_ns, settlement.instrument_id, settlement.rate
            settled = FundingRateSettled(ts_ns=ts_ns, instrument_id=name, rate=rate, mark=mark)
            self._msgbus.publish(FUNDING_RATE_TOPIC, settled)
        pay_funding(self._exchange, settlement, mark)

    # -- Orders -------------------------------------------------------------------------------------------------------

    def submit_order(self, command: SubmitOrder) -> None:
        """Send an order on its way."""
        order = command.order
        now_ns = self._clock.timestamp_ns()
        self.generate_order_submitted(order.strategy_id, order.instrument_id, order.client_order_id, now_ns)
        self._send(command, self._delays.insert_ns)

    def modify_order(self, command: ModifyOrder) -> None:
        """Send a change on its way."""
        self._send(command, self._delays.modify_ns)

    def cancel_order(self, command: CancelOrder) -> None:
        """Send a cancellation on its way."""
        self._send(command, self._delays.cancel_ns)

    def cancel_all_orders(self, command: CancelAllOrders) -> None:
        """Send a cancellation of everything on its way."""
        self._send(command, self._delays.cancel_ns)

    def _send(self, command: TradingCommand, delay_ns: int) -> None:
        arrival_ns = self._clock.timestamp_ns() + delay_ns
        self._sent += 1
        heappush(self._simulated_venue.in_flight, (arrival_ns, self._sent, command))
        self._loop.call_later(delay_ns / 1e9, self._on_arrival)

    def _on_arrival(self) -> None:
        now_ns = self._clock.timestamp_ns()
        self._time.set_time(now_ns)
        self._simulated_venue.release(now_ns)
        if self._simulated_venue.in_flight and self._simulated_venue.in_flight[0][0] - now_ns < _SOON_NS:
            self._loop.call_later(_SOON_NS / 1e9, self._on_arrival)  # the loop's clock is not quite this one

    # -- There is nobody else to ask ----------------------------------------------------------------------------------

    async def generate_order_status_report(self, command: Any) -> OrderStatusReport | None:
        """Return nothing: what is known of an order is all there is."""
        return None

    async def generate_order_status_reports(self, command: Any) -> list[OrderStatusReport]:
        """Return nothing: there is nothing that the cache does not know."""
        return []

    async def generate_fill_reports(self, command: Any) -> list[FillReport]:
        """Return nothing, likewise."""
        return []

    async def generate_position_status_reports(self, command: Any) -> list[PositionStatusReport]:
        """Return nothing, likewise."""
        return []
