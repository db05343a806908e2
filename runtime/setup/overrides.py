"""`--set PATH=VALUE`: change any value of a setup from the command line."""

import copy
import re
from collections.abc import Sequence
from typing import Any

from bad_input import BadInput
from runtime.setup.tree import KeyPath, SetupTree, dotted, parse_value

_PART = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\.(\d+)")


def apply_overrides(tree: SetupTree, assignments: Sequence[str]) -> SetupTree:
    """
    Return `tree` with each `path=value` applied in turn, such as `strategies[0].config.order_qty=0.5`.

    Keys and sections that the setup leaves out may be added; the checks of the setup decide whether they are known.

    Raises
    ------
    BadInput
        If an assignment has no `=`, its path is not of that form, or it leads through something that is not there.

    """
    values = copy.deepcopy(tree.values)
    overridden = dict(tree.overridden)
    for assignment in assignments:
        path_text, equals, value_text = assignment.partition("=")
        origin = f"--set {assignment}"
        if not equals:
            raise BadInput('has no "="', file=origin, hint="write it as PATH=VALUE, such as backtest.fills=queue")
        path = parse_path(path_text.strip(), origin)
        _assign(values, path, parse_value(value_text, origin), origin)
        overridden[path] = origin
    return SetupTree(tree.file, values, tree.lines, overridden)


def parse_path(text: str, origin: str) -> KeyPath:
    """
    Return a path such as `strategies[0].config.order_qty` as keys and places; `origin` names it in errors.

    Raises
    ------
    BadInput
        If it is not of that form.

    """
    path: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise BadInput(
                f'path "{text}" was not understood', file=origin, hint="write it as strategies[0].config.KEY"
            )
        name, index, dotted_index = match.groups()
        path.append(name if name is not None else int(index if index is not None else dotted_index))
        position = match.end()
    if not path:
        raise BadInput("names no key", file=origin)
    return tuple(path)


def _assign(values: Any, path: KeyPath, value: Any, origin: str) -> None:
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        here = dotted(path[: depth + 1])
        if isinstance(values, dict) and isinstance(part, str):
            if not last:
                values.setdefault(part, [] if isinstance(path[depth + 1], int) else {})
        elif isinstance(values, list) and isinstance(part, int):
            if part >= len(values):
                raise BadInput(f'"{here}" is not in the setup, which has {len(values)} there', file=origin)
        else:
            raise BadInput(f'"{here}" leads nowhere', file=origin)
        if last:
            values[part] = value
        else:
            values = values[part]
