import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderDenied
from nautilus_trader.model.identifiers import InstrumentId

from actors.watched_pair import PairSettings
from messages.risk import ACCOUNT, RISK_STATE_TOPIC, RiskStateChanged
from models.pairs.optimal_thresholds import profit_per_time
from models.pairs.ornstein_uhlenbeck import OrnsteinUhlenbeck
from models.risk_limits import Breach
from runtime.setup.sections import Latency
from strategies.config_checks import MarketFacts
from strategies.pairs import Pairs
from strategies.pairs_config import PairsConfig
from tests.engine_kit import START_NS
from tests.pair_kit import BETA, MINUTE, X, Y, markets_of, pairs, perpetuals, prices_of, reverting

STILL = [5.0] * 40
OUT_AND_BACK = [0.0] * 5 + [0.025] * 10 + [-0.001] * 15


def trades(run: Any) -> list[str]:
    return [trade.reason for trade in run.ledger.pair_trades]


def positions(run: Any) -> dict[str, Decimal]:
    return {name: run.ledger.position(name) for name in (Y, X)}


def test_a_wide_gap_is_entered_in_lots_of_the_hedge_ratio_and_left_at_the_mean(replay: Any) -> None:
    run = replay(markets_of(perpetuals(), OUT_AND_BACK, STILL[:30]), [pairs()], fills="queue_latency")

    assert trades(run) == ["entry", "exit"]
    entry, exit_ = run.ledger.pair_trades
    price_y = prices_of([0.025], [5.0])[0]
    assert entry.held_y == -round(Decimal(1_000 / price_y), 2)
    assert float(entry.held_x) * 5.0 == pytest.approx(BETA * 1_000, abs=5.0 * 0.1)
    assert abs(entry.unhedged_quote) <= Decimal("0.3")
    assert (exit_.held_y, exit_.held_x) == (0, 0)
    assert all(order.is_closed for order in run.orders())
    fees = float(sum(fill.fee for fill in run.ledger.fills))
    assert float(run.ledger.parts().total) == pytest.approx(1_000 * 0.026 - fees, abs=1.0)


def test_a_stop_locks_the_pair_until_the_gap_is_back(replay: Any) -> None:
    gap = [0.0] * 3 + [0.025] * 4 + [0.045] * 4 + [0.025] * 5 + [-0.001] * 3 + [0.025] * 4

    run = replay(markets_of(perpetuals(), gap, [5.0] * len(gap)), [pairs(stop_z=4.0)])

    assert trades(run) == ["entry", "stop", "entry"]


def test_a_position_whose_time_is_over_is_given_up(replay: Any) -> None:
    gap = [0.0] * 3 + [0.025] * 12

    run = replay(markets_of(perpetuals(), gap, [5.0] * 15), [pairs(max_holding_secs=5 * MINUTE)])

    assert trades(run) == ["entry", "time"]
    assert run.ledger.pair_trades[1].ts_ns - run.ledger.pair_trades[0].ts_ns >= 5 * MINUTE * 10**9


@pytest.mark.parametrize(("edge", "entered"), [(106.0, True), (108.0, False)])
def test_a_gap_that_does_not_pay_for_both_legs_twice_is_let_pass(replay: Any, edge: float, entered: bool) -> None:
    # 125 bps are expected, and fees of 5 bps cost 2 x 5 x (1 + 0.8) = 18 bps.
    run = replay(markets_of(perpetuals(), OUT_AND_BACK, STILL[:30]), [pairs(min_edge_bps=edge)])

    assert ("entry" in trades(run)) is entered


def test_nothing_is_entered_while_warming_up(replay: Any) -> None:
    from datetime import UTC, datetime, timedelta

    after = datetime.fromtimestamp(START_NS / 1e9, UTC) + timedelta(hours=1)

    run = replay(markets_of(perpetuals(), OUT_AND_BACK, STILL[:30]), [pairs(trade_after=after)])

    assert run.orders() == []


def test_a_pair_that_fails_its_re_test_is_left_and_not_entered(replay: Any) -> None:
    rng = np.random.default_rng(4)
    gap = np.concatenate([reverting(1, 200, 0.3, 0.01), np.cumsum(rng.normal(0, 0.01, 200))])
    x = 5.0 * np.exp(np.cumsum(rng.normal(0, 0.001, 400)))
    watched = {"lookback": 100, "retest_every_secs": 10 * MINUTE, "hedge_ratio": "ols", "fixed_ratio": None}
    watched |= {"fixed_sd": None, "fixed_intercept": 0.0, "coint_pvalue": 0.05}

    run = replay(markets_of(perpetuals(), gap, x), [pairs(watched=watched, entry_z=1.5)])

    assert "broken" in trades(run)
    broken = next(trade for trade in run.ledger.pair_trades if trade.reason == "broken")
    entered_in_time = [t for t in run.ledger.pair_trades if t.reason == "entry" and t.ts_ns < broken.ts_ns]
    assert len(entered_in_time) >= 3
    assert (broken.held_y, broken.held_x) == (0, 0)


