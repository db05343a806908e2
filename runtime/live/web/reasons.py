"""Why a system does not trade, or trades less than it would: every reason that holds, the gravest first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from actors.kill_switch import KillSwitch
from actors.risk_guard import RefusalCount
from messages.risk import ACCOUNT
from messages.views import QuotingView, View
from models.risk_limits import plain
from models.risk_state import State, Trip
from runtime.live.web.state import Reason, Status
from runtime.risk.settings import USER_STREAM_RULE

SILENT_SECS: Final = 10.0
"""A market without a word for so long is called silent where the setup has no limit."""

_RECENT_NS: Final = 10_000_000_000
_ON_ITS_WAY: Final = "on_its_way"


def risk_reasons(kill_switch: KillSwitch) -> list[Reason]:
    """Return what a tripped control says, by scope."""
    reasons = []
    for scope, machine in kill_switch.machines.items():
        cause = machine.cause
        if machine.state is not State.RUNNING and cause is not None:
            reasons.append(Reason(reason=cause.rule, text=_said(cause), scope=scope))
    return reasons


def _said(trip: Trip) -> str:
    if trip.rule == "manual":
        what = f"halted by hand: {trip.reason}"
    elif trip.rule == "max_data_age_secs":
        what = f"the market has been silent for longer than {plain(trip.limit)} s"
    elif trip.rule == USER_STREAM_RULE:
        what = "the account's events are not heard"
    else:
        what = f"{trip.rule} was {plain(trip.value)}, the limit is {plain(trip.limit)}"
    return f"{what}; {'only --resume ends it' if trip.latched else 'ends by itself'}"


def connection_reasons(connections: Mapping[str, bool], rules: Iterable[str]) -> list[Reason]:
    """Return which connections are down, unless a tripped control of `rules` says so already."""
    known = set(rules)
    texts = {
        "market data": ("disconnected", "the market data are disconnected"),
        "account events": ("account_events_lost", "the account's events are not heard"),
    }
    down = [texts[name] for name, stands in connections.items() if not stands]
    return [
        Reason(reason=reason, text=text)
        for reason, text in down
        if not (reason == "account_events_lost" and USER_STREAM_RULE in known)
    ]


def market_reasons(ages: Mapping[str, float | None], max_age_secs: float | None) -> list[Reason]:
    """Return which markets have not been heard of, or not for too long."""
    limit = SILENT_SECS if max_age_secs is None else max_age_secs
    reasons = []
    for name, age in ages.items():
        if age is None:
            reasons.append(Reason(reason="market_silent", text="no quote of the market has come yet", scope=name))
        elif age > limit:
            reasons.append(Reason(reason="market_silent", text=f"no quote for {age:.1f} s", scope=name))
    return reasons


def own_reasons(
    view: View, refusals: Mapping[tuple[str, str], RefusalCount], now_ns: int, said: Collection[Reason]
) -> list[Reason]:
    """
    Return why a strategy trades nothing, or a side of a maker has no order.

    Parameters
    ----------
    view : View
        What the strategy says.
    refusals : mapping
        What the guard has refused, by rule and strategy; the last ten seconds count.
    now_ns : int
        Now, UNIX ns.
    said : collection of Reason
        What has been said of the account, of markets and of strategies; it need not be said again.

    """
    known = set()
    if any(reason.scope in (ACCOUNT, view.owner_id) for reason in said):
        known |= {"risk_control", "not_running"}
    if isinstance(view, QuotingView) and any(reason.scope == view.instrument_id for reason in said):
        known.add("no_market_data")
    reasons = []
    for silence in view.silences:
        if silence.reason in known:
            continue
        reason, text = silence.reason, silence.text
        if reason == "not_sent":
            reason, text = _refused(view.owner_id, refusals, now_ns) or (reason, text)
        reasons.append(Reason(reason=reason, text=text, scope=view.owner_id, side=silence.side))
    return reasons


def _refused(strategy: str, refusals: Mapping[tuple[str, str], RefusalCount], now_ns: int) -> tuple[str, str] | None:
    recent = [
        (refusal.last_ns, rule)
        for (rule, owner), refusal in refusals.items()
        if owner == strategy and now_ns - refusal.last_ns < _RECENT_NS
    ]
    if not recent:
        return None
    rule = max(recent)[1]
    return rule, f"the guard refuses it: {rule}, the limit is {plain(refusals[rule, strategy].limit)}"


def status_of(state: State, views: Sequence[View | None]) -> Status:
    """
    Return the one word for a running system: the account's state first, then what makers show, then all others.

    Parameters
    ----------
    state : State
        Of the account.
    views : sequence
        What each strategy says; None for one that says nothing, of which it is taken that it trades.

    """
    if state is not State.RUNNING:
        return "HALTED" if state is State.HALTED else "REDUCING"
    makers = [view for view in views if isinstance(view, QuotingView)]
    if not makers:
        return "WAITING" if views and all(view is not None and view.silences for view in views) else "TRADING"
    missing = sum(sum(silence.reason != _ON_ITS_WAY for silence in view.silences) for view in makers)
    if not missing:
        return "QUOTING"
    return "NOT QUOTING" if missing == 2 * len(makers) else "PARTLY QUOTING"


def account_state(kill_switch: KillSwitch | None) -> State:
    """Return the state of the account; RUNNING where nothing limits it."""
    return State.RUNNING if kill_switch is None else kill_switch.machines[ACCOUNT].state
