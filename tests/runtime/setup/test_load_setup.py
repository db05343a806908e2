"""A setup is checked from the first key to the last component's configuration, and says where it is wrong."""

import importlib
import pkgutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.common.actor import Actor

import actors
import runtime
from bad_input import BadInput
from runtime.setup.engine_keys import _OF_EVERY_SYSTEM
from runtime.setup.load import load_setup
from strategies.fixed_spread import FixedSpread

GOOD = """\
name: example
instruments: [NEXOUSDT.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config:
      instrument_id: NEXOUSDT.BINANCE
      order_qty: 50
      max_position: 500
      half_spread_bps: 12.5
backtest:
  starting_balances: [5_000 USDT, 4_000 NEXO]
  fees: {maker_bps: 7.5}
  oms_type: NETTING
"""

SIGNAL = (
    "{path: 'actors.pair_signal:PairSignal', config: {pair: "
    "{leg_y: NEXOUSDT.BINANCE, leg_x: BTCUSDT.BINANCE, sample_interval_secs: 60, lookback: 100}}}"
)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_setup(text: str) -> Path:
        file = tmp_path / "setup.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write_setup


def test_a_good_setup_becomes_parsed_components(write: Any) -> None:
    loaded = load_setup(write(GOOD))

    assert loaded.setup.name == "example"
    assert loaded.setup.backtest.fees.maker_bps == Decimal("7.5")
    assert loaded.setup.backtest.fills == "queue_latency"
    (strategy,) = loaded.strategies
    assert strategy.kind is FixedSpread
    assert strategy.config.half_spread_bps == 12.5


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("half_spread_bps", "half_spred_bps", 9, ['did you mean "half_spread_bps"?', "strategies[0].config"]),
        ("maker_bps", "make_bps", 12, ['did you mean "maker_bps"?', "backtest.fees.make_bps"]),
        ("order_qty: 50", "order_qty: -50", 7, ['was "-50"', "> 0", "strategies[0].config.order_qty"]),
        ("order_qty: 50", "order_qty: 50 NEXO", 7, ['was "50 NEXO"', "expected a number"]),
        ("half_spread_bps: 12.5", "order_id_tag: 001", 9, ['was "1", expected text or null, got a whole number']),
        ("NETTING", "NETTIN", 13, ['was "NETTIN"', 'did you mean "NETTING"?']),
        ("fixed_spread:FixedSpread", "fixed_spread:FixedSpred", 4, ['did you mean "FixedSpread"?']),
        ("fixed_spread:FixedSpread", "fixed_spraed:FixedSpread", 4, ['did you mean "strategies.fixed_spread"?']),
        ("strategies.fixed_spread:FixedSpread", "pathlib:Path", 4, ["is not a Nautilus Strategy"]),
        ("maker_bps: 7.5", "maker_bps: .inf", 12, ["expected a finite number"]),
        ("name: example", "name: ../escape", 1, ['was "../escape"']),
        ("  oms_type", "  fees", 13, ["stands twice"]),
        ("name: example", "name: example\nname: again", 2, ["stands twice"]),
        ("half_spread_bps: 12.5", "half_spread_bps: 12.5\n      half_spread_quote: 1", 9, ["exactly one"]),
    ],
)
def test_a_mistake_is_named_with_line_key_and_what_was_expected(
    write: Any, old: str, new: str, line: int, words: list[str]
) -> None:
    file = write(GOOD.replace(old, new, 1))

    with pytest.raises(BadInput) as error:
        load_setup(file)

    text = str(error.value)
    assert text.startswith(f"{file}:{line}: ")
    assert "\n" not in text
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("strategies[0].config.strategy_id=Mine-7", "cannot be set here; the class names"),
        ("strategies[0].config.use_uuid_client_order_ids=true", "cannot be set here; orders are known"),
        ("strategies[0].config.use_hyphens_in_client_order_ids=false", "cannot be set here; orders are known"),
        ("strategies[0].config.oms_type=HEDGING", '"backtest.oms_type"'),
        ("strategies[0].config.external_order_claims=[NEXOUSDT.BINANCE]", "positions_at_start: adopt"),
        ("strategies[0].config.manage_stop=true", "--halt closes them"),
        ("strategies[0].config.order_id_tag=a-b", "expected 1 to 5 letters"),
        ("strategies[0].config.order_id_tag=sixsix", "expected 1 to 5 letters"),
        ("strategies[0].config.order_id_tag=''", "expected 1 to 5 letters"),
    ],
)
def test_what_the_engine_adds_to_a_config_is_refused_in_words(write: Any, assignment: str, words: str) -> None:
    with pytest.raises(BadInput) as error:
        load_setup(write(GOOD), [assignment])

    assert words in str(error.value)
    assert str(error.value).startswith(f"--set {assignment.partition('=')[0]}")


def test_keys_of_the_engine_that_a_setup_may_set(write: Any) -> None:
    keys = ["order_id_tag=A.1", "manage_gtd_expiry=true", "manage_contingent_orders=true", "oms_type=null"]

    loaded = load_setup(write(GOOD), [f"strategies[0].config.{key}" for key in keys])

    config = loaded.strategies[0].config
    assert (config.order_id_tag, config.manage_gtd_expiry, config.manage_contingent_orders) == ("A.1", True, True)


