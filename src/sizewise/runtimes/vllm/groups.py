"""How layers share one pool of blocks, and what one request takes of it.

All groups draw blocks of one size; a block serves one layer of every kind in its group. Layers of one
kind form one group; of several kinds, their pages are made equal and groups have as many layers as the
rarest kind (as the commonest, when that is less than half as many again).
Source: vLLM 0.33.0, ``v1/core/kv_cache_planning.py`` (layer-outermost layouts), ``v1/kv_cache_interface.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sizewise.errors import InputError
from sizewise.ledger import Line, leaf
from sizewise.runtimes.vllm import SOURCE
from sizewise.runtimes.vllm.layers import LayerCache
from sizewise.runtimes.vllm.options import VllmOptions

Layers = Mapping[LayerCache, int]

UNBALANCED = 3, 2
"""The commonest kind over the rarest: below this ratio groups take the size of the commonest."""

LOCAL = ("sliding", "chunked")
WHOLE = ("full", "latent")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPool:
    """The pool of one device: ``block_bytes`` of a block, over all layers that it serves.

    A request of ``max_model_len`` tokens takes ``request_blocks``; ``groups`` have a block table each.
    ``block_tokens`` are those of the smallest block.
    """

    block_bytes: int
    groups: int
    request_blocks: int
    block_tokens: int

    @property
    def request_bytes(self) -> int:
        """Return the bytes that one request of the longest length takes."""
        return self.block_bytes * self.request_blocks

    def blocks(self, available: int) -> int:
        """Count the blocks that ``available`` bytes hold; one of them is never handed out."""
        return max(available, 0) // self.block_bytes if self.block_bytes else 1

    def concurrency(self, blocks: int) -> float:
        """Return how many requests of the longest length a number of blocks holds at once."""
        return blocks / self.request_blocks if self.request_blocks else float("inf")

    def serves_one(self, available: int) -> bool:
        """Tell whether ``available`` bytes hold one request beside the block that is never handed out."""
        return self.request_bytes <= available - self.block_bytes


def block_pool(layers: Layers, options: VllmOptions) -> BlockPool:
    """Return the pool of one device for the layers that `layer_caches` counted.

    Raises InputError (unsupported_architecture) when their pages cannot be made equal.
    """
    if not options.hybrid_manager:
        layers = _promoted(layers)
    if not layers:
        return BlockPool(block_bytes=0, groups=0, request_blocks=0, block_tokens=0)
    if len({_family(layer) for layer in layers}) == 1 and len({layer.block for layer in layers}) == 1:
        return _single_group(layers, options)
    try:
        layers = _equal_pages(layers)
    except InputError:
        layers = _promoted(layers)
        if len({_family(layer) for layer in layers}) > 1:
            raise
        return _single_group(layers, options)
    return _several_groups(layers, options)


def request_blocks(layer: LayerCache, options: VllmOptions) -> int:
    """Count the blocks that one request of the longest length takes for a layer.

    sliding: the window less one and the tokens in flight, and one more block since a window may start
    inside a block; state: one, and one per speculative token; with prefix caching the states at the last
    two block ends are kept as well.
    """
    length = options.max_model_len
    if layer.kind == "state":
        kept = 2 + layer.checkpoints if options.prefix_caching else 1
        return kept + options.speculative_tokens
    if layer.kind == "sliding":
        return _blocks(min(layer.reach - 1 + options.tokens_in_flight, length), layer.block) + 1
    if layer.kind == "chunked":
        return _blocks(min(layer.reach + options.tokens_in_flight, length), layer.block)
    if layer.kind == "cross":
        return _blocks(options.latest_encoder_tokens, layer.block)
    return _blocks(-(-length // options.decode_context), layer.block)


def shared_blocks(layers: Layers, pool: BlockPool, prefix: int, options: VllmOptions) -> int:
    """Count the blocks of a request that all others share: the whole ones of ``prefix`` tokens.

    The last token of a request is always computed, so its block is its own. 0 where layers are not all of
    full or latent attention in one group: what such a group shares also depends on when requests come.
    Source: vLLM 0.33.0, ``v1/core/kv_cache_manager.py`` (max_cache_hit_length), ``kv_cache_coordinator.py``.
    """
    if pool.groups != 1 or not options.prefix_caching or not shares_prefix(layers):
        return 0
    return min(prefix, options.max_model_len - 1) // (pool.block_tokens * options.decode_context)


def shares_prefix(layers: Layers) -> bool:
    """Tell whether every layer keeps all tokens, so that a prefix has the same blocks in each."""
    return all(layer.kind in WHOLE for layer in layers) and len({layer.block for layer in layers}) == 1


def cache_line(pool: BlockPool, sequences: int, shared: int | None = None) -> Line:
    """Return the bytes of the pool that ``sequences`` requests of the longest length take.

    ``shared`` are the blocks that they have in common; None: they have no common prefix.

    >>> pool = BlockPool(block_bytes=2_097_152, groups=1, request_blocks=512, block_tokens=16)
    >>> cache_line(pool, 2).value, cache_line(pool, 2, 128).value
    (2147483648, 1879048192)
    """
    inputs = {
        "sequences": sequences,
        "request_blocks": pool.request_blocks,
        "block_bytes": pool.block_bytes,
    }
    formula = "sequences * request_blocks * block_bytes"
    if shared is not None:
        formula = "(sequences * request_blocks - (sequences - 1) * shared_blocks) * block_bytes"
        inputs["shared_blocks"] = shared
    blocks = sequences * pool.request_blocks - (sequences - 1) * (shared or 0)
    return leaf(
        "cache",
        blocks * pool.block_bytes,
        "bytes",
        formula=formula,
        inputs=inputs,
        source=SOURCE,
        status="derived",
    )


def logged_tokens(pool: BlockPool, blocks: int, options: VllmOptions, rule: str = "concurrency") -> int:
    """Return the "GPU KV cache size" in tokens that start-up logs.

    ``rule`` "concurrency": requests at once times their length; "blocks" (before 0.21): the blocks of
    one group times the smallest block.
    """
    if rule == "blocks":
        return blocks // max(pool.groups, 1) * pool.block_tokens * options.decode_context
    if not pool.request_blocks:
        return 0
    return int(pool.concurrency(blocks) * options.max_model_len)


def _single_group(layers: Layers, options: VllmOptions) -> BlockPool:
    per_stage = sum(layer.page * _staged(count, options) for layer, count in layers.items())
    return BlockPool(
        block_bytes=per_stage,
        groups=1,
        request_blocks=max(request_blocks(layer, options) for layer in layers),
        block_tokens=min(layer.block for layer in layers),
    )


def _several_groups(layers: Layers, options: VllmOptions) -> BlockPool:
    size = _group_size(list(layers.values()))
    groups = {layer: -(-count // size) for layer, count in layers.items()}
    widest = max(-(-count // groups[layer]) for layer, count in layers.items())
    page = next(iter(layers)).page
    return BlockPool(
        block_bytes=page * _staged(widest, options),
        groups=sum(groups.values()),
        request_blocks=sum(request_blocks(layer, options) * n for layer, n in groups.items()),
        block_tokens=min(layer.block for layer in layers),
    )


def _group_size(counts: list[int]) -> int:
    fewest, most = min(counts), max(counts)
    above, below = UNBALANCED
    return most if most * below < fewest * above else fewest


def _equal_pages(layers: Layers) -> Layers:
    """Return the layers with pages of one size: larger blocks where that divides, padding where not."""
    largest = max(layer.page for layer in layers)
    found: dict[LayerCache, int] = {}
    for layer, count in layers.items():
        equal = _paged(layer, largest)
        found[equal] = found.get(equal, 0) + count
    return found


def _paged(layer: LayerCache, page: int) -> LayerCache:
    if layer.page == page:
        return layer
    if layer.kind != "state" and page % layer.page == 0:
        return replace(layer, block=layer.block * (page // layer.page), page=page)
    if layer.kind == "latent":
        raise InputError(
            "unsupported_architecture",
            "vLLM cannot bring the pages of latent attention and of the other layers to one size",
        )
    return replace(layer, page=page)


def _promoted(layers: Layers) -> Layers:
    """Return the layers with sliding and chunked ones kept whole, where full attention is present."""
    whole = [layer for layer in layers if layer.kind in WHOLE]
    if not whole:
        return layers
    blocks = {layer.block for layer in whole}
    found: dict[LayerCache, int] = {}
    for layer, count in layers.items():
        kept = layer
        if layer.kind in LOCAL:
            block = blocks.copy().pop() if len(blocks) == 1 else layer.block
            kept = replace(layer.with_block(block), kind="full", reach=0)
        found[kept] = found.get(kept, 0) + count
    return found


def _family(layer: LayerCache) -> tuple[object, ...]:
    """Return what layers of one group must share: the kind, and the window, chunk or page."""
    if layer.kind in WHOLE:
        return ("whole",)
    return (layer.kind, layer.reach, layer.page if layer.kind == "state" else 0)


def _staged(layers: int, options: VllmOptions) -> int:
    """Count the layers of the fullest stage of a pipeline."""
    return -(-layers // options.pipeline)


def _blocks(tokens: int, block: int) -> int:
    return -(-tokens // block)
