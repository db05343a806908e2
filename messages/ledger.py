"""What passes between the ledger and those who bring it figures or live by them: equity, funding, charges."""

from decimal import Decimal
from typing import Final

import msgspec

SAMPLE_TOPIC: Final = "ballast.sample"
"""Published by the ledger on its grid, with the time in ns: whoever quotes answers at once with a `QuotingSample`."""

EQUITY_TOPIC: Final = "ballast.equity"
"""Carries an `EquityMark` for each point of the ledger's grid."""

BALANCES_TOPIC: Final = "ballast.balances"
"""Published with the time in ns when the venue has told what is owned; whoever counts it looks again. A backtest has
no need of it: there balances change with the fill."""

FUNDING_TOPIC: Final = "ballast.funding"
"""Carries a `FundingPaid` for each position at each funding time."""

FUNDING_RATE_TOPIC: Final = "ballast.funding.rate"
"""Carries a `FundingRateSettled` when the venue's rate of a perpetual settles, whether it is held or not; on paper."""

CHARGE_TOPIC: Final = "ballast.charge"
"""Carries an `AccountCharged` for what the venue takes apart from the fees of fills."""


class FundingPaid(msgspec.Struct, frozen=True, kw_only=True):
    """
    What one strategy's position received at a funding time.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    strategy_id, instrument_id : str
        Whose position in what.
    position : Decimal
        What was held, in the base asset.
    amount : Decimal
        In the ledger's currency; negative when paid.
    mark, rate : Decimal, optional
        The price that valued the position, and the rate as a share; None where only the amount is known.

    """

    ts_ns: int
    strategy_id: str
    instrument_id: str
    position: Decimal
    amount: Decimal
    mark: Decimal | None = None
    rate: Decimal | None = None


class FundingRateSettled(msgspec.Struct, frozen=True, kw_only=True):
    """
    The rate and the mark price at which a perpetual settled.

    Parameters
    ----------
    ts_ns : int
        The funding time, UNIX ns.
    instrument_id : str
        Which perpetual.
    rate : Decimal
        As a share, paid by long positions where it is positive.
    mark : Decimal
        The venue's mark price.

    """

    ts_ns: int
    instrument_id: str
    rate: Decimal
    mark: Decimal


class AccountCharged(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the venue took from a strategy's account apart from the fees of fills.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    strategy_id, instrument_id : str
        Whose position in what it was for.
    amount : Decimal
        In the ledger's currency; positive when taken, negative where the venue bears a loss beyond the account.
    reason : str
        What for, in words.

    """

    ts_ns: int
    strategy_id: str
    instrument_id: str
    amount: Decimal
    reason: str


class EquityMark(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the account is worth.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    equity : Decimal, optional
        In the ledger's currency; None where it cannot be computed.
    interval_secs : int
        When to expect the next one.

    """

    ts_ns: int
    equity: Decimal | None
    interval_secs: int
