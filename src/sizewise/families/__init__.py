"""One file per family of model types: ``describe(config, resolve) -> Architecture``.

A file lists the types it knows as the keys of ``MODEL_TYPES``; nothing else has to be told about it.
Only the file that the asked type needs is imported.
"""

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from sizewise.architecture import Architecture
from sizewise.catalog.rows import COMPILED, machine_made
from sizewise.configuration import Config
from sizewise.errors import InputError, did_you_mean
from sizewise.plans.activations import check_activations
from sizewise.plans.class_notes import note_class, note_defaults

if TYPE_CHECKING:
    import ast

Resolve = Callable[[Config], Architecture]


@cache
def known_types() -> dict[str, str]:
    """Return {model type: name of the family file}."""
    folder = os.path.dirname(__file__)
    compiled = os.path.join(folder, COMPILED)
    if os.path.exists(compiled):
        found: dict[str, str] = machine_made(f"../families/{COMPILED}")
        return found
    return scan_types(folder)


def scan_types(folder: str) -> dict[str, str]:
    """Read the keys of every ``MODEL_TYPES`` in a folder without importing anything."""
    import ast

    types = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py") and not name.startswith("_"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                tree = ast.parse(file.read())
            for model_type in _literal_keys(tree):
                types[model_type] = name.removesuffix(".py")
    return types


def _literal_keys(tree: "ast.Module") -> list[str]:
    import ast

    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "MODEL_TYPES":
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            assert isinstance(value, ast.Dict)
            return [ast.literal_eval(key) for key in value.keys if key is not None]
    return []


def describe(config: Config) -> Architecture:
    """Return the architecture of a configuration.

    Raises InputError (unsupported_architecture) for a type that no family knows, and for an activation
    that is not modelled.
    """
    family = known_types().get(config.model_type)
    if family is None:
        near = did_you_mean(config.model_type, known_types())
        raise InputError(
            "unsupported_architecture",
            f"model type {config.model_type[:80]!r} is not modelled{near}; read its "
            "checkpoint's header, count the library's class (--via transformers) or give shapes (--layers …)",
        )
    if config.outermost:
        check_activations(config.written, config.model_type)
    module = import_module(f"sizewise.families.{family}")
    architecture: Architecture = module.describe(config, describe)
    note_defaults(config)
    if config.outermost:
        note_class(config, architecture)
    return architecture
