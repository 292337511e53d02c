"""A smaller model out of a larger one: its class built from a smaller configuration, with what stays."""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from typing import Any

import torch

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.pruning.configurations import without_layers
from sizewise.lab.pruning.sensitivity import passed_over
from sizewise.lab.pruning.stack import Stack
from sizewise.lab.saving import divergence_on_prompts

KINDS = "layer_types"
ROUNDING = 1e-3
"""KL in nats per token below which a model in 16 bit, built anew, is the one that it was cut of."""
_PROBE = 2
"""Tokens that a model which was cut is tried on."""


def drop_layers(module: Any, stack: Stack, dropped: Collection[int]) -> Any:
    """Return a new model without some layers; the others are numbered anew, in the configuration too.

    Raises InputError (unsupported_architecture) where other weights depend on the number of layers, or where
    the class makes other layers of those that stay.
    """
    numbers = {
        old: new
        for new, old in enumerate(layer for layer in range(len(stack.layers)) if layer not in dropped)
    }
    prefix = f"{stack.path}."
    kept = {}
    for name, weight in module.state_dict().items():
        if not name.startswith(prefix):
            kept[name] = weight
            continue
        number, _, rest = name.removeprefix(prefix).partition(".")
        if int(number) in numbers:
            kept[f"{prefix}{numbers[int(number)]}.{rest}"] = weight
    raw = without_layers(module.config.to_dict(), dropped)
    smaller = rebuilt(module, raw, kept)
    with ExitStack() as hooks:
        for layer in dropped:
            hooks.enter_context(passed_over(stack.layers[layer]))
        divergence = divergence_on_prompts(module, smaller)
    same_kinds = smaller.config.to_dict().get(KINDS) == raw.get(KINDS)
    if not same_kinds or not abs(divergence) < ROUNDING:
        raise InputError(
            "unsupported_architecture",
            f"{type(module).__name__}: it makes other layers of those that stay when {len(dropped)} are left "
            f"out (KL {divergence:.3g} nats per token); drop others, or take --method width",
        )
    return smaller


def rebuilt(module: Any, raw: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> Any:
    """Return the class of a model built from another configuration, with copies of the weights given.

    torch's random state stays as it was. Raises InputError (unsupported_architecture) where the weights are
    not those of the configuration, or what is built from them cannot run.
    """
    with torch.random.fork_rng(devices=[]):
        try:
            smaller = type(module)(type(module.config).from_dict(dict(raw)))
            copies = {name: weight.detach().clone() for name, weight in weights.items()}
            smaller.load_state_dict(copies, strict=True, assign=True)
            smaller.tie_weights()
            with torch.inference_mode():
                smaller.eval()(input_ids=torch.zeros(1, _PROBE, dtype=torch.long), use_cache=False)
        except Exception as error:  # a configuration's own checks, and weights that do not fit
            reason = shorten(" ".join(str(error).split()), 260)
            raise InputError(
                "unsupported_architecture", f"{type(module).__name__} cannot be cut like this: {reason}"
            ) from error
    smaller.generation_config = module.generation_config
    return smaller.train(module.training)
