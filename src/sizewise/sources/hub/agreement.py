"""Whether a configuration and what the hub says of the files prove each other, so that no header is needed.

The configuration predicts the name of every tensor and their bytes. A shard index that names just these and
has just that total was written from the same tensors. Where files use other names for them (experts one by
one, older names of towers), the hub's own count of the elements by dtype can take the place of the names.
Neither tells bf16 from fp16 of equal size: the index has no dtypes. Packed weights are never proved so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sizewise.architecture import Architecture, Model
from sizewise.sources.safetensors.index import ShardIndex

_STORED = {"fp32": ("F32", 4), "fp16": ("F16", 2), "bf16": ("BF16", 2)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What files of an unpacked model hold if its configuration is right; ``dtype`` in safetensors' words.

    ``tensors`` and ``elements`` are counts, ``bytes`` those of all tensors.
    """

    architecture: Architecture
    dtype: str
    tensors: int
    elements: int
    bytes: int


def predicted(model: Model) -> Predicted | None:
    """Return what the files must hold; None where that is not known: packed weights, no or another dtype."""
    if model.quantization is not None or model.assumed or model.dtype not in _STORED:
        return None
    dtype, width = _STORED[model.dtype]
    weights = [(weight.elements, copies) for weight, copies in model.architecture.weights()]
    elements = sum(size * copies for size, copies in weights)
    return Predicted(
        architecture=model.architecture,
        dtype=dtype,
        tensors=sum(copies for _, copies in weights),
        elements=elements,
        bytes=width * elements,
    )


def agrees_in_bytes(prediction: Predicted, index: ShardIndex) -> bool:
    """Tell whether the index has the predicted total."""
    return index.total_size == prediction.bytes


def agrees_in_names(prediction: Predicted, index: ShardIndex) -> bool:
    """Tell whether the index names the predicted tensors and no other; they are counted first."""
    if len(index.weight_map) != prediction.tensors:
        return False
    names = {name for name, _ in prediction.architecture.tensors()}
    return names == index.weight_map.keys()


def agrees_in_count(prediction: Predicted, stored: Mapping[str, int]) -> bool:
    """Tell whether the elements by dtype, as the hub counts them, are the predicted ones."""
    return stored == {prediction.dtype: prediction.elements}
