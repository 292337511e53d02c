"""The transformers classes: configurations and models of a type, their tensors and their caches.

Nothing of transformers or torch is imported before the first call.
"""

import json
from collections.abc import Iterator
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


CAUSAL = "AutoModelForCausalLM"
IMAGE_AND_TEXT = "AutoModelForImageTextToText"


def model(configuration: Any, named: str) -> Any:
    """Return a model of the named class, or of the one that a mapping (an Auto class) has for the type.

    Some language models stand only in the mapping of images and text.
    """
    import transformers

    if named == CAUSAL and type(configuration) not in transformers.MODEL_FOR_CAUSAL_LM_MAPPING:
        named = IMAGE_AND_TEXT
    found = getattr(transformers, named)
    return found.from_config(configuration) if named.startswith("Auto") else found(configuration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A model as its class makes it."""

    model_class: str
    tensors: Tensors
    total: int


def build(configuration: Any, named: str) -> Built:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Tokens that fill a cache: a prompt for each sequence, then one token a step."""

    dtype: str
    sequences: int
    prompt: int
    steps: int
    capacity: int | None = None
    """Tokens of a cache that is allocated at once; None for one that grows."""
    encoder_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Bytes of the tensors in a cache object, and of the token counters of one allocated at once."""

    cache: int
    counters: int


def fill_cache(configuration: Any, named: str, run: Run) -> Held:
    """Return what the cache of a model with random weights holds after a run on the CPU.

    Raises LookupError where the class returns no cache, or another one than it was given.
    """
    import torch
    import transformers

    made = model(configuration, named).to(getattr(torch, run.dtype)).eval()
    made.set_experts_implementation("eager")
    state = {}
    if run.capacity:
        cache = transformers.StaticCache(config=configuration, max_cache_len=run.capacity)
        state = {"past_key_values": cache}
    with torch.no_grad():
        for tokens in (run.prompt, *[1] * run.steps):
            state = _step(made, torch.full((run.sequences, tokens), 3), run, state)
    if not state or (run.capacity and state.get("past_key_values") is not cache):
        raise LookupError(f"{type(made).__name__} keeps its cache elsewhere")
    tensors = {(each.data_ptr(), each.shape): each for each in _tensors(list(state.values()))}.values()
    return Held(
        cache=sum(tensor.nbytes for tensor in tensors if tensor.is_floating_point()),
        counters=sum(tensor.nbytes for tensor in tensors if run.capacity and not tensor.is_floating_point()),
    )


def _step(made: Any, tokens: Any, run: Run, state: dict[str, Any]) -> dict[str, Any]:
    """Feed tokens; return the cache under the argument that the class takes it by."""
    import torch

    given = {"input_ids": tokens}
    if run.encoder_tokens:
        encoder = torch.full((run.sequences, run.encoder_tokens), 3)
        given = {"input_ids": encoder, "decoder_input_ids": tokens}
    output = made(**given, use_cache=True, **state)
    return {name: output[name] for name in ("past_key_values", "cache_params", "state") if name in output}


def _tensors(value: Any) -> Iterator[Any]:
    """Yield the tensors in a cache object, its layers and their lists; private constants apart."""
    import torch
    import transformers

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _tensors(inner)
    elif type(value).__module__.startswith("transformers.") and not isinstance(
        value, transformers.PreTrainedConfig
    ):
        yield from _tensors({name: held for name, held in vars(value).items() if name[0] != "_"})
