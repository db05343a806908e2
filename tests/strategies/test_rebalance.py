"""The rebalancer in the real engine: bands, costs, cash, triggers, makers beside it, and risk states."""

from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide, OrderType, TimeInForce

from messages.risk import RISK_STATE_TOPIC, RiskStateChanged
from messages.signals import TargetInventory, target_topic
from messages.trading import Rebalanced
from models.portfolio.bands import no_trade_halfwidth
from models.portfolio.rules import weights_from_prices
from models.risk_state import State
from reports.rebalancing import rebalance_rows, rebalance_summary
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.risk.settings import RiskSettings
from runtime.setup.sections import Fees
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from tests.engine_kit import START_NS
from tests.portfolio_kit import ASSETS, FULL_HOUR_S, HOUR_NS, markets_of, rebalancer, walk

QUARTERS = {"target_weights_pct": dict.fromkeys(ASSETS, 25.0)}
BAND = QUARTERS | {"rebalance_threshold_pct": 3.0}
INVESTED = ("25000 USDT", "0.8 BTC", "20 ETH", "1250 SOL")
HOURS = 120
FIRST_HOUR_NS = START_NS + FULL_HOUR_S * 10**9


@pytest.fixture(scope="module")
def prices() -> np.ndarray:
    """Return prices of five wild days."""
    return walk(1, HOURS)


@pytest.fixture
def run(replay: Any, prices: np.ndarray) -> Any:
    """Return a function that runs a rebalancer over the prices."""

    def run_with(*others: Any, balances: Any = ("100000 USDT",), moves: np.ndarray = prices, **options: Any) -> Any:
        engine = {key: options.pop(key) for key in ("fills", "fees", "on_engine") if key in options}
        worth = options.pop("worth", 1e6)
        strategies = [rebalancer(**options), *others]
        markets = markets_of(moves, worth=worth)
        return replay(markets, strategies, balances=balances, grid_secs=3600, **({"fills": "queue_latency"} | engine))

    return run_with


def weights_after(done: Rebalanced) -> np.ndarray:
    return np.array([float(asset.value_after / done.equity_after) for asset in done.assets])


def fees_of(replayed: Any) -> Decimal:
    return sum((fill.fee for fill in replayed.ledger.fills), Decimal(0))


# -- What it promises -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["target", "edge"])
def test_after_each_action_every_weight_is_in_its_band_and_all_sum_to_one(run: Any, to: Any) -> None:
    actions = run(**BAND, rebalance_to=to, min_trade_quote=20).ledger.rebalances

    assert len(actions) > 3
    for done in actions:
        weights = weights_after(done)
        assert (np.abs(weights - 0.25) <= 0.03).all()
        assert weights.sum() + float(done.cash_after / done.equity_after) == pytest.approx(1.0, abs=1e-9)
        assert done.cash_after >= 0


@pytest.mark.parametrize("to", ["target", "edge"])
@pytest.mark.parametrize("paid_in", ["received", "quote"])
def test_the_cost_that_is_reported_is_what_the_venue_took(run: Any, to: Any, paid_in: Any) -> None:
    done = run(**BAND, rebalance_to=to, fees=Fees(paid_in=paid_in))

    ((name, figures),) = rebalance_summary(done.ledger).items()
    mids = {fill.trade_id: fill.mid for fill in done.ledger.fills}
    taken = [
        event.commission.as_decimal() * (1 if event.commission.currency.code == "USDT" else mids[event.trade_id.value])
        for order in done.orders()
        for event in order.events
        if hasattr(event, "commission")
    ]
    assert sum(taken) == fees_of(done) == -done.ledger.parts(strategy=name).fees
    assert figures["fees_paid"] == float(sum(taken)) > 0
    assert figures["spread_paid"] == float(sum(f.quantity * abs(f.price - f.mid) for f in done.ledger.fills))
    assert figures["cost"] == pytest.approx(figures["fees_paid"] + figures["spread_paid"])
    assert figures["orders"] == len(done.orders())
    assert (figures["outside_after"], figures["furthest_outside_after_pct"]) == (0, 0)


def test_to_the_edge_costs_less_than_to_the_target(run: Any) -> None:
    edge, target = (fees_of(run(**BAND, rebalance_to=to, balances=INVESTED)) for to in ("edge", "target"))

    assert 0 < edge < Decimal("0.8") * target


