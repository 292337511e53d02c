"""What runs beside a model: a draft model, layers that predict ahead, a projector's file, adapters.

All of it lies on the first device, whole: engines do not share it out. Where vLLM runs, adapters have
buffers of its own and are not counted here.
"""

from collections.abc import Iterator
from dataclasses import replace

from sizewise.architecture import Model
from sizewise.catalog.formats import find_format
from sizewise.catalog.ggml import file_type
from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.footprint.adapters import lora_bytes
from sizewise.footprint.companions import prediction_bytes, tower_bytes
from sizewise.footprint.file_types import file_type_bytes
from sizewise.footprint.weights import storage, stored_bytes
from sizewise.ledger import Line, total
from sizewise.planning.held import CACHE, WEIGHTS, Held, Placed
from sizewise.planning.placing import LAYER_ENGINES
from sizewise.planning.storage import own_storage
from sizewise.runtimes.registry import RUNTIMES
from sizewise.runtimes.working import Part
from sizewise.scenario import Scenario

OWN_ADAPTERS = frozenset(("vllm",))
"""Engines that set buffers for adapters aside by themselves."""


def with_companions(model: Model, scenario: Scenario, run: Placed) -> Placed:
    """Return the run with what stands beside the model on its first device."""
    weights = list(_weights(model, scenario))
    cache = [] if scenario.draft is None else [_draft_cache(scenario.draft, scenario)]
    if not weights and not cache:
        return run
    first = run.held[0]
    line = _added(_added(first.line, WEIGHTS, weights), CACHE, cache)
    return replace(
        run,
        weights=total(WEIGHTS, [*run.weights.parts, *weights], "bytes"),
        held=(Held(device=first.device, line=line), *run.held[1:]),
    )


def _weights(model: Model, scenario: Scenario) -> Iterator[Line]:
    options = scenario.engine
    if scenario.draft is not None:
        yield replace(_draft_weights(scenario.draft, scenario), name="draft model")
    if scenario.prediction:
        yield prediction_bytes(model.architecture, scenario.scheme)
    if scenario.image_tokens and scenario.runtime in LAYER_ENGINES and scenario.weights.is_file_type:
        yield tower_bytes(model.architecture, storage(model.architecture, find_format("fp16"), "fp16"))
    if options.adapters and scenario.runtime not in OWN_ADAPTERS:
        number_bytes = scenario.number_bytes
        yield lora_bytes(
            model.architecture, options.adapter_rank, count=options.adapters, number_bytes=number_bytes
        )


def _draft_weights(draft: Model, scenario: Scenario) -> Line:
    """Return the bytes of the draft model: in the run's file type, or as its own source ships it."""
    known = gguf_architecture_of(draft.architecture.model_class) is not None
    if scenario.weights.is_file_type and known:
        return file_type_bytes(draft, file_type(scenario.weights.name))
    return stored_bytes(draft.architecture, own_storage(draft).scheme)


def _draft_cache(draft: Model, scenario: Scenario) -> Line:
    """Return what the draft model keeps of the same tokens."""
    part = Part(
        model_type=draft.model_type,
        whole=draft.architecture,
        architecture=draft.architecture,
        cached=draft.architecture,
        sequences=scenario.sequences,
        weights=0,
        scenario=scenario,
    )
    return replace(RUNTIMES[scenario.runtime].working(part).cache, name="draft model")


def _added(line: Line, name: str, more: list[Line]) -> Line:
    """Return a device's line with more below one of its parts."""
    parts = [
        total(name, [*(part.parts or (replace(part, name="model"),)), *more], "bytes")
        if part.name == name
        else part
        for part in line.parts
    ]
    return total(line.name, parts, line.unit)
