"""
A YAML 1.2 file as plain values that remember their line, so that every complaint can name file, line and key.

Numbers with a decimal point become `Decimal`, so a quantity of 0.1 stays 0.1. Times stay text.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bad_input import BadInput

type KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "false": False}


def dotted(path: KeyPath) -> str:
    """Return a key path as people write it: `strategies[0].config.order_qty`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class SetupTree:
    """
    The values of a setup file, before they are given their meaning.

    Parameters
    ----------
    file : Path
        Where the values come from.
    values : dict
        Plain mappings, lists and scalars.
    lines : dict
        The line, counted from 1, of each key path in the file.
    overridden : dict
        The text of the `--set` that gave a key path its value.

    """

    file: Path
    values: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)
    overridden: dict[KeyPath, str] = field(default_factory=dict)

    def line_of(self, path: KeyPath) -> int | None:
        """Return the line of `path` or of its nearest parent that has one."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def _is_from(self, given: KeyPath, path: KeyPath) -> bool:
        """Return whether the value at `path` came by the `--set` of `given`: below it, or only there because of it."""
        return len(given) <= len(path) or path not in self.lines

    def complaint(self, problem: str, path: KeyPath, hint: str | None = None) -> BadInput:
        """Return the exception that names file, line and key of `path`, or the `--set` that gave its value."""
        for given, origin in self.overridden.items():
            shorter = min(len(given), len(path))
            if path and given[:shorter] == path[:shorter] and self._is_from(given, path):
                return BadInput(problem, file=origin, key=dotted(path), hint=hint)
        return BadInput(problem, file=self.file, line=self.line_of(path), key=dotted(path) or None, hint=hint)


def read_setup_tree(file: Path) -> SetupTree:
    """
    Read a YAML file.

    Raises
    ------
    BadInput
        If there is no such file, it is not YAML, a key stands twice, a number is not finite, or it holds no mapping.

    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput("no such setup file", file=file, hint=_similar_files(file)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"could not be read: {error}", file=file) from None
    node = _compose(text, file)
    if not isinstance(node, MappingNode):
        raise BadInput("holds no setup, expected keys such as `name:` and `strategies:`", file=file)
    lines: dict[KeyPath, int] = {}
    values = _value_of(node, (), lines, file)
    return SetupTree(file, values, lines)


def require_setup(tree: SetupTree, option: str) -> None:
    """
    Refuse a sweep or an experiment where an option needs a setup.

    Raises
    ------
    BadInput
        Naming the option.

    """
    for other in ("experiment", "sweep"):
        if other in tree.values:
            raise BadInput(f"runs a setup, and this file holds a key {other}", file=tree.file, key=option)


def parse_value(text: str, origin: str) -> Any:
    """Return the value that YAML reads from `text`, as given on a command line; `origin` names it in errors."""
    node = _compose(text, Path(origin))
    return None if node is None else _value_of(node, (), {}, Path(origin))


def _similar_files(file: Path) -> str | None:
    setups = sorted(file.parent.glob("*.yaml")) if file.parent.is_dir() else []
    return f"found there: {', '.join(path.name for path in setups)}" if setups else None


def _compose(text: str, file: Path) -> Node | None:
    try:
        node: Node | None = YAML(typ="rt").compose(io.StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadInput(f"is not YAML: {error.problem}", file=file, line=line) from None
    except YAMLError as error:
        raise BadInput(f"is not YAML: {error}", file=file) from None
    return node


def _value_of(node: Node, path: KeyPath, lines: dict[KeyPath, int], file: Path) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines, file)
    if isinstance(node, SequenceNode):
        return [_value_of(item, (*path, i), lines, file) for i, item in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return _scalar(node, path, file)


def _mapping(node: MappingNode, path: KeyPath, lines: dict[KeyPath, int], file: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        if key in values:
            raise BadInput("stands twice", file=file, line=line, key=dotted((*path, key)))
        lines[(*path, key)] = line
        values[key] = _value_of(value_node, (*path, key), lines, file)
    return values


def _scalar(node: ScalarNode, path: KeyPath, file: Path) -> Any:
    text = str(node.value)
    match str(node.tag).removeprefix(_TAG):
        case "int":
            return int(text.replace("_", ""), 0) if not text.lstrip("+-").isdigit() else int(text)
        case "float":
            number = Decimal(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
            if not number.is_finite():
                line = node.start_mark.line + 1
                raise BadInput(f'was "{text}", expected a finite number', file=file, line=line, key=dotted(path))
            return number
        case "bool":
            return _BOOLEANS[text.lower()]
        case "null":
            return None
        case _:
            return text


def plain(value: Any) -> Any:
    """Return `value` with every Decimal as int or float, for JSON."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
