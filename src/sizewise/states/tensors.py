"""A tensor that is trained, and which layers of a kind of tensor a recipe leaves frozen."""

from dataclasses import dataclass
from math import prod

from sizewise.architecture import Placed
from sizewise.components.embeddings import Head
from sizewise.components.stored_tensor import StoredTensor
from sizewise.tensors import Kind, Role, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedTensor:
    """A kind of trained tensor: its name with ``{}`` for the layer's index, its shape and its layers.

    ``adapter`` says that it stands beside a frozen weight, whose kind and role it has, ``output`` that it
    makes the logits.
    """

    name: str
    shape: tuple[int, ...]
    layers: tuple[int, ...]
    kind: Kind
    role: Role
    adapter: bool = False
    output: bool = False

    @property
    def copies(self) -> int:
        """Count the layers that have one."""
        return len(self.layers)

    @property
    def elements(self) -> int:
        """Count the numbers of one."""
        return prod(self.shape)

    @property
    def hidden_matrix(self) -> bool:
        """Tell whether it multiplies hidden states: two axes, no embedding table and not the output head."""
        return self.kind == "matrix" and len(self.shape) == 2 and not self.output


def makes_logits(place: Placed, weight: Weight) -> bool:
    """Tell whether a weight is the output head, of a checkpoint of which nothing else is known any head."""
    return weight.role == "head" and isinstance(place.component, Head | StoredTensor)


def trained_layers(place: Placed, name: str, frozen: tuple[str, ...]) -> tuple[int, ...]:
    """Return the layers of a tensor in which no frozen part's name begins its own.

    ``name`` has ``{}`` for the layer's index; a part's name ends at a dot.

    >>> begins("model.layers.1.mlp", "model.layers.1"), begins("model.layers.10.mlp", "model.layers.1")
    (True, False)
    """
    if not frozen:
        return place.layers
    full = {layer: name.replace("{}", str(layer), 1) if place.in_stack else name for layer in place.layers}
    return tuple(layer for layer, own in full.items() if not any(begins(own, part) for part in frozen))


def begins(name: str, part: str) -> bool:
    """Tell whether a tensor's name begins with the name of a part."""
    return f"{name}.".startswith(f"{part.rstrip('.')}.")
