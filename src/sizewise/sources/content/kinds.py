"""What the name, dtype and shape of a stored tensor alone say about it."""

import re
from collections.abc import Iterable, Mapping
from math import prod
from typing import Literal

from sizewise.listing import Shape

Kind = Literal[
    "parameter",
    "scale",
    "constant",
    "mask",
    "rotary",
    "correction",
    "prediction",
    "tied_copy",
    "table_copy",
    "other",
]
"""scale: and zero points · constant: code tables, states · correction: balancing biases of routers ·
prediction: layers for further tokens · tied_copy: a head that is the embedding's table · other: what is
no parameter of any class, or not recognised."""

TABLES = frozenset(
    ("embed_tokens", "shared", "wte", "word_embeddings", "embed_in", "embeddings", "embedding", "token_embd")
)
HEADS = frozenset(("lm_head", "embed_out", "output_layer", "output", "decoder"))
CORRECTIONS = frozenset(("e_score_correction_bias", "expert_bias"))
GGUF_BUFFERS: Mapping[str, Kind] = {
    "rope_freqs": "rotary",
    "rope_factors_long": "rotary",
    "rope_factors_short": "rotary",
    "exp_probs_b": "correction",
    "layer_output_scale": "other",
}
"""What llama.cpp names modules that are no parameters of a class, or not of every class."""
SINGLE_SCALES = frozenset(("k_scale", "v_scale", "q_scale", "prob_scale", "input_scale", "output_scale"))
COUNTERS = frozenset(("position_ids", "num_batches_tracked"))
NEVER_LEARNED = frozenset(("BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64", "F8_E8M0"))
"""Dtypes whose tensors are parameters only where their packing is recognised."""

_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks|blk)\.(\d{1,6})\.")
_TOWER = re.compile(r"(?:^|[._])(?:vision|visual|audio|image|encoder)(?:[._]|$)")
_JOINS = frozenset(("eh_proj", "enorm", "hnorm", "nextn"))
"""Modules that join the state of the last layer with the next token: only prediction layers have one."""


def buffer_kind(leaf: str, name: str, shape: Shape) -> Kind | None:
    """Return what a tensor is by its name where it is no parameter."""
    square = len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3]
    if leaf == "masked_bias" or (leaf == "bias" and square):
        return "mask"
    if leaf == "inv_freq":
        return "rotary"
    if leaf in CORRECTIONS and ".moe_statics." not in name:
        return "correction"
    if leaf in SINGLE_SCALES and prod(shape) == 1:
        return "scale"
    return "other" if leaf in COUNTERS else None


def layer_of(name: str) -> int | None:
    """Return the number of the layer that a tensor stands in.

    >>> layer_of("model.layers.61.eh_proj.weight")
    61
    """
    found = _LAYER.search(name)
    return int(found[1]) if found else None


def predicting_layers(names: Iterable[str], depth: int | None) -> frozenset[int]:
    """Return the layers, after the ``depth`` of the model, that predict a further token."""
    joining = {layer_of(name) for name in names if not _JOINS.isdisjoint(name.split("."))}
    return frozenset(layer for layer in joining if layer is not None and layer >= (depth or 0))


def predicts(name: str, predicting: frozenset[int]) -> bool:
    """Tell whether a tensor belongs to a layer that predicts a further token."""
    return "mtp" in name.split(".") or (layer_of(name) in predicting and not _TOWER.search(name))


def module_of(name: str) -> str:
    """Return the module that a tensor belongs to, without its parents.

    >>> module_of("language_model.lm_head.weight")
    'lm_head'
    """
    return name.rpartition(".")[0].rpartition(".")[2]
