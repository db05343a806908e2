"""
How resting orders meet the recorded market, where nautilus_trader 1.231 gets it wrong for quotes and trades.

Each point was seen on the engine and is kept by tests/runtime/test_matching.py:

- A trade overwrites both sides of the top of the book with its own price until the next quote. What is matched in
  between sees a bid equal to the ask: post-only orders are refused for nothing, and what a trade left over of an order
  fills without anybody trading. So the last quote is put back after each trade.
- Orders on their way are placed after the market event that follows their arrival, not before it: an order that
  arrived between a quote and a trade could not meet that trade. So whatever has arrived is placed first. This needs
  that no order arrives in the very moment in which it is sent: see `runtime.fills`.
- With its counting of used liquidity, two trades of the same size at one price count as one; without it, the smallest
  trade through an order's price fills all of it. So what an event can fill is said here: a trade no more than its
  size, a quote that crosses the order no more than the quoted size, each once.
- A market order that meets a quote whose size other orders have used up is neither filled nor refused: it is on its
  way for ever. So it is tried again after the next market events, until there is something for it.
"""

from nautilus_trader.backtest.config import SimulationModuleConfig
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.backtest.modules import SimulationModule
from nautilus_trader.common.component import Logger
from nautilus_trader.core.data import Data
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, QuoteTick, TradeTick
from nautilus_trader.model.enums import BookType, LiquiditySide, OrderSide, OrderStatus, OrderType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order


class MarketEventsConfig(SimulationModuleConfig, frozen=True):
    """Nothing to configure."""


class MarketEvents(SimulationModule):
    """Places what has arrived before each market event, and puts the last quote back after each trade."""

    def __init__(self, config: MarketEventsConfig | None = None) -> None:
        super().__init__(config or MarketEventsConfig())
        self.current: Data | None = None
        """The market event that orders may fill against now; None between events."""
        self.takers: list[Order] = []
        """The market orders that have met the book since the last event."""
        self._quotes: dict[InstrumentId, QuoteTick] = {}

    def pre_process(self, data: Data) -> None:
        """Place the orders that have arrived by now; the engine calls this before each market event."""
        self.current = None
        self.exchange.process(data.ts_init)
        self.current = data
        if isinstance(data, QuoteTick):
            self._quotes[data.instrument_id] = data

    def process(self, ts_now: int) -> None:
        """Put the last quote back after a trade; the engine calls this after each market event and timer."""
        traded, self.current = self.current, None
        if isinstance(traded, TradeTick):
            self._put_quote_back(traded, ts_now)
        if self.takers:
            takers, self.takers = self.takers, []
            for order in takers:
                if order.status == OrderStatus.SUBMITTED:
                    self.exchange.get_matching_engine(order.instrument_id).fill_market_order(order)

    def _put_quote_back(self, traded: TradeTick, ts_now: int) -> None:
        quote = self._quotes.get(traded.instrument_id)
        if quote is not None:
            matching_engine = self.exchange.get_matching_engine(traded.instrument_id)
            matching_engine.get_book().update_quote_tick(_at(quote, ts_now))
            matching_engine.iterate(ts_now)

    def log_diagnostics(self, logger: Logger) -> None:
        """Say nothing: there is nothing to diagnose."""

    def reset(self) -> None:
        """Forget the market."""
        self._quotes.clear()
        self.takers.clear()
        self.current = None


def _at(quote: QuoteTick, ts_ns: int) -> QuoteTick:
    """Return `quote` at another time: the book takes nothing that is older than its last update."""
    return QuoteTick(
        quote.instrument_id, quote.bid_price, quote.ask_price, quote.bid_size, quote.ask_size, ts_ns, ts_ns
    )


class QueueFillModel(FillModel):
    """
    Says how much of a resting order the current market event can fill.

    Parameters
    ----------
    events : MarketEvents
        Knows the current event.
    through_only : bool
        Whether the market must go beyond the order's price; trading or quoting at it is not enough.
    seed : int
        Of the engine's random choices.

    """

    def __init__(self, events: MarketEvents, through_only: bool, seed: int) -> None:
        super().__init__(prob_fill_on_limit=0.0 if through_only else 1.0, random_seed=seed)
        self._events = events
        self._through_only = through_only
        self._crossed: tuple[QuoteTick, int] | None = None

    def get_orderbook_for_fill_simulation(
        self, instrument: Instrument, order: Order, best_bid: Price, best_ask: Price
    ) -> OrderBook | None:
        """Return the liquidity that the event brings to a resting order, at its own price; None for other orders."""
        if order.liquidity_side != LiquiditySide.MAKER:
            if order.order_type == OrderType.MARKET:
                self._events.takers.append(order)
            return None
        book = OrderBook(instrument.id, BookType.L2_MBP)
        size = self._size_for(order)
        if size > 0:
            opposite = OrderSide.SELL if order.side == OrderSide.BUY else OrderSide.BUY
            quantity = Quantity.from_raw(size, instrument.size_precision)
            book.add(BookOrder(opposite, order.price, quantity, 1), order.ts_init)
        return book

    def _size_for(self, order: Order) -> int:
        """Return the raw quantity that is there for `order`."""
        event = self._events.current
        if isinstance(event, TradeTick):
            return int(order.leaves_qty.raw)  # the engine's queue allows no more than the trade left
        if isinstance(event, QuoteTick):
            return self._crossing_size(event, order)
        return 0

    def _crossing_size(self, quote: QuoteTick, order: Order) -> int:
        buys = order.side == OrderSide.BUY
        price, size = (quote.ask_price, quote.ask_size) if buys else (quote.bid_price, quote.bid_size)
        if self._through_only and price == order.price:
            return 0
        used = self._crossed[1] if self._crossed is not None and self._crossed[0] is quote else 0
        taken = min(int(order.leaves_qty.raw), int(size.raw) - used)
        self._crossed = (quote, used + taken)
        return taken
