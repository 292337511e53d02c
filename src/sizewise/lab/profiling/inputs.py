"""Inputs for a module, made from its signature and from its first layer: B sequences of S tokens.

What looks its input up gets identifiers (integers below the vocabulary), anything else numbers of the width
that its first layer reads, in the module's own number format.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from sizewise.errors import UsageError

PICTURE = 64
"""Pixels a side of a picture where neither the configuration nor the caller says so."""
FIRST_IDENTIFIER = 3
"""Identifiers below stand for padding and the like."""
NOT_GIVEN = ("self", "args", "kwargs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a module is called with. ``batch`` sequences of ``sequence`` tokens where it reads tokens.

    ``tokens`` tells whether it reads identifiers; ``labelled``: it makes its own loss from ``labels``.
    """

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    batch: int = 1
    sequence: int = 1
    tokens: bool = False
    labelled: bool = False

    def on(self, module: torch.nn.Module) -> Any:
        """Call a module."""
        return module(*self.positional, **self.named)


def identifiers_in(inputs: Any) -> torch.Tensor | None:
    """Return identifiers [B, S] where nothing else is given by name."""
    if not isinstance(inputs, Mapping) or inputs.keys() != {"input_ids"}:
        return None
    found = inputs["input_ids"]
    return found if isinstance(found, torch.Tensor) and found.dim() == 2 else None


def rows_of(inputs: Any) -> tuple[int, int]:
    """Return the first two sizes of the first tensor that is given, 1 where it has fewer."""
    tensors = (entry for entry in tree_leaves(inputs) if isinstance(entry, torch.Tensor))
    shape = next((tuple(one.shape) for one in tensors), ())
    return max(1, shape[0]) if shape else 1, max(1, shape[1]) if len(shape) > 1 else 1


def given_call(inputs: Any, *, batch: int, sequence: int) -> Call:
    """Return the call of inputs that somebody gave: a tensor, several in order, or named ones."""
    if isinstance(inputs, Mapping):
        return Call(named=dict(inputs), batch=batch, sequence=sequence, labelled="labels" in inputs)
    positional = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    return Call(positional=positional, batch=batch, sequence=sequence)


def made_call(
    module: torch.nn.Module, *, batch: int, sequence: int, shape: Sequence[int] | None = None
) -> Call:
    """Return a call of made-up inputs; ``shape`` is that of the first one.

    Raises UsageError (bad_option) where the signature asks for what cannot be made up.
    """
    if shape is not None and len(shape) > 1:
        batch, sequence = int(shape[0]), int(shape[1])
    maker = _Maker(module, batch=batch, sequence=sequence, shape=shape)
    try:
        parameters = inspect.signature(module.forward).parameters
    except ValueError as error:
        raise UsageError(
            "bad_option", f"{type(module).__name__}.forward says no signature; give inputs"
        ) from error
    if "input_ids" in parameters:
        return _of_transformers(module, maker, parameters)
    main = getattr(module, "main_input_name", None) if hasattr(module, "config") else None
    named = {
        name: maker.made(name, parameter)
        for name, parameter in parameters.items()
        if _is_needed(parameter) or name == main
    }
    if "decoder_input_ids" in parameters:
        named["decoder_input_ids"] = maker.identifiers()
    if not named and any(one.kind is one.VAR_POSITIONAL for one in parameters.values()):
        return Call(positional=(maker.first(),), batch=batch, sequence=sequence, tokens=maker.looks_up)
    positional = tuple(
        named.pop(name)
        for name, one in parameters.items()
        if name in named and one.kind is not one.KEYWORD_ONLY
    )
    return Call(positional=positional, named=named, batch=batch, sequence=sequence, tokens=maker.looks_up)


def _is_needed(parameter: inspect.Parameter) -> bool:
    variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return not variadic and parameter.default is parameter.empty


def _of_transformers(module: Any, maker: "_Maker", parameters: Mapping[str, Any]) -> Call:
    """Return identifiers, those of a decoder beside an encoder's, and no cache."""
    identifiers = maker.identifiers()
    named: dict[str, Any] = {"input_ids": identifiers}
    if getattr(getattr(module, "config", None), "is_encoder_decoder", False):
        named["decoder_input_ids"] = identifiers
    if "use_cache" in parameters or "kwargs" in parameters:
        named["use_cache"] = False
    return Call(
        named=named,
        batch=maker.batch,
        sequence=maker.sequence,
        tokens=True,
        labelled="labels" in parameters and _has_vocabulary(module),
    )


