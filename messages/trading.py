"""What strategies tell of what they have done or want to do: quotes, rebalancings, pairs."""

from decimal import Decimal
from typing import Final

import msgspec

QUOTING_TOPIC: Final = "ballast.quoting"
"""Carries `QuotingSample`s."""

DECISION_TOPIC: Final = "ballast.decision"
"""Carries a `QuotesWanted` whenever the quotes that a maker wants have changed; sent only where somebody listens."""

REBALANCE_TOPIC: Final = "ballast.rebalance"
"""Carries a `Rebalanced` after each action of a rebalancer."""

PAIR_TOPIC: Final = "ballast.pair"
"""Carries a `PairTraded` after each entry and exit of a pair, and for each entry that was not made."""


class AssetWeight(msgspec.Struct, frozen=True, kw_only=True):
    """
    One asset in an action of a rebalancer. Weights are shares of the account's value.

    Parameters
    ----------
    instrument_id : str
        The pair that trades it.
    target, lower, upper : float
        The target weight and the edges of the band that was held.
    value_before, value_after : Decimal
        What was held, at the mid of the moment, in the quote currency.

    """

    instrument_id: str
    target: float
    lower: float
    upper: float
    value_before: Decimal
    value_after: Decimal


class Rebalanced(msgspec.Struct, frozen=True, kw_only=True):
    """
    An action of a rebalancer that is over: everything it sent has been answered.

    Parameters
    ----------
    strategy_id : str
        Whose action.
    reason : str
        "drift" or "interval".
    started_ns, ts_ns : int
        From when to when, UNIX ns.
    assets : tuple of AssetWeight
        Every asset of the portfolio, traded or not.
    cash_before, cash_after : Decimal
        What was held of the quote currency.
    orders : int
        How many orders were sent.

    """

    strategy_id: str
    reason: str
    started_ns: int
    ts_ns: int
    assets: tuple[AssetWeight, ...]
    cash_before: Decimal
    cash_after: Decimal
    orders: int

    @property
    def equity_before(self) -> Decimal:
        """The value of all assets and the cash when it began."""
        return sum((asset.value_before for asset in self.assets), self.cash_before)

    @property
    def equity_after(self) -> Decimal:
        """The value of all assets and the cash when it was over."""
        return sum((asset.value_after for asset in self.assets), self.cash_after)


class PairTraded(msgspec.Struct, frozen=True, kw_only=True):
    """
    An entry or exit of a pair that is over, or one that was not begun.

    Parameters
    ----------
    strategy_id : str
        Whose pair.
    ts_ns : int
        When, UNIX ns.
    reason : str
        "entry", "exit", "stop", "time", "broken" or "risk"; with "unwound" (one leg could not be had and the other was
        given back) or "gave_up" (a part could not be had) where it did not go as meant; "refused" where both legs could
        not have been sent.
    z : float
        Standard deviations from the mean at the last sample.
    beta : float
        The hedge ratio.
    edge_bps : float
        What the expected reversion would leave after all costs, of the value of y.
    held_y, held_x : Decimal
        Held afterwards, in the base assets.
    unhedged_quote : Decimal
        Value that whole lots, fees taken in the base asset and what could not be had leave without a hedge.

    """

    strategy_id: str
    ts_ns: int
    reason: str
    z: float
    beta: float
    edge_bps: float
    held_y: Decimal
    held_x: Decimal
    unhedged_quote: Decimal


class QuotingSample(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a maker is doing at one moment, and how often it has acted since its start.

    Parameters
    ----------
    strategy_id, instrument_id : str
        Who quotes what.
    bid, ask : Decimal, optional
        Its best working quotes; None where that side has no order at the venue.
    fair_value : float, optional
        The price it quotes around; None before it has one.
    requotes : int
        Changes of working orders so far: modifications, and cancellations to move or withdraw a quote.
    post_only_rejections : int
        Quotes that the venue refused because they would have taken liquidity.
    denied : int
        Orders that were stopped before they reached the venue.

    """

    strategy_id: str
    instrument_id: str
    bid: Decimal | None
    ask: Decimal | None
    fair_value: float | None
    requotes: int
    post_only_rejections: int
    denied: int


class QuotesWanted(msgspec.Struct, frozen=True, kw_only=True):
    """
    A decision of a maker: what it wants to quote from now on, whatever its orders at the venue are.

    Parameters
    ----------
    strategy_id, instrument_id : str
        Who quotes what.
    quotes : tuple
        Side ("BID" or "ASK"), price and quantity of each, from the best of each side outwards; empty for none.

    """

    strategy_id: str
    instrument_id: str
    quotes: tuple[tuple[str, Decimal, Decimal], ...]
