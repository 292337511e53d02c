"""transformers: the Python that loads a model as the scenario has it."""

import re

from sizewise.architecture import Model
from sizewise.catalog.starting import Starting, startings
from sizewise.planning.commands.start import (
    FLOATS,
    Start,
    cache_notes,
    checkpoint_is,
    hub_or_path,
    packed_already,
    shell,
    text,
)
from sizewise.scenario import Scenario

ANY_CLASS = "AutoModelForCausalLM"
PLACES = {"nvidia": "cuda", "amd": "cuda", "apple": "mps"}
"""What torch calls the devices of a vendor."""
CONFIG = re.compile(r"\b[A-Za-z0-9]+Config(?=\()")
RANKS = "DistributedConfig"
GENERATES = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")
"""How the names of classes end that generate."""


def python_snippet(model: Model, scenario: Scenario) -> Start:
    """Return a command that loads the model with its number format, devices, attention and quantization."""
    engine = startings()["transformers"]
    name = model.architecture.model_class
    loader = name if name.isidentifier() and name.isascii() and model.model_type != "plain" else ANY_CLASS
    arguments = [text(hub_or_path(model)), *_arguments(engine, model, scenario)]
    configs = {found for argument in arguments for found in CONFIG.findall(argument)}
    lines = [f"from transformers import {', '.join(sorted({loader, *configs} - {RANKS}))}"]
    if RANKS in configs:
        lines.append(f"from transformers.distributed import {RANKS}")
    lines.append(f"model = {loader}.from_pretrained({', '.join(arguments)})")
    if loader.endswith(GENERATES):
        if scenario.engine.static_cache:
            lines.append('model.generation_config.cache_implementation = "static"')
        lines.append(f"model.generation_config.max_length = {scenario.context}")
    return Start(command=shell([*engine.program, "; ".join(lines)]), notes=_notes(engine, model, scenario))


def _arguments(engine: Starting, model: Model, scenario: Scenario) -> list[str]:
    dtype = text(FLOATS.get(scenario.scheme.base.name, "bfloat16"))
    found = [f"revision={text(model.place.revision)}"] if model.place.revision else []
    found += [f"dtype={dtype}", _devices(scenario)]
    if scenario.engine.attention != "auto":
        found.append(f"attn_implementation={text(scenario.engine.attention)}")
    made = engine.makes.get(scenario.weights.name)
    makes = model.quantization is None and not checkpoint_is(model, scenario.weights, scenario)
    if made is not None and makes:
        found.append(f"quantization_config={made.format(dtype=dtype)}")
    return found


def _devices(scenario: Scenario) -> str:
    """Return the argument that shares the model over devices."""
    ranks = scenario.layout.tensor or 1
    if ranks > 1:
        return f"distributed_config={RANKS}(tp_size={ranks})"
    devices = [row.device for row in scenario.placements for _ in range(row.count)]
    if len(devices) != 1 or scenario.engine.offload:
        return 'device_map="auto"'
    (device,) = devices
    place = "cpu" if device.kind == "cpu" else PLACES.get(device.vendor.lower(), "auto")
    return f"device_map={text(place)}"


def _notes(engine: Starting, model: Model, scenario: Scenario) -> tuple[str, ...]:
    """Say which checkpoint is needed, and what is given to ``generate``."""
    weights, found = scenario.weights, list(cache_notes(engine, scenario))
    as_shipped, packed = checkpoint_is(model, weights, scenario), packed_already(model, scenario)
    if not as_shipped and packed is not None and weights.name in engine.makes:
        found.append(packed)
    if not as_shipped and weights.name not in engine.makes:
        loads = weights.name in engine.loads
        found.append(
            f"{hub_or_path(model)}: a checkpoint of it in {weights.name}"
            if loads
            else f"transformers runs no {weights.name} weights"
        )
    if (scenario.layout.tensor or 1) > 1:
        found.append(f"start it on every device: torchrun --nproc-per-node {scenario.devices}")
    if scenario.sequences > 1:
        found.append(f"give it {scenario.sequences:,} sequences at once")
    return tuple(found)