def _has_vocabulary(module: Any) -> bool:
    """Tell whether a module answers with a score per token, of which identifiers are labels."""
    return hasattr(module, "get_output_embeddings") and module.get_output_embeddings() is not None


class _Maker:
    """Makes one input after another for a module."""

    def __init__(
        self, module: torch.nn.Module, *, batch: int, sequence: int, shape: Sequence[int] | None
    ) -> None:
        self.module, self.batch, self.sequence, self.shape = module, batch, sequence, shape
        self.layer = _first_layer(module)
        self.looks_up = isinstance(self.layer, torch.nn.Embedding | torch.nn.EmbeddingBag)
        parameter = next((one for one in module.parameters() if one.is_floating_point()), torch.empty(0))
        self.options = {"dtype": parameter.dtype, "device": parameter.device}

    def identifiers(self) -> torch.Tensor:
        """Return integers [B, S] below the vocabulary, the same ones each time."""
        below = self._vocabulary()
        numbers = torch.arange(self.batch * self.sequence, device=self.options["device"])
        first = min(FIRST_IDENTIFIER, below - 1)
        return (first + numbers % max(1, below - first)).reshape(self.batch, self.sequence)

    def _vocabulary(self) -> int:
        config: Any = getattr(self.module, "config", None)
        text: Any = config.get_text_config() if hasattr(config, "get_text_config") else config
        size = getattr(text, "vocab_size", None)
        if isinstance(size, int):
            return size
        return self.layer.num_embeddings if self.looks_up else 1000

    def made(self, name: str, parameter: inspect.Parameter) -> Any:
        """Return what stands for one argument."""
        if parameter.annotation in (bool, int, float, str) or name.startswith(("is_", "use_", "return_")):
            raise UsageError(
                "bad_option",
                f"{type(self.module).__name__}.forward asks for {name!r}: it cannot be made up; give inputs",
            )
        return self.first()

    def first(self) -> torch.Tensor:
        """Return identifiers or numbers as the first layer reads them."""
        if self.looks_up:
            return self.identifiers()
        shape = tuple(self.shape) if self.shape is not None else self._read_shape()
        return torch.randn(shape, **self.options)

    def _read_shape(self) -> tuple[int, ...]:
        layer, batch, sequence = self.layer, self.batch, self.sequence
        if isinstance(layer, torch.nn.Conv1d | torch.nn.Conv2d | torch.nn.Conv3d):
            sides = len(layer.kernel_size)
            return (batch, layer.in_channels, *((sequence,) if sides == 1 else self._sides(sides)))
        if isinstance(layer, torch.nn.RNNBase):
            rows = (batch, sequence) if layer.batch_first else (sequence, batch)
            return (*rows, layer.input_size)
        if isinstance(layer, torch.nn.RNNCellBase):
            return (batch, layer.input_size)
        if isinstance(layer, torch.nn.MultiheadAttention):
            rows = (batch, sequence) if layer.batch_first else (sequence, batch)
            return (*rows, layer.embed_dim)
        width = _read_width(layer)
        if width is None:
            raise UsageError(
                "bad_option",
                f"what {type(self.module).__name__} reads is not known; give inputs or the shape of one",
            )
        flat = isinstance(self.module, torch.nn.Sequential | torch.nn.Linear) and sequence == 1
        return (batch, width) if flat else (batch, sequence, width)

    def _sides(self, number: int) -> tuple[int, ...]:
        """Return the pixels a side of a picture, as the configuration has them."""
        size = getattr(getattr(self.module, "config", None), "image_size", None)
        if isinstance(size, list | tuple) and len(size) == number:
            return tuple(int(side) for side in size)
        return (size if isinstance(size, int) else PICTURE,) * number


def _read_width(layer: torch.nn.Module | None) -> int | None:
    """Return how many numbers per token a layer reads."""
    if isinstance(layer, torch.nn.LayerNorm | torch.nn.RMSNorm):
        return int(layer.normalized_shape[-1])
    width = getattr(layer, "in_features", None) or getattr(layer, "in1_features", None)
    return int(width) if width else None


def _first_layer(module: torch.nn.Module) -> Any:
    """Return the first module that reads something: one with parameters and no parts, or run by torch as one.

    Of modules with parts, whose own parameters are added to what these make, only where there is no other.
    """
    whole = (torch.nn.RNNBase, torch.nn.MultiheadAttention)
    owners = [
        part
        for part in module.modules()
        if isinstance(part, whole) or next(part.parameters(recurse=False), None) is not None
    ]
    single = (part for part in owners if isinstance(part, whole) or next(part.children(), None) is None)
    return next(single, owners[0] if owners else None)
