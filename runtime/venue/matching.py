"""
How resting orders meet the recorded market, where nautilus_trader 1.231 gets it wrong for quotes and trades.

Each point was seen on the engine and is kept by tests/runtime/venue/test_matching.py:

- A trade overwrites both sides of the top of the book with its own price until the next quote. What is matched in
  between sees a bid equal to the ask: post-only orders are refused for nothing, and what a trade left over of an order
  fills without anybody trading. So the last quote is put back after each trade.
- When the market goes through several orders at once, one of each side fills, the others later or never. With its
  counting of used liquidity, two trades of one size at one price count as one; without it, the smallest trade through
  an order's price fills all of it. With its queues, an order that a trade went through waits for those ahead of it,
  and each of several orders at one price is given all that is left of a trade. So what an event fills of every order
  is said here, see `runtime.venue.queues`, and the engine only books it.
- Orders on their way are placed after the market event that follows their arrival: see `runtime.venue.arrivals`.
- A market order that meets a quote whose size other orders have used up is neither filled nor refused: it is on its
  way for ever. So it is tried again after the next market events, until there is something for it.
"""

from heapq import heappop
from typing import Protocol

from nautilus_trader.backtest.config import SimulationModuleConfig
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.backtest.modules import SimulationModule
from nautilus_trader.common.component import Logger
from nautilus_trader.core.data import Data
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList, TradingCommand
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, QuoteTick, TradeTick
from nautilus_trader.model.enums import BookType, LiquiditySide, OrderSide, OrderStatus, OrderType
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order

from runtime.venue.queues import NOTHING, FillRule, OrderQueues


class MarginRules(Protocol):
    """What the venue asks of a futures account, see `runtime.venue.margin`."""

    def admits(self, order: Order, price: Price | None = None, quantity: Quantity | None = None) -> str | None:
        """Return why an order that has arrived, or a change of it, is refused; None where it is taken."""

    def on_quote(self, quote: QuoteTick) -> None:
        """Take notice of a quote before it is matched."""

    def after_event(self, ts_now: int) -> None:
        """Act once a market event is over."""


class SimulatedVenueConfig(SimulationModuleConfig, frozen=True):
    """Nothing to configure."""


