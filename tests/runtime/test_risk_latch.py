"""A halt survives a restart, a damaged file halts, and only a reason ends it."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import command_line
from messages import ACCOUNT
from models.risk_state import State, Trip
from runtime.risk import RiskContext, RiskControls, add_risk_controls
from runtime.risk_latch import RiskLatch, command
from runtime.risk_settings import RiskSettings
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

TRIP = Trip(5, "max_drawdown_pct", Decimal("4.2"), Decimal(4), "flatten")


@pytest.fixture
def latch_file(tmp_path: Path) -> Path:
    """Return where the latch is."""
    return tmp_path / "state" / "latch.json"


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs the command and returns status, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["risk_latch", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            command_line.run(command, "risk_latch")
        return int(left.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def trade(market_of: Any, replay: Any, perpetual: Any) -> Any:
    """Return a function that runs a maker with the latch at a file."""

    def run(file: Path) -> tuple[Any, RiskControls]:
        market = market_of(perpetual)
        market.random(seed=1, seconds=20)
        controls: list[RiskControls] = []

        def add(engine: Any) -> None:
            context = RiskContext((perpetual.id,), Decimal(10), equity_interval_secs=1, latch=RiskLatch(file))
            controls.append(add_risk_controls(engine.kernel, RiskSettings(max_drawdown_pct=Decimal(4)), context))

        config = FixedSpreadConfig(instrument_id=perpetual.id, order_qty=1, max_position=5, half_spread_quote=0.02)
        return replay(market, [FixedSpread(config)], on_engine=add), controls[0]

    return run


def test_a_restart_trades_only_after_a_resume(trade: Any, latch_file: Path) -> None:
    RiskLatch(latch_file).save({ACCOUNT: [TRIP]})

    halted, controls = trade(latch_file)
    still_halted, _ = trade(latch_file)
    RiskLatch(latch_file).resume("the feed was wrong", datetime(2026, 1, 1, tzinfo=UTC))
    free, _ = trade(latch_file)

    assert controls.kill_switch.machines[ACCOUNT].state is State.HALTED
    assert halted.orders() == still_halted.orders() == []
    assert len(free.orders()) > 0


def test_a_damaged_file_halts_and_is_not_overwritten(trade: Any, latch_file: Path) -> None:
    latch_file.parent.mkdir()
    latch_file.write_text('{"holding": {"acc')

    run, controls = trade(latch_file)

    assert run.orders() == []
    assert [halt.trip.rule for halt in controls.kill_switch.halts] == ["latch_unreadable"]
    assert latch_file.read_text() == '{"holding": {"acc'


def test_what_was_latched_is_read_back(latch_file: Path) -> None:
    latch = RiskLatch(latch_file)
    latch.save({ACCOUNT: [TRIP], "Maker-001": []})

    assert RiskLatch(latch_file).load() == {ACCOUNT: [TRIP]}
    assert [file.name for file in latch_file.parent.iterdir()] == ["latch.json"]


def test_without_halts_no_file_is_made(latch_file: Path) -> None:
    RiskLatch(latch_file).save({ACCOUNT: []})

    assert RiskLatch(latch_file).load() == {}
    assert not latch_file.exists()


def test_the_command_says_what_holds_and_ends_it_with_a_reason(say: Any, latch_file: Path) -> None:
    RiskLatch(latch_file).save({ACCOUNT: [TRIP]})

    assert say(latch_file) == (0, "account: max_drawdown_pct was 4.2, the limit is 4: flatten\n", "")
    assert say(latch_file, "--resume", "") == (2, "", 'error: --resume: was "", expected why trading may go on\n')
    assert say(latch_file, "--resume", "checked by hand") == (0, "resumed: nothing halts trading\n", "")
    assert say(latch_file) == (0, "nothing halts trading\n", "")
    (resumed,) = RiskLatch(latch_file).content().resumed
    assert (resumed.reason, resumed.ended) == ("checked by hand", {ACCOUNT: [TRIP]})


def test_a_damaged_file_is_said_and_can_be_resumed_from(say: Any, latch_file: Path) -> None:
    latch_file.parent.mkdir()
    latch_file.write_text("nonsense")

    status, _, error = say(latch_file)
    assert (status, error.count("\n")) == (2, 1)
    assert "the latch file is damaged" in error
    assert say(latch_file, "--resume", "restored")[0] == 0
    assert RiskLatch(latch_file).content().resumed[0].ended[ACCOUNT][0].rule == "latch_unreadable"
