"""Where the tensors of a GGUF file lie in a split of layers: the same placement over the file's own names.

Source: llama.cpp lib 0.5.0, src/llama-arch.cpp and src/llama-model-loader.cpp; names are rows of
``facts/runtimes/sharing.toml``.
"""

from collections.abc import Callable

from sizewise.catalog.sharing import tensor_places
from sizewise.gguf.tensors import GgufShape, GgufTensor
from sizewise.parallel.layer_split import HOST, LayerPlacement

Places = frozenset[int | None]
"""Devices that a tensor lies on; None is the host."""

TABLE, OUTPUT = "token_embd", "output"


def gguf_places(shape: GgufShape, placement: LayerPlacement) -> Callable[[GgufTensor], Places]:
    """Return a function that says on which devices a tensor of the file lies.

    The token table of a file without an output matrix also lies on the output's device; tables of rotary
    factors lie wherever there are layers.

    >>> from sizewise.parallel.layer_split import layer_placement
    >>> table = GgufTensor(base="token_embd.weight", dims=(32000, 4096))
    >>> shape = GgufShape(architecture="gemma", layers=2, experts=1, gqa=1, tensors=(table,))
    >>> sorted(gguf_places(shape, layer_placement(2, [1]))(table), key=str)
    [0, None]
    """
    names = tensor_places()
    outputs = names.outputs | names.misnamed_outputs.get(shape.architecture, frozenset())
    stems = {_stem(tensor) for tensor in shape.tensors}
    copied = OUTPUT not in stems and shape.architecture not in names.one_table

    def places(tensor: GgufTensor) -> Places:
        stem = _stem(tensor)
        if tensor.layer is not None:
            return frozenset((_layer_place(stem, tensor.layer, placement),))
        if stem in names.every_layer:
            return frozenset(placement.device_of_layer)
        if stem in names.inputs:
            copy = stem == TABLE and copied
            return frozenset((HOST, placement.output_device) if copy else (HOST,))
        return frozenset((placement.output_device if stem in outputs else placement.first_device,))

    return places


def _stem(tensor: GgufTensor) -> str:
    """Return the name without its last word: weight or bias."""
    return tensor.base.rpartition(".")[0] or tensor.base


def _layer_place(stem: str, layer: int, placement: LayerPlacement) -> int | None:
    names = tensor_places()
    for overflow in placement.overflows:
        if overflow.layer == layer and stem.startswith(overflow.prefixes):
            return overflow.device
    if stem in names.experts and layer in placement.experts_on_host:
        return HOST
    if stem in names.dense and layer in placement.feed_forward_on_host:
        return HOST
    return placement.device_of_layer[layer]