@pytest.mark.parametrize("to", ["target", "edge"])
def test_sells_first_and_takes_at_once(run: Any, to: Any) -> None:
    done = run(**BAND, rebalance_to=to, balances=INVESTED)

    orders = done.orders()
    assert {(order.order_type, order.time_in_force) for order in orders} == {(OrderType.LIMIT, TimeInForce.IOC)}
    assert {fill.liquidity for fill in done.ledger.fills} == {"TAKER"}
    for action in done.ledger.rebalances:
        sides = [order.side for order in orders if action.started_ns <= order.ts_init <= action.ts_ns]
        assert sides == sorted(sides, key=lambda side: side != OrderSide.SELL)


def test_decides_on_the_full_hour_and_trades_at_the_quote_of_that_hour(run: Any, prices: np.ndarray) -> None:
    done = run(**BAND, balances=INVESTED)

    for fill in done.ledger.fills:
        hour, late_ns = divmod(fill.ts_ns - FIRST_HOUR_NS, HOUR_NS)
        seen = prices[hour, ASSETS.index(fill.instrument)]
        assert late_ns <= 2_000_000_000
        assert float(fill.price) == pytest.approx(seen * (1 + 2e-4 * fill.sign), rel=1.2e-3)
        assert (fill.price - fill.mid) * fill.sign > 0


def test_what_happens_after_an_action_does_not_change_it(run: Any, prices: np.ndarray) -> None:
    """No look ahead: with another future, everything before it is the same."""
    other = prices.copy()
    other[60:] *= np.linspace(1, 3, HOURS - 60)[:, None] ** [1, -1, 0.5, 0]

    before = []
    for moves in (prices, other):
        fills = run(**BAND, moves=moves).ledger.fills
        early = [fill for fill in fills if fill.ts_ns < FIRST_HOUR_NS + 59 * HOUR_NS]
        before.append([(fill.ts_ns, fill.instrument, fill.side, fill.price, fill.quantity) for fill in early])

    assert len(before[0]) > 5
    assert before[0] == before[1]


# -- Bands and triggers -----------------------------------------------------------------------------------------------


def test_nothing_is_traded_while_all_weights_are_in_their_bands(run: Any) -> None:
    calm = np.tile([30_000.0, 1_200.0, 20.0, 12.0], (20, 1)) * (1 + 0.001 * np.sin(np.arange(20))[:, None])
    balances = ("10 USDT", "1 BTC", "25 ETH", "1500 SOL", "2500 AVAX")

    assert run(**BAND, moves=calm, balances=balances).orders() == []
    assert len(run(**BAND, moves=calm, balances=balances, rebalance_interval_secs=5 * 3600).ledger.rebalances) >= 1


def test_on_the_interval_everything_goes_to_its_target(run: Any) -> None:
    config = QUARTERS | {"rebalance_threshold_pct": 100.0, "rebalance_to": "edge", "rebalance_interval_secs": 86_400}

    actions = run(**config).ledger.rebalances

    assert [done.reason for done in actions] == ["interval"] * 5
    assert {(done.started_ns - actions[0].started_ns) / HOUR_NS for done in actions} == {0, 24, 48, 72, 96}
    assert np.array([weights_after(done) for done in actions]) == pytest.approx(0.25, abs=0.003)


def test_the_band_may_be_what_costs_imply(run: Any) -> None:
    first = run(**QUARTERS, risk_aversion=2.0, rebalance_to="edge").ledger.rebalances[0]

    wide, narrow = (no_trade_halfwidth(0.25, 2.0, 0.001 + half) for half in (9e-4, 2e-4))  # a tick of AVAX is 8 bps
    assert [asset.upper - asset.target for asset in first.assets[:2]] == pytest.approx([narrow] * 2, rel=0.02)
    assert all(narrow < asset.upper - asset.target < wide for asset in first.assets[2:])
    assert weights_after(first) == pytest.approx([asset.lower for asset in first.assets], abs=0.001)


def test_weights_of_less_than_everything_leave_cash(run: Any) -> None:
    first = run(target_weights_pct=dict.fromkeys(ASSETS, 10.0), rebalance_threshold_pct=1.0).ledger.rebalances[0]

    assert float(first.cash_after / first.equity_after) == pytest.approx(0.6, abs=0.001)


