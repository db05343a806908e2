"""The base of every market maker: two prices in, the fewest orders out."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

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
from nautilus_trader.trading.strategy import Strategy

from messages.ledger import BALANCES_TOPIC, SAMPLE_TOPIC
from messages.risk import RISK_STATE_TOPIC, RiskStateChanged
from messages.signals import AlphaSignal, TargetInventory, alpha_topic, target_topic
from messages.trading import DECISION_TOPIC, QUOTING_TOPIC, QuotesWanted, QuotingSample
from messages.views import QuotingView, Silence
from models.market_making.quote_plan import Quote, Side, plan_commands
from strategies.config_checks import check_order_value, fee_warnings, tolerance_warnings
from strategies.grid import Grid
from strategies.inventory import Inventory, inventory_of
from strategies.order_adapter import OrderAdapter
from strategies.order_pacing import OrderPacing
from strategies.quote_shaping import QuoteShaper
from strategies.quoting_config import QuotingConfig
from strategies.quoting_view import MakerState, Steps, inventory_scale, silences
from strategies.risk_obedience import RiskObedience
from strategies.working_orders import WorkingOrders

_BPS = 1e-4
_SECOND_NS = 1_000_000_000
_TARGET = "target_base_qty"


class QuotingStrategy(Strategy):
    """
    A market maker without an opinion: a subclass says at which prices it wants to quote, this class does the rest.

    A subclass implements `quote_prices`, which is called when the best bid or ask has moved, after a fill and on the
    refresh timer. It reads `reference` (the price to quote around), `mid`, `bid` and `ask`, all in ticks, and
    `inventory`, in multiples of `order_qty`.

    All orders are limit orders that only make (post-only). Orders are known by client order id; nothing is kept of the
    engine's own order objects.
    """

    uses_sizes: bool = False
    """Whether a change of the sizes at the touch alone is news to the maker."""

    def __init__(self, config: QuotingConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        """Set every attribute to its state before the start."""
        self.bid = 0
        self.ask = 0
        self.mid = 0.0
        self.now_ns = 0
        self.quote: QuoteTick | None = None
        self._bid_raw = 0
        self._ask_raw = 0
        self._grid: Grid | None = None
        self._inventory: Inventory | None = None
        self._shaper: QuoteShaper | None = None
        self._orders: WorkingOrders | None = None
        self._risk: RiskObedience | None = None
        self._pacing = OrderPacing(self.config)
        self._can_modify = False
        self._quoting = False
        self._waiting = False
        self._shaped: tuple[tuple[float, float] | None, Sequence[Quote]] = (None, ())
        self._is_recorded = False
        self._told: tuple[Quote, ...] = ()
        self._planned: tuple[Sequence[Quote], Sequence[Quote]] = ((), ())
        self._alphas: dict[str, AlphaSignal] = {}
        self._post_only_rejections = 0
        self._denied = 0
        self._kept_target: Decimal | None = None

    @classmethod
    def check_config(cls, config: QuotingConfig, instruments: Mapping[InstrumentId, Instrument]) -> None:
        """
        Hold a configuration against the instruments before anything starts.

        Raises
        ------
        ValueError
            As `key: problem`, if a quantity does not fit the instrument.

        """
        Grid.of(instruments[config.instrument_id], config)

    @classmethod
    def check_market(cls, config: QuotingConfig, instrument: Instrument, price: Decimal) -> list[str]:
        """
        Hold a configuration against the price at the start; return what is allowed but foolish.

        Raises
        ------
        ValueError
            As `key: problem`, if an order would be worth less than the venue takes.

        """
        check_order_value(config, instrument, price)
        fees = fee_warnings(cls.__name__, config, instrument, cls.least_half_spread_bps(config, price))
        return fees + tolerance_warnings(config, instrument, price)

    # -- What a subclass provides -------------------------------------------------------------------------------------

    @classmethod
    def least_half_spread_bps(cls, config: QuotingConfig, price: Decimal) -> float | None:
        """Return how near to the reference price quotes may stand, in basis points; None where nobody knows."""
        return None

    @abstractmethod
    def quote_prices(self) -> tuple[float, float] | None:
        """
        Return the nearest bid and ask that are wanted now, in ticks.

        -inf for no bid, +inf for no ask, None for neither. They are rounded outwards, kept from taking liquidity and
        from each other, and made smaller or left out by the limits of the configuration.
        """

    def on_market_move(self) -> None:
        """Update estimators; called before `quote_prices` whenever the market has news."""

    def is_news(self) -> bool:
        """Return whether a change of sizes alone, just taken in, is worth planning for."""
        return True

    def fair_value(self) -> float | None:
        """Return the price, in ticks, that the quotes stand around; None before there is one."""
        return self.reference if self.bid else None

    def size_factors(self) -> tuple[float, float]:
        """Return what to multiply the sizes of bid and ask with."""
        assert self._shaper is not None
        return self._shaper.default_size_factors()

    # -- What a subclass reads ----------------------------------------------------------------------------------------

    @property
    def reference(self) -> float:
        """The mid, in ticks, shifted by the signals that the configuration listens to."""
        return self.mid * (1.0 + self.alpha_bps() * _BPS) if self._alphas else self.mid

    def alpha_bps(self) -> float:
        """Return the sum of the signals that are not too old, times their weight, in basis points."""
        oldest = self.now_ns - int(self.config.alpha_max_age_secs * _SECOND_NS)
        return float(self.config.alpha_weight) * sum(s.bps for s in self._alphas.values() if s.ts_ns >= oldest)

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

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Look up the instrument and begin to listen; without it the strategy stops."""
        config = self.config
        instrument = self.cache.instrument(config.instrument_id)
        if instrument is None:
            self.log.error(f"{config.instrument_id} is not known: not quoting")
            self.stop()
            return
        self._grid = Grid.of(instrument, config)
        self._inventory = inventory_of(self, instrument, self._grid, config.target_base_qty, self._kept_target)
        self._shaper = QuoteShaper(config, self._grid, self._inventory)
        adapter = OrderAdapter(self, instrument, self._grid)
        self._can_modify = adapter.can_modify
        self._orders = WorkingOrders(adapter)
        self._risk = RiskObedience(self.id.value, adapter, self._grid)
        self._quoting = True
        self._is_recorded = self.msgbus.has_subscribers(DECISION_TOPIC)
        self._listen()

    def _listen(self) -> None:
        config = self.config
        self.msgbus.subscribe(SAMPLE_TOPIC, self._publish_sample)
        self.msgbus.subscribe(RISK_STATE_TOPIC, self._on_risk_state)
        self.msgbus.subscribe(BALANCES_TOPIC, self._on_balances)
        if config.alpha_weight:
            self.msgbus.subscribe(alpha_topic(config.instrument_id.value), self._on_alpha)
        self.msgbus.subscribe(target_topic(config.instrument_id.value), self._on_target)
        self.subscribe_quote_ticks(config.instrument_id)
        if config.order_refresh_secs > 0:
            interval = timedelta(seconds=config.order_refresh_secs)
            self.clock.set_timer(f"{self.id}-refresh", interval, callback=self._on_refresh)

    def on_stop(self) -> None:
        """Cancel this strategy's own orders, and no others."""
        self._quoting = False
        if self._orders is not None:
            self._orders.cancel_all()

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def on_save(self) -> dict[str, bytes]:
        """Return what must survive a restart: what counts as no inventory."""
        target = None if self._inventory is None else self._inventory.target
        return {} if target is None else {_TARGET: str(target).encode()}

    def on_load(self, state: dict[str, bytes]) -> None:
        """Take over what an earlier run has kept."""
        if _TARGET in state:
            self._kept_target = Decimal(state[_TARGET].decode())

    # -- Market events ------------------------------------------------------------------------------------------------

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Requote when the market has news; a change of sizes alone mostly is none."""
        bid_raw = tick.bid_price.raw
        ask_raw = tick.ask_price.raw
        only_sizes = bid_raw == self._bid_raw and ask_raw == self._ask_raw
        if only_sizes and not self.uses_sizes:
            return
        assert self._grid is not None
        self._bid_raw = bid_raw
        self._ask_raw = ask_raw
        self.bid = bid_raw // self._grid.tick_raw
        self.ask = ask_raw // self._grid.tick_raw
        self.mid = (self.bid + self.ask) / 2
        self.now_ns = tick.ts_init
        self.quote = tick
        self.on_market_move()
        if not only_sizes or self.is_news():
            self._requote(tick.ts_init)

    def _on_balances(self, ts_ns: int) -> None:
        """Count the inventory anew: on spot the venue tells of a balance after the fill that changed it."""
        if self._inventory is not None and self._inventory.is_spot:
            before = self._inventory.lots
            self._inventory.refresh()
            if self._inventory.lots != before:
                self._requote()

    def _on_alpha(self, signal: AlphaSignal) -> None:
        self._alphas[signal.source] = signal
        self._requote()

    def _on_target(self, target: TargetInventory) -> None:
        if self._inventory is not None:
            self._inventory.aim_at(target.base_qty)
            self._requote()

    def _on_risk_state(self, change: RiskStateChanged) -> None:
        if self._risk is not None and self._risk.take(change):
            self._requote()

    def _on_refresh(self, event: TimeEvent) -> None:
        self._requote(event.ts_event, exact=True)

    def _on_delay_over(self, event: TimeEvent) -> None:
        self._requote(event.ts_event)

    # -- Quoting ------------------------------------------------------------------------------------------------------

    def desired_quotes(self) -> Sequence[Quote]:
        """Return the quotes wanted now; empty for none."""
        prices = self.quote_prices()
        if prices is None:
            self._shaped = (None, ())
            return ()
        assert self._shaper is not None
        assert self._orders is not None
        quotes = self._shaper.quotes(prices, (self.bid, self.ask), self.size_factors(), self._orders.all())
        self._shaped = (prices, quotes)
        return quotes

    def _requote(self, event_ns: int | None = None, exact: bool = False) -> None:
        """Plan anew, at the time of the event that is answered where it has one: its replay then decides the same."""
        if not self._quoting or not self.bid:
            return
        assert self._orders is not None
        assert self._risk is not None
        if self._risk.withdrawn:
            self._tell_decision(())
            self._risk.withdraw(self._orders)
            return
        self.now_ns = max(self.now_ns, self.clock.timestamp_ns() if event_ns is None else event_ns)
        config = self.config
        if config.hanging_orders_cancel_bps:
            self._orders.let_go(self.mid, config.hanging_orders_cancel_bps * _BPS * self.mid)
        if config.max_order_age_secs:
            self._orders.age(self.now_ns, int(config.max_order_age_secs * _SECOND_NS))
        wanted = self.desired_quotes()
        desired = self._risk.permitted(wanted)
        self._planned = (wanted, desired)
        self._tell_decision(desired)
        tolerance = self._pacing.tolerance(self.mid, self.now_ns, exact)
        plan = plan_commands(self._orders.and_others(), desired, tolerance, self._can_modify)
        self._waiting = not plan.complete
        for command in plan.commands:
            if self._pacing.may_send(command, self.now_ns, self._orders.awaiting_replacement):
                self._orders.execute(command, self.now_ns)
            else:
                self._waiting = True

    # -- Order events -------------------------------------------------------------------------------------------------

    def on_order_accepted(self, event: OrderAccepted) -> None:
        """Move the order on if something has waited for it."""
        self._settled(event.client_order_id.value, event.ts_init)

    def on_order_updated(self, event: OrderUpdated) -> None:
        """Take over the new price and quantity."""
        if self._orders is not None and self._grid is not None:
            price, total = event.price.raw // self._grid.tick_raw, event.quantity.raw // self._grid.step_raw
            self._orders.moved(event.client_order_id.value, price, total)
            if self._waiting:
                self._requote(event.ts_init)

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        """Keep the order where it is; the next market move tries again."""
        self._post_only_rejections += "POST_ONLY" in event.reason
        self._settled(event.client_order_id.value)

    def on_order_cancel_rejected(self, event: OrderCancelRejected) -> None:
        """Keep the order if it is still there."""
        self._settled(event.client_order_id.value)

    def on_order_rejected(self, event: OrderRejected) -> None:
        """Forget the order; the next market move or refresh tries again."""
        self._post_only_rejections += bool(event.due_post_only)
        self._gone(event.client_order_id.value)

    def on_order_denied(self, event: OrderDenied) -> None:
        """Forget the order, count it, and try again at the next market move or refresh."""
        self._denied += 1
        self.log.warning(f"denied before it left: {event.reason}")
        self._gone(event.client_order_id.value)

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """Quote again in its place."""
        self._gone(event.client_order_id.value, event.ts_init)

    def on_order_expired(self, event: OrderExpired) -> None:
        """Quote again in its place."""
        self._gone(event.client_order_id.value, event.ts_init)

    def on_order_filled(self, event: OrderFilled) -> None:
        """Count the fill into the inventory and quote anew."""
        if self._orders is None or self._inventory is None:
            return
        order = self._orders.find(event.client_order_id.value)
        self._orders.filled(event.client_order_id.value)
        self._inventory.refresh()
        if order is not None:
            self._after_fill(order.side, event.ts_event)
        self._requote(event.ts_init)

    def _after_fill(self, side: Side, now_ns: int) -> None:
        assert self._orders is not None
        if self.config.hanging_orders_cancel_bps:
            self._orders.hang(Side.ASK if side is Side.BID else Side.BID)
        if self.config.filled_order_delay_secs:
            until = self._pacing.delay(side, now_ns)
            name = f"{self.id}-delay-{side.name}"
            if name in self.clock.timer_names:
                self.clock.cancel_timer(name)
            self.clock.set_time_alert_ns(name, until, self._on_delay_over)

    def _settled(self, order_id: str, requote_at_ns: int | None = None) -> None:
        if self._orders is not None:
            self._orders.settled(order_id)
            if requote_at_ns is not None and self._waiting:
                self._requote(requote_at_ns)

    def _gone(self, order_id: str, requote_at_ns: int | None = None) -> None:
        if self._orders is not None and self._orders.gone(order_id) and requote_at_ns is not None:
            self._requote(requote_at_ns)

    # -- What it tells others -----------------------------------------------------------------------------------------

    def _tell_decision(self, desired: Sequence[Quote]) -> None:
        """Tell whoever writes decisions down what is wanted, when that has changed."""
        if not self._is_recorded or tuple(desired) == self._told:
            return
        assert self._grid is not None
        self._told = tuple(desired)
        grid = self._grid
        quotes = tuple((side.name, grid.price(price), grid.quantity(quantity)) for side, price, quantity in desired)
        wanted = QuotesWanted(strategy_id=self.id.value, instrument_id=self.config.instrument_id.value, quotes=quotes)
        self.msgbus.publish(DECISION_TOPIC, wanted)

    def _publish_sample(self, ts_ns: int) -> None:
        assert self._grid is not None
        assert self._orders is not None
        bid, ask = self._orders.best()
        fair_value = self.fair_value()
        sample = QuotingSample(
            strategy_id=self.id.value,
            instrument_id=self.config.instrument_id.value,
            bid=None if bid is None else self._grid.price(bid),
            ask=None if ask is None else self._grid.price(ask),
            fair_value=None if fair_value is None else fair_value * self.tick,
            requotes=self._orders.requotes,
            post_only_rejections=self._post_only_rejections,
            denied=self._denied,
        )
        self.msgbus.publish(QUOTING_TOPIC, sample)

    def view(self) -> QuotingView:
        """Return what it is after, and why a side has no order; nothing changes by it."""
        started = self._grid is not None
        fair_value = self.fair_value() if started and self.bid else None
        inventory = self._grid.quantity(self._inventory.lots) if self._grid and self._inventory else None
        most = Decimal(repr(self.config.max_position))
        return QuotingView(
            owner_id=self.id.value,
            instrument_id=self.config.instrument_id.value,
            fair_value=None if fair_value is None else fair_value * self.tick,
            inventory_qty=inventory,
            max_position_qty=most,
            silences=self._silences(),
            scales=(inventory_scale(inventory, most),),
        )

    def _silences(self) -> tuple[Silence, ...]:
        state = MakerState(
            quoting=self._quoting,
            heard=bool(self.bid),
            withdrawn=self._risk is not None and self._risk.withdrawn,
            steps=Steps(*self._shaped, *self._planned),
            inventory_lots=0 if self._inventory is None else self._inventory.lots,
            grid=self._grid,
            pacing=self._pacing,
            now_ns=self.clock.timestamp_ns(),
        )
        return silences(state, () if self._orders is None else self._orders.all())
