from collections.abc import Iterator
from typing import Any

import pytest

from tests.binance_double.conftest import running_double


@pytest.fixture
def double(monkeypatch) -> Iterator[Any]:
    """Yield a running exchange with a market on both products."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield from running_double()
