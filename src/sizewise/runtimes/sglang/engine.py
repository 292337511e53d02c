"""SGLang as an engine: the static share of a device, and what its pools then hold."""

from dataclasses import dataclass
from typing import ClassVar

from sizewise.catalog.devices import Device
from sizewise.catalog.serving import allowance, sglang_pools_windows
from sizewise.ledger import Line, leaf, total
from sizewise.runtimes.sglang import NAME, SOURCE, VERSION
from sizewise.runtimes.sglang.options import SglangOptions
from sizewise.runtimes.sglang.pools import cache_line, pools
from sizewise.runtimes.sglang.share import available_bytes, static_fraction
from sizewise.runtimes.sglang.tokens import TokenCost, token_cost
from sizewise.runtimes.working import Part, Working, allowance_leaf, range_leaf
from sizewise.scenario import Scenario
from sizewise.units import MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Sglang:
    """Weights and pools share a static part of the device; the rest is for activations and graphs."""

    name: ClassVar[str] = NAME
    version: ClassVar[str] = VERSION

    def usable(self, device: Device, scenario: Scenario) -> int:
        """Return the whole device: what is not static is its own buffers."""
        return device.memory_bytes

    def working(self, part: Part) -> Working:
        """Return what the sequences take of the pools, and what is kept free for activations and graphs."""
        options = engine_options(part)
        cost = token_cost(part.whole, options)
        libraries = allowance_leaf("libraries", allowance(NAME, "libraries_mib"), SOURCE)
        overhead = [libraries]
        if options.tp_size * options.pp_size > 1:
            overhead.append(allowance_leaf("communication", allowance(NAME, "communicator_mib"), SOURCE))
        return Working(
            cache=cache_line(cost, part.sequences, options),
            buffers=total("buffers", _kept_free(part, options), "bytes"),
            overhead=total("overhead", overhead, "bytes"),
            reports=_reports(part, cost, options),
        )


def engine_options(part: Part) -> SglangOptions:
    """Return SGLang's options of a run."""
    scenario, engine, layout = part.scenario, part.scenario.engine, part.layout
    return SglangOptions(
        context_length=scenario.context,
        mem_fraction_static=engine.utilization,
        chunked_prefill_size=engine.batched_tokens,
        max_running_requests=engine.running_sequences,
        page_size=engine.block,
        tp_size=layout.tensor or 1,
        pp_size=layout.pipeline,
        disable_cuda_graph=engine.eager,
        window_pools=sglang_pools_windows(part.model_type),
        encoder=bool(part.whole.towers),
        number_bytes=scenario.number_bytes,
        cache_bytes=int(scenario.cache.bits) // 8,
    )


def _kept_free(part: Part, options: SglangOptions) -> list[Line]:
    """Return what the static share leaves free of a device; of no device, nothing is known."""
    if part.device is None:
        return []
    mib = part.device.memory_bytes // MIB
    fraction = static_fraction(part.whole, mib, options)
    return [
        leaf(
            "outside of the static share",
            int(mib * MIB * (1 - fraction)),
            "bytes",
            source=f"{SOURCE}: mem_fraction_static {fraction:.3f}",
            status="derived",
        )
    ]


def _reports(part: Part, cost: TokenCost, options: SglangOptions) -> tuple[Line, ...]:
    """Return what the pools of a named device hold."""
    if part.device is None:
        return ()
    mib = part.device.memory_bytes // MIB
    available = available_bytes(part.whole, part.weights, mib, options)
    low, typical, high = (pools(cost, max(amount, 0), options) for amount in available)
    return (
        range_leaf("memory of the pools", "bytes", available, SOURCE),
        range_leaf("tokens of the pool", "tokens", (low.tokens, typical.tokens, high.tokens), SOURCE),
        range_leaf("sequences at once", "sequences", (low.requests, typical.requests, high.requests), SOURCE),
    )
