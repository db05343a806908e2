"""What the page is made of, each held against the books it comes from: equity, money, limits, reasons."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

EQUITIES = st.lists(st.integers(min_value=-10_000, max_value=10_000), max_size=40)


def curve_of(equities: list[int]) -> list[Any]:
    from actors.ledger_records import EquityPoint
    from models.attribution import Parts

    nothing = Parts(*[Decimal(0)] * 4)
    return [
        EquityPoint((10 + i) * 1_000_000_000, Decimal(equity), nothing, Decimal(0)) for i, equity in enumerate(equities)
    ]


@given(EQUITIES, EQUITIES, st.integers(min_value=1, max_value=6).map(lambda half: 2 * half))
def test_the_trail_is_short_and_hides_no_peak(first: list[int], then: list[int], most: int) -> None:
    from runtime.live.web.equity_trail import EquityTrail

    trail = EquityTrail(most)
    trail.follow(curve_of(first))
    trail.follow(curve_of(first + then))

    equities = first + then
    assert len(trail.stretches) <= most
    assert bool(trail.stretches) is bool(equities)
    if equities:
        assert max(stretch.high for stretch in trail.stretches) == max(equities)
        assert min(stretch.low for stretch in trail.stretches) == min(equities)
        assert trail.stretches[-1].last == equities[-1]
        assert trail.stretches[-1].time_ms == (9 + len(equities)) * 1_000
        assert all(a.time_ms < b.time_ms for a, b in pairwise(trail.stretches))
        assert all(stretch.low <= stretch.last <= stretch.high for stretch in trail.stretches)


@pytest.fixture
def traded(market_of: Any, replay: Any, spot: Any) -> Any:
    """Return a finished run on spot, with inventory, fees in the base asset and a ledger that was marked at its end."""
    from runtime.setup.sections import Fees
    from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

    market = market_of(spot)
    market.random(3, seconds=60, mid=1.2, tick=0.001)
    config = FixedSpreadConfig(instrument_id=spot.id, order_qty=20.0, max_position=200.0, half_spread_bps=20.0)
    run = replay(market, [FixedSpread(config)], balances=("1000 USDT", "1000 NEXO"), fees=Fees(maker_bps=10))
    assert len(run.ledger.fills) > 3
    return run


def test_money_is_the_ledgers_at_its_own_mark(traded: Any) -> None:
    from runtime.live.web.money import money_of

    ledger = traded.ledger
    money = money_of(ledger, {})

    assert money.equity == ledger.equity()
    assert (
        money.pnl
        == ledger.equity() - ledger.equity_start
        == sum(getattr(money.parts, part) for part in ("spread", "inventory", "fees", "funding"))
    )
    assert money.parts.fees == ledger.parts().fees != 0
    assert money.trading_pnl == money.pnl - ledger.equity_curve[-1].holdings
    assert money.fills == len(ledger.fills)


def test_money_follows_the_mid_between_the_marks(traded: Any, spot: Any) -> None:
    from actors.books import HOLDINGS
    from runtime.live.web.money import money_of

    ledger, name = traded.ledger, spot.id.value
    before = money_of(ledger, {})
    move = Decimal("0.01")
    after = money_of(ledger, {name: ledger.books[HOLDINGS, name].mid + move})

    assert after.equity - before.equity == ledger.position(name) * move
    assert after.trading_pnl - before.trading_pnl == (ledger.position(name) - 1000) * move
    assert after.parts.inventory - before.parts.inventory == ledger.position(name) * move
    assert ledger.equity() == before.equity  # looking changes nothing


@pytest.fixture
def guarded(market_of: Any, replay: Any, perpetual: Any) -> Any:
    """Return settings, controls and the last mid of a run with every limit that can be measured."""
    from runtime.risk.controls import RiskContext, add_risk_controls
    from runtime.risk.settings import RiskSettings
    from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

    name = perpetual.id.value
    settings = RiskSettings(
        max_position_qty={name: Decimal(10)},
        max_order_qty={name: Decimal(4)},
        max_order_notional_quote=Decimal(1000),
        max_instrument_notional_quote=Decimal(1500),
        max_strategy_notional_quote=Decimal(1500),
        max_strategy_net_notional_quote=Decimal(1500),
        max_gross_notional_quote=Decimal(1600),
        max_net_notional_quote=Decimal(1600),
        max_leverage=Decimal(2),
        min_free_margin_pct=Decimal(50),
        max_orders_per_10s=100,
        max_data_age_secs=Decimal(20),
        price_collar_bps=Decimal(200),
        stop_loss_pct=Decimal(5),
        max_fills_per_window=50,
        max_drawdown_pct=Decimal(5),
    )
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)
    for second in range(2, 6):
        market.quote(second, 99.93, 99.96, bid_size=second)
    seen: dict[str, Any] = {}

    def add(engine: Any) -> None:
        context = RiskContext((perpetual.id,), Decimal(10), equity_interval_secs=1)
        seen["controls"] = add_risk_controls(engine.kernel, settings, context)

    maker = FixedSpread(
        FixedSpreadConfig(instrument_id=perpetual.id, order_qty=2.0, max_position=8.0, half_spread_quote=0.05)
    )

    rows: list[Any] = []

    def look_at_samples(engine: Any) -> None:
        add(engine)
        from messages.ledger import SAMPLE_TOPIC
        from runtime.live.web.limits import Look, limit_rows

        def look(ts_ns: int) -> None:
            quote = engine.cache.quote_tick(perpetual.id)
            mid = (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
            watches = list(engine.trader.actors())
            ages = {name: (ts_ns - quote.ts_init) / 1e9}
            found = limit_rows(settings, Look(seen["controls"].guard, {name: mid}, ages, Decimal(10_000), watches))
            rows.append((mid, {(row.rule, row.scope): row for row in found}))

        engine.kernel.msgbus.subscribe(SAMPLE_TOPIC, look)

    run = replay(market, [maker], balances=("10000 USDT",), on_engine=look_at_samples)
    assert [(fill.side, fill.price, fill.quantity) for fill in run.ledger.fills] == [("BUY", Decimal("99.95"), 2)]
    return name, rows[-2]  # the last but one: at the end orders are cancelled


def test_each_limit_is_measured(guarded: Any) -> None:
    name, (mid, rows) = guarded
    strategy = "FixedSpread-000"

    # Held: 2 bought at 99.95. Open: a bid and an ask of 2 each. The worst case is a long of 4.
    expected = {
        ("max_position_qty", name): (Decimal(4), 40),
        ("max_order_qty", name): (Decimal(2), 50),
        ("max_instrument_notional_quote", name): (4 * mid, 4 * mid / 15),
        ("max_strategy_notional_quote", strategy): (4 * mid, 4 * mid / 15),
        ("max_gross_notional_quote", "account"): (4 * mid, 4 * mid / 16),
        ("max_net_notional_quote", "account"): (4 * mid, 4 * mid / 16),
        ("max_leverage", "account"): (4 * mid / 10_000, 4 * mid / 200),
        ("min_free_margin_pct", "account"): (100 - 4 * mid / 1000, 5000 / (100 - 4 * mid / 1000)),
        ("max_fills_per_window", strategy): (Decimal(1), 2),
    }
    for key, (value, used) in expected.items():
        assert rows[key].value == value, key
        assert rows[key].used_pct == pytest.approx(float(used)), key
    assert rows["max_order_notional_quote", "account"].value == 200  # the ask of 2 at 100.00
    fall = rows["stop_loss_pct", f"{strategy} {name}"]
    assert fall.value == (Decimal("99.95") - mid) * 100 / Decimal("99.95")
    assert rows["price_collar_bps", "account"].used_pct is None
    assert rows["max_position_qty", name].action == "flatten_passively"
    assert rows["max_order_qty", name].action == "refuse"
    assert rows["max_orders_per_10s", "account"].value >= 4


def trip(rule: str, **values: Any) -> Any:
    from models.risk_state import Trip

    return Trip(0, rule, Decimal("2.5"), Decimal(2), **({"action": "cancel"} | values))


SAID = {
    "by hand": (trip("manual", reason="looks odd"), "halted by hand: looks odd; only --resume ends it"),
    "silence": (trip("max_data_age_secs", latched=False), "silent for longer than 2 s; ends by itself"),
    "a limit": (trip("max_leverage"), "max_leverage was 2.5, the limit is 2; only --resume ends it"),
}


@pytest.mark.parametrize("case", SAID)
def test_a_tripped_control_says_what_ends_it(case: str) -> None:
    from types import SimpleNamespace

    from models.risk_state import RiskMachine
    from runtime.live.web.reasons import risk_reasons

    cause, words = SAID[case]
    machine = RiskMachine()
    machine.trip(cause)

    [reason] = risk_reasons(SimpleNamespace(machines={"account": machine, "Maker-000": RiskMachine()}))

    assert (reason.reason, reason.scope) == (cause.rule, "account")
    assert words in reason.text


def test_the_guard_is_named_only_while_its_refusals_are_fresh() -> None:
    from actors.risk_guard import RefusalCount
    from messages.views import QuotingView, Silence
    from runtime.live.web.reasons import own_reasons
    from runtime.live.web.state import Reason

    view = QuotingView(
        owner_id="M-000",
        instrument_id="X",
        fair_value=1.0,
        inventory_qty=Decimal(0),
        max_position_qty=Decimal(1),
        silences=(
            Silence(side="bid", reason="not_sent", text="?"),
            Silence(side="ask", reason="risk_control", text="r"),
        ),
    )
    refusal = RefusalCount(count=3, ts_ns=0, last_ns=5_000_000_000, instrument="X", value=Decimal(3), limit=Decimal(2))
    refusals = {("max_leverage", "M-000"): refusal, ("price_collar_bps", "other"): refusal}

    fresh = own_reasons(view, refusals, 6_000_000_000, [Reason(reason="manual", text="by hand")])
    late = own_reasons(view, refusals, 60_000_000_000, [Reason(reason="manual", text="by hand", scope="other")])

    assert [(reason.reason, reason.side) for reason in fresh] == [("max_leverage", "bid")]
    assert [(reason.reason, reason.side) for reason in late] == [("not_sent", "bid"), ("risk_control", "ask")]


BOTH = ("warming_up", "warming_up")
STATUSES = {
    "no strategy": ([], [], "TRADING"),
    "one that says nothing": ([], [None], "TRADING"),
    "both sides": ([()], [], "QUOTING"),
    "an answer is awaited": ([("on_its_way", "on_its_way")], [], "QUOTING"),
    "one side": ([("inventory_limit",)], [], "PARTLY QUOTING"),
    "one of two makers": ([(), BOTH], [], "PARTLY QUOTING"),
    "none": ([BOTH], [], "NOT QUOTING"),
    "a pair beside a maker that quotes": ([()], [("inside_band",)], "QUOTING"),
    "all wait": ([], [("inside_band",), ("within_bands",)], "WAITING"),
    "one of two acts": ([], [("inside_band",), ()], "TRADING"),
    "one waits, one says nothing": ([], [("inside_band",), None], "TRADING"),
}


@pytest.mark.parametrize("case", STATUSES)
def test_the_status_is_what_strategies_show(case: str) -> None:
    from messages.views import QuotingView, Silence, View
    from models.risk_state import State
    from runtime.live.web.reasons import status_of

    def silences(reasons: Any) -> Any:
        return tuple(Silence(reason=reason, text="") for reason in reasons)

    of_makers, of_others, word = STATUSES[case]
    plain = {"instrument_id": "X", "fair_value": None, "inventory_qty": None, "max_position_qty": Decimal(1)}
    views: list[Any] = [QuotingView(owner_id="M", silences=silences(reasons), **plain) for reasons in of_makers]
    views += [None if said is None else View(owner_id="P", silences=silences(said)) for said in of_others]

    assert status_of(State.RUNNING, views) == word
    assert status_of(State.HALTED, views) == "HALTED"
    assert status_of(State.REDUCING, views) == "REDUCING"


def test_a_market_without_a_limit_is_silent_after_ten_seconds() -> None:
    from runtime.live.web.reasons import market_reasons

    ages = {"A": None, "B": 9.9, "C": 10.1}

    assert [reason.scope for reason in market_reasons(ages, None)] == ["A", "C"]
    assert [reason.scope for reason in market_reasons(ages, 60.0)] == ["A"]


def test_of_a_strategy_without_a_view_state_orders_and_what_it_traded_are_known(traded: Any, spot: Any) -> None:
    from runtime.live.web.views import strategy_of

    [maker] = traded.engine.trader.strategies()

    shown = strategy_of(maker, None, [], {}, traded.ledger)

    [holding] = shown.holdings
    bought = sum(fill.sign * fill.quantity - fill.fee_base for fill in traded.ledger.fills)
    assert (shown.is_explained, shown.is_maker, shown.state, shown.open_orders) == (False, False, "STOPPED", 0)
    assert (holding.instrument_id, holding.held_qty, holding.target_qty) == (spot.id.value, bought, None)
    assert [figure.text or figure.value for figure in shown.figures] == ["stopped", 0]


def test_a_view_that_fails_is_said_and_the_others_are_shown(traded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.live.web.views import views_of

    [maker], actors = traded.engine.trader.strategies(), traded.engine.trader.actors()

    assert list(views_of([*actors, maker])) == [maker.id.value]  # the ledger says nothing of itself
    assert views_of([maker])[maker.id.value].silences[0].reason == "not_running"
    monkeypatch.setattr(type(maker), "view", lambda _: {}["z"])
    assert views_of([maker])[maker.id.value].silences[0].text == "its view() raised KeyError('z')"
    monkeypatch.setattr(type(maker), "view", lambda _: "fine")
    assert views_of([maker])[maker.id.value].silences[0].text.endswith("returned a str, expected a messages.views.View")
