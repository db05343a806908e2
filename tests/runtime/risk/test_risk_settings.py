"""The `risk:` section: bounds, contradictions, and instruments that the setup does not have."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bad_input import BadInput
from models.risk_state import ACTIONS
from runtime.prepare import prepare_backtest
from runtime.risk.settings import DEFAULT_ACTIONS, RiskSettings
from runtime.setup.load import load_setup

SETUP = """\
name: example
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: SYNUSDT-PERP.BINANCE, order_qty: 1, max_position: 5, half_spread_bps: 5}
risk:
  max_drawdown_pct: 4
backtest:
  catalog: synthetic
  synthetic: {hours: 0.01}
  starting_balances: [10_000 USDT]
"""


@pytest.fixture
def setup_file(tmp_path: Path) -> Path:
    """Return a setup with a risk section."""
    (tmp_path / "setup.yaml").write_text(SETUP)
    return tmp_path / "setup.yaml"


BAD = {
    "a drawdown of everything": ("max_drawdown_pct=100", 'max_drawdown_pct: was "100", expected below 100'),
    "no limit": ("max_leverage=0", 'max_leverage: was "0", expected above 0'),
    "a negative limit": ("price_collar_bps=-1", 'was "-1", expected above 0'),
    "a word for a quantity": (
        "max_position_qty={SYNUSDT-PERP.BINANCE: much}",
        "was \"{'SYNUSDT-PERP.BINANCE': 'much'}\"",
    ),
    "a word": ("max_leverage=high", 'was "high"'),
    "misspelt": ("max_drawdwn_pct=4", 'did you mean "max_drawdown_pct"?'),
    "an order larger than the position": (
        "{max_order_qty: {SYNUSDT-PERP.BINANCE: 5}, max_position_qty: {SYNUSDT-PERP.BINANCE: 4}}",
        "is above its max_position_qty 4",
    ),
    "an order worth more than everything": (
        "{max_order_notional_quote: 200, max_gross_notional_quote: 100}",
        "expected at most max_gross_notional_quote, which is 100",
    ),
    "a reserve of everything": ("{max_orders_per_10s: 5, order_reserve: 5}", "expected below max_orders_per_10s, 5"),
    "a window without two looks": (
        "{max_price_move_bps: 500, price_move_window_secs: 60, check_interval_secs: 60}",
        'price_move_window_secs: was "60", expected above check_interval_secs, 60',
    ),
    "a reserve of nothing": ("order_reserve=5", "goes with max_orders_per_10s alone"),
    "no free margin at all": ("min_free_margin_pct=100", 'min_free_margin_pct: was "100", expected below 100'),
    "a total loss beyond the drawdown": (
        "{max_drawdown_pct: 4, max_loss_pct: 5}",
        'max_loss_pct: was "5", expected at most max_drawdown_pct, which is 4 and trips before',
    ),
    "a loss of the day beyond the drawdown": (
        "{max_drawdown_pct: 4, max_daily_loss_pct: 4.5}",
        'max_daily_loss_pct: was "4.5", expected at most max_drawdown_pct, which is 4',
    ),
    "a stop beyond the trailing one": (
        "{stop_loss_pct: 3, trailing_stop_pct: 2}",
        'stop_loss_pct: was "3", expected at most trailing_stop_pct, which is 2',
    ),
    "an order worth more than the position": (
        "{max_order_notional_quote: 500, max_position_qty: {SYNUSDT-PERP.BINANCE: 4}}",
        'max_order_notional_quote: was "500", expected at most max_position_qty of SYNUSDT-PERP.BINANCE, worth ',
    ),
    "a limit that no order keeps": (
        "max_order_qty={SYNUSDT-PERP.BINANCE: 0.5}",
        'order_qty: was "1.0", expected at most risk.max_order_qty of SYNUSDT-PERP.BINANCE, 0.5',
    ),
    "a position that no order keeps": (
        "max_position_qty={SYNUSDT-PERP.BINANCE: 0.5}",
        'order_qty: was "1.0", expected at most risk.max_position_qty of SYNUSDT-PERP.BINANCE, 0.5',
    ),
    "a value that no order keeps": (
        "max_order_notional_quote=50",
        "at the start, expected at most risk.max_order_notional_quote, 50",
    ),
    "a halt by hand that halts nothing": ("on_trip={manual: warn}", 'manual was "warn", expected cancel'),
    "an unknown action": ("on_trip={max_drawdown_pct: sell}", "invalid enum value 'sell'"),
    "an unknown rule": ("on_trip={max_drawdown: flatten}", 'did you mean "max_drawdown_pct"?'),
    "an unknown instrument": (
        "max_position_qty={SYNUSD-PERP.BINANCE: 5}",
        'SYNUSD-PERP.BINANCE is not among the setup\'s instruments; did you mean "SYNUSDT-PERP.BINANCE"?',
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_limits_that_make_no_sense_are_one_line_with_their_key(case: str, setup_file: Path) -> None:
    change, words = BAD[case]
    override = f"risk={change}" if change.startswith("{") else f"risk.{change}"

    with pytest.raises(BadInput) as caught:
        prepare_backtest(load_setup(setup_file, [override]), setup_file.parent)

    assert words in str(caught.value)
    assert "risk" in str(caught.value)


def test_a_warning_may_come_before_what_halts() -> None:
    settings = RiskSettings(
        max_drawdown_pct=Decimal(3), max_daily_loss_pct=Decimal(5), on_trip={"max_drawdown_pct": "warn"}
    )

    assert settings.action("max_daily_loss_pct") == "flatten"


def test_a_setup_without_the_section_has_no_limits(setup_file: Path) -> None:
    assert load_setup(setup_file, ["risk=null"]).setup.risk is None


def test_what_happens_on_a_trip_can_be_changed(setup_file: Path) -> None:
    risk = load_setup(setup_file, ["risk.on_trip={stop_loss_pct: warn}"]).setup.risk

    assert risk is not None
    assert risk.actions == {**DEFAULT_ACTIONS, "stop_loss_pct": "warn"}
    assert set(risk.actions.values()) <= set(ACTIONS)


@pytest.mark.parametrize("value", [Decimal("99.99"), Decimal("0.01")])
def test_limits_within_their_bounds_are_taken(value: Any) -> None:
    assert RiskSettings(max_drawdown_pct=value).max_drawdown_pct == value


def test_every_alarm_of_a_strategy_has_an_action():
    """The kill switch looks each of them up at the worst of moments."""
    from strategies.leg_manager import UNHEDGED_RULE

    assert RiskSettings().actions[UNHEDGED_RULE] == "stop_quoting"
