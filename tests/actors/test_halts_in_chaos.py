"""
Strategies that know nothing of risk and do anything at random, in the real engine, halted and resumed again and again.

One run holds thousands of orders: new, changed, cancelled, filled in parts, refused, in flight while that happens.
"""

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderAccepted, OrderFilled, OrderSubmitted, OrderUpdated
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from messages.risk import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.risk_limits import Breach
from models.risk_state import State
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.risk.settings import RiskSettings
from runtime.setup.sections import Latency

LIMIT = Decimal(60)
STRATEGIES = 3
ACTIONS = {"max_drawdown_pct": "flatten", "stop_loss_pct": "flatten", "max_fills_per_window": "cancel"}
BALANCES = {"perpetual": ("1000000 USDT",), "spot": ("1000000 USDT", "10000 NEXO")}


class Chaos(Strategy):
    """Sends, changes and cancels orders at random, whatever state trading is in."""

    def __init__(self, instrument: Any, number: int, seed: int) -> None:
        super().__init__(StrategyConfig(order_id_tag=f"{number:03}"))
        self.instrument = instrument
        self.random = Random(seed * 100 + number)
        self.can_modify = instrument.id.value.endswith("-PERP.BINANCE")

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: Any) -> None:
        self.tick = tick
        self.act()

    def on_order_filled(self, event: Any) -> None:
        if self.random.random() < 0.2:
            self.act()  # in the middle of the event of a fill

    def act(self) -> None:
        dice = self.random.random()
        if dice < 0.25:
            self.submit_order(self.limit())
        elif dice < 0.3:
            side, quantity = self.side_and_quantity()
            self.submit_order(self.order_factory.market(self.instrument.id, side, quantity))
        elif dice < 0.33:
            self.submit_order_list(self.order_factory.create_list([self.limit(), self.limit()]))
        elif dice < 0.5 and (mine := self.cache.orders_open(strategy_id=self.id)):
            self.cancel_order(self.random.choice(sorted(mine, key=lambda order: order.client_order_id.value)))
        elif dice < 0.7 and self.can_modify and (mine := self.cache.orders_open(strategy_id=self.id)):
            order = self.random.choice(sorted(mine, key=lambda order: order.client_order_id.value))
            if order.has_price:
                self.modify_order(order, quantity=self.side_and_quantity()[1], price=self.price())

    def side_and_quantity(self) -> tuple[OrderSide, Any]:
        side = self.random.choice((OrderSide.BUY, OrderSide.SELL))
        return side, self.instrument.make_qty(self.random.choice((0.1, 1, 5, 20, 50, 100)))

    def price(self) -> Any:
        touch = self.random.choice((float(self.tick.bid_price), float(self.tick.ask_price)))
        return self.instrument.make_price(touch + self.random.randint(-6, 6) * 0.01)

    def limit(self) -> Any:
        side, quantity = self.side_and_quantity()
        post_only = self.random.random() < 0.5
        return self.order_factory.limit(self.instrument.id, side, quantity, self.price(), post_only=post_only)


