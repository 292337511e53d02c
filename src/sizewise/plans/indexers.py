"""Sparse attention: which layers own an indexer that picks the keys to attend to, and what it is.

Source: configuration and modelling files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.components.latent_attention import Indexer
from sizewise.configuration import Config
from sizewise.errors import InputError

INDEXED = dict.fromkeys(
    ("indexed_attention", "deepseek_sparse_attention", "full_attention"), "indexed_attention"
)
WORDS = {"full": True, "shared": False}
LETTERS = {"F": True, "S": False}

IndexerRule = Callable[[Config, int], list[bool]]
"""From a configuration and a number of layers to one answer per layer: has it an indexer of its own?"""


def every_indexer(_config: Config, layers: int) -> list[bool]:
    """Give each layer an indexer of its own."""
    return [True] * layers


def shared_indexers(config: Config, layers: int) -> list[bool]:
    """Give some layers an indexer of their own; the others take over the choice of an earlier one.

    Said by ``indexer_types`` or ``index_topk_pattern`` (a list, or letters F and S), else every
    ``index_topk_freq``-th layer from ``index_skip_topk_offset`` on has one, and all before it.
    """
    for field in ("indexer_types", "index_topk_pattern"):
        if config.raw(field) is not None:
            return listed_indexers(config, field, layers)
    step = config.optional_count("index_topk_freq") or 1
    offset = config.optional_count("index_skip_topk_offset")
    first = 1 if offset is None else offset - 1
    return [max(index - first, 0) % step == 0 for index in range(layers)]


def listed_indexers(config: Config, field: str, layers: int) -> list[bool]:
    """Read one entry per layer, words of a list or letters of a text; what is too long is cut.

    It may count prediction layers.
    """
    raw = config.raw(field)
    known = LETTERS if isinstance(raw, str) else WORDS
    entries = list(raw if isinstance(raw, str) else config.entries(field) or ())
    length = f"{field} has {len(entries)} entries for {layers} layers"
    if len(entries) < layers:
        raise InputError("inconsistent", f"{config.model_type} config: {length}")
    if len(entries) > layers:
        config.notice("inconsistent", f"{length}; the rest is not used")
    if any(not isinstance(entry, str) or entry not in known for entry in entries[:layers]):
        raise config.bad(field, f"holds an unknown kind; known are {', '.join(known)}")
    return [known[entry] for entry in entries[:layers]]


def indexer(config: Config) -> Indexer:
    """Return the indexer of a layer that owns one; its queries come from the latent of the attention's."""
    return Indexer(
        hidden=config.size("hidden_size"),
        query_rank=config.size("q_lora_rank"),
        heads=config.size("index_n_heads"),
        head_size=config.size("index_head_dim"),
    )
