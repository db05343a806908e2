"""A halt survives a restart, a person halts and resumes from outside, and a damaged file halts."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig

import command_line
from actors.loss_watch import LossWatch
from messages.risk import ACCOUNT
from models.risk_state import State, Trip
from run_live import command
from runtime.live.run_lock import RunLock
from runtime.risk.commands import halting_on_signal
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.risk.latch import RiskLatch
from runtime.risk.settings import RiskSettings
from runtime.setup.load import load_setup
from runtime.setup.strategy_ids import strategy_ids
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from tests.engine_kit import START_NS

TRIP = Trip(1_700_000_000_000_000_000, "max_drawdown_pct", Decimal("4.2"), Decimal(4), "flatten")
NOW = datetime(2026, 1, 1, tzinfo=UTC)

TWO = """
name: example
strategies:
  - path: strategies.fixed_spread:FixedSpread
  - {path: strategies.glft:Glft, config: {order_id_tag: FAR/1}}
  - broken
risk: {max_drawdown_pct: 4}
"""

MANY = """
name: many
instruments: [BTCUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: BTCUSDT-PERP.BINANCE, order_qty: 1, max_position: 1, half_spread_bps: 5, order_id_tag: C.D}
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: BTCUSDT-PERP.BINANCE, order_qty: 1, max_position: 1, half_spread_bps: 5}
backtest: {starting_balances: [10_000 USDT]}
"""

type Say = Callable[..., tuple[int, str, str]]
type Trade = Callable[..., tuple[Any, RiskControls]]


@pytest.fixture
def latch(tmp_path: Path) -> RiskLatch:
    """Return the latch of the setup `example` of this test's folder."""
    return RiskLatch.of("example", tmp_path)


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that runs run_live.py on a setup of this test's folder; status, stdout and stderr."""
    (tmp_path / "setup.yaml").write_text("name: example\nstrategies: broken\nrisk: broken\n")
    (tmp_path / "two.yaml").write_text(TWO)

    def run(*arguments: str, setup: str = "setup.yaml") -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["run_live.py", setup, *arguments])
        with pytest.raises(SystemExit) as left:
            command_line.run(command, "run_live.py")
        return int(left.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def trade(market_of: Any, replay: Any, perpetual: Any, latch: RiskLatch) -> Trade:
    """Return a function that runs makers for 20 seconds with a fresh latch on the folder; `at` acts at a second."""

    def run(
        at: dict[int, Callable[[], object]] | None = None, makers: int = 1, **settings: Any
    ) -> tuple[Any, RiskControls]:
        market = market_of(perpetual)
        market.random(seed=1, seconds=20)
        controls: list[RiskControls] = []

        def add(engine: Any) -> None:
            context = RiskContext((perpetual.id,), Decimal(10), 1, latch=RiskLatch(latch.file.parent))
            limits = RiskSettings(**{"max_drawdown_pct": Decimal(4)} | settings)
            controls.append(add_risk_controls(engine.kernel, limits, context))

        sizes = {"order_qty": 1, "max_position": 5, "half_spread_quote": 0.02}
        strategies = [FixedSpread(FixedSpreadConfig(instrument_id=perpetual.id, **sizes)) for _ in range(makers)]
        maker = strategies[-1]
        listen = maker.on_start

        def on_start() -> None:
            listen()
            for second, act in (at or {}).items():
                maker.clock.set_time_alert_ns(f"at-{second}", START_NS + second * 10**9, lambda _, act=act: act())

        maker.on_start = on_start  # type: ignore[method-assign]
        return replay(market, strategies, on_engine=add), controls[0]

    return run


def seconds_of(run: Any, strategy: str | None = None) -> list[float]:
    orders = [order for order in run.orders() if strategy in (None, order.strategy_id.value)]
    return [(order.ts_init - START_NS) / 1e9 for order in orders]


def held_by(run: Any, strategy: str) -> Decimal:
    fills = [fill for fill in run.ledger.fills if fill.strategy == strategy]
    return sum((fill.sign * fill.quantity for fill in fills), Decimal(0))


# -- Restarts ---------------------------------------------------------------------------------------------------------


def test_a_restart_trades_only_after_a_resume(trade: Trade, latch: RiskLatch) -> None:
    latch.save({ACCOUNT: [TRIP]})

    halted, controls = trade()
    still_halted, _ = trade()
    latch.resume("the feed was wrong", NOW)
    free, _ = trade()

    assert controls.kill_switch.machines[ACCOUNT].state is State.HALTED
    assert halted.orders() == still_halted.orders() == []
    assert len(free.orders()) > 0


def test_a_start_may_know_what_halts_trading(latch: RiskLatch) -> None:
    assert latch.halts(NOW) == []
    latch.save({ACCOUNT: [TRIP], "Maker-001": [Trip(0, "stop_loss_pct", Decimal(90), Decimal(91), "flatten")]})

    assert latch.halts(NOW) == [
        "account: max_drawdown_pct was 4.2, the limit is 4: flatten at 2023-11-14T22:13:20Z",
        "Maker-001: stop_loss_pct was 90, the limit is 91: flatten",
    ]
    latch.resume("checked", NOW)
    assert latch.halts(NOW) == []


def test_a_damaged_latch_halts_and_is_not_overwritten(latch: RiskLatch, trade: Trade) -> None:
    latch.file.parent.mkdir(parents=True)
    latch.file.write_text('{"holding": {"acc')

    (line,) = latch.halts(NOW)
    assert "is damaged, which counts as a halt" in line
    run, controls = trade()

    assert run.orders() == []
    assert [halt.trip.rule for halt in controls.kill_switch.halts] == ["latch_unreadable"]
    assert latch.file.read_text() == '{"holding": {"acc'


def test_what_ends_by_itself_holds_over_a_restart_until_then(latch: RiskLatch, trade: Trade) -> None:
    until_ns = START_NS + 10 * 10**9
    latch.save({ACCOUNT: [Trip(1, "max_daily_loss_pct", Decimal(3), Decimal(3), "flatten", False, until_ns)]})

    run, controls = trade()

    assert 10 <= min(seconds_of(run)) < 11
    assert controls.kill_switch.machines[ACCOUNT].state is State.RUNNING
    assert latch.content().holding == {}
    end = datetime.fromtimestamp(until_ns / 1e9, UTC)
    latch.save({ACCOUNT: [Trip(1, "max_daily_loss_pct", Decimal(3), Decimal(3), "flatten", False, until_ns)]})
    (line,) = latch.halts(end - timedelta(seconds=1))
    assert line.endswith("until 2023-11-14T22:13:30Z")
    assert latch.halts(end) == []


def test_what_was_latched_is_read_back(latch: RiskLatch) -> None:
    latch.save({ACCOUNT: [TRIP], "Maker-001": []})

    assert RiskLatch(latch.file.parent).load() == {ACCOUNT: [TRIP]}


def test_without_halts_no_file_is_made(latch: RiskLatch) -> None:
    latch.save({ACCOUNT: []})

    assert latch.load() == {}
    assert not latch.file.exists()


def test_a_disk_that_takes_nothing_does_not_keep_anybody_from_halting(latch: RiskLatch, trade: Trade) -> None:
    latch.file.parent.parent.mkdir(parents=True)
    latch.file.parent.write_text("a file where the folder should be")

    run, controls = trade()

    assert run.orders() == []
    assert controls.kill_switch.machines[ACCOUNT].state is State.HALTED


# -- A person, while it runs ------------------------------------------------------------------------------------------


def test_a_file_halts_a_running_system_with_its_reason(latch: RiskLatch, trade: Trade) -> None:
    run, controls = trade({10: lambda: latch.request_halt("the feed looks wrong")})

    (halt,) = controls.kill_switch.halts
    assert (halt.trip.rule, halt.trip.action, halt.trip.reason) == ("manual", "flatten", "the feed looks wrong")
    assert controls.kill_switch.machines[ACCOUNT].state is State.HALTED
    assert 9 < max(seconds_of(run)) < 12
    assert sum(fill.sign * fill.quantity for fill in run.ledger.fills) == 0
    assert latch.content().holding[ACCOUNT][0].reason == "the feed looks wrong"


def test_an_empty_file_is_enough(latch: RiskLatch, trade: Trade) -> None:
    latch.file.parent.mkdir(parents=True)
    latch.halt_file.touch()

    run, controls = trade()

    assert run.orders() == []
    assert controls.kill_switch.halts[0].trip.reason == "no reason given"


def test_a_resume_reaches_the_running_system_and_arms_its_limits_anew(latch: RiskLatch, trade: Trade) -> None:
    resume = {8: lambda: latch.resume("looked at by hand", NOW)}

    run, controls = trade(resume, max_fills_per_window=1, fill_window_secs=Decimal(3))

    halts = controls.kill_switch.halts
    assert [halt.trip.rule for halt in halts] == ["max_fills_per_window"] * 2
    assert halts[0].trip.ts_ns < START_NS + 8 * 10**9 < halts[1].trip.ts_ns
    assert [resumed.reason for resumed in latch.content().resumed] == ["looked at by hand"]
    assert list(latch.content().holding) == ["FixedSpread-000"]
    assert not [second for second in seconds_of(run) if (halts[0].halted_ns - START_NS) / 1e9 < second < 8]


def test_a_signal_halts(latch: RiskLatch, trade: Trade) -> None:
    before = signal.getsignal(signal.SIGUSR1)

    with halting_on_signal(latch):
        run, controls = trade({10: lambda: os.kill(os.getpid(), signal.SIGUSR1)})

    assert controls.kill_switch.halts[0].trip.reason == "signal SIGUSR1"
    assert 9 < max(seconds_of(run)) < 12
    assert signal.getsignal(signal.SIGUSR1) == before


def test_a_file_halts_one_strategy_and_the_other_goes_on(latch: RiskLatch, trade: Trade) -> None:
    one, other = "FixedSpread-000", "FixedSpread-001"

    run, controls = trade({10: lambda: latch.request_halt("quotes too wide", one)}, makers=2)

    (halt,) = controls.kill_switch.halts
    assert (halt.scope, halt.trip.rule, halt.trip.action) == (one, "manual", "flatten")
    states = {scope: machine.state for scope, machine in controls.kill_switch.machines.items()}
    assert states == {ACCOUNT: State.RUNNING, one: State.HALTED}
    assert any(fill.ts_ns > START_NS + 10 * 10**9 for fill in run.ledger.fills if fill.strategy == one)  # it was closed
    assert held_by(run, one) == 0
    assert 9 < max(seconds_of(run, one)) < 13
    assert max(seconds_of(run, other)) > 18
    assert not [order for order in run.engine.cache.orders_open() if order.strategy_id.value == one]
    assert latch.halts(NOW)[0] == f"{one}: halted by hand: quotes too wide"

    latch.halt_file_of(one).unlink()  # it is latched, file or no file
    again, _ = trade(makers=2)
    assert seconds_of(again, one) == []
    assert seconds_of(again, other)


def test_a_file_for_a_strategy_that_nobody_knows_halts_everything(latch: RiskLatch, trade: Trade) -> None:
    run, controls = trade({10: lambda: latch.request_halt("quotes too wide", "FixedSpred-000")}, makers=2)

    (halt,) = controls.kill_switch.halts
    assert (halt.scope, halt.trip.rule) == (ACCOUNT, "manual")
    assert halt.trip.reason == '"FixedSpred-000" is no strategy of this system, so all of it halts: quotes too wide'
    assert 9 < max(seconds_of(run)) < 13


def test_one_strategy_is_resumed_with_its_breaker_and_the_other_is_not(latch: RiskLatch, trade: Trade) -> None:
    one, other = "FixedSpread-000", "FixedSpread-001"
    resume = {8: lambda: latch.resume("looked at by hand", NOW, one)}

    _, controls = trade(resume, makers=2, max_fills_per_window=1, fill_window_secs=Decimal(3))

    halts = [(halt.scope, (halt.trip.ts_ns - START_NS) / 1e9 > 8) for halt in controls.kill_switch.halts]
    assert sorted(halts) == [(one, False), (one, True), (other, False)]
    assert latch.content().resumed[0].strategy == one
    assert [trip.rule for trip in latch.content().resumed[0].ended[one]] == ["max_fills_per_window"]
    assert list(latch.content().resumed[0].ended) == [one]
    assert set(latch.content().holding) == {one, other}


@pytest.mark.parametrize("scope", [ACCOUNT, "FixedSpread-000"])
def test_windows_begin_empty_after_a_resume(scope: str, latch: RiskLatch, trade: Trade) -> None:
    one, limit = "FixedSpread-000", 2
    resume = {8: lambda: latch.resume("looked at by hand", NOW, scope)}

    run, controls = trade(resume, makers=2, max_fills_per_window=limit, fill_window_secs=Decimal(60))

    first, second = (halt.trip.ts_ns for halt in controls.kill_switch.halts if halt.scope == one)
    assert first < START_NS + 8 * 10**9 < second
    counted = [
        fill for fill in run.ledger.fills if fill.strategy == one and START_NS + 8 * 10**9 < fill.ts_ns <= second
    ]
    assert len(counted) == limit + 1


@pytest.mark.parametrize(("scope", "measured_anew"), [(ACCOUNT, True), ("FixedSpread-000", False)])
def test_losses_are_measured_anew_when_all_is_resumed(
    scope: str, measured_anew: bool, latch: RiskLatch, trade: Trade
) -> None:
    halt = lambda: latch.request_halt("x", "FixedSpread-000")  # noqa: E731 (a name for the line below)

    run, controls = trade({6: halt, 12: lambda: latch.resume("y", NOW, scope)}, makers=2)

    assert {machine.state for machine in controls.kill_switch.machines.values()} == {State.RUNNING}
    assert max(seconds_of(run, "FixedSpread-000")) > 18
    (watch,) = [actor for actor in run.engine.kernel.trader.actors() if isinstance(actor, LossWatch)]
    start = Decimal(watch.on_save()["start"].decode())
    points = [point.equity for point in run.ledger.equity_curve]
    assert (start != points[0]) == measured_anew
    assert start in points


def test_a_resume_after_damage_is_heard(latch: RiskLatch) -> None:
    for reason in ("a", "b"):
        latch.resume(reason, NOW)
    running = RiskLatch(latch.file.parent)
    running.load()
    latch.file.write_text("nonsense")

    assert running.resumed() == []
    latch.resume("c", NOW)
    assert running.resumed() == [ACCOUNT]
    latch.resume("d", NOW, "Maker-001")
    assert running.resumed() == ["Maker-001"]
    assert running.resumed() == []


# -- A person, at the command line ------------------------------------------------------------------------------------


def test_halt_state_and_resume_are_one_command_each(say: Say, latch: RiskLatch) -> None:
    assert say("--risk-state") == (0, "nothing halts trading\n", "")

    assert say("--halt", "the feed looks wrong")[0] == 0
    assert say("--risk-state") == (3, "account: halted by hand: the feed looks wrong\n", "")
    latch.save({ACCOUNT: [TRIP]})
    drawdown = "account: max_drawdown_pct was 4.2, the limit is 4: flatten at 2023-11-14T22:13:20Z\n"
    assert say("--risk-state") == (3, "account: halted by hand: the feed looks wrong\n" + drawdown, "")
    status, out, _ = say("--resume", "checked by hand")

    assert status == 0
    assert out.startswith("ended: account: halted by hand: the feed looks wrong\nended: " + drawdown)
    assert say("--risk-state") == (0, "nothing halts trading\n", "")
    (resumed,) = latch.content().resumed
    assert (resumed.reason, resumed.halt_file) == ("checked by hand", "the feed looks wrong")
    assert resumed.ended == {ACCOUNT: [TRIP]}


def test_a_damaged_latch_is_said_and_kept_beside_after_a_resume(say: Say, latch: RiskLatch) -> None:
    latch.file.parent.mkdir(parents=True)
    latch.file.write_text("nonsense")

    status, out, _ = say("--risk-state")
    assert (status, out.count("\n")) == (3, 1)
    assert "the latch file is damaged" in out
    assert say("--resume", "restored")[0] == 0
    assert latch.content().resumed[0].ended[ACCOUNT][0].rule == "latch_unreadable"
    (kept,) = latch.file.parent.glob("latch.damaged-*")
    assert kept.read_text() == "nonsense"
    assert say("--risk-state")[0] == 0


def test_one_strategy_is_halted_and_resumed_at_the_command_line(say: Say, latch: RiskLatch) -> None:
    one, other = "FixedSpread-000", "Glft-FAR/1"
    for strategy in (one, other):
        status, out, _ = say("--halt", "quotes too wide", "--strategy", strategy, setup="two.yaml")
        assert (status, f"halts {strategy} at its next check, and nothing else" in out) == (0, True)
    assert latch.halts_wanted() == {one: "quotes too wide", other: "quotes too wide"}
    latch.save({other: [TRIP]})

    status, out, _ = say("--resume", "mended", "--strategy", one, setup="two.yaml")

    assert status == 0
    assert out.splitlines()[:2] == [
        f"ended: {one}: halted by hand: quotes too wide",
        f"still holds: {other}: halted by hand: quotes too wide",
    ]
    assert "FixedSpread-000 is resumed, the rest is not" in out
    assert say("--risk-state", setup="two.yaml")[0] == 3
    assert latch.content().resumed[0].strategy_halt_files == {one: "quotes too wide"}
    assert say("--resume", "mended", "--strategy", other, setup="two.yaml")[0] == 0
    assert say("--risk-state", setup="two.yaml") == (0, "nothing halts trading\n", "")


def test_what_was_halted_is_resumed_though_the_setup_has_it_no_more(say: Say, latch: RiskLatch) -> None:
    latch.request_halt("x", "Gone-000")

    status, out, _ = say("--resume", "it is out of the setup", "--strategy", "Gone-000")

    assert (status, out.splitlines()[0]) == (0, "ended: Gone-000: halted by hand: x")
    assert latch.halts(NOW) == []


def test_a_strategy_alone_is_not_resumed_from_a_damaged_latch(say: Say, latch: RiskLatch) -> None:
    latch.request_halt("x", "FixedSpread-000")
    latch.file.write_text("nonsense")

    status, _, error = say("--resume", "y", "--strategy", "FixedSpread-000", setup="two.yaml")

    assert (status, error.count("\n")) == (2, 1)
    assert "the latch file is damaged" in error
    assert latch.halts_wanted() == {"FixedSpread-000": "x"}


def test_ids_are_those_of_the_engine(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(MANY)
    loaded = load_setup(tmp_path / "many.yaml")
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    for strategy in loaded.strategies:
        engine.add_strategy(strategy.build())

    assert list(strategy_ids(loaded.tree)) == [known.id.value for known in engine.trader.strategies()]
    engine.dispose()


BAD = {
    "no command": ((), "--halt, --resume, --risk-state; see run_live.py --help"),
    "two commands": (("--halt", "a", "--resume", "b"), "--halt, --resume, --risk-state; see"),
    "a halt without a reason": (("--halt", " "), '--halt: was "", expected the reason, which is written down'),
    "a resume without a reason": (("--resume", ""), '--resume: was "", expected the reason, which is written down'),
    "an unknown strategy": (
        ("--halt", "a", "--strategy", "FixedSpred-000"),
        'two.yaml: --strategy: was "FixedSpred-000", expected one of: FixedSpread-000, Glft-FAR/1; '
        'did you mean "FixedSpread-000"?',
    ),
    "a strategy unlike any": (("--resume", "a", "--strategy", "x"), "without --strategy all of the account is meant"),
    "a strategy and no command": (("--strategy", "FixedSpread-000"), "--strategy goes with --halt or --resume"),
    "a rehearsal and no command": (
        ("--rehearsal", "--paper"),
        "--rehearsal goes with --halt, --resume or --risk-state",
    ),
    "a strategy's state": (("--risk-state", "--strategy", "FixedSpread-000"), "--strategy goes with --halt or"),
}


@pytest.mark.parametrize("case", BAD)
def test_commands_that_say_too_little_are_one_line(case: str, say: Say, latch: RiskLatch) -> None:
    arguments, words = BAD[case]

    status, out, error = say(*arguments, setup="two.yaml")

    assert (status, out, error.count("\n")) == (2, "", 1)
    assert words in error
    assert not latch.file.parent.exists()


def test_without_strategies_the_setup_halts_nothing_but_the_account(say: Say, latch: RiskLatch) -> None:
    status, _, error = say("--halt", "a", "--strategy", "FixedSpread-000")

    assert (status, latch.file.parent.exists()) == (2, False)
    assert "the setup names no strategies; without --strategy all of the account is meant" in error
    assert say("--halt", "a")[0] == 0


def test_a_setup_that_is_not_even_yaml_is_halted_by_its_name(say: Say, latch: RiskLatch, tmp_path: Path) -> None:
    (tmp_path / "edited.yaml").write_text(
        f"{TWO.replace('example', chr(34) + 'example' + chr(34))}live: [\nbacktest: 1"
    )

    assert say("--halt", "now", setup="edited.yaml")[0] == 0
    assert latch.halts_wanted() == {ACCOUNT: "now"}
    status, _, error = say("--halt", "now", "--strategy", "FixedSpread-000", setup="edited.yaml")
    assert (status, error.count("\n")) == (2, 1)
    assert "edited.yaml:9: is not YAML" in error
    assert say("--resume", "looked at", setup="edited.yaml")[0] == 0
    assert say("--risk-state", setup="edited.yaml")[0] == 0


@pytest.mark.parametrize("text", ["name: example\n", "name: example\nrisk:\n"])
def test_a_halt_that_nobody_would_obey_is_refused(text: str, say: Say, latch: RiskLatch, tmp_path: Path) -> None:
    (tmp_path / "bold.yaml").write_text(text)

    status, out, error = say("--halt", "now", setup="bold.yaml")

    assert (status, out, error.count("\n")) == (2, "", 1)
    assert ": risk: the setup has no such section, without which a running system hears of no halt; end it" in error
    assert str(latch.halt_file) in error
    assert not latch.file.parent.exists()
    assert say("--halt", "now", "--set", "risk={max_drawdown_pct: 4}", setup="bold.yaml")[0] == 0  # as it was started
    assert say("--resume", "looked at", setup="bold.yaml")[0] == 0


def test_a_rehearsal_is_commanded_by_an_option_of_its_own(say: Say, latch: RiskLatch) -> None:
    rehearsed = RiskLatch(latch.file.parent / "rehearsal")
    status, _, error = say("--halt", "now", "--rehearsal")
    assert (status, error.count("\n")) == (2, 1)
    assert "no rehearsal of this setup runs" in error
    assert not latch.file.parent.exists()

    with RunLock(rehearsed.file.parent, 0.1, print):
        status, out, error = say("--halt", "now", "--rehearsal")
        assert (status, error) == (0, "")
        assert "the rehearsal halts at its next check; the next one begins without it" in out
        assert rehearsed.halts_wanted() == {ACCOUNT: "now"}
        assert latch.halts_wanted() == {}

        status, out, error = say("--risk-state")
        assert (status, out) == (0, "nothing halts trading\n")
        assert error == "a rehearsal of this setup runs, too; this is not about it: add --rehearsal for that\n"
        assert say("--risk-state", "--rehearsal") == (3, "account: halted by hand: now\n", "")
        assert say("--resume", "looked at", "--rehearsal")[0] == 0
        assert rehearsed.halts_wanted() == {}
    assert say("--risk-state")[2] == ""


NAMELESS = {
    "strategies: []": "expected the name of the trading system",
    "name: ../elsewhere": "expected the name of the trading system",
    "name: a\nname: b": "stands twice",
    "name: a/b\n[": "is not YAML",
}


@pytest.mark.parametrize("text", NAMELESS)
def test_a_setup_without_a_name_has_no_folder(text: str, say: Say, tmp_path: Path) -> None:
    (tmp_path / "nameless.yaml").write_text(text)

    status, _, error = say("--halt", "now", setup="nameless.yaml")

    assert (status, error.count("\n")) == (2, 1)
    assert NAMELESS[text] in error
    assert not (tmp_path / "state").exists()
