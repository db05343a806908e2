"""What every strategy must do, whatever it is for."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from runtime.setup.sections import Latency
from strategies.avellaneda_stoikov import AvellanedaStoikov, AvellanedaStoikovConfig
from strategies.fair_value_maker import FairValueMaker, FairValueMakerConfig
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from strategies.glft import Glft, GlftConfig
from strategies.paper_maker import PaperMaker, PaperMakerConfig
from strategies.rebalance import Rebalance
from strategies.rebalance_config import RebalanceConfig
from tests.pair_kit import markets_of, pairs, perpetuals, reverting

PERP = InstrumentId.from_str("SYNUSDT-PERP.BINANCE")
SIZES = {"instrument_id": PERP, "order_qty": 2.0, "max_position": 6.0}

BUILDERS = {
    "fixed_spread": lambda: FixedSpread(FixedSpreadConfig(**SIZES, half_spread_quote=0.02, order_refresh_secs=3)),
    "fixed_spread_tolerant": lambda: FixedSpread(
        FixedSpreadConfig(**SIZES, half_spread_bps=3, requote_threshold_bps=2)
    ),
    "avellaneda_stoikov_finite": lambda: AvellanedaStoikov(
        AvellanedaStoikovConfig(
            **SIZES, risk_aversion_per_bps=0.05, kappa_per_bps=0.5, horizon_secs=60, volatility_window_secs=5
        )
    ),
    "avellaneda_stoikov_infinite": lambda: AvellanedaStoikov(
        AvellanedaStoikovConfig(**SIZES, risk_aversion_per_bps=0.05, kappa_per_bps=0.5, horizon="infinite")
    ),
}

FAIR_VALUE = {"half_spread_bps": 3.0, "adverse_selection_weight": 0.0, "inventory_skew_bps": 2.0}
BUILDERS |= {
    f"fair_value_{name}": lambda name=name: FairValueMaker(
        FairValueMakerConfig(**SIZES, **FAIR_VALUE, fair_value=name, fair_value_refit_secs=30, flow_window_secs=1)
    )
    for name in ("mid", "weighted_mid", "micro_price", "flow_adjusted")
}
BUILDERS |= {
    f"glft_{name}": lambda name=name: Glft(
        GlftConfig(
            **SIZES,
            risk_aversion_per_bps=0.05,
            kappa_per_bps=0.5,
            intensity_per_s=0.3,
            solution=name,
            volatility_window_secs=5,
            resolve_secs=10,
        )
    )
    for name in ("closed_form", "exact")
}
BUILDERS |= {
    "avellaneda_stoikov_estimated": lambda: AvellanedaStoikov(
        AvellanedaStoikovConfig(
            **SIZES, risk_aversion_per_bps=0.02, volatility_window_secs=5, intensity_window_secs=40, horizon_secs=60
        )
    ),
    "paper_maker": lambda: PaperMaker(
        PaperMakerConfig(
            **SIZES,
            risk_aversion_per_quote=0.05,
            kappa_per_quote=50.0,
            sigma_quote_per_sqrt_sec=0.02,
            horizon_secs=1_000.0,
        )
    ),
    "levels_skews_and_hanging_orders": lambda: FixedSpread(
        FixedSpreadConfig(
            **SIZES,
            half_spread_bps=2,
            order_levels=3,
            level_spacing_bps=2,
            level_qty_step=1,
            inventory_skew_bps=3,
            inventory_size_skew=0.5,
            min_spread_bps=5,
            max_spread_bps=8,
            requote_threshold_bps=1,
            max_order_age_secs=10,
            filled_order_delay_secs=1,
            hanging_orders_cancel_bps=10,
            order_budget=20,
        )
    ),
}

SPOT = InstrumentId.from_str("NEXOUSDT.BINANCE")
HALF = {
    "instrument_ids": (SPOT,),
    "target_weights_pct": {SPOT.value: 50.0},
    "rebalance_threshold_pct": 0.02,
    "check_interval_secs": 5.0,
}
SPOT_TAKERS = {
    "rebalance_to_target": lambda: Rebalance(RebalanceConfig(**HALF)),
    "rebalance_to_edge": lambda: Rebalance(RebalanceConfig(**HALF, rebalance_to="edge", max_slippage_bps=5)),
    "rebalance_naive_returns": lambda: Rebalance(
        RebalanceConfig(
            instrument_ids=(SPOT,),
            weights="naive_returns",
            lookback=2,
            reweight_interval_secs=5,
            rebalance_threshold_pct=1,
            check_interval_secs=2,
        )
    ),
}
"""Strategies that take liquidity on spot."""

PAIRS = {
    f"pairs_{execution}": lambda execution=execution: pairs(
        watched={"sample_interval_secs": 3}, entry_z=1.0, execution=execution, rest_secs=5
    )
    for execution in ("take_both", "rest_y")
}
"""Strategies that trade two instruments."""

EVERY = BUILDERS | SPOT_TAKERS | PAIRS

every_maker = pytest.mark.parametrize("name", BUILDERS)
every_taker = pytest.mark.parametrize("name", SPOT_TAKERS | PAIRS)
every_strategy = pytest.mark.parametrize("name", EVERY)


@pytest.fixture
def run_on_market(market_of: Any, replay: Any, perpetual: Any, spot: Any) -> Any:
    """Return a function that runs a strategy on a random market of an instrument that it trades."""

    def run(name: str, seed: int, seconds: int = 120, *, strategy: Any = None, **options: Any) -> Any:
        if name in PAIRS:
            markets = markets_of(perpetuals(), reverting(seed, seconds, 0.2, 0.012), [5.0] * seconds, every_s=1)
            return replay(markets, [strategy or EVERY[name]()], **options)
        market = market_of(spot if name in SPOT_TAKERS else perpetual)
        market.random(seed=seed, seconds=seconds)
        balances = ("100000 USDT", "500 NEXO") if name in SPOT_TAKERS else ("100000 USDT",)
        return replay(market, [strategy or EVERY[name]()], balances=balances, **options)

    return run


def strategy_classes() -> Iterator[type]:
    for file in (Path(__file__).parents[2] / "strategies").glob("*.py"):
        module = importlib.import_module(f"strategies.{file.stem}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            methods = (getattr(kind, name, None) for name in ("quote_prices", "offsets_bps", "obey"))
            abstract = any(getattr(method, "__isabstractmethod__", False) for method in methods)
            if issubclass(kind, Strategy) and kind.__module__ == module.__name__ and not abstract:
                yield kind


def test_every_strategy_is_under_this_contract() -> None:
    assert {type(build()) for build in EVERY.values()} == set(strategy_classes())


@every_maker
@pytest.mark.parametrize(
    ("seed", "fills"), [(0, "optimistic"), (1, "queue_latency"), (3, "queue"), (4, "queue_latency")]
)
def test_makes_on_both_sides_within_its_limit_and_never_against_itself(
    name: str, seed: int, fills: str, market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    market.random(seed, seconds=120)

    run = replay(market, [BUILDERS[name]()], fills=fills)

    assert {order.side for order in run.orders()} == {OrderSide.BUY, OrderSide.SELL}
    assert len(run.ledger.fills) >= (11 if fills == "queue" else 3)
    assert {fill.liquidity for fill in run.ledger.fills} == {"MAKER"}
    assert max(abs(fill.position_after) for fill in run.ledger.fills) <= 6
    both = [point for point in run.ledger.position_points if None not in (point.quote_bid, point.quote_ask)]
    assert len(both) > 20
    assert all(point.quote_bid < point.quote_ask for point in both)


@every_strategy
def test_the_same_run_twice_gives_the_same_fills(name: str, run_on_market: Any) -> None:
    first, second = (run_on_market(name, seed=5, fills="queue_latency") for _ in range(2))

    assert len(first.ledger.fills) > 3
    assert [str(fill) for fill in first.ledger.fills] == [str(fill) for fill in second.ledger.fills]
    assert first.ledger.equity_curve == second.ledger.equity_curve


@every_maker
def test_leaves_no_order_behind_when_it_stops(name: str, market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.random(seed=6, seconds=30)
    market.quote(60, 99.99, 100.01)

    run = replay(market, [BUILDERS[name]()])

    left = [order.status for order in run.orders() if not order.is_closed]
    assert left == [OrderStatus.PENDING_CANCEL] * len(left)
    assert len(left) <= 12  # two sides of three levels, and as many that hang


@every_taker
def test_leaves_nothing_but_what_it_is_cancelling_when_it_stops(name: str, run_on_market: Any) -> None:
    run = run_on_market(name, seed=6, seconds=60, fills="queue_latency", latency=Latency(insert_ms=3_000))

    assert {order.status for order in run.orders() if not order.is_closed} <= {OrderStatus.PENDING_CANCEL}


@every_strategy
def test_starts_without_its_instrument_and_does_nothing(name: str, run_on_market: Any) -> None:
    run = run_on_market(name, seed=7, seconds=5, with_instrument=False)

    assert run.orders() == []


@every_strategy
def test_forgets_everything_on_reset(name: str, run_on_market: Any) -> None:
    strategy, fresh = EVERY[name](), EVERY[name]()

    run_on_market(name, seed=8, seconds=60, strategy=strategy)
    strategy.reset()

    def state(of: Any) -> dict[str, str]:
        values = {key: value for key, value in vars(of).items() if not key.startswith("__")}
        return {key: str(value) for key, value in values.items() if "0x" not in str(value)}

    assert state(strategy) == state(fresh)
    kept = "_orders" if name in BUILDERS else "_action" if name in SPOT_TAKERS else "_manager"
    assert state(strategy)[kept] == "None"


@every_maker
@pytest.mark.parametrize(("field", "value"), [("order_qty", 0.0005), ("order_qty", 0.00001), ("max_position", 1.0)])
def test_refuses_sizes_that_do_not_fit_the_instrument(name: str, field: str, value: float, perpetual: Any) -> None:
    kind, config = type(BUILDERS[name]()), BUILDERS[name]().config
    values = {key: getattr(config, key) for key in config.__struct_fields__} | {field: value}

    with pytest.raises(ValueError, match=f"^{field}: was {value}"):
        kind.check_config(type(config)(**values), {PERP: perpetual})
