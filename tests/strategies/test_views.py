"""What pairs and rebalancers say of themselves when they are asked while they trade, in the real engine."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from data_catalog.instruments import find_instrument
from messages.risk import RISK_STATE_TOPIC, RiskStateChanged
from messages.views import Silence
from models.pairs.z_score import ZScoreRule, ZScoreState
from runtime.risk.controls import RiskContext, add_risk_controls
from runtime.risk.settings import RiskSettings
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from strategies.pairs_view import PairState, pair_silences
from tests.engine_kit import START_NS
from tests.pair_kit import BETA, X, Y, pairs, perpetuals
from tests.pair_kit import markets_of as pair_markets
from tests.portfolio_kit import ASSETS, rebalancer, walk
from tests.portfolio_kit import markets_of as asset_markets
from tests.view_kit import Asker, figures_of

OUT_AND_BACK = [0.0] * 5 + [0.025] * 6 + [-0.001] * 3
ESTIMATED = {"lookback": 20, "hedge_ratio": "ols", "fixed_ratio": None, "fixed_sd": None, "fixed_intercept": 0.0}
FIRST_HALF_HOUR = datetime.fromtimestamp(START_NS / 1e9, UTC) + timedelta(minutes=8)


def halt_at(seconds: int, scope: str = "account", action: str = "cancel") -> Callable[[Any], None]:
    """Return what halts a run at a moment."""
    change = RiskStateChanged(ts_ns=0, scope=scope, state="HALTED", action=action, cause=None)

    def on_engine(engine: Any) -> None:
        bus = engine.kernel.msgbus
        at_ns = START_NS + seconds * 10**9
        engine.kernel.clock.set_time_alert_ns("halt", at_ns, lambda _: bus.publish(RISK_STATE_TOPIC, change))

    return on_engine


# -- Pairs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ask_pair(replay: Any) -> Any:
    """Return a function that asks a pair after each of its samples."""

    def ask(gap: Any, x: Any = None, *, cut: int | None = None, **config: Any) -> Asker:
        options = {key: config.pop(key) for key in ("on_engine",) if key in config}
        asker = Asker(pairs(**config), X)
        markets = pair_markets(perpetuals(), gap, [5.0] * len(gap) if x is None else x)
        markets[0].ticks[:] = markets[0].ticks[:cut]
        replay(markets, [asker.asked, asker], **options)
        return asker

    return ask


PAIRS: dict[str, tuple[Any, dict[str, Any], list[tuple[str, ...]], str]] = {
    "out and back": (OUT_AND_BACK, {}, [("inside_band",), ("holding",), ("inside_band",)], "left at 0"),
    "no edge": (OUT_AND_BACK, {"min_edge_bps": 108.0}, [("inside_band",), ("no_edge",), ("inside_band",)], "106.7 bps"),
    "too early": (
        [0.0] * 3 + [0.025] * 8,
        {"trade_after": FIRST_HALF_HOUR},
        [("too_early", "inside_band"), ("too_early",), ("holding",)],
        "2023-11-14 22:21 UTC",
    ),
    "stopped": (
        [0.0, 0.025, 0.045, 0.025, -0.001],
        {"stop_z": 4.0},
        [("inside_band",), ("holding",), ("locked",), ("inside_band",)],
        "at the stop; nothing is entered until z, now +2.50, is back at 0",
    ),
    "beyond the stop": ([0.0, 0.045, 0.045], {"stop_z": 4.0}, [("inside_band",), ("beyond_stop",)], "+4.50"),
    "too long": (
        [0.0] + [0.025] * 6,
        {"max_holding_secs": 180},
        [("inside_band",), ("holding",), ("locked",)],
        "its time was over",
    ),
    "not paid for": (
        [0.0, -0.025, -0.025],
        {"notional_quote": 1e7},
        [("inside_band",), ("locked",)],
        "100000.00 free; nothing is entered",
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_pair_says_what_it_waits_for(ask_pair: Any, case: str) -> None:
    gap, config, reasons, words = PAIRS[case]

    asker = ask_pair(gap, **config)

    assert asker.reasons == [("next_sample",), *reasons]
    assert any(words in silence.text for view in asker.views for silence in view.silences)


def test_a_pair_that_holds_shows_signal_thresholds_and_both_legs(ask_pair: Any) -> None:
    held = next(view for view in ask_pair(OUT_AND_BACK, stop_z=4.0).views if view.silences[0].reason == "holding")

    figures = figures_of(held)
    assert figures["z"] == pytest.approx(2.5, abs=0.01)
    assert figures["gap_bps"] == pytest.approx(250, abs=1)
    assert figures["hedge_ratio"] == BETA
    assert figures["position"] == "short YYYUSDT-PERP, long XXXUSDT-PERP"
    assert figures["next_sample_ms"] - figures["sample_ms"] == 60_000
    [scale] = held.scales
    assert scale.inside == (0.0, 4.0)
    assert sorted((level.name, level.at) for level in scale.levels) == [
        ("entry", -2.0), ("entry", 2.0), ("exit", 0.0), ("stop", -4.0), ("stop", 4.0),
    ]  # fmt: skip
    y, x = held.holdings
    assert (y.instrument_id, x.instrument_id) == (Y, X)
    assert y.held_qty == y.target_qty == Decimal("-99.01")
    assert x.held_qty == x.target_qty == Decimal(160)


def test_a_pair_that_warms_up_says_how_much_of_the_lookback_is_there(ask_pair: Any) -> None:
    gap, x = [0.001 * (i % 3) for i in range(24)], [5 + 0.01 * (i % 5) for i in range(24)]

    asker = ask_pair(gap, x, watched=ESTIMATED)

    assert asker.reasons == [("warming_up",), ("next_sample",), ("inside_band",)]
    view = asker.views[20]
    assert figures_of(view)["samples"] == 10
    assert view.silences[0].text == "warming up: 10 of the 20 samples of the lookback are there"
    assert "samples" not in figures_of(asker.views[-1])


def test_a_pair_that_fails_its_re_test_says_so(ask_pair: Any) -> None:
    rng = np.random.default_rng(4)
    gap, x = np.cumsum(rng.normal(0, 0.01, 24)), 5.0 * np.exp(np.cumsum(rng.normal(0, 0.001, 24)))

    view = ask_pair(gap, x, watched=ESTIMATED | {"retest_every_secs": 60, "coint_pvalue": 0.0}).views[-1]

    p_value = figures_of(view)["p_value"]
    assert view.silences[0].reason == "broken"
    assert view.silences[0].text == f"the pair does not hold together: p-value {p_value:.3f}"


def test_a_pair_whose_leg_falls_silent_takes_no_sample(ask_pair: Any) -> None:
    asker = ask_pair([0.0] * 10, cut=8)

    assert asker.reasons[-1] == ("no_market_data",)
    assert asker.text_of("no_market_data").startswith(f"no quote of {Y} that is young enough")


@pytest.mark.parametrize(("scope", "reason"), [("account", "risk_control"), ("Somebody-001", "holding")])
def test_a_pair_that_is_halted_says_so(ask_pair: Any, scope: str, reason: str) -> None:
    asker = ask_pair([0.0, 0.025, 0.025, 0.025, 0.025], on_engine=halt_at(150, scope))

    assert asker.reasons[-1] == (reason,)
    assert asker.asked.view().silences[0].reason == "not_running"
    assert figures_of(asker.views[-1])["position"] == "short YYYUSDT-PERP, long XXXUSDT-PERP"


def test_looking_at_a_pair_changes_nothing(replay: Any) -> None:
    def fills(*looker: Any) -> Any:
        strategy = pairs(max_unhedged_quote=400.0)
        markets = pair_markets(perpetuals(), OUT_AND_BACK, [5.0] * len(OUT_AND_BACK))
        return replay(markets, [strategy, *(one(strategy, Y) for one in looker)]).ledger.fills

    assert fills(Asker) == fills() != []


UNUSUAL = [
    ({"z": math.nan}, "no_z_score"),
    ({"under_way": True}, None),
    ({"under_way": True, "waits_for_quote": True}, "orders_in_vain"),
    ({"z": -2.5}, "next_sample"),
    ({"z": -2.5, "no_edge": Silence(reason="no_edge", text="")}, "no_edge"),
]


@pytest.mark.parametrize(("values", "reason"), UNUSUAL)
def test_what_is_rare_has_its_reason_too(values: dict[str, Any], reason: str | None) -> None:
    plain = PairState(
        running=True,
        restricted=False,
        under_way=False,
        waits_for_quote=False,
        sampling=(),
        rule=ZScoreRule(2.0),
        state=ZScoreState(),
        locked_by="",
        z=0.0,
        barriers=(),
        no_edge=None,
    )

    said = pair_silences(replace(plain, **values))

    assert [silence.reason for silence in said] == ([reason] if reason else [])


@pytest.mark.parametrize(
    "strategy", [pairs(), rebalancer(target_weights_pct=dict.fromkeys(ASSETS, 25.0), rebalance_threshold_pct=3.0)]
)
def test_before_its_start_a_strategy_only_says_that_it_does_not_run(strategy: Any) -> None:
    view = strategy.view()

    assert [silence.reason for silence in view.silences] == ["not_running"]
    assert (view.scales, view.holdings) == ((), ())


# -- Rebalancers ------------------------------------------------------------------------------------------------------

QUARTERS = {"target_weights_pct": dict.fromkeys(ASSETS, 25.0)}
BAND = QUARTERS | {"rebalance_threshold_pct": 3.0}
BITCOIN = ASSETS[0]


@pytest.fixture
def ask_rebalancer(replay: Any) -> Any:
    """Return a function that asks a rebalancer at every quote of bitcoin."""

    def ask(*others: Any, balances: Any = ("100000 USDT",), late: int = 0, names: Any = ASSETS, **config: Any) -> Asker:
        options = {key: config.pop(key) for key in ("on_engine",) if key in config}
        asker = Asker(rebalancer(names, **config), BITCOIN)
        markets = asset_markets(walk(1, 10, len(names)), names)
        markets[-1].ticks[:] = markets[-1].ticks[late:]
        replay(markets, [asker.asked, *others, asker], "queue_latency", balances, grid_secs=3600, **options)
        return asker

    return ask


def bitcoin_maker(**values: Any) -> FixedSpread:
    return FixedSpread(FixedSpreadConfig(instrument_id=find_instrument(BITCOIN).id, max_position=3.0, **values))


REBALANCERS: dict[str, tuple[dict[str, Any], list[tuple[str, ...]], str]] = {
    "from cash": (BAND, ["next_check", "within_bands"], "BTC and ETH and SOL and AVAX are out of the band"),
    "too small": (BAND | {"min_trade_quote": 1e6}, ["too_small"], "less than the smallest order"),
    "nothing held": (BAND | {"balances": ("0 USDT",)}, ["no_value"], "holds nothing"),
    "a late price": (BAND | {"late": 3}, ["within_bands"], "no quote of AVAXUSDT.BINANCE has come yet"),
    "warming up": (
        {"weights": "inverse_volatility", "lookback": 4, "rebalance_threshold_pct": 3.0},
        ["warming_up", "within_bands"],
        "prices of 2 of the 5 checks of the lookback are there",
    ),
    "an interval": (
        QUARTERS | {"rebalance_threshold_pct": 50.0, "rebalance_interval_secs": 14_400.0},
        ["next_check", "within_bands", "next_check", "within_bands", "next_check"],
        "the interval is over: traded at the next look",
    ),
    "halted": (BAND | {"on_engine": halt_at(10_100)}, ["next_check", "within_bands", "risk_control"], "a risk control"),
}


@pytest.mark.parametrize("case", REBALANCERS)
def test_a_rebalancer_says_what_it_waits_for(ask_rebalancer: Any, case: str) -> None:
    config, reasons, words = REBALANCERS[case]

    asker = ask_rebalancer(**config)

    # The quotes of one hour come one after the other: at the first there is none of the other assets.
    assert asker.reasons == [("no_market_data",), *((reason,) for reason in reasons)]
    assert any(words in view.silences[0].text for view in asker.views)


def test_a_rebalancer_shows_every_weight_in_its_band_and_when_it_looks_next(ask_rebalancer: Any) -> None:
    asker = ask_rebalancer(**BAND, rebalance_interval_secs=10_800.0)

    view = asker.views[2]
    figures = figures_of(view)
    assert [scale.of for scale in view.scales] == list(ASSETS)
    weights = [float(scale.value) for scale in view.scales]
    assert sum(weights) + 100 * float(figures["cash"] / figures["value"]) == pytest.approx(100)
    for scale, holding in zip(view.scales, view.holdings, strict=True):
        assert scale.inside == pytest.approx((22, 28))
        assert [level.at for level in scale.levels] == [25]
        assert float(holding.held_qty / holding.target_qty) == pytest.approx(float(scale.value) / 25, rel=1e-4)
    assert figures["next_check_ms"] % 3_600_000 == 0
    assert figures["next_interval_ms"] - figures["next_check_ms"] == 3_600_000


def test_cash_that_other_orders_hold_cannot_pay(ask_rebalancer: Any) -> None:
    asker = ask_rebalancer(bitcoin_maker(order_qty=3.0, half_spread_bps=500.0), **BAND)

    assert "free cash" in asker.text_of("cannot_pay")


def test_orders_of_the_same_system_stand_in_the_way(ask_rebalancer: Any) -> None:
    target = {"target_weights_pct": {BITCOIN: 25.0}, "rebalance_threshold_pct": 3.0}

    asker = ask_rebalancer(
        bitcoin_maker(order_qty=0.01, half_spread_bps=1.0), **target, names=(BITCOIN,), balances=("10000 USDT", "3 BTC")
    )

    assert "stand in the way" in asker.text_of("own_orders")


def test_a_rebalancer_whose_orders_the_guard_refuses_says_that_none_left(ask_rebalancer: Any) -> None:
    def guard(engine: Any) -> None:
        ids = tuple(instrument.id for instrument in engine.cache.instruments())
        settings = RiskSettings(max_order_notional_quote=Decimal(20))
        add_risk_controls(engine.kernel, settings, RiskContext(ids, Decimal(1), 3600))

    asker = ask_rebalancer(**BAND, on_engine=guard)

    assert asker.reasons == [("no_market_data",), ("next_check",), ("not_sent",)]


def test_weights_that_cannot_be_computed_are_the_reason(ask_rebalancer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ValueError("covariances were not finite")

    monkeypatch.setattr("strategies.target_weights.weights_from_prices", fail)

    asker = ask_rebalancer(weights="inverse_volatility", lookback=2, rebalance_threshold_pct=3.0)

    assert asker.text_of("no_weights") == "the target weights cannot be computed: covariances were not finite"


def test_looking_at_a_rebalancer_changes_nothing(replay: Any) -> None:
    def fills(*looker: Any) -> Any:
        strategy = rebalancer(**BAND, rebalance_interval_secs=7_200.0)
        strategies = [strategy, *(one(strategy, BITCOIN) for one in looker)]
        run = replay(asset_markets(walk(1, 10)), strategies, "queue_latency", grid_secs=3600)
        return run.ledger.fills

    assert fills(Asker) == fills() != []
