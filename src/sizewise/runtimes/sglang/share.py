"""The static share of a device: what weights and pools may take of the memory that is free before loading.

Source: SGLang 0.5.23, ``arg_groups/memory_hook.py``, ``mem_cache/kv_cache_configurator.py``.
"""

from sizewise.architecture import Architecture
from sizewise.catalog.serving import allowance, sglang_capacity, sglang_defaults
from sizewise.operations import TokenCache
from sizewise.runtimes.sglang import NAME
from sizewise.runtimes.sglang.options import SglangOptions
from sizewise.units import MIB

WIDE = 4
"""Devices from which the larger graph batch holds."""

PROMPT_STEPS = (
    (4, 32, 4),
    (48, 256, 16),
    (288, 512, 32),
    (576, 1024, 64),
    (1280, 4096, 256),
    (4608, None, 512),
)
"""Lengths of prompts that are captured: from, to (None: the longest), and the step between."""


def chunk_tokens(device_mib: int, options: SglangOptions) -> int:
    """Return the tokens of a prompt that are processed at once."""
    chosen = options.chunked_prefill_size
    return sglang_capacity(device_mib).chunk_tokens if chosen is None else chosen


def graph_batch(device_mib: int, options: SglangOptions) -> int:
    """Return the largest batch of decoding that is captured as a graph."""
    if options.cuda_graph_max_bs is not None:
        return options.cuda_graph_max_bs
    row = sglang_capacity(device_mib)
    batch = row.graph_batch if options.tp_size < WIDE else row.wide_graph_batch
    return batch if options.max_running_requests is None else min(batch, options.max_running_requests)


def prompt_graphs(largest: int) -> int:
    """Count the lengths of prompts that are captured: by 4, 16, 32, 64, 256 and 512, ever coarser.

    >>> prompt_graphs(8192)
    58
    """
    ends = (
        (first, largest if last is None else min(last, largest), step) for first, last, step in PROMPT_STEPS
    )
    return sum(max((end - first) // step + 1, 0) for first, end, step in ends)


def static_fraction(architecture: Architecture, device_mib: int, options: SglangOptions) -> float:
    """Return ``mem_fraction_static``: the share of a device that weights and pools may take.

    (total - reserved) / total, to three digits; reserved = 512 MiB + 1.5 MiB per token of a chunk +
    128 MiB per device + graphs, at least 10 GiB on devices over 60 GiB.
    """
    if options.mem_fraction_static is not None:
        return options.mem_fraction_static
    constants = sglang_defaults()
    chunk = chunk_tokens(device_mib, options)
    reserved = (
        constants["reserve_mib"] + max(chunk, constants["least_tokens"]) * constants["reserve_per_token_mib"]
    )
    reserved += options.tp_size * options.pp_size * constants["reserve_per_device_mib"]
    if not options.disable_cuda_graph:
        reserved += graph_batch(device_mib, options) * constants["reserve_per_batch_mib"]
        reserved += _prompt_graph_mib(architecture, chunk)
    if device_mib > constants["floor_above_mib"]:
        reserved = max(reserved, constants["reserve_floor_mib"])
    fraction = float(round((device_mib - reserved) / max(device_mib, 1), 3))
    return fraction * float(constants["encoder_factor"]) if options.encoder else fraction


def available_bytes(
    architecture: Architecture, weights: int, device_mib: int, options: SglangOptions
) -> tuple[int, int, int]:
    """Return the bytes of the pools of one device: (low, typical, high).

    free * mem_fraction_static - weights, where ``free`` is what context and libraries leave of the device
    before the weights are loaded.
    """
    static = (static_bytes(architecture, device_mib, options, taken) for taken in libraries_bytes(options))
    high, typical, low = (amount - weights - encoder_cache_bytes(options) for amount in static)
    return low, typical, high


def static_bytes(architecture: Architecture, device_mib: int, options: SglangOptions, taken: int) -> int:
    """Return the static share of a device of which ``taken`` bytes are gone before the weights are loaded.

    A device too small for SGLang's own reserves has none.
    """
    fraction = max(static_fraction(architecture, device_mib, options), 0)
    return int(max(device_mib * MIB - taken, 0) * fraction)


def libraries_bytes(options: SglangOptions) -> tuple[int, int, int]:
    """Return what context, libraries and communication take of a device: (low, typical, high)."""
    found = [allowance(NAME, "libraries_mib")]
    if options.tp_size * options.pp_size > 1:
        found.append(allowance(NAME, "communicator_mib"))
    low, typical, high = (
        int(sum(amounts))
        for amounts in zip(*((row.low, row.typical, row.high) for row in found), strict=True)
    )
    return low, typical, high


def encoder_cache_bytes(options: SglangOptions) -> int:
    """Return the bytes that are kept for what an encoder made of pictures."""
    return int(sglang_defaults()["encoder_cache_mib"]) * MIB if options.encoder else 0


def _prompt_graph_mib(architecture: Architecture, chunk: int) -> float:
    constants = sglang_defaults()
    if any(isinstance(entry, TokenCache) and entry.latent for entry, _ in architecture.kept()):
        return float(constants["reserve_latent_graphs_mib"])
    return float(prompt_graphs(chunk) * constants["reserve_per_prompt_graph_mib"])
