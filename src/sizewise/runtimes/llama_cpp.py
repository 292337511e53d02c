"""llama.cpp 0.5.0 (ggml 0.25.3): caches allocated for the whole context, one compute buffer per device.

The compute buffer is that of the CPU graph, replayed; on other devices it is an estimate, because their
kernels keep other scratch and leave the inputs on the host. Where the graph of an architecture is not
modelled, the widest moment of a micro-batch is taken, with a wide interval.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sizewise.architecture import Architecture
from sizewise.catalog.devices import Device
from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.ledger import Line, leaf, total
from sizewise.notices import Notice
from sizewise.operations import Kept
from sizewise.runtimes.llama_cache import (
    LlamaCache,
    expands_latent,
    keeps_windows,
    llama_cache,
    llama_kept,
)
from sizewise.runtimes.llama_estimate import estimated_buffer
from sizewise.runtimes.llama_graph.decoder import compute_bytes
from sizewise.runtimes.llama_graph.from_architecture import graph_plan
from sizewise.runtimes.llama_graph.plan import GraphPlan
from sizewise.runtimes.llama_graph.step import GraphSettings, alike
from sizewise.runtimes.working import Part, Working, fixed_overhead, whole_device
from sizewise.scenario import Scenario

FLOAT_BYTES = 4
SOURCE = "llama.cpp 0.5.0, graph of the CPU backend"
OTHER_DEVICES = (0.6, 1.5)
"""Bounds of the compute buffer of another backend than the CPU, as shares of the CPU's: assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCpp:
    """llama.cpp under its own name, or as another program runs it."""

    name: str = "llama.cpp"
    version: str = "0.5.0"

    def usable(self, device: Device, scenario: Scenario) -> int:
        """Return all usable bytes of a device."""
        return whole_device(device, scenario)

    def working(self, part: Part) -> Working:
        """Return cache, compute buffer, overhead and what stays on the host.

        Raises UsageError (bad_option) for a cache type that llama.cpp refuses.
        """
        buffers, notices = _compute(part)
        overhead = total("overhead", (), "bytes") if _on_cpu(part) else fixed_overhead("llama.cpp")
        return Working(
            cache=llama_cache(_kept(part), cache_request(part)),
            buffers=buffers,
            overhead=overhead,
            host=_logits(part),
            notices=notices,
        )


def _kept(part: Part) -> Iterator[tuple[Kept, int]]:
    row = gguf_architecture_of(part.whole.model_class)
    return llama_kept(part.cached, expanded=row is not None and expands_latent(row.name))


def cache_request(part: Part) -> LlamaCache:
    """Return what the caches are asked for; the context of all sequences counts together."""
    scenario, options = part.scenario, part.scenario.engine
    row = gguf_architecture_of(part.whole.model_class)
    return LlamaCache(
        context=scenario.context * part.sequences,
        sequences=part.sequences,
        keys=scenario.cache,
        values=scenario.values,
        ubatch=options.ubatch,
        flash_attention=options.flash_attention,
        windows=row is not None and keeps_windows(row.name),
        full_windows=options.full_windows,
        unified=options.unified_cache,
    )


def graph_settings(scenario: Scenario, sequences: int) -> GraphSettings:
    """Return what the reserved graph depends on."""
    options = scenario.engine
    return GraphSettings(
        context=scenario.context * sequences,
        micro_batch=options.ubatch,
        batch=options.batch,
        flash_attention=options.flash_attention,
        quantized_keys=scenario.cache.block > 1,
        quantized_values=scenario.values.block > 1,
        key_bits32=scenario.cache.bits == 32,
        value_bits32=scenario.values.bits == 32,
        sequences=sequences,
        unified=options.unified_cache,
        full_window=options.full_windows,
    )


def _compute(part: Part) -> tuple[Line, tuple[Notice, ...]]:
    plan = _plan(part.whole, part.model_type)
    settings = graph_settings(part.scenario, part.sequences)
    if plan is None:
        line = estimated_buffer(part.whole, settings, windows=cache_request(part).windows)
        return total("buffers", [line], "bytes"), (
            Notice(
                code="graph_not_modelled",
                message=f"the graph of {part.model_type} is not modelled: its compute buffer is estimated",
            ),
        )
    amount = _replayed(plan, alike(settings))
    low, high = (1.0, 1.0) if _on_cpu(part) else OTHER_DEVICES
    line = leaf(
        "compute buffer",
        amount,
        "bytes",
        source=SOURCE,
        status="derived" if _on_cpu(part) else "assumed",
        interval=None if _on_cpu(part) else (int(amount * low), int(amount * high)),
    )
    return total("buffers", [line], "bytes"), ()


@lru_cache(maxsize=16)
def _plan(architecture: Architecture, model_type: str) -> GraphPlan | None:
    """Return the plan by the model's own type, else by that of the text model inside it."""
    types = (model_type, architecture.text_type)
    plans = (graph_plan(architecture, name) for name in types if name)
    return next((plan for plan in plans if plan is not None), None)


@lru_cache(maxsize=256)
def _replayed(plan: GraphPlan, settings: GraphSettings) -> int:
    return compute_bytes(plan, settings)


def _logits(part: Part) -> Line:
    """Return the output buffer on the host: a row of logits in fp32 per sequence."""
    inputs = {
        "sequences": part.sequences,
        "vocabulary": part.whole.vocabulary,
        "bytes_per_number": FLOAT_BYTES,
    }
    line = leaf(
        "logits",
        part.sequences * part.whole.vocabulary * FLOAT_BYTES,
        "bytes",
        formula="sequences * vocabulary * bytes_per_number",
        inputs=inputs,
        source="llama.cpp 0.5.0, llama-context.cpp",
        status="derived",
    )
    return total("host", [line], "bytes")


def _on_cpu(part: Part) -> bool:
    return part.device is not None and part.device.kind == "cpu"
