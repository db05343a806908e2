"""The command as its user meets it: killed and started again, stopped, refused."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bad_input import BadInput
from binance_double.rules import Product
from command_line import Failed
from data_catalog.commands.record import command
from data_catalog.live_recording.raw_file import whole_lines
from data_catalog.live_recording.routes import Addresses, routes_of
from tests.data_catalog.live_recording.recording_kit import (
    PERPETUAL,
    SPOT,
    Played,
    entry_of,
    stored,
    stored_quotes,
    stored_trades,
    until,
)

PROJECT = Path(__file__).parents[3]


def record(catalog: Path, *arguments: str) -> None:
    result = CliRunner().invoke(command, [*arguments, "--catalog", str(catalog)], env={"NO_PROXY": "127.0.0.1"})
    if result.exception is not None:
        raise result.exception


def trades_in(folder: Path) -> int:
    return sum(b"@trade" in line for path in folder.glob("*.open") for line in whole_lines(path))


def wait_until(condition: Callable[[], Any], secs: float = 60.0) -> None:
    asyncio.run(until(condition, secs))


def connections(double: Any) -> int:
    return double.call(lambda: len(double.spot.market.connections))


def test_killed_and_started_again_nothing_is_lost_but_the_moments_between(double, tmp_path: Path) -> None:
    market, folder = Played(double, SPOT), tmp_path / "recordings" / SPOT
    url = double.addresses(Product.SPOT).http

    def play(rows: int) -> None:
        wait_until(lambda: connections(double) == 1)
        market.go_on(rows)
        wait_until(lambda: trades_in(folder) == rows)

    def play_and_interrupt() -> None:
        play(10)
        os.kill(os.getpid(), signal.SIGINT)

    words = [sys.executable, "-m", "data_catalog", "record", SPOT, "--catalog", str(tmp_path)]
    with subprocess.Popen(words, cwd=PROJECT, env=os.environ | {"BALLAST_EXCHANGE_URL": url}) as killed:
        play(20)
        killed.kill()
    wait_until(lambda: connections(double) == 0)
    market.miss(5)
    with ThreadPoolExecutor(1) as player:
        played = player.submit(play_and_interrupt)
        result = CliRunner().invoke(command, [SPOT, "--catalog", str(tmp_path), "--exchange-url", url])
        played.result()

    assert (result.exit_code, "trades" in result.stdout) == (0, True)
    assert (stored_quotes(tmp_path, SPOT), stored_trades(tmp_path, SPOT)) == (market.quotes, market.trades)
    times = stored(tmp_path, SPOT, "trades").ts_init
    (gap,) = entry_of(tmp_path, SPOT, "trades").gaps
    assert (times[19] <= gap.start_ns <= gap.end_ns <= times[20], gap.reason) == (True, "not recording")
    record(tmp_path, SPOT, "--import-only")
    assert stored_trades(tmp_path, SPOT) == market.trades


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("NEXOUSDT",), "is not an instrument of Binance"),
        (("nexousdt.BINANCE",), "is not an instrument of Binance"),
        ((".BINANCE",), "is not an instrument of Binance"),
        (("../X.BINANCE",), "is not an instrument of Binance"),
        ((SPOT, "--exchange-url", "ftp://x"), "is not an http or https address"),
        ((SPOT, "--exchange-url", "http://["), "is not an http or https address"),
        (tuple(f"A{n}USDT.BINANCE" for n in range(51)), "expected at most 50"),
        ((SPOT, "--import-only"), "no recordings"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path: Path, arguments, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        record(tmp_path / "catalog", *arguments)
    assert not (tmp_path / "catalog").exists()


@pytest.mark.parametrize("instrument_id", ["NEXOUSD.BINANCE", "BTCUSD-PERP.BINANCE"])
def test_an_instrument_that_the_exchange_does_not_list_is_refused(double, tmp_path: Path, instrument_id: str) -> None:
    url = double.addresses(Product.SPOT).http
    with pytest.raises(BadInput, match=f'the exchange does not list "{instrument_id}"'):
        record(tmp_path / "catalog", SPOT, instrument_id, "--exchange-url", url)
    assert not (tmp_path / "catalog").exists()


def test_another_tick_than_that_of_the_stored_data_is_refused(double, tmp_path: Path) -> None:
    from decimal import Decimal

    from data_catalog.instruments import find_instrument
    from data_catalog.store.write import CatalogWriter

    with CatalogWriter(tmp_path) as writer:
        writer.instrument(find_instrument(SPOT))
    double.change_rules(SPOT, tick=Decimal("0.01"))
    with pytest.raises(BadInput, match="use another catalog"):
        record(tmp_path, SPOT, "--exchange-url", double.addresses(Product.SPOT).http)


@pytest.mark.parametrize(
    ("instrument_id", "problem"), [(SPOT, "no connection to ws"), ("UNKNOWNUSDT.BINANCE", "is not defined here")]
)
def test_an_exchange_that_is_not_there_is_a_failure(tmp_path: Path, monkeypatch: Any, instrument_id, problem) -> None:
    from data_catalog.live_recording.feed import Timing

    monkeypatch.setattr("data_catalog.commands.record.Timing", lambda silence_secs: Timing(attempts=1))
    with pytest.raises(Failed, match=problem):
        record(tmp_path, instrument_id, "--exchange-url", "http://127.0.0.1:9")


def test_each_connection_carries_what_belongs_to_it() -> None:
    routes = routes_of([SPOT, PERPETUAL, "ETHUSDT.BINANCE"], Addresses(), depth=True)
    assert [(route.url, route.data_types) for route in routes] == [
        (
            "wss://stream.binance.com:9443/stream?streams=nexousdt@bookTicker/nexousdt@trade/nexousdt@depth@100ms"
            "/ethusdt@bookTicker/ethusdt@trade/ethusdt@depth@100ms",
            ("quotes", "trades", "deltas"),
        ),
        (
            "wss://fstream.binance.com/public/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms",
            ("quotes", "deltas"),
        ),
        (
            "wss://fstream.binance.com/market/stream?streams=btcusdt@aggTrade/btcusdt@markPrice",
            ("trades", "funding_rates"),
        ),
    ]