def two(**tags: str | None) -> str:
    """Return a `--set` of several parts of one class, with a tag or name each."""
    config = "{instrument_id: NEXOUSDT.BINANCE, order_qty: 50, max_position: 500, half_spread_bps: 12.5, %s}"
    maker = "{path: 'strategies.fixed_spread:FixedSpread', config: " + config + "}"
    parts = [maker % ("" if tag is None else f"order_id_tag: '{tag}'") for tag in tags.values()]
    return f"strategies=[{', '.join(parts)}]"


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        (two(a="x", b=None, c="x"), 'strategies[2].config.order_id_tag: "x" is taken by strategies[0]; give each one'),
        (two(a="001", b=None), 'strategies[1].config.order_id_tag: "001" is taken by strategies[0]'),
        (
            f"actors=[{SIGNAL}, {SIGNAL}]",
            'actors[1].config.component_id: "PairSignal" is taken by actors[0]; give each one its own "component_id"',
        ),
        (
            f"actors=[{SIGNAL.replace('{pair', '{component_id: Ledger, pair')}]",
            'actors[0]: "Ledger" is the name of an actor that a system has of itself; limits stand in risk:',
        ),
        (
            "actors=[{path: 'actors.breaker_watch:BreakerWatch', config: {component_id: mine}}]",
            'actors[0]: "BreakerWatch" is the name of an actor that a system has of itself; limits stand in risk:',
        ),
    ],
)
def test_a_name_that_two_parts_share_is_refused(write: Any, assignment: str, words: str) -> None:
    with pytest.raises(BadInput) as error:
        load_setup(write(GOOD), [assignment])

    assert words in str(error.value)


def test_the_names_of_the_systems_own_actors_are_known() -> None:
    for package in (actors, runtime):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)

    kinds, found = [Actor], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found |= {kind} if kind.__module__.split(".")[0] in ("actors", "runtime") else set()

    assert {kind.__name__ for kind in found} - {"PairSignal"} == _OF_EVERY_SYSTEM


def test_a_missing_key_is_named(write: Any) -> None:
    with pytest.raises(BadInput, match='"starting_balances" is missing'):
        load_setup(write(GOOD.replace("  starting_balances: [5_000 USDT, 4_000 NEXO]\n", "")))


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "holds no setup"), ("- 1\n", "holds no setup"), ("a: [1\n", "is not YAML"), ("a:\tb: c\n", "is not YAML")],
)
def test_a_file_that_is_no_setup_is_refused(write: Any, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load_setup(write(text))


def test_a_missing_file_is_named_with_what_is_there(write: Any) -> None:
    file = write(GOOD)

    with pytest.raises(BadInput, match=r"no such setup file; found there: setup\.yaml"):
        load_setup(file.with_name("setpu.yaml"))


def test_set_changes_any_value(write: Any) -> None:
    overrides = ["strategies[0].config.order_qty=0.5", "backtest.fees={maker_bps: -1}", "backtest.fills=queue"]
    sections = ["ledger.interval_secs=30", "backtest.latency.insert_ms=7"]  # the setup has neither section

    loaded = load_setup(write(GOOD), overrides + sections)

    assert loaded.setup.ledger.interval_secs == 30
    assert loaded.setup.backtest.latency.insert_ms == 7

    assert loaded.strategies[0].config.order_qty == 0.5
    assert loaded.setup.backtest.fees.maker_bps == -1
    assert loaded.setup.backtest.fills == "queue"


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("backtest.fills", 'has no "="'),
        ("backtest.fills=quene", 'did you mean "queue"?'),
        ("backtets.fills=queue", 'did you mean "backtest"?'),
        ("strategies[3].config.order_qty=1", "is not in the setup, which has 1"),
        ("name.first=1", "leads nowhere"),
        ("a b=1", "was not understood"),
        ("=1", "names no key"),
        ("backtest.fees.makr_bps=1", 'did you mean "maker_bps"?'),
        ("strategies[0].config.order_qty=-1", 'was "-1"'),
    ],
)
def test_a_wrong_set_names_itself(write: Any, assignment: str, words: str) -> None:
    with pytest.raises(BadInput) as error:
        load_setup(write(GOOD), [assignment])

    assert f"--set {assignment}" in str(error.value)
    assert words in str(error.value)


def test_the_hash_names_what_a_setup_says_not_how_it_is_written(write: Any) -> None:
    original = load_setup(write(GOOD)).setup
    reordered = load_setup(write("backtest:" + GOOD.partition("backtest:")[2] + GOOD.partition("backtest:")[0])).setup
    changed = load_setup(write(GOOD), ["backtest.seed=2"]).setup

    assert original.sha256() == reordered.sha256()
    assert original.sha256() != changed.sha256()


@pytest.mark.parametrize("text", ["1e-3", "0.001", "0.1e-2"])
def test_a_number_is_the_number_that_was_written(write: Any, text: str) -> None:
    loaded = load_setup(write(GOOD.replace("7.5", text)))

    assert loaded.setup.backtest.fees.maker_bps == Decimal("0.001")