@pytest.mark.parametrize("rule", ["risk_parity", "minimum_variance", "inverse_volatility", "naive_returns"])
def test_weights_come_from_the_prices_of_the_last_checks_alone(run: Any, prices: np.ndarray, rule: Any) -> None:
    config = {"weights": rule, "lookback": 48, "reweight_interval_secs": 24 * 3600, "invested_pct": 80.0}
    done = run(**config, rebalance_threshold_pct=2.0)

    first = done.ledger.rebalances[0]
    hour = (first.started_ns - FIRST_HOUR_NS) // HOUR_NS
    expected = 0.8 * weights_from_prices(rule, prices[hour - 48 : hour + 1])
    assert hour >= 48
    assert [asset.target for asset in first.assets] == pytest.approx(expected, abs=2e-3)
    if rule != "naive_returns":
        assert hour in (48, 49)


def test_equal_weights_need_no_prices(run: Any) -> None:
    first = run(weights="equal", invested_pct=40.0, rebalance_threshold_pct=1.0).ledger.rebalances[0]

    assert [asset.target for asset in first.assets] == pytest.approx([0.1] * 4)


# -- Orders that do not fill ------------------------------------------------------------------------------------------


def test_what_the_touch_does_not_hold_is_traded_at_the_next_checks(run: Any) -> None:
    done = run(**BAND, worth=4_000.0)

    orders = done.orders()
    assert "CANCELED" in {order.status_string() for order in orders}
    assert all(order.is_closed for order in orders)
    assert (np.abs(weights_after(done.ledger.rebalances[-1]) - 0.25) <= 0.03).all()
    assert max(fill.quantity * fill.price for fill in done.ledger.fills) <= 4_010


def test_orders_below_the_smallest_trade_are_not_sent(run: Any) -> None:
    done = run(**BAND, balances=INVESTED, min_trade_quote=400, rebalance_to="edge")

    sizes = [fill.quantity * fill.price for fill in done.ledger.fills]
    assert len(sizes) > 3
    assert min(sizes) > 390


def test_an_account_without_anything_is_left_alone(run: Any) -> None:
    assert run(**BAND, balances=("0 USDT",)).orders() == []


def test_denied_orders_are_forgotten_and_tried_again(run: Any) -> None:
    limited = Limited(max_order_notional_quote=Decimal(5_000))

    done = run(**BAND, on_engine=limited)

    assert limited.refused("max_order_notional_quote") > HOURS
    assert [order for order in done.orders() if not order.is_closed] == []


def test_an_order_that_the_engine_denies_at_once_does_not_bring_the_purchases_forward(run: Any) -> None:
    from data_catalog.instruments import find_instrument

    def deny_bitcoin(engine: Any) -> None:
        engine.kernel.risk_engine.set_max_notional_per_order(find_instrument(ASSETS[0]).id, Decimal(1))

    balances = ("100 USDT", "1 BTC", "40 ETH", "100 SOL")
    done = run(**BAND, balances=balances, on_engine=deny_bitcoin)

    orders = [order for order in done.orders() if order.ts_init <= FIRST_HOUR_NS + HOUR_NS + 10**10]
    assert [order.status_string() for order in orders].count("DENIED") == 1
    assert [order.side for order in orders][:2] == [OrderSide.SELL] * 2
    assert OrderSide.BUY in {order.side for order in orders[2:]}
    assert len({order.instrument_id for order in orders}) == len(orders)


# -- Risk states ------------------------------------------------------------------------------------------------------


class Limited:
    """Adds the risk actors to an engine, and keeps them."""

    def __init__(self, **settings: Any) -> None:
        self.settings = RiskSettings(**settings)
        self.controls: RiskControls

    def __call__(self, engine: Any) -> None:
        ids = tuple(instrument.id for instrument in engine.cache.instruments())
        self.controls = add_risk_controls(engine.kernel, self.settings, RiskContext(ids, Decimal(1), 3600))

    def refused(self, rule: str) -> int:
        refusals = self.controls.guard.refusals
        return sum(refusals[key].count for key in refusals if rule in key)

    @property
    def state(self) -> State:
        return self.controls.kill_switch.machines["account"].state


