"""What each layer of a model asks of the pool: its kind, tokens per block and bytes per block (a page).

Full and sliding attention keep K*(Hk + Hv) numbers per token, latent attention one row; a recurrent layer
keeps its whole state in one page. In a model with both, blocks of attention are enlarged until a page
holds a state, and the state's page is padded to it.
Source: vLLM 0.33.0, ``v1/kv_cache_interface.py``, ``platforms/interface.py`` (_align_hybrid_block_size),
``model_executor/layers/{attention,mamba}``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sizewise.architecture import Architecture, Component
from sizewise.catalog.serving import CacheCell, vllm_cache, vllm_defaults
from sizewise.components.latent_attention import LatentAttention
from sizewise.components.mamba2 import Mamba2
from sizewise.errors import InputError
from sizewise.operations import SequenceState, TokenCache
from sizewise.runtimes.vllm.options import BLACKWELL, HOPPER, VllmOptions

Kind = Literal["full", "latent", "sliding", "chunked", "cross", "state"]

INDEX_GROUP = 128
"""Numbers of an indexer's key that share a scale of 4 bytes; the key itself is kept in 8 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCache:
    """What one layer asks for: ``page`` bytes per block of ``block`` tokens, ``row`` bytes per token.

    ``reach`` is the window or chunk in tokens. Layers are alike when everything here is equal; ``shape``
    (heads, key and value size) tells apart pages that only happen to have one size. ``checkpoints`` are
    the blocks that a recurrent layer keeps of a prompt's inside.
    """

    kind: Kind
    block: int
    page: int
    row: int = 0
    reach: int = 0
    shape: tuple[int, int, int] = (0, 0, 0)
    indexer: bool = False
    checkpoints: int = 0

    def with_block(self, block: int) -> "LayerCache":
        """Return the same layer with another number of tokens per block."""
        return replace(self, block=block, page=block * self.row)


def layer_caches(architecture: Architecture, options: VllmOptions) -> Mapping[LayerCache, int]:
    """Count the layers of each kind with what one of them asks of the pool on one device.

    Raises InputError (unsupported_architecture) for mechanisms that vLLM keeps in another way.
    """
    cell = vllm_cache(options.kv_cache_dtype)
    layers: Counter[LayerCache] = Counter()
    for place in architecture.language():
        times = len(place.layers) * place.uses
        for layer in _component_caches(place.component, cell, options):
            layers[layer] += times
    block = options.block_size or default_block(layers, options)
    return aligned(
        {layer.with_block(block) if layer.row else layer: n for layer, n in layers.items()}, options
    )


def default_block(layers: Iterable[LayerCache], options: VllmOptions) -> int:
    """Return the tokens of a block that the attention backends of a model agree on.

    16, except for sparse latent attention (64) and latent attention on Blackwell (32).
    """
    constants = vllm_defaults()
    kinds = {layer.kind for layer in layers}
    if any(layer.indexer for layer in layers):
        return int(constants["sparse_block_tokens"])
    if "latent" in kinds and options.capability == BLACKWELL:
        return int(constants["blackwell_latent_block_tokens"])
    return int(constants["block_tokens"])


