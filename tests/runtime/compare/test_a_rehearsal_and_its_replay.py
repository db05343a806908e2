"""A rehearsal is recorded, taken into a catalog, and replayed: given the same inputs it decides the same."""

import gzip
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bad_input import BadInput
from tests.runtime.compare.compare_kit import (
    PERPETUAL,
    SPOT,
    compare,
    last_run,
    run_live,
    write_market,
    write_setup,
)


@dataclass
class Rehearsed:
    """A run that is over, and the market that it was played."""

    folder: Path
    run: Path
    market: list[Any]
    status: int


@pytest.fixture(scope="module", params=[PERPETUAL, SPOT])
def rehearsed(request: Any, tmp_path_factory: Any) -> Rehearsed:
    """Return a rehearsal of thirty seconds, twelve times as quick."""
    folder = tmp_path_factory.mktemp("rehearsed")
    market = write_market(folder / "market", request.param, seconds=30)
    write_setup(folder, request.param)
    done = run_live(folder, "--rehearse", "market", "--speed", "12")
    assert done.returncode == 0, done.stderr
    return Rehearsed(folder, last_run(folder), market, done.returncode)


def test_it_decides_the_same_and_its_fills_are_explained(rehearsed: Rehearsed, tmp_path: Path) -> None:
    status, found = compare(rehearsed.folder, rehearsed.run)

    assert status == 0
    assert found["equal"]
    for each in found["same_inputs"].values():
        assert each["live"] == each["replay"] == each["equal"]
        assert each["first"] is None
    assert found["same_inputs"]["decisions"]["live"] > 20
    assert found["same_inputs"]["orders"]["live"] > 20
    fills = found["simulated"]["fills"]
    assert fills["live"] > 3
    assert all(each["cause"] for each in fills["differences"])
    alone = fills["live"] - fills["same"] + fills["replay"] - fills["same_in_replay"]
    assert len(fills["differences"]) == sum(fills["by_cause"].values()) == alone
    assert fills["live"] == len((rehearsed.run / "fills.jsonl").read_text().splitlines())
    quotes = found["simulated"]["quotes_in_force"]
    assert quotes["equal"] + sum(quotes["by_cause"].values()) == quotes["events"] == found["market_events"]

    import_and_hold_against_the_market(rehearsed, tmp_path)
    a_changed_decision_is_found(rehearsed, tmp_path)
    without_quotes_there_is_no_backtest_and_the_rest_is_said(rehearsed, tmp_path)
    another_setup_is_refused(rehearsed)


def import_and_hold_against_the_market(rehearsed: Rehearsed, tmp_path: Path) -> None:
    """The catalog has what the exchange played since the run has begun to listen; two sockets may overtake another."""
    from data_catalog.__main__ import data_catalog
    from data_catalog.run_recordings.reading import open_recording
    from data_catalog.store.contents import contents, load_instruments
    from data_catalog.store.stream import DataRequest, stream

    catalog = tmp_path / "imported"
    data_catalog.main(["import", str(rehearsed.run), "--catalog", str(catalog)], standalone_mode=False)

    name = str(rehearsed.market[0].instrument_id)
    requests = [DataRequest(name, "quotes"), DataRequest(name, "trades")]
    stored = [_said(tick) for chunk in stream(catalog, requests, 0, 2**63 - 1) for tick in chunk]
    assert len(stored) > len(rehearsed.market) * 0.9
    rows = {entry.data_type: entry.rows for entry in contents(catalog)}
    for kind in ("quotes", "trades"):
        seen, played = ([each for each in ticks if each[0] == kind] for ticks in (stored, map(_said, rehearsed.market)))
        assert seen == played[-len(seen) :]
        assert len(seen) == rows[kind]
    [instrument] = load_instruments(catalog, [name])
    [known] = open_recording(rehearsed.run).run.instruments
    assert (str(instrument.maker_fee), str(instrument.price_increment)) == (
        known["maker_fee"],
        known["price_increment"],
    )


def _said(tick: Any) -> tuple[Any, ...]:
    """Return what a tick says, whatever its decimals and times."""
    if hasattr(tick, "bid_price"):
        values = (tick.bid_price, tick.ask_price, tick.bid_size, tick.ask_size)
        return ("quotes", *(value.as_decimal() for value in values))
    return "trades", tick.price.as_decimal(), tick.size.as_decimal(), tick.aggressor_side


def a_changed_decision_is_found(rehearsed: Rehearsed, tmp_path: Path) -> None:
    """The first decision that is not made again is named with what both did, and the exit status is 1."""
    run = tmp_path / "changed"
    shutil.copytree(rehearsed.run, run)
    [file] = (run / "recording").iterdir()
    lines = gzip.decompress(file.read_bytes()).split(b"\n")
    place = [n for n, line in enumerate(lines) if line.startswith(b'["decision"')][5]
    before = lines[place]
    lines[place] = before.replace(b'"BID","', b'"BID","9')
    assert lines[place] != before
    file.write_bytes(gzip.compress(b"\n".join(lines)))

    status, found = compare(rehearsed.folder, run)

    assert status == 1
    decisions = found["same_inputs"]["decisions"]
    assert decisions["live"] == decisions["replay"] == decisions["equal"] + 1
    assert decisions["first"]["live"] != decisions["first"]["replay"]
    assert decisions["first"]["cause"]
    assert found["same_inputs"]["orders"]["first"] is None


def without_quotes_there_is_no_backtest_and_the_rest_is_said(rehearsed: Rehearsed, tmp_path: Path) -> None:
    run = tmp_path / "without-quotes"
    shutil.copytree(rehearsed.run, run)
    [file] = (run / "recording").iterdir()
    lines = gzip.decompress(file.read_bytes()).split(b"\n")
    file.write_bytes(gzip.compress(b"\n".join(line for line in lines if not line.startswith(b'["quote"'))))

    status, found = compare(rehearsed.folder, run)

    assert status == 1
    assert found["same_inputs"]["decisions"]["replay"] == 0
    assert found["simulated"] is None
    assert "no quotes" in found["simulated_why"]


def another_setup_is_refused(rehearsed: Rehearsed) -> None:
    with pytest.raises(BadInput, match=r"horizon_secs was 20 in the run, is 30 here"):
        compare(rehearsed.folder, rehearsed.run, "--set", "strategies[0].config.horizon_secs=30")
