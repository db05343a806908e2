"""A local exchange with one spot pair and one perpetual."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

SPOT = "NEXOUSDT.BINANCE"
PERPETUAL = "BTCUSDT-PERP.BINANCE"


@pytest.fixture
def double() -> Iterator[Any]:
    """Yield a running exchange with a market on both products."""
    yield from running_double()


def running_double() -> Iterator[Any]:
    from binance_double.double import BinanceDouble
    from data_catalog.instruments import find_instrument

    instruments = [find_instrument(SPOT), find_instrument(PERPETUAL)]
    balances = {"USDT": Decimal(10_000), "NEXO": Decimal(1_000)}
    with BinanceDouble(instruments, balances, wallet={"USDT": Decimal(10_000)}) as exchange:
        exchange.quote(SPOT, "1.200", "1.202", "100", "100")
        exchange.quote(PERPETUAL, "60000.0", "60000.1", "1", "1")
        yield exchange
