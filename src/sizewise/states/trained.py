"""Which tensors a recipe trains: all weights but frozen ones, or low-rank matrices beside frozen weights.

What a class itself never trains (`Weight.frozen`) is frozen in every recipe.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from sizewise.architecture import Architecture, Placed
from sizewise.counting import total_parameters
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.recipe import Adapter, Recipe
from sizewise.states.adapters import adapters
from sizewise.states.tensors import TrainedTensor, makes_logits, trained_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The tensors that are trained, and how many parameters of the model are not."""

    tensors: tuple[TrainedTensor, ...]
    frozen: int

    def __iter__(self) -> Iterator[TrainedTensor]:
        """Yield the tensors, in the order of the class."""
        return iter(self.tensors)

    @property
    def parameters(self) -> int:
        """Count the parameters that are trained."""
        return sum(tensor.elements * tensor.copies for tensor in self.tensors)

    @property
    def total(self) -> int:
        """Count all parameters, those of adapters too."""
        return self.parameters + self.frozen


def trainable(architecture: Architecture, recipe: Recipe) -> Trained:
    """Return the tensors that a recipe trains.

    With an adapter these are its matrices alone, beside modules that ``recipe.frozen`` does not name.
    Raises UsageError (bad_option) where a target or a frozen part names nothing of the model.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> from sizewise.recipe import Adapter
    >>> llama = {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008}
    >>> llama |= {"num_hidden_layers": 32, "num_attention_heads": 32}
    >>> adapter = Adapter(rank=8, targets=("q_proj", "v_proj"))
    >>> recipe = Recipe(sequence=2048, method="lora", adapter=adapter)
    >>> trainable(describe(Config(llama, "llama")), recipe).parameters
    4194304
    """
    if recipe.method == "full":
        return _trained(architecture, None, recipe.frozen)
    if recipe.adapter is None:
        raise UsageError("bad_option", f"{recipe.method} needs the rank of its adapters")
    adapter = replace(recipe.adapter, magnitude=True) if recipe.method == "dora" else recipe.adapter
    return _trained(architecture, adapter, recipe.frozen)


@lru_cache(maxsize=16)
def _trained(architecture: Architecture, adapter: Adapter | None, frozen: tuple[str, ...]) -> Trained:
    _check_frozen(architecture, frozen)
    everything = total_parameters(architecture)
    if adapter is not None:
        return Trained(tensors=adapters(architecture, adapter, frozen), frozen=everything)
    tensors = tuple(_weights(architecture, frozen))
    kept = everything - sum(tensor.elements * tensor.copies for tensor in tensors)
    return Trained(tensors=tensors, frozen=kept)


def _weights(architecture: Architecture, frozen: tuple[str, ...]) -> Iterator[TrainedTensor]:
    for place in architecture.placed():
        for weight in place.weights():
            layers = () if weight.frozen else trained_layers(place, place.full_name(weight, "{}"), frozen)
            if layers:
                yield TrainedTensor(
                    name=place.full_name(weight, "{}"),
                    shape=weight.shape,
                    layers=layers,
                    kind=weight.kind,
                    role=weight.role,
                    output=makes_logits(place, weight),
                )


def _check_frozen(architecture: Architecture, frozen: tuple[str, ...]) -> None:
    for part in frozen:
        if all(len(trained_layers(*one, (part,))) == len(one[0].layers) for one in _named(architecture)):
            names = {
                ".".join(name.split(".")[:depth]) for _, name in _named(architecture) for depth in (1, 2, 3)
            }
            near = did_you_mean(part, sorted(names))
            raise UsageError("bad_option", f"no weight's name begins with {shorten(part)!r}{near}")


def _named(architecture: Architecture) -> Iterator[tuple[Placed, str]]:
    for place in architecture.placed():
        for weight in place.weights():
            yield place, place.full_name(weight, "{}")
