"""The keys that every Nautilus configuration has besides a component's own: what no setup may set, and why."""

import re
from collections.abc import Sequence
from typing import Final

from bad_input import BadInput
from runtime.setup.components import ResolvedComponent
from runtime.setup.tree import SetupTree

_NAMES_ORDERS: Final = "orders are known to be ours by their names, which a setup does not change"
_REFUSED: Final[dict[str, tuple[object, str]]] = {
    "strategy_id": (None, 'the class names a strategy; "order_id_tag" tells two of one class apart'),
    "use_uuid_client_order_ids": (False, _NAMES_ORDERS),
    "use_hyphens_in_client_order_ids": (True, _NAMES_ORDERS),
    "oms_type": (None, 'how positions are kept stands in "backtest.oms_type", for live trading, too'),
    "external_order_claims": (None, 'who takes over what is found is said by "live.positions_at_start: adopt"'),
    "manage_stop": (False, "a stop cancels orders and keeps positions; --halt closes them"),
}
"""By key: the value that it keeps, and the way to what somebody who sets it may want."""

_OF_EVERY_SYSTEM: Final = {
    "BreakerWatch",
    "DataWatch",
    "ExposureWatch",
    "LossWatch",
    "MarketWatch",
    "PositionWatch",
    "KillSwitch",
    "Ledger",
    "OrderGate",
    "Recorder",
    "RiskGuard",
    "DecisionRecorder",
    "DrillRecorder",
    "FundingSettlement",
    "MarketListener",
    "RefusingVenue",
    "SimulatedVenue",
}
"""The actors that are added to a setup's own, under the names of their classes."""
_TAG: Final = re.compile(r"[A-Za-z0-9._:/]{1,5}")


def check_engine_keys(
    tree: SetupTree, strategies: Sequence[ResolvedComponent], actors: Sequence[ResolvedComponent]
) -> None:
    """
    Check what the engine would take without a word, or refuse with a traceback.

    Raises
    ------
    BadInput
        If a key is set that must keep its value, a tag or name cannot be used, or two components share one.

    """
    taken: dict[str, ResolvedComponent] = {}
    for place, strategy in enumerate(strategies):
        for key, (kept, hint) in _REFUSED.items():
            if getattr(strategy.config, key) != kept:
                raise tree.complaint("cannot be set here", (*strategy.path, "config", key), hint)
        _take(tree, strategy, _tag_of(tree, strategy, place), "order_id_tag", taken)
    taken = {}
    for actor in actors:
        given = actor.config.component_id
        name = actor.kind.__name__ if given is None else given.value
        if ours := _OF_EVERY_SYSTEM & {name, actor.kind.__name__}:
            problem = f'"{ours.pop()}" is the name of an actor that a system has of itself'
            hint = "limits stand in risk: (docs/risk.md); a class of your own needs another name"
            raise tree.complaint(problem, actor.path, hint)
        _take(tree, actor, name, "component_id", taken)


def _tag_of(tree: SetupTree, strategy: ResolvedComponent, place: int) -> str:
    tag: str | None = strategy.config.order_id_tag
    if tag is None:
        return f"{place:03d}"
    if _TAG.fullmatch(tag) is None:
        raise tree.complaint(
            f'was "{tag}", expected 1 to 5 letters, digits or any of . _ : /',
            (*strategy.path, "config", "order_id_tag"),
            "it stands in every client order id, which Binance takes up to 36 characters of",
        )
    return tag


def _take(
    tree: SetupTree, component: ResolvedComponent, name: str, key: str, taken: dict[str, ResolvedComponent]
) -> None:
    if name in taken:
        raise _shared(tree, component, name, key, taken[name])
    taken[name] = component


def _shared(tree: SetupTree, component: ResolvedComponent, name: str, key: str, owner: ResolvedComponent) -> BadInput:
    part, index = owner.path[0], owner.path[1]
    hint = f'give each one its own "{key}"'
    return tree.complaint(f'"{name}" is taken by {part}[{index}]', (*component.path, "config", key), hint)