@pytest.mark.parametrize("seed", [1])
def test_it_earns_what_the_theory_of_thresholds_says(replay: Any, seed: int) -> None:
    theta, sd, samples = 0.05, 0.01, 8_000
    rng = np.random.default_rng(seed + 100)
    x = 5.0 * np.exp(np.cumsum(rng.normal(0, 1e-4, samples)))
    gap = reverting(seed, samples, theta, sd)

    strategy = pairs(entry_z=1.5, exit_z=0.0)
    run = replay(markets_of(perpetuals(), gap, x), [strategy], grid_secs=3600)

    process = OrnsteinUhlenbeck(theta, 0.0, sd * np.sqrt(2 * theta))
    parts = run.ledger.parts()
    pnl = float(parts.spread + parts.inventory) / 1_000
    independent = threshold_rule_on(gap, 1.5 * sd, 0.0)
    assert pnl == pytest.approx(independent, rel=0.002)  # whole lots and ticks
    # Over many seeds the rule earns 92 % of what continuous watching would, with a standard deviation of 6 %.
    expected = profit_per_time(process, 1.5, 0.0, cost=0.0) * samples
    assert pnl == pytest.approx(0.92 * expected, rel=0.2)


def threshold_rule_on(gap: np.ndarray, entry: float, exit_: float) -> float:
    """Return what the rule earns on the gap itself, without any of the project's code."""
    side, at, earned = 0, 0.0, 0.0
    for value in gap:
        if side and side * value >= exit_:
            earned, side = earned + side * (value - at), 0
        elif not side and abs(value) >= entry:
            side, at = (-1 if value > 0 else 1), value
    return earned + (side * (gap[-1] - at) if side else 0.0)


# -- Legs that cannot be had ------------------------------------------------------------------------------------------


class Denier(Actor):
    """Stands at the engine's door and denies orders of one instrument, as a venue would reject them."""

    def __init__(self, instrument: str, denies: Callable[[int], bool], forward: Any) -> None:
        super().__init__()
        self._instrument = InstrumentId.from_str(instrument)
        self._denies = denies
        self._forward = forward
        self._seen = itertools.count()

    def on_start(self) -> None:
        self.msgbus.deregister("RiskEngine.execute", self._forward)
        self.msgbus.register("RiskEngine.execute", self.execute)

    def execute(self, command: Any) -> None:
        order = getattr(command, "order", None)
        if order is None or order.instrument_id != self._instrument or not self._denies(next(self._seen)):
            self._forward(command)
            return
        ids = (order.trader_id, order.strategy_id, order.instrument_id, order.client_order_id)
        event = OrderDenied(*ids, "not today", UUID4(), self.clock.timestamp_ns())
        self.msgbus.send("ExecEngine.process", event)


def denying(instrument: str, denies: Callable[[int], bool]) -> Callable[[Any], None]:
    def add(engine: Any) -> None:
        engine.add_actor(Denier(instrument, denies, engine.kernel.risk_engine.execute))

    return add


def unhedged(run: Any, until_ns: int) -> list[tuple[float, float]]:
    """Return how long each imbalance of the legs lasted, in seconds, and its value."""
    held = {Y: 0.0, X: 0.0}
    spans, since, largest = [], None, 0.0
    fills = [(fill.ts_ns, fill) for fill in run.ledger.fills]
    for ts_ns, fill in [*fills, (until_ns, None)]:
        if since is not None:
            spans.append(((ts_ns - since) / 1e9, largest))
        if fill is None:
            break
        held[fill.instrument] += float(fill.sign * fill.quantity * fill.mid)
        largest = abs(held[X] + BETA * held[Y])
        since = ts_ns if largest > 25.0 else None
    return spans


