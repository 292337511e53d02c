"""What vLLM's start-up leaves of a device for the pool of blocks: the budget, and what comes of it.

pool = ceil(total * utilization) - weights - libraries - peak of the profile run - graphs. The profile
run passes ``max_num_batched_tokens`` tokens through the model and samples ``max_num_seqs`` rows of
logits. Weights and the request are exact; the rest is an estimate with the range that logs show.
Source: vLLM 0.33.0, ``v1/worker/gpu_worker.py`` (determine_available_memory), ``utils/mem_utils.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from sizewise.architecture import Architecture, Component
from sizewise.catalog.serving import Allowance, allowance, allowance_source, vllm_defaults
from sizewise.ledger import Line, Number, leaf, total
from sizewise.runtimes.vllm import NAME, SOURCE
from sizewise.runtimes.vllm.groups import BlockPool, logged_tokens
from sizewise.runtimes.vllm.options import BLACKWELL, VllmOptions

FINE_STEP, COARSE_STEP, COARSE_FROM = 8, 16, 256
SMALLEST = (1, 2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """What a device has after start-up: all in bytes but ``blocks``, ``tokens`` and ``concurrency``.

    ``reserved`` is what the pool does not get, with its parts; ``available`` what the pool gets. Each of
    ``available``, ``blocks``, ``tokens`` and ``concurrency`` is (low, typical, high).
    """

    requested: int
    reserved: Line
    available: tuple[int, int, int]
    blocks: tuple[int, int, int]
    tokens: tuple[int, int, int]
    concurrency: tuple[float, float, float]
    refusal: str = ""


def visible_bytes(device_bytes: int) -> int:
    """Return the bytes of a device that programs see: what its listing says less the driver's own.

    >>> visible_bytes(24576 * 2**20) // 2**20
    24136
    """
    return max(device_bytes - int(allowance(NAME, "driver_mib").typical), 0)


def requested_bytes(device_bytes: int, options: VllmOptions) -> int:
    """Return the bytes that vLLM asks of a device: ceil(total * utilization), less where it is told.

    >>> from sizewise.runtimes.vllm.options import vllm_options
    >>> requested_bytes(100, vllm_options(device_bytes=100, device_name="", max_model_len=8))
    92
    """
    return ceil(device_bytes * options.gpu_memory_utilization)


def start_up(
    architecture: Architecture,
    pool: BlockPool,
    weights: int,
    device_bytes: int,
    options: VllmOptions,
    *,
    free_bytes: int | None = None,
    graphs_in_budget: bool = True,
    counting: str = "concurrency",
) -> StartUp:
    """Return what one device's pool holds after start-up, or why vLLM refuses to start.

    ``weights`` are the bytes of the weights on this device, ``device_bytes`` those that programs see of it
    (`visible_bytes`) and ``free_bytes`` what other programs leave
    of it (None: all). ``graphs_in_budget`` and ``counting`` are habits of the version.
    """
    requested = requested_bytes(device_bytes, options)
    reserved = reserved_line(architecture, weights, options, graphs_in_budget=graphs_in_budget)
    available = _available(requested, reserved, pool, options)
    low, typical, high = (pool.blocks(amount) for amount in available)
    tokens = (logged_tokens(pool, blocks, options, counting) for blocks in (low, typical, high))
    return StartUp(
        requested=requested,
        reserved=reserved,
        available=available,
        blocks=(low, typical, high),
        tokens=(next(tokens), next(tokens), next(tokens)),
        concurrency=(pool.concurrency(low), pool.concurrency(typical), pool.concurrency(high)),
        refusal=_refusal(requested, available, pool, device_bytes if free_bytes is None else free_bytes),
    )


def reserved_line(
    architecture: Architecture, weights: int, options: VllmOptions, *, graphs_in_budget: bool = True
) -> Line:
    """Return the bytes that the pool does not get: weights, libraries, profile run, graphs."""
    parts = [
        leaf("weights", weights, "bytes", source="bytes of the weights on one device", status="derived"),
        _allowed("libraries", allowance(NAME, "libraries_mib")),
    ]
    if options.tensor * options.pipeline > 1:
        parts.append(_allowed("communication", allowance(NAME, "communicator_mib")))
    parts.append(profile_peak(architecture, options))
    if architecture.towers:
        parts.append(_allowed("encoder's profile run", allowance(NAME, "encoder_mib")))
    if graphs_in_budget and not options.enforce_eager:
        parts.append(graphs(options))
    return total("reserved", parts, "bytes")


def profile_peak(architecture: Architecture, options: VllmOptions) -> Line:
    """Return the bytes that the profile run holds at once: its widest layer, or its sampler.

    forward = tokens * (2*D + widest) * bytes; sampler = rows * V * bytes per logit, beside the hidden
    states of all tokens.
    """
    factor, each = allowance(NAME, "activation_factor"), allowance(NAME, "bytes_per_logit")
    tokens = options.max_num_batched_tokens
    rows = min(options.max_num_seqs, tokens)
    widest = max((_width(place.component, options.tensor) for place in architecture.language()), default=0)
    forward = tokens * (2 * architecture.hidden + widest) * options.number_bytes
    hidden = tokens * architecture.hidden * options.number_bytes
    logits = rows * architecture.vocabulary
    typical = max(forward, hidden + int(logits * each.typical))
    low = max(forward * factor.low, hidden + logits * each.low)
    high = max(forward * factor.high, hidden + logits * each.high)
    inputs: Mapping[str, Number] = {
        "tokens": tokens,
        "hidden": architecture.hidden,
        "widest": widest,
        "number_bytes": options.number_bytes,
        "rows": rows,
        "vocabulary": architecture.vocabulary,
        "bytes_per_logit": each.typical,
    }
    forward_formula = "tokens * (2 * hidden + widest) * number_bytes"
    sampler_formula = "tokens * hidden * number_bytes + rows * vocabulary * bytes_per_logit"
    return leaf(
        "profile run",
        typical,
        "bytes",
        formula=f"max({forward_formula}, {sampler_formula})",
        inputs=inputs,
        source=allowance_source(NAME),
        status="assumed",
        interval=(int(low), int(high)),
    )


def graphs(options: VllmOptions) -> Line:
    """Return the bytes set aside for graphs: the first captured one, and each of the others.

    Steps without a prompt's tokens are captured whole, the others in pieces between the attention layers.
    """
    count = graph_count(options)
    first, each = allowance(NAME, "first_graph_mib"), allowance(NAME, "graph_mib")
    return leaf(
        "graphs",
        int(first.typical + count * each.typical),
        "bytes",
        formula="first + graphs * each",
        inputs={"first": int(first.typical), "graphs": count, "each": int(each.typical)},
        source=allowance_source(NAME),
        status="assumed",
        interval=(int(first.low + count * each.low), int(first.high + count * each.high)),
    )


def graph_count(options: VllmOptions) -> int:
    """Count the graphs that are captured: sizes 1, 2, 4, 8 … by 8, from 256 by 16, in pieces and whole.

    The largest size is twice the sequences, at most 512 tokens (1024 on data-centre Blackwell).
    """
    constants = vllm_defaults()
    limit = constants["blackwell_graph_tokens" if options.capability == BLACKWELL else "graph_tokens"]
    per_sequence = 1 + options.speculative_tokens
    largest = min(options.max_num_seqs * per_sequence * 2, int(limit), options.max_num_batched_tokens)
    pieces = graph_sizes(largest)
    whole = [size for size in pieces if size <= options.max_num_seqs * per_sequence]
    return len(pieces) + len(whole)


def graph_sizes(largest: int) -> list[int]:
    """Return the batch sizes, in tokens, that are captured up to the largest.

    >>> graph_sizes(20)
    [1, 2, 4, 8, 16]
    """
    steps = [
        *SMALLEST,
        *range(FINE_STEP, COARSE_FROM, FINE_STEP),
        *range(COARSE_FROM, largest + 1, COARSE_STEP),
    ]
    return [size for size in steps if size <= largest]


@lru_cache(maxsize=1024)
def _width(component: Component, tensor: int) -> int:
    """Count the numbers per token that one device holds of a mechanism at its widest.

    Outputs are shared out over the devices, except those of the last product, which are summed up.
    """
    outputs = [
        operation.outputs
        for operation in component.operations()
        if operation.role != "head" and operation.kind != "lookup"
    ]
    shared = [-(-width // tensor) for width in outputs[:-1]] + outputs[-1:]
    return sum(shared) + max(shared, default=0)


def _available(requested: int, reserved: Line, pool: BlockPool, options: VllmOptions) -> tuple[int, int, int]:
    if options.kv_cache_memory_bytes is not None:
        exact = options.kv_cache_memory_bytes
    elif options.num_gpu_blocks_override is not None:
        exact = options.num_gpu_blocks_override * pool.block_bytes
    else:
        least, most = reserved.interval
        return int(requested - most), int(requested - reserved.value), int(requested - least)
    return exact, exact, exact


def _refusal(requested: int, available: tuple[int, int, int], pool: BlockPool, free: int) -> str:
    if free < requested:
        return f"free memory of {free:,} bytes is less than the {requested:,} that the utilization asks for"
    if available[1] <= 0:
        return "no memory is left for the cache blocks"
    if not pool.serves_one(available[1]):
        return (
            f"one request of the longest length needs {pool.request_bytes:,} bytes of cache, "
            f"{max(available[1] - pool.block_bytes, 0):,} are left"
        )
    return ""


def _allowed(name: str, amount: Allowance) -> Line:
    return leaf(
        name,
        int(amount.typical),
        "bytes",
        source=f"{SOURCE}; {allowance_source(NAME)}",
        status="assumed",
        interval=(int(amount.low), int(amount.high)),
    )
