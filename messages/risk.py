"""What passes between strategies and the controls that hold them: orders asked for, limits passed, states."""

from collections.abc import Callable
from typing import Final

import msgspec

from models.risk_limits import Breach

GUARD_ENDPOINT: Final = "ballast.guard"
"""Where every strategy asks with an `OrderRequest` before it sends or changes an order; answered at once."""

GLANCE_ENDPOINT: Final = "ballast.guard.glance"
"""Where a strategy that sends many orders asks once, when it starts, with a `GlanceRequest`."""

RISK_STATE_TOPIC: Final = "ballast.risk.state"
"""Carries a `RiskStateChanged` whenever trading is reduced, halted or resumed."""

RESUMED_TOPIC: Final = "ballast.risk.resumed"
"""Published with the scope when a person ends all halts or those of a strategy: who watches it arms its limits anew."""

ALARM_TOPIC: Final = "ballast.risk.alarm"
"""Carries `RiskAlarm`s from whoever watches to the kill switch."""

ANSWERS_TOPIC: Final = "ballast.risk.answers"
"""Carries each fill, and each refusal by the venue of an order or a change, from the guard, which hears every event of
every order: those who count a few of them need not listen to all."""

REFUSAL_TOPIC: Final = "ballast.risk.refusal"
"""Carries an `OrderRefused` for each order that the guard refuses."""

ACCOUNT: Final = "account"
"""The scope of what concerns every strategy; other scopes are strategy ids."""


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