class SimulatedVenue(SimulationModule):
    """
    Says what each market event fills, and puts the last quote back after each trade.

    Parameters
    ----------
    rule : FillRule
        What fills a resting order.

    """

    def __init__(self, rule: FillRule) -> None:
        super().__init__(SimulatedVenueConfig())
        self.shares = NOTHING
        """What the market event of this moment fills; empty between events."""
        self.in_flight: list[tuple[int, int, TradingCommand]] = []
        """A heap of what is on its way: time of arrival, number, command."""
        self.takers: list[Order] = []
        """The market orders that have met the book since the last event."""
        self.margin: MarginRules | None = None
        """What orders and positions of a futures account need; None on spot."""
        self._rule = rule
        self._queues: dict[InstrumentId, OrderQueues] = {}
        self._traded: OrderQueues | None = None

    def last_quote(self, instrument_id: InstrumentId) -> QuoteTick | None:
        """Return the last quote that the venue has seen."""
        return self._queues_of(instrument_id).quote

    def take_share(self, order_id: ClientOrderId) -> int:
        """Return what this moment's market event fills of an order, once."""
        return self.shares.pop(order_id, 0) if self.shares else 0

    def release(self, ts_now: int) -> None:
        """Act on everything that has arrived by `ts_now`, in the order of arrival."""
        in_flight = self.in_flight
        while in_flight and in_flight[0][0] <= ts_now:
            self._act_on(heappop(in_flight)[2])

    def _act_on(self, command: TradingCommand) -> None:
        """Let the exchange act on a command that has arrived, and give a new or moved order its place."""
        if self.margin is not None and self._refused(self.margin, command):
            return
        if isinstance(command, SubmitOrder):
            self.exchange.send(command)
            self._join(command.order)
        elif isinstance(command, ModifyOrder):
            order = self.cache.order(command.client_order_id)
            before = order.has_price and (order.price, order.quantity)
            self.exchange.send(command)
            if before and (order.price is not before[0] or order.quantity is not before[1]):  # it was not refused
                self._join(order)
        else:
            self.exchange.send(command)

    def _refused(self, margin: MarginRules, command: TradingCommand) -> bool:
        """Refuse a command for want of margin; return whether that was so."""
        client = self.exchange.exec_client
        if isinstance(command, ModifyOrder):
            order = self.cache.order(command.client_order_id)
            reason = None if order.is_closed else margin.admits(order, command.price, command.quantity)
            if reason is not None:
                ids = (order.strategy_id, order.instrument_id, order.client_order_id)
                client.generate_order_modify_rejected(*ids, order.venue_order_id, reason, self.clock.timestamp_ns())
            return reason is not None
        orders = _new_orders(command)
        reason = next(filter(None, map(margin.admits, orders)), None)
        for order in orders if reason is not None else ():
            ids = (order.strategy_id, order.instrument_id, order.client_order_id)
            client.generate_order_rejected(*ids, reason, self.clock.timestamp_ns())
        return reason is not None

    def pre_process(self, data: Data) -> None:
        """Say what a market event fills; the engine calls this before it matches."""
        if self.in_flight and self.in_flight[0][0] <= data.ts_init:
            self.release(data.ts_init)
        kind = type(data)
        if kind is QuoteTick:
            if self.margin is not None:
                self.margin.on_quote(data)
            self.shares = self._queues_of(data.instrument_id).on_quote(data)
        elif kind is TradeTick:
            self._traded = self._queues_of(data.instrument_id)
            self.shares = self._traded.on_trade(data)

    def process(self, ts_now: int) -> None:
        """Put the last quote back after a trade; the engine calls this after each market event and timer."""
        self.shares = NOTHING
        if self._traded is not None:
            self._put_quote_back(self._traded, ts_now)
            self._traded = None
        if self.takers:
            takers, self.takers = self.takers, []
            for order in takers:
                if order.status == OrderStatus.SUBMITTED:
                    self.exchange.get_matching_engine(order.instrument_id).fill_market_order(order)
        if self.margin is not None:
            self.margin.after_event(ts_now)

    def log_diagnostics(self, logger: Logger) -> None:
        """Say nothing: there is nothing to diagnose."""

    def reset(self) -> None:
        """Forget the market."""
        self.in_flight.clear()
        self.takers.clear()
        self._queues.clear()
        self._traded = None
        self.shares = NOTHING

    def _put_quote_back(self, queues: OrderQueues, ts_now: int) -> None:
        if queues.quote is not None:
            queues.matching_engine.get_book().update_quote_tick(_at(queues.quote, ts_now))
            queues.matching_engine.iterate(ts_now)

    def _queues_of(self, instrument_id: InstrumentId) -> OrderQueues:
        queues = self._queues.get(instrument_id)
        if queues is None:
            queues = OrderQueues(self.exchange.get_matching_engine(instrument_id), self._rule)
            self._queues[instrument_id] = queues
        return queues

    def _join(self, order: Order) -> None:
        queues = self._queues_of(order.instrument_id)
        if queues.matching_engine.order_exists(order.client_order_id):
            queues.join(order)


def _new_orders(command: TradingCommand) -> list[Order]:
    if isinstance(command, SubmitOrder):
        return [command.order]
    return list(command.order_list.orders) if isinstance(command, SubmitOrderList) else []


def _at(quote: QuoteTick, ts_ns: int) -> QuoteTick:
    """Return `quote` at another time: the book takes nothing that is older than its last update."""
    return QuoteTick(
        quote.instrument_id, quote.bid_price, quote.ask_price, quote.bid_size, quote.ask_size, ts_ns, ts_ns
    )


class SharesFillModel(FillModel):
    """
    Fills of a resting order what the venue says, at the order's own price.

    Parameters
    ----------
    venue : SimulatedVenue
        Knows what the market event fills.
    seed : int
        Of the engine's random choices.

    """

    def __init__(self, venue: SimulatedVenue, seed: int) -> None:
        super().__init__(random_seed=seed)
        self._venue = venue

    def get_orderbook_for_fill_simulation(
        self, instrument: Instrument, order: Order, best_bid: Price, best_ask: Price
    ) -> OrderBook | None:
        """Return the liquidity that there is for a resting order; None for others, which take what the book shows."""
        if order.liquidity_side != LiquiditySide.MAKER:
            if order.order_type == OrderType.MARKET:
                self._venue.takers.append(order)
            return None
        book = OrderBook(instrument.id, BookType.L2_MBP)
        share = self._venue.take_share(order.client_order_id)
        if share > 0:
            opposite = OrderSide.SELL if order.side == OrderSide.BUY else OrderSide.BUY
            quantity = Quantity.from_raw(share, instrument.size_precision)
            book.add(BookOrder(opposite, order.price, quantity, 1), order.ts_init)
        return book