def aligned(layers: Mapping[LayerCache, int], options: VllmOptions) -> Mapping[LayerCache, int]:
    """Return the layers with blocks of attention enlarged, and states padded, to pages of one size.

    block = a * ceil(state / (a * row)), a = the backend's block (at least 128 for latent attention).
    """
    states = [layer for layer in layers if layer.kind == "state"]
    attention = [layer for layer in layers if layer.kind in ("full", "latent", "sliding", "chunked")]
    if not states or not attention:
        return layers
    main = _main_attention(attention)
    step = main.block
    if main.kind == "latent":
        step = max(step, int(vllm_defaults()["hybrid_latent_alignment"]))
    state = max(layer.page for layer in states)
    block = max(main.block, step * -(-state // (step * main.row)))
    found: Counter[LayerCache] = Counter()
    for layer, count in layers.items():
        state_layer = layer.kind == "state"
        found[replace(layer, page=block * main.row) if state_layer else layer.with_block(block)] += count
    return found


def with_draft(layers: Mapping[LayerCache, int], draft: Mapping[LayerCache, int]) -> Mapping[LayerCache, int]:
    """Return a model's layers with those of its draft model or prediction head beside them.

    The draft's attention takes blocks of the main model's size, which a recurrent main model enlarged.
    """
    attention = [layer for layer in layers if layer.kind in ("full", "latent", "sliding", "chunked")]
    found = Counter(layers)
    for layer, count in draft.items():
        found[layer.with_block(_main_attention(attention).block) if layer.row and attention else layer] += (
            count
        )
    return found


def _main_attention(attention: list[LayerCache]) -> LayerCache:
    plain = [layer for layer in attention if layer.kind in ("full", "latent") and not layer.indexer]
    return max(plain or attention, key=lambda layer: layer.row)


def _component_caches(component: Component, cell: CacheCell, options: VllmOptions) -> Iterable[LayerCache]:
    """Yield what one layer of a mechanism asks for; all that a recurrent one keeps is one page."""
    state = 0
    for entry in component.kept():
        if isinstance(entry, TokenCache):
            kept = entry if options.keeps_latent else _expanded(component, entry)
            yield from _token_caches(kept, cell, options)
        else:
            state += _state_bytes(component, entry, options)
    if state:
        yield LayerCache(
            kind="state",
            block=options.max_model_len,
            page=state,
            checkpoints=int(isinstance(component, Mamba2) and options.prefill_checkpoints),
        )


def _expanded(component: Component, entry: TokenCache) -> TokenCache:
    """Return the keys and values of all heads where an entry is their latent; values as wide as keys."""
    if not isinstance(component, LatentAttention) or not entry.latent:
        return entry
    if entry.index:
        raise InputError(
            "unsupported_architecture",
            "vLLM does not know this type's sparse latent attention; use --runtime ideal or transformers",
        )
    width = max(component.plain_size + component.rotary_size, component.value_size)
    numbers = component.heads * width
    return replace(entry, keys=numbers, values=numbers, heads=component.heads, latent=False)


def _token_caches(entry: TokenCache, cell: CacheCell, options: VllmOptions) -> Iterable[LayerCache]:
    if entry.stride > 1 or entry.pending or (entry.index and not entry.latent):
        raise InputError(
            "unsupported_architecture",
            "vLLM's cache of compressed or sparse attention without latent keys is not modelled; "
            "use --runtime ideal or transformers",
        )
    if entry.latent:
        row = _latent_row(entry, cell, options)
        kind: Kind = "sliding" if entry.window is not None else "latent"
        yield _attention(kind, row, entry.window or 0, (1, entry.keys, 0))
        if entry.index:
            width = entry.index + entry.index // INDEX_GROUP * 4
            yield replace(_attention("latent", width, 0, (1, width, 0)), indexer=True)
        return
    heads = max(1, entry.heads // options.tensor)
    key, value = entry.keys // entry.heads, entry.values // entry.heads
    row = heads * (_side_bytes(key, cell, options) + _side_bytes(value, cell, options))
    shape = (heads, key, value)
    if entry.encoder:
        yield _attention("cross", row, 0, shape)
    elif entry.window is not None:
        yield _attention("sliding", row, entry.window, shape)
    elif entry.chunk is not None:
        yield _attention("chunked", row, entry.chunk, shape)
    else:
        yield _attention("full", row, 0, shape)


def _attention(kind: Kind, row: int, reach: int, shape: tuple[int, int, int]) -> LayerCache:
    return LayerCache(kind=kind, block=1, page=row, row=row, reach=reach, shape=shape)


def _latent_row(entry: TokenCache, cell: CacheCell, options: VllmOptions) -> int:
    if cell.latent_row is not None:
        return cell.latent_row
    if entry.index and cell.sparse_row is not None and options.capability == HOPPER:
        return cell.sparse_row
    bits = options.number_bytes * 8 if cell.bits is None else cell.bits
    return entry.keys * bits // 8


def _side_bytes(numbers: int, cell: CacheCell, options: VllmOptions) -> int:
    """Return the bytes of the keys (or values) of one token and head, with their scales."""
    if cell.bits is None:
        return numbers * options.number_bytes
    shared = numbers // cell.numbers_per_scale if cell.numbers_per_scale else 0
    return numbers * cell.bits // 8 + shared + cell.scale_bytes


def _state_bytes(component: Component, entry: SequenceState, options: VllmOptions) -> int:
    """Return the bytes of a recurrent layer's state on one device, heads shared over the devices.

    The convolution keeps kernel - 1 inputs, one more per speculative token.
    """
    if entry.shift:
        raise InputError(
            "unsupported_architecture",
            "vLLM runs no model that keeps shifted tokens (RWKV, RG-LRU); use --runtime transformers",
        )
    columns = max(entry.kernel - 1, 0) + (options.speculative_tokens if entry.kernel else 0)
    channels = _shared(_channels(component, entry, options.tensor), options.tensor)
    own = channels * columns + _shared(entry.memory, options.tensor)
    recurrent = _shared(entry.recurrent, options.tensor)
    return own * options.number_bytes + recurrent * options.recurrent_bytes


def _channels(component: Component, entry: SequenceState, devices: int) -> int:
    """Count the channels of a convolution over all devices: Mamba-2 repeats groups until they share out."""
    if isinstance(component, Mamba2) and component.groups % devices:
        return entry.channels + 2 * (devices - component.groups) * component.state
    return entry.channels


def _shared(numbers: int, devices: int) -> int:
    return -(-numbers // devices)
