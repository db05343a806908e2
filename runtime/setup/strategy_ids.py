"""The engine's names of a setup's strategies, before anything of them is loaded."""

from typing import Any

from runtime.setup.tree import SetupTree


def strategy_ids(tree: SetupTree) -> tuple[str, ...]:
    """
    Return the ids that the engine gives to the strategies of a setup, such as `FixedSpread-000`.

    The class and its `order_id_tag`, or where it has none its place in the list, counted from 000. Nothing is checked:
    of a part that is no mapping nothing is known, and it is left out.
    """
    listed = tree.values.get("strategies")
    found = [_id_of(part, place) for place, part in enumerate(listed)] if isinstance(listed, list) else []
    return tuple(name for name in found if name is not None)


def _id_of(part: Any, place: int) -> str | None:
    if not isinstance(part, dict):
        return None
    config = part.get("config")
    tag = config.get("order_id_tag") if isinstance(config, dict) else None
    return f"{str(part.get('path')).rpartition(':')[2]}-{f'{place:03d}' if tag is None else tag}"
