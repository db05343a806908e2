"""Fixtures shared by all tests."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent

# Tests start many processes. Where Python is told to write no bytecode, as in many containers, each of them would
# compile the engine and all of its libraries again, which takes three seconds: they share a folder instead.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(PROJECT / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode = False


def pytest_collection_finish() -> None:
    """Spare the collector the modules and tests, which stay to the end: a backtest begins with a whole collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def project() -> Path:
    """Return the root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded Binance data, or skip where it is absent."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded data at {folder}")
    return folder


# The engine takes a second to import: fixtures import it where they are used, so that tests of pure code stay quick.


@pytest.fixture
def perpetual() -> Any:
    """Return a perpetual with a tick of 0.01 and a step of 0.001."""
    from data_catalog.instruments import find_instrument

    return find_instrument("SYNUSDT-PERP.BINANCE")


@pytest.fixture
def spot() -> Any:
    """Return a spot pair with a tick of 0.001 and a step of 0.01."""
    from data_catalog.instruments import find_instrument

    return find_instrument("NEXOUSDT.BINANCE")


@pytest.fixture
def market_of() -> Any:
    """Return the class that writes ticks of an instrument down."""
    from tests.engine_kit import Market

    return Market


@pytest.fixture
def replay() -> Iterator[Any]:
    """Return a function that runs strategies over a market in the real engine."""
    from tests.engine_kit import replays

    yield from replays()
