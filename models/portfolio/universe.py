"""Which assets to hold: the most traded ones, without those that are money or a bet on another asset."""

from collections.abc import Mapping
from decimal import Decimal

STABLE = frozenset(
    {"USDT", "USDC", "BUSD", "TUSD", "FDUSD", "DAI", "PAX", "USDP", "USDS", "USD1", "USDE", "SUSD", "UST", "USTC"}
    | {"EUR", "EURI", "AEUR", "GBP", "AUD", "TRY", "BRL"}
)
"""Assets whose price in dollars does not move, or is that of a currency."""

_LEVERAGED = ("UP", "DOWN", "BULL", "BEAR")


def most_traded(volumes: Mapping[str, Decimal], count: int, exclude: frozenset[str] = STABLE) -> list[str]:
    """
    Return the base assets with the largest volume, the largest first.

    Leveraged tokens (BTCUP, BTCDOWN) are left out: a name is one if it is another of the assets with such an ending.

    Parameters
    ----------
    volumes : mapping
        Traded value by base asset, all in one quote currency.
    count : int
        How many.
    exclude : frozenset
        Assets to leave out.

    Raises
    ------
    ValueError
        If there are not so many.

    """
    assets = [
        asset for asset in volumes if asset not in exclude and not _is_leveraged(asset, volumes) and volumes[asset] > 0
    ]
    if len(assets) < count:
        raise ValueError(f"was {count}, but only {len(assets)} assets were traded")
    return sorted(assets, key=lambda asset: (-volumes[asset], asset))[:count]


def _is_leveraged(asset: str, assets: Mapping[str, Decimal]) -> bool:
    return any(asset.endswith(ending) and asset.removesuffix(ending) in assets for ending in _LEVERAGED)
