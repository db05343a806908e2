"""What strategies and actors say to each other over the message bus; they know nothing else of one another."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from models.risk_limits import Breach

SAMPLE_TOPIC: Final = "ballast.sample"
"""Published by the ledger on its grid, with the time in ns: whoever quotes answers at once with a `QuotingSample`."""

QUOTING_TOPIC: Final = "ballast.quoting"
"""Carries `QuotingSample`s."""

GUARD_ENDPOINT: Final = "ballast.guard"
"""Where every strategy asks with an `OrderRequest` before it sends or changes an order; answered at once."""

GLANCE_ENDPOINT: Final = "ballast.guard.glance"
"""Where a strategy that sends many orders asks once, when it starts, with a `GlanceRequest`."""

EQUITY_TOPIC: Final = "ballast.equity"
"""Carries an `EquityMark` for each point of the ledger's grid."""

RISK_STATE_TOPIC: Final = "ballast.risk.state"
"""Carries a `RiskStateChanged` whenever trading is reduced, halted or resumed."""

RESUMED_TOPIC: Final = "ballast.risk.resumed"
"""Published with the scope when a person ends all halts or those of a strategy: who watches it arms its limits anew."""

BALANCES_TOPIC: Final = "ballast.balances"
"""Published with the time in ns when the venue has told what is owned; whoever counts it looks again. A backtest has
no need of it: there balances change with the fill."""

ALARM_TOPIC: Final = "ballast.risk.alarm"
"""Carries `RiskAlarm`s from whoever watches to the kill switch."""

ANSWERS_TOPIC: Final = "ballast.risk.answers"
"""Carries each fill, and each refusal by the venue of an order or a change, from the guard, which hears every event of
every order: those who count a few of them need not listen to all."""

REFUSAL_TOPIC: Final = "ballast.risk.refusal"
"""Carries an `OrderRefused` for each order that the guard refuses."""

DECISION_TOPIC: Final = "ballast.decision"
"""Carries a `QuotesWanted` whenever the quotes that a maker wants have changed; sent only where somebody listens."""

REBALANCE_TOPIC: Final = "ballast.rebalance"
"""Carries a `Rebalanced` after each action of a rebalancer."""

PAIR_TOPIC: Final = "ballast.pair"
"""Carries a `PairTraded` after each entry and exit of a pair, and for each entry that was not made."""

FUNDING_TOPIC: Final = "ballast.funding"
"""Carries a `FundingPaid` for each position at each funding time."""

FUNDING_RATE_TOPIC: Final = "ballast.funding.rate"
"""Carries a `FundingRateSettled` when the venue's rate of a perpetual settles, whether it is held or not; on paper."""

CHARGE_TOPIC: Final = "ballast.charge"
"""Carries an `AccountCharged` for what the venue takes apart from the fees of fills."""

ACCOUNT: Final = "account"
"""The scope of what concerns every strategy; other scopes are strategy ids."""


ALPHA_TOPICS: Final = "ballast.alpha.*"
"""The topics of all `AlphaSignal`s."""


def alpha_topic(instrument_id: str) -> str:
    """Return the topic of the `AlphaSignal`s for an instrument."""
    return f"ballast.alpha.{instrument_id}"


def target_topic(instrument_id: str) -> str:
    """Return the topic of the `TargetInventory` messages for an instrument."""
    return f"ballast.target.{instrument_id}"


class AlphaSignal(msgspec.Struct, frozen=True, kw_only=True):
    """
    An opinion on where a price is going; any actor may publish one, and makers lean on it as their setup says.

    Parameters
    ----------
    instrument_id : str
        Whose price.
    bps : float
        By how much it should be higher (lower when negative) than its mid, in basis points.
    ts_ns : int
        When the opinion was formed, UNIX ns.
    source : str
        Who says so. Signals of several sources add up.

    """

    instrument_id: str
    bps: float
    ts_ns: int
    source: str


class TargetInventory(msgspec.Struct, frozen=True, kw_only=True):
    """
    Ask makers of an instrument to lean towards another inventory; it takes the place of their own target.

    Parameters
    ----------
    instrument_id : str
        Which instrument.
    base_qty : Decimal
        What the account should hold of its base asset.
    ts_ns : int
        When this was decided, UNIX ns.

    """

    instrument_id: str
    base_qty: Decimal
    ts_ns: int


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


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """
    Why nothing is traded, or why a side of a maker has no order.

    Parameters
    ----------
    reason : str
        A word that stays the same from version to version; docs/live.md has those of each strategy.
    text : str
        The same for people, in one sentence.
    side : str, optional
        "bid" or "ask" where it is one side of a maker.

    """

    reason: str
    text: str
    side: str | None = None


