"""A maker's configuration against the price of the day: what is refused, and what is allowed but foolish."""

from decimal import Decimal
from typing import NamedTuple

from nautilus_trader.model.instruments import Instrument

from strategies.quoting_config import QuotingConfig

_BPS = 1e-4


class MarketFacts(NamedTuple):
    """
    What a backtest's data are for one instrument.

    Parameters
    ----------
    instrument : Instrument
        With the fees of the setup.
    mid : Decimal
        The middle of its first quote.
    first_ns, last_ns : int
        The times of its first and last quote in the period, UNIX ns.

    """

    instrument: Instrument
    mid: Decimal
    first_ns: int
    last_ns: int


def check_order_value(config: QuotingConfig, instrument: Instrument, price: Decimal) -> None:
    """
    Refuse quotes that would be worth less than the venue takes.

    Raises
    ------
    ValueError
        As `key: problem`.

    """
    value = Decimal(repr(config.order_qty)) * price
    least = instrument.min_notional.as_decimal() if instrument.min_notional else Decimal(0)
    if value < least:
        worth = f"worth {value:.2f} {instrument.quote_currency} at {price}"
        raise ValueError(f"order_qty: was {config.order_qty}, {worth}, expected a value of at least {least:f}")


def fee_warnings(maker: str, config: QuotingConfig, instrument: Instrument, half_spread_bps: float | None) -> list[str]:
    """
    Return a warning where quotes may stand nearer to each other than a round trip costs.

    Parameters
    ----------
    maker : str
        The maker's name.
    config : QuotingConfig
        Its `min_spread_bps` may keep the quotes apart.
    instrument : Instrument
        With the fees of the setup.
    half_spread_bps : float, optional
        How near to the reference price the maker's own rule may quote; None where nobody knows.

    """
    fee_bps = float(instrument.maker_fee) / _BPS
    if half_spread_bps is None or max(half_spread_bps, config.min_spread_bps / 2) >= fee_bps:
        return []
    return [
        f"{maker} may quote a spread of {2 * half_spread_bps:.1f} bps on {instrument.id}, and a round trip costs "
        f"{2 * fee_bps:.1f} bps in maker fees: where it does, every round trip loses."
    ]


def tolerance_warnings(config: QuotingConfig, instrument: Instrument, price: Decimal) -> list[str]:
    """Return a warning where the tolerance is smaller than the smallest move there is."""
    tick_bps = float(instrument.price_increment.as_decimal() / price) / _BPS
    if not 0 < config.requote_threshold_bps < tick_bps:
        return []
    return [
        f"requote_threshold_bps of {config.requote_threshold_bps:g} is less than one tick of {instrument.id}, which is "
        f"{tick_bps:.1f} bps: it keeps no order."
    ]