FAULTS = {
    "x is always rejected": (denying(X, lambda n: True), {}),
    "y is always rejected": (denying(Y, lambda n: True), {}),
    "x is rejected twice": (denying(X, lambda n: n < 2), {}),
    "everything else is rejected": (denying(X, lambda n: n % 2 == 0), {}),
    "x fills in parts": (lambda engine: None, {"size": 60.0}),
    "orders take three seconds": (lambda engine: None, {"latency": Latency(insert_ms=3_000, cancel_ms=3_000)}),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("config", [{}, {"execution": "rest_y", "rest_secs": 30}, {"max_unhedged_quote": 250.0}])
def test_no_leg_stays_alone_for_longer_than_it_may(replay: Any, fault: str, config: dict[str, Any]) -> None:
    on_engine, options = FAULTS[fault]
    options = dict(options)
    gap = np.concatenate([[0.0] * 60, np.linspace(0.0, 0.03, 60), np.full(120, 0.03), np.full(240, -0.002)])
    markets = markets_of(perpetuals(), gap, np.full(len(gap), 5.0), size=options.pop("size", 1e5), every_s=1)
    limit_s, order_s = 5.0, options.get("latency", Latency()).insert_ms / 1_000
    strategy = pairs(watched={"sample_interval_secs": 10}, max_unhedged_secs=limit_s, **config)

    run = replay(markets, [strategy], fills="queue_latency", on_engine=on_engine, grid_secs=10, **options)

    part = config.get("max_unhedged_quote", 1_000.0)
    for seconds, value in unhedged(run, markets[0].ticks[-1].ts_init):
        assert seconds <= limit_s + 2 * order_s + 2.0, trades(run)
        assert value <= part * 1.05
    left = {name: float(held) for name, held in positions(run).items()}
    assert abs(left[X] * 5.0 + BETA * left[Y] * prices_of([0.0], [5.0])[0]) < 25.0
    assert all(order.is_closed for order in run.orders())


def test_an_entry_that_could_not_be_had_is_not_tried_again_before_the_gap_is_back(replay: Any) -> None:
    gap = [0.0] * 3 + [0.025] * 12

    run = replay(
        markets_of(perpetuals(), gap, [5.0] * 15),
        [pairs()],
        fills="queue_latency",
        on_engine=denying(X, lambda n: True),
    )

    assert trades(run) == ["entry unwound"]
    assert positions(run) == {Y: 0, X: 0}


def test_y_rests_at_the_touch_and_x_follows(replay: Any) -> None:
    markets = markets_of(perpetuals(), [0.0] * 3 + [0.025] * 12, [5.0] * 15)
    ask = float(markets[0].ticks[-1].ask_price)
    markets[0].trade(330, ask, 20.0, buyer=True)
    markets[0].trade(331, ask, 1_000.0, buyer=True)
    markets[0].ticks.sort(key=lambda tick: tick.ts_init)

    run = replay(markets, [pairs(execution="rest_y", rest_secs=300)], fills="optimistic")

    assert {(fill.instrument, fill.liquidity) for fill in run.ledger.fills} == {(Y, "MAKER"), (X, "TAKER")}
    assert trades(run) == ["entry"]


@pytest.mark.parametrize(("state", "action"), [("REDUCING", "stop_quoting"), ("REDUCING", "flatten")])
def test_a_risk_control_closes_both_legs(replay: Any, state: str, action: str) -> None:
    class Halt(Actor):
        def on_start(self) -> None:
            self.clock.set_time_alert_ns("halt", START_NS + 700 * 10**9, self.halt)

        def halt(self, event: Any) -> None:
            cause = Breach("drawdown", Decimal(5), Decimal(4))
            change = RiskStateChanged(ts_ns=event.ts_event, scope=ACCOUNT, state=state, action=action, cause=cause)
            self.msgbus.publish(RISK_STATE_TOPIC, change)

    gap = [0.0] * 5 + [0.025] * 20

    run = replay(markets_of(perpetuals(), gap, [5.0] * 25), [pairs()], on_engine=lambda e: e.add_actor(Halt()))

    assert trades(run)[0] == "entry"
    assert positions(run) == {Y: 0, X: 0}
    assert len({order.instrument_id for order in run.orders() if order.side == OrderSide.BUY}) == 2
    assert len(run.orders()) == 4


def test_on_spot_a_leg_is_sold_out_of_what_is_held(replay: Any) -> None:
    from data_catalog.instruments import find_instrument

    y, x = (find_instrument(name) for name in ("AVAXUSDT.BINANCE", "ETHUSDT.BINANCE"))
    gap = [0.0] * 5 + [0.025] * 10 + [-0.001] * 10
    markets = markets_of((y, x), gap, [1_000.0] * 25)
    strategy = pairs((str(y.id), str(x.id)))

    held = replay(markets, [strategy], balances=["10000 USDT", "10 AVAX", "10 ETH"])
    bare = replay(markets, [pairs((str(y.id), str(x.id)))], balances=["10000 USDT", "0 AVAX", "0 ETH"])

    assert trades(held) == ["entry", "exit"]
    left = held.ledger.pair_trades[-1]
    assert (left.held_y, left.held_x) == (0, 0)  # though fees in the coins left fractions of lots
    assert trades(bare) == ["refused"]
    assert bare.orders() == []


def test_what_is_too_small_to_trade_is_left_when_both_legs_are_closed_on_spot(replay: Any) -> None:
    from data_catalog.instruments import find_instrument
    from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
    from runtime.risk.settings import RiskSettings

    y, x = (find_instrument(name) for name in ("AVAXUSDT.BINANCE", "ETHUSDT.BINANCE"))
    kept: list[RiskControls] = []

    def guard(engine: Any) -> None:
        settings = RiskSettings(max_loss_pct=Decimal("0.5"), max_orders_per_10s=20)
        kept.append(
            add_risk_controls(engine.kernel, settings, RiskContext((y.id, x.id), Decimal(1), equity_interval_secs=60))
        )

    gap = [0.0] * 5 + [0.025] * 5 + [-0.001] * 20  # in and out: the fee of what was bought back leaves a small short
    markets = markets_of((y, x), gap, [10.0 * 0.9 ** (i > 20) for i in range(30)])
    balances = ["10000 USDT", "100 AVAX", "1000 ETH"]

    run = replay(markets, [pairs((str(y.id), str(x.id)))], balances=balances, on_engine=guard, grid_secs=60)

    assert trades(run) == ["entry", "exit"]
    assert Decimal("0.01") < 100 - run.ledger.position(str(y.id)) < Decimal("0.1")
    assert kept[0].kill_switch.halts
    assert kept[0].guard.refusals == {}
    assert len(run.orders()) == 4
    assert all(order.is_closed for order in run.orders())


def test_neither_leg_is_sent_if_the_guard_would_refuse_one(replay: Any) -> None:
    from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
    from runtime.risk.settings import RiskSettings

    kept: list[RiskControls] = []

    def guard(engine: Any) -> None:
        settings = RiskSettings(max_position_qty={Y: Decimal(1_000), X: Decimal(100)})
        context = RiskContext(tuple(leg.id for leg in perpetuals()), Decimal(10), equity_interval_secs=60)
        kept.append(add_risk_controls(engine.kernel, settings, context))

    run = replay(markets_of(perpetuals(), OUT_AND_BACK, STILL[:30]), [pairs()], on_engine=guard)

    assert trades(run) == ["refused"]
    assert run.orders() == []
    assert [rule for rule, _ in kept[0].guard.refusals] == ["max_position_qty"]
    assert all(not book.orders for book in kept[0].guard.exposures.values())


# -- What is refused before a run -------------------------------------------------------------------------------------


def config(**values: Any) -> PairsConfig:
    watched = {"leg_y": InstrumentId.from_str(Y), "leg_x": InstrumentId.from_str(X), "sample_interval_secs": 60}
    watched |= {"lookback": 100} | values.pop("pair", {})
    return PairsConfig(pair=PairSettings(**watched), **({"notional_quote": 1_000.0, "entry_z": 2.0} | values))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"pair": {"leg_x": InstrumentId.from_str(Y)}}, "^leg_x: .*a pair has two legs"),
        ({"pair": {"hedge_ratio": "fixed"}}, "^fixed_ratio: goes with"),
        ({"pair": {"fixed_sd": 0.1}}, "^fixed_sd: goes with"),
        ({"exit_z": 2.0}, "^exit_z: was 2.0"),
        ({"stop_z": 1.0}, "^stop_z: was 1.0"),
    ],
)
def test_contradictions_are_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        config(**values)


@pytest.mark.parametrize(
    ("y", "x", "problem"),
    [
        ((0, 100), (200, 300), "^pair: .* have no time in common"),
        ((0, 5_000), (0, 5_000), "^pair: lookback was 100, and the legs have 83 samples in common"),
        ((0, 100_000), (0, 100_000), None),
    ],
)
def test_data_that_cannot_do_are_refused(y: tuple[int, int], x: tuple[int, int], problem: str | None) -> None:
    legs = perpetuals()
    spans = (tuple(second * 10**9 for second in span) for span in (y, x))
    facts = {leg.id: MarketFacts(leg, Decimal(5), *span) for leg, span in zip(legs, spans, strict=True)}
    if problem is None:
        assert Pairs.check_series(config(), facts) == []
        return
    with pytest.raises(ValueError, match=problem):
        Pairs.check_series(config(), facts)