NOT_RUNNING: Final = Silence(reason="not_running", text="it does not run")
"""What is said before the start, and after the end."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A value on a scale that means something, such as an entry; several may have the same name."""

    name: str
    at: float


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """
    A value that is best seen between others: a z-score among its thresholds, a weight in its band.

    Parameters
    ----------
    name : str
        A word that stays the same from version to version.
    of : str
        The instrument where there is a scale for each, otherwise empty.
    label : str
        What people call it.
    value : float or Decimal, optional
        None where it is not known.
    low, high : float
        What the scale reaches from and to.
    unit : str
        As of `Figure`.
    inside : pair of float, optional
        The part of the scale where nothing is done about the value; None where no part is special.
    levels : tuple of Level
        What else is on it.

    """

    name: str
    label: str
    value: float | Decimal | None
    low: float
    high: float
    of: str = ""
    unit: str = ""
    inside: tuple[float, float] | None = None
    levels: tuple[Level, ...] = ()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """
    One number or word about a strategy.

    Parameters
    ----------
    name : str
        A word that stays the same from version to version.
    of : str
        The instrument where there is one for each, otherwise empty.
    label : str
        What people call it.
    value : float or Decimal, optional
        None where it is not known, or not a number.
    unit : str
        "pct", "bps", "secs", "ms_utc" (a time, UNIX ms), or whatever is to stand behind the number.
    text : str
        What it says where it is not a number.
    note : str
        What helps to read it, in a few words.

    """

    name: str
    label: str
    of: str = ""
    value: float | Decimal | None = None
    unit: str = ""
    text: str = ""
    note: str = ""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a strategy holds of an instrument, and what it wants to hold.

    Parameters
    ----------
    instrument_id : str
        Of what.
    held_qty, target_qty : Decimal, optional
        In the base asset; None where it is not known, or where there is no target.

    """

    instrument_id: str
    held_qty: Decimal | None
    target_qty: Decimal | None = None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a strategy or an actor is after at one moment, for whoever looks on.

    Parameters
    ----------
    owner_id : str
        Whose view.
    silences : tuple of Silence
        Why it trades nothing now, the gravest first; empty while it acts.
    scales, figures, holdings : tuple
        What it decides by, and what it holds.

    """

    owner_id: str
    silences: tuple[Silence, ...]
    scales: tuple[Scale, ...] = ()
    figures: tuple[Figure, ...] = ()
    holdings: tuple[Holding, ...] = ()


class QuotingView(View, frozen=True, kw_only=True):
    """
    What a maker is after: `silences` say why a side has no order, and are empty when both have one.

    Parameters
    ----------
    instrument_id : str
        What it quotes.
    fair_value : float, optional
        The price it quotes around; None before it has one.
    inventory_qty : Decimal, optional
        What it holds more than its target, in the base asset; None before its start.
    max_position_qty : Decimal
        The largest inventory either way.

    """

    instrument_id: str
    fair_value: float | None
    inventory_qty: Decimal | None
    max_position_qty: Decimal


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


class OrderRequest(msgspec.Struct):
    """
    Ask the guard whether an order may be sent, or changed to this.

    Parameters
    ----------
    order_id, strategy, instrument : str
        Which order of whom on what.
    side : int
        +1 buys, -1 sells.
    price : int, optional
        Its limit; None for a market order. In the engine's fixed-point units (`raw`), as the quantity: most requests
        only move an order, and need no other number.
    quantity : int
        What is to be left to fill.
    closing : bool
        Whether it closes a position on the way to a halt; see `models.pre_trade.ProposedOrder`.
    binding : bool
        Whether the order is sent if the answer is yes, and counts from then on; otherwise it is only a question.
    approved : bool
        The answer; False until somebody has answered, so that silence is a refusal.
    refusal : Breach, optional
        Which rule says no.

    """

    order_id: str
    strategy: str
    instrument: str
    side: int
    price: int | None
    quantity: int
    closing: bool = False
    binding: bool = True
    approved: bool = False
    refusal: Breach | None = None


class GlanceRequest(msgspec.Struct):
    """
    Ask the guard for a way to have plainly harmless orders approved, at a fraction of what a message for each costs.

    Both answers return True if the guard approves, and the order is then to be sent. False says nothing yet: then an
    `OrderRequest` has to ask. Prices and quantities are `raw`.

    Parameters
    ----------
    strategy, instrument : str
        Who trades what.
    opens : callable, optional
        Called with the id of a new limit order, its side (+1 buys, -1 sells), price and quantity.
    moves : callable, optional
        Called with the id of an open order, its new price and what is to be left to fill.

    """

    strategy: str
    instrument: str
    opens: Callable[[str, int, int, int], bool] | None = None
    moves: Callable[[str, int, int], bool] | None = None


class OrderRefused(msgspec.Struct, frozen=True, kw_only=True):
    """
    An order that the guard did not let pass.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    strategy, instrument : str
        Whose order on what.
    breach : Breach
        The rule with value and limit.

    """

    ts_ns: int
    strategy: str
    instrument: str
    breach: Breach


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


class RiskAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """
    A limit that was passed, or is no longer passed.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    scope : str
        `ACCOUNT`, or the strategy that it concerns.
    breach : Breach
        The rule with value and limit.
    latched : bool
        Whether only a person ends it.
    over : bool
        Whether it has ended by itself.
    until_ns : int, optional
        When it will end by itself, UNIX ns, where that is known.

    """

    ts_ns: int
    scope: str
    breach: Breach
    latched: bool = True
    over: bool = False
    until_ns: int | None = None


class RiskStateChanged(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether trading goes on, and why not.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    scope : str
        `ACCOUNT`, or the strategy that it concerns.
    state : str
        RUNNING, REDUCING or HALTED.
    action : str
        What strategies do about it: warn (nothing), stop_quoting, cancel, flatten_passively, flatten; see
        `models.risk_state`.
    cause : Breach, optional
        The rule that was broken; None while RUNNING.

    """

    ts_ns: int
    scope: str
    state: str
    action: str
    cause: Breach | None

    @property
    def permits(self) -> str:
        """Which orders may be sent, one of `PERMITS`."""
        if self.state == "RUNNING":
            return "all"
        if self.state == "HALTED" or self.action == "cancel":
            return "none"
        return {"flatten": "closing", "flatten_passively": "unwinding"}.get(self.action, "reducing")


PERMITS: Final = ("closing", "unwinding", "none", "reducing", "all")
"""
Which orders a state permits, hardest action first: orders that close; quotes that reduce, until flat; none; quotes that
reduce; all. Where an account and a strategy are in different states, the first of the two holds: a strategy that was
halted with a position takes part in closing the account.
"""