class Tormentor(Actor):
    """Trips controls at random, watches what comes of it, and resumes: one episode after the other."""

    def __init__(self, instrument: Any, controls: RiskControls, seed: int) -> None:
        super().__init__()
        self.instrument = instrument
        self.controls = controls
        self.random = Random(seed)
        self.held = {f"Chaos-{number:03}": Decimal(0) for number in range(STRATEGIES)}
        self.largest = Decimal(0)
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.scope = ACCOUNT
        self.rule = ""
        self.waited = 0
        self.slowest = 0.0

    def on_start(self) -> None:
        self.msgbus.subscribe("events.order.*", self.on_any_order_event)
        self.next(self.trip, 5)

    def next(self, step: Any, seconds: float) -> None:
        self.clock.set_time_alert_ns(
            f"episode-{self.clock.timestamp_ns()}-{step.__name__}",
            self.clock.timestamp_ns() + int(seconds * 1e9),
            lambda _: step(),
        )

    @property
    def machine(self) -> Any:
        return self.controls.kill_switch.machines.get(self.scope)

    def on_any_order_event(self, event: Any) -> None:
        self.seen[type(event).__name__] += 1
        if type(event) is OrderFilled:
            order = self.cache.order(event.client_order_id)
            self.seen["partial"] += order.status == OrderStatus.PARTIALLY_FILLED
            change = event.last_qty.as_decimal() * (1 if event.order_side == OrderSide.BUY else -1)
            if event.commission.currency == self.instrument.base_currency:
                change -= event.commission.as_decimal()
            self.held[event.strategy_id.value] += change
            self.largest = max(self.largest, abs(sum(self.held.values())))
        concerned = self.scope in (ACCOUNT, event.strategy_id.value)
        halted = self.machine is not None and self.machine.state is State.HALTED
        if concerned and halted and type(event) in (OrderSubmitted, OrderAccepted, OrderUpdated, OrderFilled):
            self.wrong.append(f"{type(event).__name__} after the halt by {self.rule}")

    def trip(self) -> None:
        self.rule = self.random.choice(sorted(ACTIONS))
        one_alone = self.random.random() < 0.3
        self.scope = f"Chaos-{self.random.randrange(STRATEGIES):03}" if one_alone else ACCOUNT
        self.waited = 0
        self.alarm()
        self.next(self.wait, 0.5)

    def alarm(self) -> None:
        breach = Breach(self.rule, Decimal(5), Decimal(4))
        self.msgbus.publish(ALARM_TOPIC, RiskAlarm(ts_ns=self.clock.timestamp_ns(), scope=self.scope, breach=breach))

    def wait(self) -> None:
        self.waited += 1
        if self.random.random() < 0.3:
            self.alarm()
        if self.machine.state is State.HALTED:
            self.slowest = max(self.slowest, self.waited / 2)
            self.check()
            self.next(self.check_again, self.random.uniform(0.1, 4))
        elif self.waited < 120:
            self.next(self.wait, 0.5)
        else:
            self.wrong.append(f"not halted by {self.rule} after a minute")

    def check(self) -> None:
        self.seen[f"halts by {ACTIONS[self.rule]} of {self.scope.split('-')[0]}"] += 1
        scope = {} if self.scope == ACCOUNT else {"strategy_id": self.strategy_id()}
        orders = [*self.cache.orders_open(**scope), *self.cache.orders_inflight(**scope)]
        if orders:
            self.wrong.append(f"{len(orders)} orders after the halt by {self.rule}")
        least = (
            Decimal("0.11") if self.instrument.id.value == "NEXOUSDT.BINANCE" else Decimal("0.001")
        )  # 10 USDT, a lot
        held = [quantity for name, quantity in self.held.items() if self.scope in (ACCOUNT, name)]
        if ACTIONS[self.rule] == "flatten" and any(abs(quantity) >= least for quantity in held):
            self.wrong.append(f"{held} held after the halt by {self.rule}")
        self.before = self.snapshot()

    def strategy_id(self) -> Any:
        (found,) = [identity for identity in self.cache.strategy_ids() if identity.value == self.scope]
        return found

    def snapshot(self) -> tuple[Any, ...]:
        states = {scope: machine.state for scope, machine in self.controls.kill_switch.machines.items()}
        return states, len(self.controls.kill_switch.halts)

    def check_again(self) -> None:
        self.alarm()
        if self.snapshot() != self.before:
            self.wrong.append(f"a second trip of {self.rule} changed {self.before} to {self.snapshot()}")
        self.controls.kill_switch.resume()
        if self.machine.state is not State.RUNNING:
            self.wrong.append("not resumed")
        self.next(self.trip, self.random.uniform(0.1, 8))


def torment(
    instrument: Any, balances: tuple[str, ...], seed: int, seconds: int, market_of: Any, replay: Any
) -> Tormentor:
    market = market_of(instrument)
    market.random(seed, seconds)
    kept: list[Tormentor] = []

    def add(engine: Any) -> None:
        settings = RiskSettings(max_position_qty={instrument.id.value: LIMIT}, on_trip={"max_position_qty": "warn"})
        context = RiskContext((instrument.id,), Decimal(10), equity_interval_secs=1)
        kept.append(Tormentor(instrument, add_risk_controls(engine.kernel, settings, context), seed))
        engine.add_actor(kept[0])

    random = Random(seed)
    latency = Latency(
        **{f"{command}_ms": random.choice((10, 50, 400, 1500)) for command in ("insert", "modify", "cancel")}
    )
    strategies = [Chaos(instrument, number, seed) for number in range(STRATEGIES)]
    replay(market, strategies, fills="queue_latency", balances=balances, latency=latency, on_engine=add)
    return kept[0]


def assert_nothing_went_wrong(seen: Tormentor) -> None:
    assert seen.wrong == []
    assert seen.largest <= LIMIT
    assert seen.largest > LIMIT / 2
    assert min(seen.seen[kind] for kind in ("OrderRejected", "OrderDenied", "OrderCanceled", "partial")) > 10


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", BALANCES)
def test_whatever_strategies_do_limits_hold_and_halts_end_flat(
    kind: str, seed: int, market_of: Any, replay: Any, request: Any
) -> None:
    seen = torment(request.getfixturevalue(kind), BALANCES[kind], seed, 600, market_of, replay)

    assert_nothing_went_wrong(seen)
    assert seen.seen["OrderInitialized"] > 2000
    assert seen.seen["halts by flatten of account"] > 10
    assert seen.slowest <= 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 105))
@pytest.mark.parametrize("kind", BALANCES)
def test_limits_hold_and_halts_end_flat_for_hours(
    kind: str, seed: int, market_of: Any, replay: Any, request: Any
) -> None:
    seen = torment(request.getfixturevalue(kind), BALANCES[kind], seed, 3600, market_of, replay)

    assert_nothing_went_wrong(seen)
