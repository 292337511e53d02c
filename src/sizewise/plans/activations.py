"""Activations: those that hold parameters, and names that the library does not know.

Almost all are functions without weights, so no family reads them. PReLU holds one parameter and xIELU
two wherever the class makes one; a name that the library does not know makes its class fail.
Source: activations.py of transformers 5.23.
"""

import re
from collections.abc import Mapping
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten

_FIELD = re.compile(r"(.*_)?(act|act_fn|activation|activation_function)")
_LEARNED = frozenset({"prelu", "xielu"})
_PLAIN = frozenset(
    {
        "gelu",
        "gelu_10",
        "gelu_accurate",
        "gelu_fast",
        "gelu_new",
        "gelu_python",
        "gelu_python_tanh",
        "gelu_pytorch_tanh",
        "hardswish",
        "laplace",
        "leaky_relu",
        "linear",
        "mish",
        "quick_gelu",
        "relu",
        "relu2",
        "relu6",
        "sigmoid",
        "silu",
        "sqrtsoftplus",
        "swish",
        "tanh",
    }
)
_OWN_CODE = frozenset({"situ", "swiglu", "swigluoai"})
"""Functions without weights that published files name and a model's own code applies."""
_MODELLED = {("apertus", "hidden_act"): "xielu"}
"""What a family counts itself."""
_DEPTH = 4


def check_activations(fields: Mapping[str, Any], model_type: str, depth: int = 0) -> None:
    """Raise InputError for an activation that is not modelled, in a configuration or its sections.

    unsupported_architecture: it holds parameters, or its name is not known.
    """
    for key, value in fields.items():
        name = str(key)
        if isinstance(value, Mapping) and depth < _DEPTH:
            inner = value.get("model_type")
            check_activations(value, inner if isinstance(inner, str) else name, depth + 1)
        elif isinstance(value, str) and _FIELD.fullmatch(name):
            _check(name, value, model_type)


def _check(field: str, name: str, model_type: str) -> None:
    if name in _PLAIN or name in _OWN_CODE or _MODELLED.get((model_type, field)) == name:
        return
    why = "holds parameters that are not modelled" if name in _LEARNED else "is not known"
    raise InputError(
        "unsupported_architecture",
        f"{shorten(model_type, 40)} config: {shorten(field, 40)} {shorten(name, 40)!r} {why}",
    )
