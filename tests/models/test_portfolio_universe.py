"""The choice of the most traded assets."""

from decimal import Decimal

import pytest

from models.portfolio.universe import most_traded

TRADED = {"BTC": 90, "USDC": 80, "ETH": 70, "BTCUP": 60, "JUP": 50, "SOL": 50, "XRPDOWN": 5, "OLD": 0}
VOLUMES = {name: Decimal(volume) for name, volume in TRADED.items()}


def test_the_largest_come_first_without_money_and_leveraged_tokens():
    assert most_traded(VOLUMES, 5) == ["BTC", "ETH", "JUP", "SOL", "XRPDOWN"]  # without XRP it is no bet on it


def test_assets_can_be_left_out():
    assert most_traded(VOLUMES, 2, frozenset({"BTC", "USDC"})) == ["ETH", "JUP"]


def test_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="was 6, but only 5 assets"):
        most_traded(VOLUMES, 6)
