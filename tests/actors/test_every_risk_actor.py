"""What every risk actor must do, whatever it watches."""

import importlib
import inspect
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.common.actor import Actor

from actors.ledger import Ledger
from actors.pair_signal import PairSignal
from actors.recorder import Recorder
from messages.risk import ACCOUNT
from models.risk_state import State
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.risk.settings import RiskSettings
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

EVERYTHING = {
    "max_order_notional_quote": Decimal(50_000),
    "max_gross_notional_quote": Decimal(60_000),
    "max_leverage": Decimal(5),
    "min_free_margin_pct": Decimal(10),
    "price_collar_bps": Decimal(500),
    "max_orders_per_10s": 500,
    "order_reserve": 10,
    "duplicate_window_secs": Decimal("0.001"),
    "max_data_age_secs": Decimal(2),
    "max_clock_skew_secs": Decimal(1),
    "max_price_move_bps": Decimal(500),
    "max_drawdown_pct": Decimal(4),
    "max_daily_loss_pct": Decimal(3),
    "stop_loss_pct": Decimal("0.05"),
    "trailing_stop_pct": Decimal("0.05"),
    "max_fills_per_window": 50,
    "max_rejections_per_window": 5,
}


OTHERS = (Ledger, PairSignal, Recorder)
"""The actors that watch no risk."""


def risk_actor_classes() -> Iterator[type]:
    for file in (Path(__file__).parents[2] / "actors").glob("*.py"):
        module = importlib.import_module(f"actors.{file.stem}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Actor) and kind.__module__ == module.__name__ and kind not in OTHERS:
                yield kind


@pytest.fixture
def watched_run(market_of: Any, replay: Any, perpetual: Any) -> Any:
    """Return a function that runs a maker with every risk actor, and gives the run, the controls and the engine."""

    def run(seed: int = 1) -> tuple[Any, RiskControls, Any]:
        market = market_of(perpetual)
        market.random(seed, seconds=60)
        kept: list[Any] = []

        def add(engine: Any) -> None:
            settings = RiskSettings(max_position_qty={perpetual.id.value: Decimal(6)}, **EVERYTHING)
            context = RiskContext((perpetual.id,), Decimal(10), equity_interval_secs=1)
            kept.extend((add_risk_controls(engine.kernel, settings, context), engine))

        config = FixedSpreadConfig(instrument_id=perpetual.id, order_qty=2, max_position=6, half_spread_quote=0.02)
        finished = replay(market, [FixedSpread(config)], fills="queue_latency", on_engine=add)
        return finished, kept[0], kept[1]

    return run


def state_of(actor: Any) -> dict[str, str]:
    return {key: str(value) for key, value in vars(actor).items() if "0x" not in str(value)}


def test_every_risk_actor_is_built_from_a_setup_that_asks_for_everything(watched_run: Any) -> None:
    _, _, engine = watched_run()

    built = {type(actor) for actor in engine.kernel.trader.actors()} - set(OTHERS)
    assert built == set(risk_actor_classes())


def test_the_same_run_twice_halts_and_refuses_the_same(watched_run: Any) -> None:
    (first, first_controls, _), (second, second_controls, _) = watched_run(), watched_run()

    assert len(first.ledger.fills) > 0
    assert first_controls.kill_switch.halts == second_controls.kill_switch.halts != []
    assert first_controls.guard.refusals == second_controls.guard.refusals
    assert [str(fill) for fill in first.ledger.fills] == [str(fill) for fill in second.ledger.fills]


@pytest.mark.parametrize("kind", list(risk_actor_classes()), ids=lambda kind: kind.__name__)
def test_forgets_everything_on_reset(kind: type, watched_run: Any, perpetual: Any, replay: Any) -> None:
    _, controls, engine = watched_run()
    fresh_engine: list[Any] = []
    (used,) = [actor for actor in engine.kernel.trader.actors() if type(actor) is kind]

    used.reset()

    from tests.engine_kit import Market

    market = Market(perpetual)
    market.quote(0, 99.99, 100.01)
    states: list[dict[str, str]] = []

    def add(other: Any) -> None:
        settings = RiskSettings(max_position_qty={perpetual.id.value: Decimal(6)}, **EVERYTHING)
        add_risk_controls(other.kernel, settings, RiskContext((perpetual.id,), Decimal(10), equity_interval_secs=1))
        (unused,) = [actor for actor in other.kernel.trader.actors() if type(actor) is kind]
        states.append(state_of(unused))
        fresh_engine.append(other)

    replay(market, [], on_engine=add)
    ignored = {"gated"}  # the gate stays in front of the engine
    assert {k: v for k, v in state_of(used).items() if k not in ignored} == {
        k: v for k, v in states[0].items() if k not in ignored
    }
    assert controls.kill_switch.machines[ACCOUNT].state in State
