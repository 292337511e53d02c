"""What the names of adapters' target modules mean in some classes, and which routers are linear layers."""

from collections.abc import Mapping
from functools import cache

from sizewise.catalog.rows import tables


def converted_targets(model_class: str) -> Mapping[str, str]:
    """Return the parameters that target names stand for in a class; empty where they are modules' names.

    >>> converted_targets("MixtralForCausalLM")["w3"]
    'gate_up_proj'
    """
    return _converted().get(model_class, {})


def is_linear_router(module: str, model_class: str) -> bool:
    """Tell whether a router's module is a linear layer and not of a kind of its own.

    >>> is_linear_router("model.layers.0.mlp.router", "PhimoeForCausalLM")
    True
    >>> is_linear_router("model.layers.0.mlp.router", "GptOssForCausalLM")
    False
    """
    routers = tables("adapters")["peft"]["linear_routers"]
    names = [*routers["names"], *(["router"] if model_class in routers["classes"] else [])]
    return any(module.endswith(f".{name}") for name in names)


@cache
def _converted() -> Mapping[str, Mapping[str, str]]:
    rows = tables("adapters")["peft"]["converted"]
    return {model_class: row["parameters"] for row in rows for model_class in row["classes"]}
