"""SGLang as an engine: the static share of a device, and what its pools then hold."""

from dataclasses import dataclass
from typing import ClassVar

from sizewise.catalog.devices import Device
from sizewise.catalog.serving import allowance, sglang_pools_windows, sglang_ratio
from sizewise.ledger import Line, leaf, total
from sizewise.runtimes.served import engine_notices, per_replica, pool_report, unshared_prefix
from sizewise.runtimes.sglang import NAME, SOURCE, VERSION
from sizewise.runtimes.sglang.options import SglangOptions
from sizewise.runtimes.sglang.pools import cache_line, pools, shares_prefix
from sizewise.runtimes.sglang.share import (
    available_bytes,
    encoder_cache_bytes,
    libraries_bytes,
    static_bytes,
    static_fraction,
)
from sizewise.runtimes.sglang.tokens import TokenCost, token_cost
from sizewise.runtimes.working import Part, Working, allowance_leaf
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
            cache=cache_line(
                cost,
                part.sequences,
                options,
                _available(part, options)[1],
                prefix=part.scenario.engine.shared_prefix,
            ),
            buffers=total("buffers", _kept_free(part, options), "bytes"),
            overhead=total("overhead", overhead, "bytes"),
            reports=per_replica(_reports(part, cost, options), part.layout.data),
            notices=(*engine_notices(part, NAME, SOURCE), *unshared_prefix(part, NAME, shares_prefix(cost))),
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
        window_pools=sglang_pools_windows(part.whole.model_class),
        swa_full_tokens_ratio=sglang_ratio("window", part.whole.model_class),
        mamba_full_memory_ratio=sglang_ratio("state", part.whole.model_class),
        encoder=bool(part.whole.towers),
        number_bytes=scenario.number_bytes,
        cache_bytes=int(scenario.cache.bits) // 8,
    )


def _available(part: Part, options: SglangOptions) -> tuple[int, int, int]:
    """Return the bytes of the pools of a named device: (low, typical, high); no device has none."""
    if part.device is None:
        return 0, 0, 0
    return available_bytes(part.whole, part.weights, part.device.memory_bytes // MIB, options)


def _kept_free(part: Part, options: SglangOptions) -> list[Line]:
    """Return what the static share leaves free of a device after libraries; without a device, nothing."""
    found = []
    if encoder_cache_bytes(options):
        source = f"{SOURCE}: kept for what the encoder made of pictures"
        amount = encoder_cache_bytes(options)
        found.append(leaf("encoder's cache", amount, "bytes", source=source, status="derived"))
    if part.device is None:
        return found
    mib = part.device.memory_bytes // MIB
    taken = libraries_bytes(options)[1]
    static = static_bytes(part.whole, mib, options, taken)
    fraction = static_fraction(part.whole, mib, options)
    outside = leaf(
        "outside of the static share",
        max(part.device.memory_bytes - taken - static, 0),
        "bytes",
        source=f"{SOURCE}: mem_fraction_static {fraction:.3f} of what libraries leave",
        status="derived",
    )
    return [*found, outside]


def _reports(part: Part, cost: TokenCost, options: SglangOptions) -> tuple[Line, ...]:
    """Return what the pools of a named device hold; nothing without a device or a cache."""
    if part.device is None or not (cost.full or cost.sliding or cost.state):
        return ()
    available = _available(part, options)
    low, typical, high = (pools(cost, max(amount, 0), options) for amount in available)
    held = (low.full_requests, typical.full_requests, high.full_requests)
    return (
        pool_report("memory of the pools", "bytes", available, SOURCE),
        pool_report("tokens of the pool", "tokens", (low.tokens, typical.tokens, high.tokens), SOURCE),
        pool_report(
            "sequences at once", "sequences", (low.requests, typical.requests, high.requests), SOURCE
        ),
        pool_report("sequences of full context", "sequences", held, SOURCE),
    )
