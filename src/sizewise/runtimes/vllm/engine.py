"""vLLM as an engine: what its start-up takes of a device beside the weights, and what its pool then holds."""

from dataclasses import dataclass, replace
from typing import ClassVar

from sizewise.catalog.devices import Device
from sizewise.catalog.serving import vllm_keeps_latent
from sizewise.ledger import Line, leaf, total
from sizewise.runtimes.served import engine_notices, per_replica, pool_report, unshared_prefix
from sizewise.runtimes.vllm import NAME, SOURCE, VERSION
from sizewise.runtimes.vllm.adapters import Adapters, adapter_buffers
from sizewise.runtimes.vllm.experts import expert_padding_bytes
from sizewise.runtimes.vllm.groups import (
    LOCAL,
    BlockPool,
    Layers,
    block_pool,
    cache_line,
    shared_blocks,
    shares_prefix,
)
from sizewise.runtimes.vllm.layers import layer_caches
from sizewise.runtimes.vllm.options import VllmOptions, recurrent_bytes, vllm_options
from sizewise.runtimes.vllm.startup import requested_bytes, reserved_line, start_up, visible_bytes
from sizewise.runtimes.working import Part, Working
from sizewise.scenario import Scenario

BUFFERS = frozenset(("profile run", "encoder's profile run", "graphs"))
WEIGHTS = "weights"
PADDED_FORMAT = "mxfp4"
NAMED_CACHES = {"bf16": "auto", "fp16": "auto", "auto": "auto"}
"""vLLM's name of the cache formats that are the model's own 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vllm:
    """One pool of blocks for all layers; graphs and the peak of a profile run are set aside before."""

    name: ClassVar[str] = NAME
    version: ClassVar[str] = VERSION

    def usable(self, device: Device, scenario: Scenario) -> int:
        """Return what vLLM asks of a device: its share of what programs see."""
        return min(
            device.memory_bytes, requested_bytes(seen_bytes(device), _device_options(scenario, device))
        )

    def working(self, part: Part) -> Working:
        """Return the blocks that the sequences take, and what start-up sets aside."""
        options = engine_options(part)
        caches = layer_caches(part.whole, options)
        pool = block_pool(caches, options)
        reserved = reserved_line(part.whole, 0, options)
        buffers = [line for line in reserved.parts if line.name in BUFFERS]
        if part.scenario.engine.adapters:
            buffers.append(_adapters(part, options))
        padding = _expert_padding(part, options)
        if padding.value:
            buffers.append(padding)
        rest = [line for line in reserved.parts if line.name not in BUFFERS and line.name != WEIGHTS]
        return Working(
            cache=total("cache", [_blocks(pool, caches, part, options)], "bytes"),
            buffers=total("buffers", buffers, "bytes"),
            overhead=total("overhead", rest, "bytes"),
            reports=per_replica(_reports(part, pool, options), part.layout.data),
            notices=(
                *engine_notices(part, NAME, SOURCE),
                *unshared_prefix(part, NAME, shares_prefix(caches)),
            ),
        )


def _blocks(pool: BlockPool, caches: Layers, part: Part, options: VllmOptions) -> Line:
    """Return the blocks of the sequences under a name that tells their size and what windows add.

    Layers with windows beside whole ones in a single group keep every token.
    """
    prefix = part.scenario.engine.shared_prefix
    shared = shared_blocks(caches, pool, prefix, options) if prefix else None
    local = [layer.kind in LOCAL for layer in caches]
    follows = all(local) or (any(local) and pool.groups > 1)
    name = f"blocks of {pool.block_tokens:,} tokens" + (", windows and tokens in flight" if follows else "")
    return replace(cache_line(pool, part.sequences, shared), name=name)


def seen_bytes(device: Device) -> int:
    """Return the bytes of a device that programs see: as its tool reports them, less the driver's own."""
    return visible_bytes(device.memory_bytes + device.display_reserve_bytes)


def engine_options(part: Part) -> VllmOptions:
    """Return vLLM's options of a run: its defaults on the device where nothing was said."""
    scenario, layout = part.scenario, part.layout
    return replace(
        _device_options(scenario, part.device),
        kv_cache_dtype=NAMED_CACHES.get(scenario.cache.name, scenario.cache.name),
        block_size=scenario.engine.block,
        tensor=layout.tensor or 1,
        pipeline=layout.pipeline,
        enforce_eager=scenario.engine.eager,
        number_bytes=scenario.number_bytes,
        recurrent_bytes=recurrent_bytes(part.model_type, scenario.number_bytes),
        keeps_latent=vllm_keeps_latent(part.whole.text_type or part.model_type),
        encoder_tokens=scenario.encoder_tokens,
    )


def _device_options(scenario: Scenario, device: Device | None) -> VllmOptions:
    engine = scenario.engine
    return vllm_options(
        device_bytes=0 if device is None else seen_bytes(device),
        device_name="" if device is None else device.name,
        max_model_len=scenario.context,
        gpu_memory_utilization=engine.utilization,
        max_num_batched_tokens=engine.batched_tokens,
        max_num_seqs=engine.running_sequences,
    )


def _adapters(part: Part, options: VllmOptions) -> Line:
    slots = Adapters(slots=part.scenario.engine.adapters, rank=part.scenario.engine.adapter_rank)
    return adapter_buffers(part.whole, slots, tensor=options.tensor, number_bytes=options.number_bytes)


def _expert_padding(part: Part, options: VllmOptions) -> Line:
    """Return what the kernels of MXFP4 experts add to the weights; nothing in other formats."""
    packed = part.scenario.weights.name == PADDED_FORMAT
    amount = expert_padding_bytes(part.whole, tensor=options.tensor) if packed else 0
    return leaf("expert padding", amount, "bytes", source=SOURCE, status="derived")


def _reports(part: Part, pool: BlockPool, options: VllmOptions) -> tuple[Line, ...]:
    """Return what the pool of a named device holds after start-up; nothing without a device or a cache."""
    if part.device is None or not pool.request_blocks:
        return ()
    weights = part.weights + int(_expert_padding(part, options).value)
    found = start_up(part.whole, pool, weights, seen_bytes(part.device), options)
    return (
        pool_report("memory of the pool", "bytes", found.available, SOURCE),
        pool_report("blocks", "blocks", found.blocks, SOURCE),
        pool_report("tokens of the pool", "tokens", found.tokens, SOURCE),
        pool_report("sequences of full context", "sequences", found.concurrency, SOURCE),
    )
