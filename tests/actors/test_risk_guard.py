"""The guard in the real engine: no order passes it unseen, however it is sent."""

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderModifyRejected
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from messages.risk import GUARD_ENDPOINT, OrderRequest
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.risk.settings import RiskSettings
from runtime.setup.sections import Latency
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

SPOT_BALANCES = ("100000 USDT", "1000 NEXO")


class Guarded:
    """Adds the guard to an engine, and keeps it."""

    def __init__(self, instrument: Any, **settings: Any) -> None:
        self.instrument = instrument
        self.settings = RiskSettings(**settings)
        self.controls: RiskControls

    def __call__(self, engine: Any) -> None:
        self.controls = add_risk_controls(
            engine.kernel, self.settings, RiskContext((self.instrument.id,), Decimal(10), equity_interval_secs=1)
        )

    @property
    def refusals(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for (rule, _), refusal in self.controls.guard.refusals.items():
            counts[rule] = counts.get(rule, 0) + refusal.count
        return counts


class Script(Strategy):
    """Does what a script says at each quote, straight through the engine's interface."""

    def __init__(self, instrument: Any, *steps: Any) -> None:
        super().__init__(StrategyConfig())
        self.instrument = instrument
        self.steps = list(steps)
        self.denied: list[str] = []
        self.not_modified: list[str] = []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: Any) -> None:
        if self.steps:
            self.steps.pop(0)(self)

    def limit(self, side: OrderSide, quantity: float, price: float) -> Any:
        make = self.instrument
        return self.order_factory.limit(make.id, side, make.make_qty(quantity), make.make_price(price))

    def on_order_denied(self, event: Any) -> None:
        self.denied.append(event.reason)

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        self.not_modified.append(event.reason)


def buy(quantity: float, price: float) -> Any:
    return lambda self: self.submit_order(self.limit(OrderSide.BUY, quantity, price))


def quiet(market_of: Any, instrument: Any, seconds: int = 5) -> Any:
    market = market_of(instrument)
    for second in range(seconds):
        market.quote(second, 99.99, 100.01, bid_size=1 + second)
    return market


def maker(instrument: Any, **values: Any) -> FixedSpread:
    sizes = {"order_qty": 2.0, "max_position": 100.0, "half_spread_quote": 0.02} | values
    return FixedSpread(FixedSpreadConfig(instrument_id=instrument.id, **sizes))


def test_the_same_order_is_refused_on_a_cash_and_on_a_perpetual_account_with_the_same_message(
    market_of: Any, replay: Any, perpetual: Any, spot: Any
) -> None:
    said = []
    for instrument, balances in ((perpetual, ("100000 USDT",)), (spot, SPOT_BALANCES)):
        strategy = Script(instrument, buy(50, 99))
        guarded = Guarded(instrument, max_order_notional_quote=Decimal(1000))
        run = replay(quiet(market_of, instrument), [strategy], balances=balances, on_engine=guarded)
        (order,) = run.orders()
        assert order.status == OrderStatus.DENIED
        said.append(strategy.denied)

    assert said == [["refused by the guard: max_order_notional_quote: was 4950, the limit is 1000"]] * 2