@pytest.mark.parametrize("action", ["flatten", "flatten_passively"])
def test_a_halt_sells_what_was_bought_and_nothing_is_bought_again(run: Any, prices: np.ndarray, action: Any) -> None:
    falling = prices * np.linspace(1, 0.5, HOURS)[:, None]
    limited = Limited(max_drawdown_pct=Decimal(10), on_trip={"max_drawdown_pct": action})

    done = run(**BAND, moves=falling, on_engine=limited)

    (halt,) = limited.controls.kill_switch.halts
    after = [fill for fill in done.ledger.fills if fill.ts_ns > halt.trip.ts_ns]
    assert limited.state is State.HALTED
    assert {fill.side for fill in after} == {"SELL"}
    assert [order for order in done.orders() if not order.is_closed] == []
    for name in ASSETS:
        traded = sum(fill.sign * fill.quantity - fill.fee_base for fill in done.ledger.fills if fill.instrument == name)
        assert 0 <= traded * done.ledger.mid(name) < 10  # dust, which no order can sell


def test_what_is_denied_while_positions_are_sold_is_not_sent_again_at_once(run: Any, prices: np.ndarray) -> None:
    from data_catalog.instruments import find_instrument

    bitcoin = find_instrument(ASSETS[0]).id
    limited = Limited(max_drawdown_pct=Decimal(10), on_trip={"max_drawdown_pct": "flatten_passively"})

    def deny_bitcoin_when_halted(engine: Any) -> None:
        limited(engine)
        deny = engine.kernel.risk_engine.set_max_notional_per_order
        engine.kernel.msgbus.subscribe(RISK_STATE_TOPIC, lambda _: deny(bitcoin, Decimal(1)), priority=100)

    falling = prices[:3] * np.array([1.0, 1.0, 0.5])[:, None]
    done = run(**BAND, moves=falling, on_engine=deny_bitcoin_when_halted)

    denied = Counter(order.ts_init for order in done.orders() if order.status_string() == "DENIED")
    assert 1 <= max(denied.values()) <= 5  # one for each answer of the other orders at that moment
    assert done.ledger.position(ASSETS[0]) > 0


@pytest.mark.parametrize("action", ["cancel", "stop_quoting"])
def test_a_halt_that_keeps_positions_leaves_them(run: Any, prices: np.ndarray, action: Any) -> None:
    falling = prices * np.linspace(1, 0.5, HOURS)[:, None]
    limited = Limited(max_drawdown_pct=Decimal(10), on_trip={"max_drawdown_pct": action})

    done = run(**BAND, moves=falling, on_engine=limited)

    (halt,) = limited.controls.kill_switch.halts
    assert max(order.ts_init for order in done.orders()) <= halt.trip.ts_ns
    assert done.ledger.position(ASSETS[0]) > 0


