"""The engines by name, and what each holds beside the weights."""

from collections.abc import Mapping

from sizewise.architecture import Architecture
from sizewise.catalog.overheads import eager_classes, overheads
from sizewise.footprint.buffers import Prefill, prefill_buffers
from sizewise.ledger import Line, leaf, total
from sizewise.runtimes import CacheRequest, Runtime
from sizewise.runtimes.ideal import Ideal
from sizewise.runtimes.transformers import Transformers
from sizewise.scenario import Scenario

IDEAL = Ideal()
RUNTIMES: Mapping[str, Runtime] = {"ideal": IDEAL, "transformers": Transformers()}


def working_memory(architecture: Architecture, scenario: Scenario) -> tuple[Line, Line, Line]:
    """Return the bytes of cache, buffers and overhead that the scenario's engine holds.

    The ideal has neither buffers nor overhead.
    """
    runtime = RUNTIMES[scenario.runtime]
    number_bytes = int(scenario.scheme.base.bits) // 8
    request = CacheRequest(
        context=scenario.context,
        sequences=scenario.sequences,
        cache_bytes=scenario.cache.block_bytes,
        cache_block=scenario.cache.block,
        state_bytes=number_bytes,
        encoder_tokens=scenario.encoder_tokens,
    )
    cache = runtime.cache(architecture.kept(), request)
    if runtime is IDEAL:
        return cache, total("buffers", (), "bytes"), total("overhead", (), "bytes")
    prefill = Prefill(
        tokens=scenario.context,
        sequences=scenario.sequences,
        number_bytes=number_bytes,
        eager=architecture.model_class in eager_classes(),
    )
    buffers = prefill_buffers(architecture, prefill)
    return cache, buffers, _overhead(scenario.runtime)


def _overhead(runtime: str) -> Line:
    """Return what a process holds on each device besides the model."""
    leaves = [
        leaf(
            row.name,
            row.typical,
            "bytes",
            source=row.source,
            status="assumed",
            interval=(row.low, row.high),
        )
        for row in overheads(runtime)
    ]
    return total("overhead", leaves, "bytes")
