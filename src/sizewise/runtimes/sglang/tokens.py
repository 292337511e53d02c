"""What one token costs on one device, and one slot of recurrent states.

Source: SGLang 0.5.23, ``model_executor/pool_configurator.py``, ``mem_cache/kv_cache_configurator.py``,
``configs/mamba_utils.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from sizewise.architecture import Architecture, Component
from sizewise.components.mamba2 import Mamba2
from sizewise.errors import InputError
from sizewise.operations import Kept, SequenceState, TokenCache
from sizewise.runtimes.sglang.options import SglangOptions

INDEX_GROUP = 128
SPARSE_ROW_GROUP, SPARSE_SCALE_BYTES, SPARSE_POSITION_BYTES = 128, 4, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCost:
    """Bytes that one token costs on one device: in full layers, and in sliding layers with their own pool.

    ``state`` is what one slot of all recurrent layers costs, ``window`` the widest window of the
    sliding layers with their own pool.
    """

    full: int
    sliding: int
    state: int
    window: int = 0


def token_cost(architecture: Architecture, options: SglangOptions) -> TokenCost:
    """Return what a token costs on one device, and a slot of recurrent states.

    Raises InputError (unsupported_architecture) for compressed attention and shifted tokens.
    """
    full = sliding = state = window = 0
    for component, entry, layers in _entries(architecture):
        if isinstance(entry, SequenceState):
            state += layers * _state_bytes(component, entry, options)
        elif not entry.encoder:
            row = layers * sum(_rows(entry, options))
            reach = entry.window or entry.chunk
            if options.window_pools and reach:
                sliding, window = sliding + row, max(window, reach)
            else:
                full += row
    shares = (-(-part // options.pp_size) for part in (full, sliding, state))
    return TokenCost(full=next(shares), sliding=next(shares), state=next(shares), window=window)


def _entries(architecture: Architecture) -> Iterator[tuple[Component, Kept, int]]:
    for place in architecture.language():
        for entry in place.component.kept():
            yield place.component, entry, len(place.layers) * place.uses


def _rows(entry: TokenCache, options: SglangOptions) -> Iterator[int]:
    """Yield the bytes that one token takes in one layer: keys and values, and an indexer's key."""
    if entry.stride > 1 or entry.pending or (entry.index and not entry.latent):
        raise InputError(
            "unsupported_architecture",
            "SGLang's pools of compressed or sparse attention without latent keys are not modelled; "
            "use --runtime ideal or transformers",
        )
    if not entry.latent:
        heads = max(1, entry.heads // options.tp_size)
        yield heads * ((entry.keys + entry.values) // entry.heads) * options.cache_bytes
        return
    if entry.index and options.cache_bytes == 1:
        positions = entry.keys % SPARSE_ROW_GROUP
        latent = entry.keys - positions
        scales = latent // SPARSE_ROW_GROUP * SPARSE_SCALE_BYTES
        yield latent + scales + positions * SPARSE_POSITION_BYTES
    else:
        yield entry.keys * options.cache_bytes
    if entry.index:
        yield entry.index + entry.index // INDEX_GROUP * SPARSE_SCALE_BYTES


def _state_bytes(component: Component, entry: SequenceState, options: SglangOptions) -> int:
    """Return the bytes of a state on one device; Mamba-2 repeats groups until every device has one."""
    if entry.shift:
        raise InputError(
            "unsupported_architecture",
            "SGLang runs no model that keeps shifted tokens (RWKV, RG-LRU); use --runtime transformers",
        )
    columns = max(entry.kernel - 1, 0)
    channels = entry.channels
    if isinstance(component, Mamba2) and component.groups % options.tp_size:
        channels += 2 * (options.tp_size - component.groups) * component.state
    own = ceil(channels / options.tp_size) * columns * options.number_bytes
    return own + ceil((entry.recurrent + entry.memory) / options.tp_size) * options.recurrent_bytes
