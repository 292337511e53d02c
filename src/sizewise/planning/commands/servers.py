"""``vllm serve`` and SGLang's server: a checkpoint in its own or an asked format, shared over devices."""

from sizewise.architecture import Model
from sizewise.catalog.starting import Starting, startings
from sizewise.planning.commands.start import (
    FLOATS,
    Start,
    cache_notes,
    cache_word,
    checkpoint_is,
    flag,
    hub_or_path,
    packed_already,
    shell,
    told,
)
from sizewise.scenario import ENGINE_DEFAULTS, Scenario

ENGINE = ("utilization", "batched_tokens", "block", "eager")


def vllm_server(model: Model, scenario: Scenario) -> Start:
    """Return the command of vLLM's server."""
    engine, layout = startings()["vllm"], scenario.layout
    words = [*engine.program, hub_or_path(model), *_revision(engine, model)]
    shared = told(
        engine,
        [
            ("tensor", layout.tensor, 1),
            ("pipeline", layout.pipeline, 1),
            ("data", layout.data, 1),
            ("experts", layout.experts, False),
        ],
    )
    return _server(engine, model, scenario, words, shared)


def sglang_server(model: Model, scenario: Scenario) -> Start:
    """Return the command of SGLang's server: its ranks are those of all replicas of attention."""
    engine, layout = startings()["sglang"], scenario.layout
    words = [*engine.program, *flag(engine, "model", hub_or_path(model)), *_revision(engine, model)]
    ranks = (layout.tensor or 1) * layout.data
    shared = told(
        engine,
        [
            ("tensor", ranks, 1),
            ("pipeline", layout.pipeline, 1),
            ("data", layout.data, 1),
            ("experts", ranks if layout.experts else None, None),
        ],
    )
    return _server(engine, model, scenario, words, shared)


def _server(engine: Starting, model: Model, scenario: Scenario, words: list[str], shared: list[str]) -> Start:
    """Return what both are told: tokens, sequences, devices, formats, and their own options."""
    options = scenario.engine
    sequences = options.running_sequences or (scenario.sequences if scenario.sequences > 1 else None)
    tail = told(
        engine,
        [
            ("keys", cache_word(engine, scenario.cache), None),
            *((name, getattr(options, name), getattr(ENGINE_DEFAULTS, name)) for name in ENGINE),
            ("host_weights_gib", _number(options.host_weights_gib), 0),
        ],
    )
    formats, notes = _weights(engine, model, scenario)
    words = [
        *words,
        *flag(engine, "context", scenario.context),
        *told(engine, [("sequences", sequences, None)]),
        *shared,
        *formats,
        *tail,
        *_adapters(engine, scenario),
    ]
    return Start(command=shell(words), notes=(*notes, *cache_notes(engine, scenario)))


def _number(value: float) -> int | float:
    """Return a number as it is written: without a fraction where it has none."""
    return int(value) if value.is_integer() else value


def _revision(engine: Starting, model: Model) -> list[str]:
    return told(engine, [("revision", model.place.revision, "")])


def _weights(engine: Starting, model: Model, scenario: Scenario) -> tuple[list[str], tuple[str, ...]]:
    """Return the flags for the format of the weights, and what checkpoint is needed.

    Numbers of 32 bits are always named: without it both engines run them in 16.
    """
    weights = scenario.weights
    if weights.name in FLOATS and (model.quantization is None or not model.quantization.known):
        asked = weights.name != model.dtype if model.dtype else False
        return told(
            engine, [("dtype", FLOATS[weights.name] if asked or weights.bits > 16 else None, None)]
        ), ()
    if checkpoint_is(model, weights, scenario):
        return [], ()
    packed = packed_already(model, scenario)
    if weights.name in engine.makes and packed is not None:
        return [], (packed,)
    if weights.name in engine.makes:
        return flag(engine, "quantization", engine.makes[weights.name]), ()
    if weights.name in engine.loads:
        return [], (f"{hub_or_path(model)}: a checkpoint of it in {weights.name}",)
    return [], (f"{scenario.runtime} runs no {weights.name} weights",)


def _adapters(engine: Starting, scenario: Scenario) -> list[str]:
    options = scenario.engine
    if not options.adapters:
        return []
    return [
        *flag(engine, "lora"),
        *flag(engine, "adapters", options.adapters),
        *flag(engine, "adapter_rank", options.adapter_rank),
    ]