def test_a_state_that_comes_between_orders_and_answers_ends_the_action_and_the_next_check_begins_anew(run: Any) -> None:
    """The orders of the first check take 50 ms to arrive."""

    def say(engine: Any, after_ns: int, state: str, action: str) -> None:
        change = RiskStateChanged(ts_ns=0, scope="account", state=state, action=action, cause=None)
        bus = engine.kernel.msgbus
        engine.kernel.clock.set_time_alert_ns(
            state, FIRST_HOUR_NS + HOUR_NS + after_ns, lambda _: bus.publish(RISK_STATE_TOPIC, change)
        )

    def on_engine(engine: Any) -> None:
        say(engine, 10_000_000, "HALTED", "cancel")
        say(engine, 5 * HOUR_NS // 2, "RUNNING", "warn")

    done = run(**BAND, on_engine=on_engine)

    hours = sorted({(order.ts_init - FIRST_HOUR_NS) // HOUR_NS for order in done.orders()})
    assert hours[0] == 1
    assert hours[1] > 3
    assert (done.ledger.rebalances[0].started_ns - FIRST_HOUR_NS) // HOUR_NS == hours[1]
    assert all(order.is_closed for order in done.orders())


# -- Beside a maker ---------------------------------------------------------------------------------------------------


BITCOIN = ASSETS[0]


def maker(**values: Any) -> FixedSpread:
    from data_catalog.instruments import find_instrument

    sizes = {"order_qty": 0.01, "max_position": 1.0, "half_spread_bps": 20.0} | values
    return FixedSpread(FixedSpreadConfig(instrument_id=find_instrument(BITCOIN).id, **sizes))


def test_a_maker_is_leaned_to_its_weight_and_its_asset_crossed_only_beyond_the_hard_band(run: Any) -> None:
    from data_catalog.instruments import find_instrument

    heard: list[TargetInventory] = []
    beside = BAND | {"maker_instrument_ids": (find_instrument(BITCOIN).id,), "hard_threshold_pct": 12.0}

    done = run(
        maker(inventory_skew_bps=15),
        **beside,
        balances=("50000 USDT", "0.5 BTC", "10 ETH", "700 SOL", "1000 AVAX"),
        on_engine=lambda engine: engine.kernel.msgbus.subscribe(target_topic(BITCOIN), heard.append),
    )

    crossed = [fill for fill in done.ledger.fills if fill.liquidity == "TAKER" and fill.instrument == BITCOIN]
    assert len(heard) >= HOURS - 5
    assert all(message.base_qty > 0 for message in heard)
    assert {fill.instrument for fill in done.ledger.fills if fill.liquidity == "TAKER"} >= set(ASSETS[1:])
    by_time = {action.ts_ns: action for action in done.ledger.rebalances}
    for fill in crossed:
        action = next(by_time[ts] for ts in sorted(by_time) if ts >= fill.ts_ns)
        asset = action.assets[0]
        assert abs(float(asset.value_before / action.equity_before) - 0.25) > 0.12


@pytest.mark.parametrize("invested", [True, False])
def test_beyond_the_hard_band_the_asset_of_a_maker_is_crossed_without_meeting_its_orders(
    run: Any, invested: bool
) -> None:
    from data_catalog.instruments import find_instrument

    beside = BAND | {"maker_instrument_ids": (find_instrument(BITCOIN).id,), "hard_threshold_pct": 5.0}
    limited = Limited(max_drawdown_pct=Decimal(90))
    balances = ("10000 USDT", "3 BTC") if invested else ("100000 USDT", "0.1 BTC")

    done = run(maker(half_spread_bps=20.0, max_position=9.0), **beside, balances=balances, on_engine=limited)

    crossed = [f for f in done.ledger.fills if f.liquidity == "TAKER" and f.instrument == BITCOIN]
    assert crossed
    assert {fill.strategy for fill in crossed} == {"Rebalance-000"}
    assert crossed[0].side == ("SELL" if invested else "BUY")
    assert limited.refused("self_trade") == 0


def test_a_maker_counts_its_inventory_from_the_target_that_it_is_told(replay: Any) -> None:
    from data_catalog.instruments import find_instrument
    from tests.engine_kit import Market

    instrument = find_instrument("NEXOUSDT.BINANCE")
    market = Market(instrument)
    for second in range(10):
        market.quote(second, 1.0, 1.01)
    strategy = FixedSpread(
        FixedSpreadConfig(instrument_id=instrument.id, order_qty=50, max_position=100, half_spread_bps=60)
    )
    inventories = []

    def tell(engine: Any) -> None:
        message = TargetInventory(instrument_id=instrument.id.value, base_qty=Decimal(900), ts_ns=START_NS)
        clock, bus = engine.kernel.clock, engine.kernel.msgbus
        topic = target_topic(instrument.id.value)
        clock.set_time_alert_ns("tell", START_NS + 5 * 10**9, lambda _: bus.publish(topic, message))
        clock.set_time_alert_ns("look", START_NS + 6 * 10**9, lambda _: inventories.append(strategy.inventory))

    replay(market, [strategy], balances=("1000 USDT", "1000 NEXO"), on_engine=tell)

    assert inventories == [2.0]


# -- What it writes down ----------------------------------------------------------------------------------------------


def test_every_action_is_a_row_for_each_asset_and_the_cash(run: Any) -> None:
    actions = run(**BAND).ledger.rebalances

    rows = list(rebalance_rows(actions))
    assert len(rows) == 5 * len(actions)
    for i in range(0, len(rows), 5):
        group = rows[i : i + 5]
        assert group[-1][3] == "cash"
        for column in (7, 8):
            assert sum(Decimal(row[column]) for row in group) == pytest.approx(Decimal(1), abs=Decimal("1e-9"))


def test_state_messages_of_other_strategies_do_not_concern_it(run: Any) -> None:
    other = RiskStateChanged(ts_ns=0, scope="Somebody-001", state="HALTED", action="cancel", cause=None)

    done = run(
        **BAND,
        on_engine=lambda engine: engine.kernel.clock.set_time_alert_ns(
            "halt", FIRST_HOUR_NS + 1, lambda _: engine.kernel.msgbus.publish(RISK_STATE_TOPIC, other)
        ),
    )

    assert len(done.ledger.rebalances) > 3
