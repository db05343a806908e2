"""What a fill ladder says of figures that are given."""

from typing import Any

import pytest

from reports.ladder import edge_sentence, gone_at, lives_only_in_the_first_row, verdict, why_not_falling

RUNGS = ("optimistic", "queue", "queue_latency", "pessimistic")


def rows(*earned: float, fills: tuple[int, ...] = (100, 90, 80, 70), **more: Any) -> list[dict[str, Any]]:
    made = []
    for n, pnl in enumerate(earned):
        latency = {"insert": 50} if n >= 2 else None
        row = {
            "name": RUNGS[n],
            "pnl_trading": pnl,
            "fills": fills[n],
            "traded": 10.0 * fills[n],
            "latency_ms": latency,
        }
        made.append(row | {"quotes": {}, "risk": None} | {key: values[n] for key, values in more.items()})
    return made


def points(earned: dict[int, float]) -> list[dict[str, Any]]:
    return [{"latency_ms_each": latency, "pnl_trading": pnl} for latency, pnl in earned.items()]


@pytest.mark.parametrize(
    ("earned", "begins", "only_first"),
    [
        ((5, -1, -2, -3), "It lives only in the first row", True),
        ((5, 0, 0, 0), "It lives only in the first row", True),
        ((-1, -1, -2, -3), "It earns under no fill assumption", False),
        ((5, 4, 3, 2), "It earns under every fill assumption", False),
        ((5, 4, 3, -2), "It earns under optimistic, queue and queue_latency and not under pessimistic", False),
        ((-5, 4, 3, 2), "It earns under queue, queue_latency and pessimistic and not under optimistic", False),
    ],
)
def test_the_verdict_names_what_the_profit_hangs_on(earned: Any, begins: str, only_first: bool) -> None:
    assert verdict(rows(*earned)).startswith(begins)
    assert lives_only_in_the_first_row(rows(*earned)) is only_first


def test_a_verdict_on_few_fills_says_so() -> None:
    assert "too few" in verdict(rows(5, 4, 3, 2, fills=(100, 90, 80, 29)))
    assert "too few" not in verdict(rows(5, 4, 3, 2, fills=(100, 90, 80, 30)))
    assert verdict(rows(0, 0, 0, 0, fills=(0, 0, 0, 0))).startswith("Nothing was filled")


def test_a_verdict_names_the_rows_that_a_risk_control_stopped() -> None:
    halted = [None, {"halts": [{"rule": "max_drawdown_pct"}]}, {"halts": []}, None]

    assert "A risk control stopped queue:" in verdict(rows(5, 4, 3, 2, risk=halted))
    assert "risk control" not in verdict(rows(5, 4, 3, 2))


def test_rows_that_trade_less_and_less_need_no_explanation() -> None:
    assert list(why_not_falling(rows(1, 1, 1, 1))) == []


@pytest.mark.parametrize("traded", [900, 1000, 1000.5])
def test_more_fills_of_no_more_value_are_pieces(traded: float) -> None:
    told = list(why_not_falling(rows(1, 1, 1, 1, fills=(100, 120, 80, 70), traded=(1000, traded, 800, 700))))

    assert len(told) == 1
    assert "more pieces" in told[0]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"quotes": [{"two_sided_uptime_pct": 60.0}, *[{"two_sided_uptime_pct": 90.0}] * 3]}, "inventory limit"),
        ({"risk": [{"halts": [{"rule": "max_drawdown_pct"}]}, None, None, None]}, "a risk control stopped optimistic"),
        ({"quotes": [{"requotes": 200}, *[{"requotes": 100}] * 3]}, "place in the queue"),
    ],
)
def test_more_traded_under_a_crueller_assumption_is_explained(more: dict[str, Any], reason: str) -> None:
    told = list(why_not_falling(rows(1, 1, 1, 1, fills=(100, 120, 80, 70), **more)))

    assert len(told) == 1
    assert reason in told[0]


def test_more_traded_with_latency_names_orders_that_stand_still() -> None:
    told = list(why_not_falling(rows(1, 1, 1, 1, fills=(100, 80, 90, 70))))

    assert "take time to move" in told[0]


def test_nothing_is_explained_that_the_figures_do_not_show() -> None:
    assert list(why_not_falling(rows(1, 1, 1, 1, fills=(100, 120, 80, 70)))) == [
        "queue has 120 fills and traded 1,200, optimistic 100 and 1,000."
    ]


@pytest.mark.parametrize(
    ("earned", "gone", "told"),
    [
        ({0: 5, 10: 3, 50: -1, 100: -2}, 50, "The edge is gone between 10 and 50 ms."),
        ({0: 5, 10: -3, 50: 1, 100: -2}, 100, "The edge is gone between 50 and 100 ms. In between"),
        ({0: -5, 10: -3}, 0, "There is no edge that latency could take"),
        ({0: 5, 10: 3}, None, "The edge is still there at 10 ms"),
        ({0: 5, 10: -3, 50: 1}, None, "It earns at 50 ms, the longest latency, yet loses at 10 ms"),
    ],
)
def test_the_latency_at_which_the_edge_is_gone(earned: dict[int, float], gone: int | None, told: str) -> None:
    assert gone_at(points(earned)) == gone
    assert edge_sentence(points(earned)).startswith(told)
