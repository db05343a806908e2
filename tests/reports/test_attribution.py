"""Attribution, groups of markouts and quote quality by hand; that the parts sum up is in test_configs."""

from decimal import Decimal
from typing import Any

import pytest

from reports.attribution import attribution, attribution_summary
from reports.attribution_tables import attribution_table, markout_groups
from reports.figures import Summary
from reports.markout_groups import depth_group, markouts_by
from reports.quote_quality import put_queue_time, put_traffic, put_uptime, strategy_quality
from reports.strategy_tables import pairs_card, rebalance_card
from tests.futures_kit import SECOND, Account, Do, quote, trading

D = Decimal
MARKET = [
    quote(0, "99.99", "100.01"),
    quote(1_020_000_000, "100.09", "100.11"),
    quote(2 * SECOND, "100.99", "101.01"),
    quote(40 * SECOND, "101.99", "102.01"),
    quote(400 * SECOND, "98.99", "99.01"),
]


@pytest.fixture(scope="module")
def taken() -> Any:
    """Yield an account that bought 2: sent at a mid of 100, filled 50 ms later at 100.11 around 100.10."""
    with trading(MARKET, [Do(SECOND, "2")], fills="queue_latency") as account:
        yield account


@pytest.mark.parametrize(
    ("horizon", "adverse", "carry"),
    [(1, "1.80", "-4.00"), (5, "1.80", "-4.00"), (30, "1.80", "-4.00"), (60, "3.80", "-6.00"), (300, "3.80", "-6.00")],
)
def test_what_the_mid_did_is_split_at_the_horizon(taken: Account, horizon: int, adverse: str, carry: str) -> None:
    found = attribution(taken.ledger)

    assert (found.spread, found.taking) == (0, D("-0.02"))
    assert (found.horizons[horizon].adverse, found.horizons[horizon].carry) == (D(adverse), D(carry))
    assert found.total(horizon) == 2 * (D("99.00") - D("100.11")) == taken.ledger.equity() - 10_000


def test_slippage_of_takers_counts_from_the_moment_of_the_decision(taken: Account) -> None:
    assert attribution(taken.ledger).slippage == 2 * (D("100.00") - D("100.11"))
    assert attribution_summary(attribution(taken.ledger))["taker_slippage"] == -0.22


def test_what_followed_a_fill_with_a_signal_is_the_signals() -> None:
    with trading(MARKET, [Do(SECOND, "2")], fills="queue_latency") as account:
        account.ledger.fills[0].alpha_bps = 3.0
        at = attribution(account.ledger).horizons[60]
        assert (at.adverse, at.alpha, at.carry) == (0, D("3.80"), D("-6.00"))


RESTED = [
    quote(0, "99.99", "100.01"),
    quote(5 * SECOND, "99.93", "99.95"),
    quote(6 * SECOND, "99.96", "99.98"),
    quote(30 * SECOND, "99.96", "99.98"),
]


@pytest.fixture(scope="module")
def made() -> Any:
    """Yield an account whose bid came 7 bps from the mid, moved to 5 bps after a second, and was filled 3 s later."""
    script = [Do(SECOND, "1", "99.93"), Do(2 * SECOND, "1", "99.95", move=True), Do(10 * SECOND, "-1", "150.00")]
    with trading(RESTED, script) as account:
        yield account


def test_a_fill_knows_where_and_how_long_its_order_has_rested(made: Account) -> None:
    [fill] = made.ledger.fills
    groups = markouts_by(made.ledger.fills)

    assert (fill.quoted_mid, fill.decision_mid, fill.rested_secs) == (100, 100, pytest.approx(3.0, abs=1e-6))
    assert list(groups["depth"]) == ["5 to 10 bps"]
    assert list(groups["hour"]) == ["00"]
    assert groups["side"]["BUY"]["fills"] == 1
    # Filled at 99.95 around 99.94, and around 99.97 from a second later on.
    assert groups["side"]["BUY"]["spread_bps"] == pytest.approx(1e4 * -0.01 / 99.95)
    assert groups["side"]["BUY"]["5s"] == pytest.approx(1e4 * 0.02 / 99.95)
    assert groups["side"]["BUY"]["30s"] is None
    assert groups["side"]["BUY"]["30s_why"]


@pytest.mark.parametrize(
    ("bps", "name"),
    [("-0.1", "beyond the mid"), ("0", "0 to 1 bps"), ("0.99", "0 to 1 bps"), ("1", "1 to 2 bps"),
     ("50", "50 to 100 bps"), ("100", "100 bps and more"), ("5000", "100 bps and more")],
)  # fmt: skip
def test_groups_by_distance_have_their_lower_edge(bps: str, name: str) -> None:
    assert depth_group(D(bps)) == name


def test_quote_quality_counts_messages_and_waits(made: Account) -> None:
    figures: dict[str, Any] = {}
    put_queue_time(figures, made.ledger.fills)
    put_traffic(figures, made.ledger, spot=False)

    assert figures["queue_secs_median"] == figures["queue_secs_longest"] == pytest.approx(3.0, abs=1e-6)
    assert (figures["messages"], figures["messages_per_fill"]) == (3, 3.0)
    assert (figures["orders_in_busiest_10s"], figures["venue_order_limit"], figures["windows_over_limit"]) == (
        2,
        300,
        0,
    )
    assert strategy_quality(made.ledger, str(made.traders[0].id), made.ledger.fills)["messages"] == 3


def test_quote_quality_without_quotes_has_its_reasons(taken: Account) -> None:
    figures: dict[str, Any] = {}
    put_queue_time(figures, taken.ledger.fills)
    put_uptime(figures, [], quotes=True)

    assert [key for key, value in figures.items() if value is None and not figures[f"{key}_why"]] == []
    assert figures["queue_secs_median"] is None
    assert figures["bid_at_touch_pct"] is None


def test_the_page_shows_all_horizons_and_each_strategy(taken: Account) -> None:
    part = attribution_summary(attribution(taken.ledger))
    rows = {name: {"attribution": part} for name in ("one", "<two>")}
    summary = Summary(
        {"currency": "USDT", "attribution": part, "by_strategy": rows, "by_instrument": {"x": rows["one"]}}
    )

    table = attribution_table(summary)

    assert [table.count(f'<td class="text">All, {name} s</td>') for name in ("1", "5", "30", "60", "300")] == [1] * 5
    assert "&lt;two&gt;" in table
    assert ">x<" not in table, "the only instrument is all"
    assert "Signal" not in table, "nothing came of a signal"


def test_a_summary_of_an_older_run_has_no_such_sections() -> None:
    old = Summary({"currency": "USDT"})

    assert [section(old) for section in (attribution_table, markout_groups, pairs_card, rebalance_card)] == [""] * 4


def test_pairs_and_rebalancing_are_on_the_page() -> None:
    pairs = {
        "Pairs-1": {"by_reason": {"entry": 3, "exit": 2}, "round_trips": 2, "pnl": -1.5, "pnl_per_round_trip": -0.75}
    }
    rebalance = {"R-1": {"by_reason": {"band": 4}, "actions": 4, "orders": 9, "turnover": None, "fees_paid": 1.25}}
    summary = Summary({"currency": "USDT", "pairs": pairs, "rebalance": rebalance})

    assert "By reason: entry 3, exit 2." in pairs_card(summary)
    assert "−0.75" in pairs_card(summary)
    assert "By reason: band 4." in rebalance_card(summary)
    assert "1.2500 USDT" in rebalance_card(summary)
