"""The base of every market maker: desired quotes in, the fewest orders out."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta

from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from messages import QUOTING_TOPIC, SAMPLE_TOPIC, QuotingSample
from models.market_making.quote_plan import (
    Cancel,
    Command,
    Modify,
    OrderState,
    Quote,
    Side,
    Submit,
    WorkingOrder,
    plan_commands,
)
from models.market_making.quote_rounding import ask_to_ticks, bid_to_ticks, keep_post_only
from strategies.grid import Grid
from strategies.inventory import Inventory, inventory_of
from strategies.order_adapter import OrderAdapter


class QuotingConfig(StrategyConfig, frozen=True, kw_only=True):
    """
    What every maker needs to know.

    Parameters
    ----------
    instrument_id : InstrumentId
        The instrument that is quoted, such as `NEXOUSDT.BINANCE` or `BTCUSDT-PERP.BINANCE`.
    order_qty : float
        The quantity of each quote, in the base asset; a multiple of the instrument's step.
    max_position : float
        The largest inventory either way, in the base asset: a quote that could lead beyond it is made smaller or left
        out. On spot, inventory counts from `target_base_qty`.
    target_base_qty : float, optional
        Spot: the balance of the base asset that counts as no inventory; the balance at the start where left out.
        Futures: the position that counts as no inventory; 0 where left out.
    requote_threshold_bps : float, default 0
        A working order stays as long as it is within this many basis points of where it should be.
    order_refresh_secs : float, default 0
        Every so many seconds, orders are put exactly where they should be; 0 leaves that out.

    """

    instrument_id: InstrumentId
    order_qty: PositiveFloat
    max_position: PositiveFloat
    target_base_qty: NonNegativeFloat | None = None
    requote_threshold_bps: NonNegativeFloat = 0.0
    order_refresh_secs: NonNegativeFloat = 0.0


class QuotingStrategy(Strategy):
    """
    A market maker without an opinion: a subclass says which quotes it wants, this class gets them to the venue.

    A subclass implements `desired_quotes`, which is called when the best bid or ask has moved, after a fill and on the
    refresh timer. It reads `bid`, `ask` and `mid` (in ticks), `inventory` (in lots of `order_qty`) and returns quotes,
    mostly by way of `two_sided`.

    All orders are limit orders that only make (post-only). Orders are known by client order id; nothing is kept of the
    engine's own order objects.
    """

    def __init__(self, config: QuotingConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        """Set every attribute to its state before the start."""
        self.bid = 0
        self.ask = 0
        self.now_ns = 0
        self._bid_raw = 0
        self._ask_raw = 0
        self._grid: Grid | None = None
        self._inventory: Inventory | None = None
        self._adapter: OrderAdapter | None = None
        self._orders: dict[str, WorkingOrder] = {}
        self._requotes = 0
        self._post_only_rejections = 0
        self._denied = 0
        self._quoting = False
        self._waiting = False

    @classmethod
    def check_config(cls, config: QuotingConfig, instruments: Mapping[InstrumentId, Instrument]) -> None:
        """
        Hold a configuration against the instruments before anything starts.

        Raises
        ------
        ValueError
            As `key: problem`, if a quantity does not fit the instrument.

        """
        Grid.of(instruments[config.instrument_id], config.order_qty, config.max_position)

    # -- What a subclass provides and reads ---------------------------------------------------------------------------

    @abstractmethod
    def desired_quotes(self) -> Sequence[Quote]:
        """Return the quotes wanted now; empty for none."""

    def on_market_move(self) -> None:
        """Update estimators; called before `desired_quotes` whenever the best bid or ask has moved."""

    def fair_value(self) -> float | None:
        """Return the price, in ticks, that the quotes stand around; the mid unless a subclass knows better."""
        return self.mid if self.bid else None

    @property
    def mid(self) -> float:
        """The middle of the best bid and ask, in ticks."""
        return (self.bid + self.ask) / 2

    @property
    def inventory(self) -> float:
        """The inventory relative to its target, in multiples of `order_qty`; negative when short."""
        assert self._inventory is not None
        assert self._grid is not None
        return self._inventory.lots / self._grid.order_lots

    @property
    def max_inventory(self) -> float:
        """The largest inventory either way, in multiples of `order_qty`."""
        assert self._grid is not None
        return self._grid.max_position_lots / self._grid.order_lots

    @property
    def tick(self) -> float:
        """The smallest change of price, in the quote currency."""
        assert self._grid is not None
        return float(self._grid.tick)

    def two_sided(self, bid_price: float, ask_price: float) -> list[Quote]:
        """
        Return one bid and one ask of the configured size, for prices in ticks.

        Prices are rounded outwards, kept from taking liquidity, and a side is made smaller or left out where the
        inventory limit, the balance or the venue's minimum demand it. An infinite price means no quote on that side.
        """
        assert self._grid is not None
        bid = bid_to_ticks(bid_price, 1.0) if bid_price > 0 else None
        ask = ask_to_ticks(ask_price, 1.0) if ask_price < float("inf") else None
        bid, ask = keep_post_only(bid, ask, self.bid, self.ask)
        quotes = []
        for side, price in ((Side.BID, bid), (Side.ASK, ask)):
            if price is not None and price > 0:
                lots = self._allowed_lots(side, price)
                if lots > 0:
                    quotes.append(Quote(side, price, lots))
        return quotes

    def _allowed_lots(self, side: Side, price: int) -> int:
        assert self._grid is not None
        assert self._inventory is not None
        room = self._grid.max_position_lots - side.value * self._inventory.lots
        lots = min(self._grid.order_lots, room)
        if lots > 0 and self._inventory.is_spot:
            own = [order for order in self._orders.values() if order.side is side]
            lots = min(lots, self._inventory.affordable_lots(side, price, own))
        return lots if lots >= self._grid.min_lots(price) else 0

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Look up the instrument and begin to listen; without it the strategy stops."""
        config = self.config
        instrument = self.cache.instrument(config.instrument_id)
        if instrument is None:
            self.log.error(f"{config.instrument_id} is not known: not quoting")
            self.stop()
            return
        self._grid = Grid.of(instrument, config.order_qty, config.max_position)
        self._inventory = inventory_of(self, instrument, self._grid, config.target_base_qty)
        self._adapter = OrderAdapter(self, instrument, self._grid)
        self._quoting = True
        self.msgbus.subscribe(SAMPLE_TOPIC, self._publish_sample)
        self.subscribe_quote_ticks(config.instrument_id)
        if config.order_refresh_secs > 0:
            interval = timedelta(seconds=config.order_refresh_secs)
            self.clock.set_timer(f"{self.id}-refresh", interval, callback=self._on_refresh)

    def on_stop(self) -> None:
        """Cancel this strategy's own orders, and no others."""
        self._quoting = False
        if self._adapter is not None:
            self._adapter.cancel_all(self._orders)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    # -- Market events ------------------------------------------------------------------------------------------------

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Requote when the best bid or ask has moved; a change of sizes alone moves nothing."""
        bid_raw = tick.bid_price.raw
        ask_raw = tick.ask_price.raw
        if bid_raw == self._bid_raw and ask_raw == self._ask_raw:
            return
        assert self._grid is not None
        self._bid_raw = bid_raw
        self._ask_raw = ask_raw
        self.bid = bid_raw // self._grid.tick_raw
        self.ask = ask_raw // self._grid.tick_raw
        self.now_ns = tick.ts_init
        self.on_market_move()
        self._requote()

    def _on_refresh(self, event: TimeEvent) -> None:
        self.now_ns = event.ts_event
        self._requote(exact=True)

    def _requote(self, exact: bool = False) -> None:
        if not self._quoting or not self.bid:
            return
        desired = self.desired_quotes()
        tolerance = 0 if exact else int(self.mid * self.config.requote_threshold_bps * 1e-4)
        assert self._adapter is not None
        plan = plan_commands(list(self._orders.values()), desired, tolerance, self._adapter.can_modify)
        self._waiting = not plan.complete
        for command in plan.commands:
            self._execute(command)

    def _execute(self, command: Command) -> None:
        assert self._adapter is not None
        match command:
            case Submit(quote):
                order_id = self._adapter.new_order_id()
                self._orders[order_id] = WorkingOrder(order_id, quote.side, quote.price, quote.quantity)
                self._adapter.submit(order_id, quote)
            case Modify(order, quote):
                order.state = OrderState.MODIFYING
                order.aimed_price = quote.price
                self._requotes += 1
                self._adapter.modify(order, quote)
            case Cancel(order):
                order.state = OrderState.CANCELLING
                self._requotes += 1
                self._adapter.cancel(order)

    # -- Order events -------------------------------------------------------------------------------------------------

    def on_order_accepted(self, event: OrderAccepted) -> None:
        """Mark the order as working, and move it if the market has moved on meanwhile."""
        self._settle(event.client_order_id.value)

    def on_order_updated(self, event: OrderUpdated) -> None:
        """Take over the new price and quantity."""
        order = self._orders.get(event.client_order_id.value)
        if order is not None and self._grid is not None:
            order.price = event.price.raw // self._grid.tick_raw
            order.quantity = self._leaves(event.client_order_id.value)
            self._settle(order.order_id)

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        """Keep the order where it is; the next market move tries again."""
        self._post_only_rejections += "POST_ONLY" in event.reason
        self._settle(event.client_order_id.value, requote=False)

    def on_order_cancel_rejected(self, event: OrderCancelRejected) -> None:
        """Keep the order if it is still there."""
        self._settle(event.client_order_id.value, requote=False)

    def on_order_rejected(self, event: OrderRejected) -> None:
        """Forget the order; the next market move or refresh tries again."""
        self._post_only_rejections += bool(event.due_post_only)
        self._orders.pop(event.client_order_id.value, None)

    def on_order_denied(self, event: OrderDenied) -> None:
        """Forget the order, count it, and try again at the next market move or refresh."""
        self._denied += 1
        self.log.warning(f"denied before it left: {event.reason}")
        self._orders.pop(event.client_order_id.value, None)

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """Forget the order and quote again in its place."""
        self._gone(event.client_order_id.value)

    def on_order_expired(self, event: OrderExpired) -> None:
        """Forget the order and quote again in its place."""
        self._gone(event.client_order_id.value)

    def on_order_filled(self, event: OrderFilled) -> None:
        """Count the fill into the inventory and quote anew."""
        order = self._orders.get(event.client_order_id.value)
        if order is not None:
            order.quantity = self._leaves(order.order_id)
            if order.quantity <= 0:
                del self._orders[order.order_id]
        if self._inventory is not None:
            self._inventory.refresh()
        self._requote()

    def _settle(self, order_id: str, requote: bool = True) -> None:
        order = self._orders.get(order_id)
        assert self._adapter is not None
        if order is None:
            return
        if self._adapter.is_gone(order_id):
            del self._orders[order_id]
        else:
            order.state = OrderState.WORKING
            order.aimed_price = order.price
        if requote and self._waiting:
            self._requote()

    def _gone(self, order_id: str) -> None:
        if self._orders.pop(order_id, None) is not None:
            self._requote()

    def _leaves(self, order_id: str) -> int:
        assert self._adapter is not None
        return self._adapter.leaves_lots(order_id)

    # -- What it tells others -----------------------------------------------------------------------------------------

    def _publish_sample(self, ts_ns: int) -> None:
        assert self._grid is not None
        working = [order for order in self._orders.values() if order.state is not OrderState.SUBMITTING]
        bids = [order.price for order in working if order.side is Side.BID]
        asks = [order.price for order in working if order.side is Side.ASK]
        fair_value = self.fair_value()
        sample = QuotingSample(
            strategy_id=self.id.value,
            instrument_id=self.config.instrument_id.value,
            bid=self._grid.price(max(bids)) if bids else None,
            ask=self._grid.price(min(asks)) if asks else None,
            fair_value=None if fair_value is None else fair_value * self.tick,
            requotes=self._requotes,
            post_only_rejections=self._post_only_rejections,
            denied=self._denied,
        )
        self.msgbus.publish(QUOTING_TOPIC, sample)
