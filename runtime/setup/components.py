"""`module:Class` in a setup becomes a class with its parsed configuration, before anything is started."""

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, msgspec_decoding_hook
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from bad_input import nearest_name
from runtime.setup.parse import parse_part
from runtime.setup.sections import Component
from runtime.setup.tree import KeyPath, SetupTree

QUIET: Final = {"log_events": False, "log_commands": False}
"""Values of a component's configuration in a run without a log."""


@dataclass(frozen=True)
class ResolvedComponent:
    """A strategy or actor class with its configuration; `build()` makes a fresh object each time."""

    kind: type[Any]
    config: Any
    path: KeyPath

    def build(self, **wiring: Any) -> Any:
        """Return a new strategy or actor; `wiring` replaces values of its configuration."""
        return self.kind(msgspec.structs.replace(self.config, **wiring) if wiring else self.config)


def resolve_strategy(tree: SetupTree, path: KeyPath, component: Component) -> ResolvedComponent:
    """Return the strategy that `component`, at `path` of the setup, names; BadInput says what is wrong with it."""
    return _resolve(tree, path, component, Strategy, StrategyConfig)


def resolve_actor(tree: SetupTree, path: KeyPath, component: Component) -> ResolvedComponent:
    """Return the actor that `component`, at `path` of the setup, names; BadInput says what is wrong with it."""
    return _resolve(tree, path, component, Actor, ActorConfig)


def _resolve(tree: SetupTree, path: KeyPath, component: Component, base: type, config_base: type) -> ResolvedComponent:
    kind = _import_class(tree, (*path, "path"), component.path)
    if not issubclass(kind, base) or (base is Actor and issubclass(kind, Strategy)):
        raise tree.complaint(f'"{component.path}" is not a Nautilus {base.__name__}', (*path, "path"))
    config_kind = get_type_hints(kind.__init__).get("config")
    if not (isinstance(config_kind, type) and issubclass(config_kind, config_base)):
        raise tree.complaint(
            f"{kind.__name__}.__init__ does not say the type of its config, a {config_base.__name__}", (*path, "path")
        )
    config = parse_part(tree, (*path, "config"), component.config, config_kind, msgspec_decoding_hook)
    return ResolvedComponent(kind, config, path)


def _import_class(tree: SetupTree, path: KeyPath, text: str) -> type:
    module_name, class_name = text.split(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        hint = nearest_name(module_name, _modules_of(module_name.split(".")[0]))
        raise tree.complaint(f'there is no module "{module_name}"', path, hint) from None
    kind = getattr(module, class_name, None)
    if not isinstance(kind, type):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        hint = nearest_name(class_name, [name for name in classes if not name.endswith("Config")])
        raise tree.complaint(f'module "{module_name}" has no class "{class_name}"', path, hint)
    return kind


def _modules_of(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    root = Path(next(iter(spec.submodule_search_locations)))
    return [f"{package}.{path.stem}" for path in root.glob("*.py") if path.stem != "__init__"]
