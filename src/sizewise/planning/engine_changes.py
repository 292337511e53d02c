"""What an engine's own options can save: cache formats, micro-batches, and what may stay on the host."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sizewise.architecture import Architecture
from sizewise.catalog.formats import CacheFormat, cache_formats
from sizewise.planning.inverse import largest
from sizewise.planning.placing import LAYER_ENGINES, OFFLOADING
from sizewise.scenario import EngineOptions, Scenario

SMALLEST_UBATCH = 64
CACHE_STEPS = ("q8_0", "q4_0", "fp8")
"""Formats of the cache that engines run well, gentlest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A changed scenario with the words and the option for it."""

    what: str
    option: str
    scenario: Scenario
    cost: str


def cache_steps(scenario: Scenario) -> Iterator[Step]:
    """Yield smaller formats of the cache that the engine keeps."""
    for name in CACHE_STEPS:
        row: CacheFormat = cache_formats()[name]
        if row.bits >= scenario.cache.bits or scenario.runtime not in row.runtimes:
            continue
        changed = with_cache(scenario, row)
        layered = scenario.runtime in LAYER_ENGINES
        option = f"-ctk {name} -ctv {name}" if layered else f"--kv-cache-dtype {name}"
        switched = changed.engine.flash_attention != scenario.engine.flash_attention
        yield Step(
            what=f"cache in {name} with flash attention" if switched else f"cache in {name}",
            option=f"{option} --flash-attn on" if switched else option,
            scenario=changed,
            cost="next to none" if row.bits > 8 else "small" if row.bits == 8 else "small to moderate",
        )


def with_cache(scenario: Scenario, row: CacheFormat) -> Scenario:
    """Return the scenario with keys and values in a format; blocks of numbers take flash attention."""
    options = scenario.engine
    if row.block > 1:
        options = replace(options, flash_attention=True)
    return replace(scenario, cache=row, value_cache=None, engine=options)


def option_steps(scenario: Scenario) -> Iterator[Step]:
    """Yield the engine's switches that save memory and cost speed at most."""
    options = scenario.engine
    if scenario.runtime in LAYER_ENGINES:
        if not options.flash_attention:
            yield _switched(scenario, "flash attention", "--flash-attn on", flash_attention=True)
        if options.full_windows:
            yield _switched(
                scenario, "a cache of the window's size", "without --swa-full", full_windows=False
            )
        if options.ubatch > SMALLEST_UBATCH:
            small = max(options.ubatch // 4, SMALLEST_UBATCH)
            yield _switched(scenario, f"micro-batches of {small}", f"--ubatch-size {small}", ubatch=small)
    elif not options.eager and scenario.runtime in ("vllm", "sglang"):
        yield _switched(scenario, "no CUDA graphs", "--enforce-eager", eager=True)


def host_steps(
    scenario: Scenario, architecture: Architecture, fits: Callable[[Scenario], bool]
) -> Iterator[Step]:
    """Yield as few experts, then as few layers, on the host as make it fit."""
    if scenario.runtime == OFFLOADING and len(scenario.placements) == 1 and scenario.devices == 1:
        yield _switched(scenario, "layers on the host", "--offload", offload=True)
    if scenario.runtime not in LAYER_ENGINES:
        return
    depth = architecture.depth
    if any(weight.experts > 1 for weight, _ in architecture.weights()):
        more = _host_experts(scenario, depth, fits)
        if more is not None:
            yield _switched(
                scenario,
                f"experts of {more} layers on the host",
                f"--n-cpu-moe {more}",
                host_expert_layers=more,
            )
    layers = largest(lambda count: fits(_changed(scenario, device_layers=count)), depth)
    if 0 < layers <= depth:
        yield _switched(
            scenario, f"{layers} of {depth} layers on the device", f"-ngl {layers}", device_layers=layers
        )


def _host_experts(scenario: Scenario, depth: int, fits: Callable[[Scenario], bool]) -> int | None:
    """Return the fewest layers whose experts on the host make it fit; None where all are not enough."""
    if not fits(_changed(scenario, host_expert_layers=depth)):
        return None
    kept = largest(lambda count: fits(_changed(scenario, host_expert_layers=depth - count)), depth)
    return depth - kept


def _changed(
    scenario: Scenario, *, device_layers: int | None = None, host_expert_layers: int | None = None
) -> Scenario:
    options = scenario.engine
    if device_layers is not None:
        options = replace(options, device_layers=device_layers)
    if host_expert_layers is not None:
        options = replace(options, host_expert_layers=host_expert_layers)
    return replace(scenario, engine=options)


def _switched(scenario: Scenario, what: str, option: str, **changes: bool | int) -> Step:
    options: EngineOptions = replace(scenario.engine, **changes)  # type: ignore[arg-type]
    return Step(what=what, option=option, scenario=replace(scenario, engine=options), cost="slower")
