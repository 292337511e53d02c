"""The transformers classes: configurations and models of a type, their tensors and their caches.

Nothing of transformers or torch is imported before the first call.
"""

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from .choices import Fields

Tensors = list[tuple[str, tuple[int, ...]]]
"""(name, shape) of every parameter, sorted; tied ones once."""


def configuration(model_type: str, fields: Fields) -> Any:
    """Return the configuration object that a file with these fields becomes."""
    from transformers import CONFIG_MAPPING

    return CONFIG_MAPPING[model_type].from_dict(deepcopy(fields))


def resolved(configuration: Any) -> Fields:
    """Return every field of the class as its ``to_dict`` writes it to JSON."""
    fields: Fields = json.loads(configuration.to_json_string(use_diff=False))
    return fields


def model(configuration: Any, named: str | None) -> Any:
    """Return a model of the named class on the current device, by default of the type's causal class."""
    import transformers

    if named is None:
        return transformers.AutoModelForCausalLM.from_config(configuration)
    return getattr(transformers, named)(configuration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A model as its class makes it."""

    model_class: str
    tensors: Tensors
    total: int


def build(configuration: Any, named: str | None) -> Built:
    """Return what the class makes of a configuration; no memory is filled (meta device)."""
    import torch

    with torch.device("meta"):
        made = model(configuration, named)
    parameters = list(made.named_parameters())
    return Built(
        model_class=type(made).__name__,
        tensors=sorted((name, tuple(parameter.shape)) for name, parameter in parameters),
        total=sum(parameter.numel() for _, parameter in parameters),
    )
