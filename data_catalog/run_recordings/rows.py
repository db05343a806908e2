"""
The rows of a recording, in the order in which a run lived through them.

A line is a JSON array whose first element names its kind. What happened to the run (quotes, trades, timers, answers of
the venue, balances, alarms from outside, a person's commands) and what it did about it (the quotes that its makers
wanted, the commands that it sent, the states of its risk controls) stand in one sequence: what a run did stands after
what it did it about. Prices and quantities are decimal texts, times UNIX ns; `at` is when the run came to it.
"""

from typing import Any, Final

import msgspec

FORMAT: Final = 1
"""The version of this format."""

FOLDER: Final = "recording"
"""Where in a run's folder its recording is."""


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """The base of every row."""


class Run(_Row, frozen=True, tag="run"):
    """
    The first row: what ran, and in which state it began.

    Parameters
    ----------
    at : int
        When the strategies were about to start, UNIX ns.
    format : int
        The version of the format.
    run_id : str
        The run.
    mode : str
        "rehearsal", "paper", or where it traded: "testnet", "demo", "real money", "local".
    setup : dict
        The setup with all its values; it holds no keys.
    setup_sha256 : str
        Its hash.
    trader_id, currency, leverage : str
        The engine's name for the trader, what the ledger values in, the leverage on futures.
    spot : bool
        Whether it was a spot account.
    synthetic, reconstructed : bool
        Of a rehearsal: whether its market was generated, or its quotes were rebuilt.
    instruments : list of dict
        Their definitions as the engine had them.
    accounts : list of dict
        The last state of each account before the start.
    computes_balances : bool
        Whether the engine computed balances from fills, as on paper; otherwise the venue told them.
    positions : list of str
        What was open before the start.
    kept : dict
        What strategies and actors had kept from earlier runs, by name.
    resumed : bool
        Whether its books went on from those of an earlier run.
    versions : dict
        The versions of what decisions depend on.

    """

    at: int
    format: int
    run_id: str
    mode: str
    setup: dict[str, Any]
    setup_sha256: str
    trader_id: str
    currency: str
    leverage: str
    spot: bool
    synthetic: bool = False
    reconstructed: bool = False
    instruments: list[dict[str, Any]] = []
    accounts: list[dict[str, Any]] = []
    computes_balances: bool = False
    positions: list[str] = []
    kept: dict[str, dict[str, str]] = {}
    versions: dict[str, str] = {}
    resumed: bool = False


# -- What happened to the run -----------------------------------------------------------------------------------------


class QuoteSeen(_Row, frozen=True, tag="quote"):
    """A quote."""

    at: int
    instrument: str
    bid: str
    ask: str
    bid_size: str
    ask_size: str
    ts_event: int
    ts_init: int


class TradeSeen(_Row, frozen=True, tag="trade"):
    """A trade; `aggressor` is 1 where the buyer took liquidity and 2 where the seller did."""

    at: int
    instrument: str
    price: str
    size: str
    aggressor: int
    trade_id: str
    ts_event: int
    ts_init: int


class TimerFired(_Row, frozen=True, tag="timer"):
    """A timer of a strategy or actor; `due` is the time it was set to."""

    at: int
    component: str
    name: str
    due: int


class OrderAnswer(_Row, frozen=True, tag="answer"):
    """An event of an order: what the venue, or the engine on the way there, said; `kind` is the engine's class."""

    at: int
    kind: str
    event: dict[str, Any]


class BalancesTold(_Row, frozen=True, tag="balances"):
    """A state of the account, as the venue told it."""

    at: int
    state: dict[str, Any]


class OutsideAlarm(_Row, frozen=True, tag="alarm"):
    """An alarm that no part of the system raised: the session around it did."""

    at: int
    alarm: dict[str, Any]


class PersonSaid(_Row, frozen=True, tag="person"):
    """What a person commanded when the kill switch looked, for all or for a strategy; `halt` is a halt's reason."""

    at: int
    halt: str | None
    resumed: bool
    scope: str = "account"


class FundingTold(_Row, frozen=True, tag="funding"):
    """Funding that the venue has paid or taken."""

    at: int
    paid: dict[str, Any]


class ChargeTold(_Row, frozen=True, tag="charge"):
    """What the venue has taken apart from fees, as at a liquidation."""

    at: int
    charged: dict[str, Any]


class FundingRateSeen(_Row, frozen=True, tag="funding_rate"):
    """The rate (a share) and mark price at which the venue settled at `ts`, whether anything was held or not."""

    at: int
    instrument: str
    rate: str
    mark: str
    ts: int


class Stopped(_Row, frozen=True, tag="stop"):
    """The strategies were told to stop; what comes later is the end of the run."""

    at: int


# -- What it did ------------------------------------------------------------------------------------------------------


class Decided(_Row, frozen=True, tag="decision"):
    """The quotes that a maker wants from now on: side ("BID" or "ASK"), price, quantity of each."""

    at: int
    strategy: str
    instrument: str
    quotes: list[tuple[str, str, str]]


class Sent(_Row, frozen=True, tag="command"):
    """A command; `kind` is submit, modify, cancel or cancel_all. What a kind does not have is None."""

    at: int
    kind: str
    strategy: str
    instrument: str
    order_id: str | None = None
    side: str | None = None
    order_type: str | None = None
    price: str | None = None
    quantity: str | None = None
    post_only: bool = False
    reduce_only: bool = False


class RiskState(_Row, frozen=True, tag="risk"):
    """A state of the risk controls, and the rule that caused it."""

    at: int
    scope: str
    state: str
    action: str
    rule: str | None


class Ended(_Row, frozen=True, tag="end"):
    """The last row of a recording that was not cut off."""

    at: int


type Market = QuoteSeen | TradeSeen
type Row = (
    Run
    | QuoteSeen
    | TradeSeen
    | TimerFired
    | OrderAnswer
    | BalancesTold
    | OutsideAlarm
    | PersonSaid
    | FundingTold
    | FundingRateSeen
    | ChargeTold
    | Stopped
    | Decided
    | Sent
    | RiskState
    | Ended
)