def test_a_maker_asks_and_a_refused_quote_is_never_made_an_order(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.random(seed=1, seconds=60)
    guarded = Guarded(perpetual, max_order_qty={"SYNUSDT-PERP.BINANCE": Decimal("1.999")})

    run = replay(market, [maker(perpetual)], on_engine=guarded)

    assert run.orders() == []
    refusal = guarded.controls.guard.refusals["max_order_qty", "FixedSpread-000"]
    assert refusal.count > 100
    assert refusal.ts_ns < refusal.last_ns <= market.ticks[-1].ts_init
    assert (refusal.value, refusal.limit, refusal.instrument) == (2, Decimal("1.999"), "SYNUSDT-PERP.BINANCE")


@pytest.mark.parametrize("fills", ["optimistic", "queue_latency"])
@pytest.mark.parametrize("seed", range(3))
def test_the_position_keeps_the_guards_limit_though_the_maker_wants_more(
    fills: str, seed: int, market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    market.random(seed, seconds=120)
    guarded = Guarded(perpetual, max_position_qty={"SYNUSDT-PERP.BINANCE": Decimal(5)})

    run = replay(
        market,
        [maker(perpetual, order_levels=2, level_spacing_bps=1), maker(perpetual, order_id_tag="2")],
        fills=fills,
        latency=Latency(insert_ms=300, modify_ms=500, cancel_ms=700),
        on_engine=guarded,
    )

    held = Decimal(0)
    for fill in run.ledger.fills:
        held += fill.sign * fill.quantity
        assert abs(held) <= 5
    assert len(run.ledger.fills) > 10
    assert guarded.refusals["max_position_qty"] > 0


def test_without_refusals_a_guarded_run_is_the_same_run(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.random(seed=2, seconds=120)
    guarded = Guarded(perpetual, price_collar_bps=Decimal(100), max_leverage=Decimal(5), max_data_age_secs=Decimal(60))

    free = replay(market, [maker(perpetual)], fills="queue_latency")
    watched = replay(market, [maker(perpetual)], fills="queue_latency", on_engine=guarded)

    assert guarded.refusals == {}
    assert len(free.ledger.fills) > 10
    assert [str(fill) for fill in free.ledger.fills] == [str(fill) for fill in watched.ledger.fills]


def test_the_guards_books_agree_with_the_engine(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.random(seed=3, seconds=120)
    guarded = Guarded(perpetual)

    run = replay(market, [maker(perpetual)], fills="queue_latency", on_engine=guarded)

    book = guarded.controls.guard.exposures["SYNUSDT-PERP.BINANCE"]
    open_orders = {order.client_order_id.value: order for order in run.orders() if not order.is_closed}
    assert set(book.orders) == set(open_orders)
    assert all(book.orders[name].leaves == order.leaves_qty.raw for name, order in open_orders.items())
    assert book.total.position == sum(fill.sign * fill.quantity for fill in run.ledger.fills)


def test_cancellations_always_pass(market_of: Any, replay: Any, perpetual: Any) -> None:
    def send(self: Script) -> None:
        self.first = self.limit(OrderSide.BUY, 1, 99)
        self.submit_order(self.first)

    strategy = Script(perpetual, send, buy(1, 98), lambda self: self.cancel_order(self.first))
    guarded = Guarded(perpetual, max_orders_per_10s=1)

    run = replay(quiet(market_of, perpetual), [strategy], on_engine=guarded)

    assert [order.status for order in run.orders()] == [OrderStatus.CANCELED, OrderStatus.DENIED]
    assert guarded.refusals == {"max_orders_per_10s": 1}


def test_a_modification_is_asked_for_and_a_refused_one_changes_nothing(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    def send(self: Script) -> None:
        self.first = self.limit(OrderSide.BUY, 1, 99)
        self.submit_order(self.first)

    def enlarge(self: Script) -> None:
        self.modify_order(self.first, quantity=self.instrument.make_qty(5))

    def move(self: Script) -> None:
        self.modify_order(self.first, price=self.instrument.make_price(98.5))

    strategy = Script(perpetual, send, enlarge, move)
    guarded = Guarded(perpetual, max_order_qty={"SYNUSDT-PERP.BINANCE": Decimal(2)})

    run = replay(quiet(market_of, perpetual), [strategy], on_engine=guarded)

    assert strategy.not_modified == ["refused by the guard: max_order_qty: was 5, the limit is 2"]
    (order,) = run.orders()
    assert (str(order.quantity), str(order.price)) == ("1.000", "98.50")


def test_a_list_of_orders_is_refused_as_a_whole(market_of: Any, replay: Any, perpetual: Any) -> None:
    def send(self: Script) -> None:
        orders = [self.limit(OrderSide.BUY, quantity, 99) for quantity in (1, 5)]
        self.submit_order_list(self.order_factory.create_list(orders))

    strategy = Script(perpetual, send, buy(1, 99))
    guarded = Guarded(perpetual, max_order_qty={"SYNUSDT-PERP.BINANCE": Decimal(2)})

    run = replay(quiet(market_of, perpetual), [strategy], on_engine=guarded)

    assert [order.status for order in run.orders()[:2]] == [OrderStatus.DENIED] * 2
    assert run.orders()[2].status == OrderStatus.ACCEPTED
    assert guarded.controls.guard.exposures["SYNUSDT-PERP.BINANCE"].total.buys == 1


@pytest.mark.parametrize(
    ("settings", "steps", "rule"),
    [
        ({"price_collar_bps": Decimal(10)}, [buy(1, 100.12)], "price_collar_bps"),
        ({"duplicate_window_secs": Decimal(5)}, [buy(1, 99), buy(1, 99)], "duplicate_window_secs"),
        ({"max_leverage": Decimal("0.5")}, [buy(1, 99), buy(600, 99)], "max_leverage"),
        ({"min_free_margin_pct": Decimal(95)}, [buy(1, 99), buy(600, 99)], "min_free_margin_pct"),
        ({"max_gross_notional_quote": Decimal(150)}, [buy(1, 99), buy(1, 98)], "max_gross_notional_quote"),
        ({}, [buy(1, 99), lambda s: s.submit_order(s.limit(OrderSide.SELL, 1, 99))], "self_trade"),
        ({}, [buy(0.001, 99)], "min_order_notional_quote"),
    ],
)
def test_every_rule_stops_its_order(
    settings: dict[str, Any], steps: list[Any], rule: str, market_of: Any, replay: Any, perpetual: Any
) -> None:
    guarded = Guarded(perpetual, **settings)

    run = replay(quiet(market_of, perpetual), [Script(perpetual, *steps)], on_engine=guarded)

    assert guarded.refusals == {rule: 1}
    assert [order.status for order in run.orders()][-1] == OrderStatus.DENIED


def test_a_market_that_went_silent_or_crossed_is_not_traded(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.quote(1, 100.01, 100.01)
    market.quote(2, 99.99, 100.01)
    market.quote(20, 99.99, 100.01)
    waiting = Script(perpetual, buy(1, 99), buy(1, 98))
    waiting.on_start = lambda: (  # type: ignore[method-assign]
        waiting.subscribe_quote_ticks(perpetual.id),
        waiting.clock.set_time_alert_ns("late", market.ticks[2].ts_init + 5_000_000_001, lambda _: buy(1, 97)(waiting)),
    )
    guarded = Guarded(perpetual, max_data_age_secs=Decimal(5))

    replay(market, [waiting], on_engine=guarded)

    assert guarded.refusals == {"crossed_market": 1, "max_data_age_secs": 1}


def test_an_instrument_that_is_not_the_setups_is_refused(market_of: Any, replay: Any, perpetual: Any) -> None:
    request = OrderRequest("o", "s", "OTHER.BINANCE", 1, 1, 1)
    asking = Script(perpetual, lambda self: self.msgbus.send(GUARD_ENDPOINT, request))
    guarded = Guarded(perpetual)

    replay(quiet(market_of, perpetual), [asking], on_engine=guarded)

    assert (request.approved, request.refusal) == (False, ("unknown_instrument", 1, 0))


def sell(quantity: float, price: float) -> Any:
    return lambda self: self.submit_order(self.limit(OrderSide.SELL, quantity, price))


def test_the_collar_holds_orders_against_where_the_market_was_until_it_has_been_elsewhere_twice(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    for half_second in range(20):
        mid = 100.0 if half_second < 9 else 90.0
        market.quote(half_second / 2, mid - 0.01, mid + 0.01)
    nothing = [lambda self: None]
    steps = [*nothing * 9, sell(1, 98.99), sell(1, 99), sell(1, 90), sell(1, 90), sell(1, 90)]  # at 4.5, 5, … 6.5 s
    guarded = Guarded(perpetual, price_collar_bps=Decimal(100))
    strategy = Script(perpetual, *steps)

    run = replay(market, [strategy], on_engine=guarded)

    assert [order.status == OrderStatus.DENIED for order in run.orders()] == [True, False, True, True, False]
    refusal = guarded.controls.guard.refusals["price_collar_bps", strategy.id.value]
    assert (refusal.count, refusal.value, refusal.limit) == (3, Decimal("98.99"), 99)


class Mover(Script):
    """Keeps an order on each side, and at each quote asks of many moves of both, at one glance and by every rule."""

    def __init__(self, instrument: Any, guarded: Guarded, seed: int) -> None:
        bid, ask = (99.5, 103) if seed % 2 else (96, 100.5)  # near the touch on one side: an own order, or the collar
        super().__init__(instrument, buy(3, bid), sell(3, ask), *[Mover.compare] * 60)
        self.guarded = guarded
        self.rng = random.Random(seed)
        self.answers: Counter[tuple[bool, bool, str | None]] = Counter()

    def compare(self) -> None:
        guard, name, now_ns = self.guarded.controls.guard, self.instrument.id.value, self.clock.timestamp_ns()
        book = guard.exposures[name]
        orders = [*book.orders.items(), ("a new one", None)]
        for order_id, order in orders:
            for _ in range(20):
                side = order.side if order else self.rng.choice((1, -1))
                price = self.instrument.make_price(self.rng.gauss(100 - 0.3 * side, 0.8)).raw
                quantity = self.instrument.make_qty(self.rng.uniform(0.01, 4)).raw
                request = OrderRequest(order_id, self.id.value, name, side, price, quantity)
                breach = guard.breach(request, now_ns)
                glance = guard.passes_at_a_glance(request, order, now_ns)
                self.answers[order is not None, glance, breach and breach.rule] += 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("limit", "new_ones", "stops"),
    [
        ({"max_leverage": Decimal("0.006")}, 0, True),  # all that is open together is worth as much
        ({"max_leverage": Decimal("0.02")}, 100, False),
        ({"max_position_qty": Decimal("4.5")}, 100, True),
    ],
)
def test_an_order_that_passes_at_one_glance_breaks_no_rule(
    limit: dict[str, Any], new_ones: int, stops: bool, seed: int, market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    market.random(seed, seconds=40)
    guarded = Guarded(
        perpetual,
        max_order_qty={perpetual.id.value: Decimal("3.1")},
        max_order_notional_quote=Decimal(310),
        price_collar_bps=Decimal(100),
        **{rule: {perpetual.id.value: most} if rule == "max_position_qty" else most for rule, most in limit.items()},
    )
    strategy = Mover(perpetual, guarded, seed)

    replay(market, [strategy], on_engine=guarded)

    wrongly_passed = {rule: count for (_, glance, rule), count in strategy.answers.items() if glance and rule}
    assert wrongly_passed == {}
    assert strategy.answers[True, True, None] > 100
    assert strategy.answers[False, True, None] >= new_ones
    stopped = {rule for _, glance, rule in strategy.answers if not glance}
    assert stopped > {"price_collar_bps", "self_trade", "max_order_qty", "max_order_notional_quote"}
    assert (stopped >= set(limit)) == stops
