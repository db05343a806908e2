"""Values of a setup file become structs, and a value that does not fit becomes one helpful line."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints

import msgspec

from bad_input import BadInput, nearest_name
from runtime.setup.tree import KeyPath, SetupTree

_AT = re.compile(r"^(?P<problem>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_PATH_PART = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_TYPE_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_OWN_KEY = re.compile(r"^(?P<key>[a-z][a-z0-9_]*): (?P<problem>.+)$", re.DOTALL)


def parse_part[T](
    tree: SetupTree,
    path: KeyPath,
    values: Any,
    kind: type[T],
    dec_hook: Callable[[type, Any], Any] | None = None,
) -> T:
    """
    Return `values`, which stand at `path` of `tree`, as a struct of type `kind`.

    A struct's own checks may raise `ValueError("key: problem")`; the key is then named with its line.

    Raises
    ------
    BadInput
        If a key is unknown (with the nearest known name) or missing, or a value has the wrong type or is out of bounds.

    """
    try:
        return msgspec.convert(values, kind, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        raise _explain(tree, path, values, kind, str(error)) from None


def _explain(tree: SetupTree, path: KeyPath, values: Any, kind: type, message: str) -> BadInput:
    match = _AT.match(message)
    assert match is not None  # the pattern matches every text
    problem, inner = str(match["problem"]), _inner_path(match["path"] or "")
    where = (*path, *inner)
    if unknown := _UNKNOWN.search(problem):
        key = unknown[1]
        known = _known_keys(kind, inner)
        hint = nearest_name(key, known) or f"known: {', '.join(known)}"
        return tree.complaint("is not a known key", (*where, key), hint)
    if missing := _MISSING.search(problem):
        return tree.complaint(f'the key "{missing[1]}" is missing', where)
    if own := _OWN_KEY.match(problem):
        return tree.complaint(own["problem"], (*where, own["key"]))
    value = _value_at(values, inner)
    options = _options(_type_at(kind, inner))
    if options:
        expected = f"expected one of: {', '.join(options)}"
        return tree.complaint(f'was "{value}", {expected}', where, nearest_name(str(value), options))
    return tree.complaint(f'was "{value}", {_in_words(problem)}', where)


def _inner_path(text: str) -> KeyPath:
    named = text.partition("[...]")[0]  # of a mapping with free keys msgspec does not say which key it means
    return tuple(name or int(index) for name, index in _PATH_PART.findall(named))


def _in_words(text: str) -> str:
    """Return msgspec's sentence with the names of types that a reader of YAML knows."""
    text = text.replace("Invalid decimal string", "expected a number")
    text = re.sub(r"`(\w+(?: \| \w+)+)`", lambda match: _any_of(match[1].split(" | ")), text)
    text = re.sub(r"`(\w+)`", lambda match: _TYPE_NAMES.get(match[1], match[1]), text)
    return text[:1].lower() + text[1:].replace("`", "")


def _any_of(types: list[str]) -> str:
    """Return the types of a union: "text or null", "a number, text or null"."""
    *first, last = ("null" if name == "null" else _TYPE_NAMES.get(name, name) for name in types)
    return f"{', '.join(first)} or {last}"


def _value_at(values: Any, path: KeyPath) -> Any:
    for part in path:
        values = values[part]
    return values


def _known_keys(kind: type, path: KeyPath) -> list[str]:
    inner = _struct_in(_type_at(kind, path))
    return [field.encode_name for field in msgspec.structs.fields(inner)] if _is_struct(inner) else []


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _type_at(kind: Any, path: KeyPath) -> Any:
    for part in path:
        kind = _struct_in(_bare(kind))
        if _is_struct(kind):
            kind = get_type_hints(kind).get(str(part))
        else:
            kind = next((arg for arg in get_args(kind) if arg is not Ellipsis), None)
    return _bare(kind)


def _bare(kind: Any) -> Any:
    """Return the type without `Annotated`, alias or `| None`."""
    if isinstance(kind, TypeAliasType):
        return _bare(kind.__value__)
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) is Union or type(kind).__name__ == "UnionType":
        inner = [arg for arg in get_args(kind) if arg is not type(None)]
        return _bare(inner[0]) if len(inner) == 1 else kind
    return kind


def _choices(kind: Any) -> list[Any]:
    """Return the types that a union allows; none of another type."""
    is_union = get_origin(kind) is Union or type(kind).__name__ == "UnionType"
    return [_bare(each) for each in get_args(kind)] if is_union else []


def _struct_in(kind: Any) -> Any:
    """Return the struct that a union allows; the type itself where there is none."""
    return next((each for each in _choices(kind) if _is_struct(each)), kind)


def _options(kind: Any) -> list[str]:
    """Return what may stand there, where that can be listed; of structs their keys."""
    if get_origin(kind) is Literal:
        return [str(option) for option in get_args(kind)]
    found = [option for each in _choices(kind) for option in _options(each)]
    if found:
        structs = [each for each in _choices(kind) if _is_struct(each)]
        found += [f"a mapping of {', '.join(_known_keys(each, ()))}" for each in structs]
    return found
