"""From what a user wrote to a Scenario: every default is chosen here and named in the answer."""

from dataclasses import dataclass, replace

from sizewise.architecture import Model
from sizewise.catalog.device_trust import warned_of_row
from sizewise.catalog.devices import CUSTOM, custom_device, parse_devices, with_memory
from sizewise.catalog.formats import CacheFormat, Format, cache_format, find_format
from sizewise.catalog.ggml import find_file_type
from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.footprint.weights import packing_notice
from sizewise.formats.scheme import Scheme
from sizewise.ledger import Line, total
from sizewise.notices import Notice
from sizewise.planning.context_limit import last_position
from sizewise.planning.ignored import ignored_options
from sizewise.planning.storage import Storage, asked_storage, own_storage, stored_for
from sizewise.runtimes.registry import RUNTIMES
from sizewise.scenario import (
    DEFAULT_CONTEXT,
    ENGINE_DEFAULTS,
    USUAL_LAYOUT,
    EngineOptions,
    Layout,
    Placement,
    Scenario,
)

OLLAMA = "ollama"
ALL = "all"
"""What asks for every engine side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options as they were written; None where nothing was said."""

    context: int | None = None
    images: int = 0
    image_size: tuple[int, int] = (1024, 1024)
    audio: tuple[float, ...] = ()
    """Seconds of each piece of sound."""
    sequences: int = 1
    quant: str | None = None
    kv_cache_dtype: str | None = None
    """Format of cached keys and values."""
    key_cache_dtype: str | None = None
    value_cache_dtype: str | None = None
    """Format of the keys, or of the values, alone."""
    runtime: str = "auto"
    engine: EngineOptions = ENGINE_DEFAULTS
    layout: Layout = USUAL_LAYOUT
    on: str | None = None
    memory_bytes: int | None = None
    placements: tuple[Placement, ...] = ()
    """Devices that are known already, in place of ``on`` and ``memory_bytes``."""
    draft: Model | None = None
    """A smaller model that guesses tokens ahead."""
    prediction: bool = False
    largest_model: bool = False
    """Look for the largest model of the catalogue that the devices hold."""


def scenario_for(model: Model, asked: Asked) -> tuple[Scenario, tuple[Notice, ...]]:
    """Return the scenario that the options mean for this model, and what has to be said about it.

    Raises UsageError (bad_option) for an unknown format, cache format, runtime or device.
    """
    stored, notices = _weights(model, asked.quant)
    little = packing_notice(model.architecture, stored.scheme)
    if little is not None:
        notices.append(little)
    placements, device_notices = _placements(asked)
    runtime = _runtime(asked.runtime, stored.format, placements)
    stored = stored_for(model, stored, runtime)
    asked = _as_it_starts(model, asked, runtime, placements)
    image_tokens, audio = _image_tokens(model, asked), _audio_line(model, asked.audio)
    media_tokens = image_tokens + (int(audio.value) if audio else 0)
    cache, values = (
        _cache(name or asked.kv_cache_dtype, stored.scheme)
        for name in (asked.key_cache_dtype, asked.value_cache_dtype)
    )
    scenario = Scenario(
        context=_context(model, asked, media_tokens) + media_tokens,
        image_tokens=image_tokens,
        audio=audio,
        encoder_tokens=_crossed_tokens(model, asked),
        sequences=asked.sequences,
        weights=stored.format,
        scheme=stored.scheme,
        shipped=stored.shipped,
        cache=cache,
        value_cache=None if values == cache else values,
        runtime=runtime,
        engine=asked.engine,
        layout=asked.layout,
        placements=placements,
        draft=asked.draft,
        prediction=asked.prediction,
    )
    _check_prefix(scenario)
    notices += [
        *_unheard(model, asked.audio),
        *_beyond(model, scenario),
        *ignored_options(scenario),
        *device_notices,
        *(() if asked.draft is None else asked.draft.notices),
    ]
    return scenario, (*notices, *_cache_notices(runtime, cache, values))


def _context(model: Model, asked: Asked, media: int) -> int:
    """Return the tokens of text: as asked, else the default, or what the model's limit leaves."""
    if asked.context:
        return asked.context
    usual, last = min(DEFAULT_CONTEXT, model.context or DEFAULT_CONTEXT), last_position(model)
    return usual if last is None else max(min(usual, last - media), 1)


def _check_prefix(scenario: Scenario) -> None:
    """Refuse a shared prefix that the context does not hold."""
    prefix = scenario.engine.shared_prefix
    if prefix > scenario.context:
        text = f"--shared-prefix: {prefix:,} tokens are more than the context of {scenario.context:,}"
        raise UsageError("bad_option", f"{text}; shorten it or name a longer --context")


def _beyond(model: Model, scenario: Scenario) -> list[Notice]:
    """Say that a context is longer than the model was trained for."""
    if model.context is None or scenario.context <= model.context:
        return []
    text = (
        f"{scenario.context:,} tokens are more than the {model.context:,} that {model.name} was trained for"
    )
    return [Notice(code="beyond_context", message=text)]


def _as_it_starts(model: Model, asked: Asked, runtime: str, placements: tuple[Placement, ...]) -> Asked:
    """Return what was asked with what the engine itself chooses before it starts: Ollama's own defaults."""
    if runtime != OLLAMA:
        return asked
    from sizewise.planning.ollama_start import ollama_launch
    from sizewise.runtimes.ollama import OllamaSettings

    settings = OllamaSettings(
        context=asked.context,
        parallel=asked.sequences,
        cache_type=asked.key_cache_dtype or asked.kv_cache_dtype,
    )
    launch = ollama_launch(model, settings, placements)
    engine = asked.engine
    if engine == ENGINE_DEFAULTS:
        engine = replace(engine, batch=launch.batch, ubatch=launch.batch)
    return replace(asked, context=launch.context_per_sequence, sequences=launch.sequences, engine=engine)


def _image_tokens(model: Model, asked: Asked) -> int:
    """Return the tokens that the pictures of one sequence become, by the model's own rule."""
    if not asked.images:
        return 0
    rule = model.architecture.images
    if rule is None:
        why = (
            "takes no pictures"
            if not model.architecture.towers
            else "has a rule for pictures that is not known"
        )
        raise UsageError("bad_option", f"--images: {model.name} {why}; count their tokens in --context")
    return asked.images * rule.tokens(*asked.image_size)


def _crossed_tokens(model: Model, asked: Asked) -> int | None:
    """Return the keys that cross-attention keeps of the pictures of one sequence."""
    rule = model.architecture.crossed
    return None if rule is None else asked.images * rule.tokens(*asked.image_size)


def _audio_line(model: Model, audio: tuple[float, ...]) -> Line | None:
    """Return the tokens that the sounds of one sequence become, by the model's own rule."""
    if not audio:
        return None
    rule = model.architecture.audio
    if rule is None:
        listens = any(tower.role == "audio" for tower in model.architecture.towers)
        why = "has a rule for sound that is not known" if listens else "takes no sound into its context"
        raise UsageError("bad_option", f"--audio: {model.name} {why}; count its tokens in --context")
    parts = [replace(rule.line(seconds), name=f"sound of {seconds:,g} s") for seconds in audio]
    return total("sound", parts, "tokens")


def _unheard(model: Model, audio: tuple[float, ...]) -> list[Notice]:
    """Say which sounds are longer than the processor keeps."""
    longest = model.architecture.audio.longest if model.architecture.audio else None
    if longest is None or all(seconds <= longest for seconds in audio):
        return []
    text = f"the processor of {model.name} keeps {longest:,} s of a sound by default; what is longer is cut"
    return [Notice(code="sound_cut", message=text)]


def _weights(model: Model, quant: str | None) -> tuple[Storage, list[Notice]]:
    """Return how the weights are stored: as asked, else as the source ships them."""
    if quant is not None:
        return asked_storage(model, find_format(quant)), []
    shipped = find_file_type(model.default_format or "")
    if shipped is None or model.listing is not None:
        own = own_storage(model)
        return own, list(own.notices)
    if gguf_architecture_of(model.architecture.model_class) is not None:
        return asked_storage(model, find_format(shipped.name)), []
    own = own_storage(model)
    text = (
        f"{model.name} ships as {shipped.name}, but llama.cpp's tensors of it are not known; "
        f"shown in {own.format.name}"
    )
    return own, [*own.notices, Notice(code="format_not_counted", message=text)]


def _cache(name: str | None, stored: Scheme) -> CacheFormat:
    """Return the asked cache format, or 16 bit."""
    if name is not None and name.strip().lower() != "auto":
        return cache_format(name)
    return usual_cache(stored)


def usual_cache(stored: Scheme) -> CacheFormat:
    """Return the 16 bit cache format of a model that computes as its weights are stored."""
    return cache_format("fp16" if stored.base.name == "fp16" else "bf16")


def _cache_notices(runtime: str, *caches: CacheFormat) -> list[Notice]:
    """Say which formats of the cache the engine does not keep."""
    return [
        Notice(
            code="cache_format",
            message=f"{runtime} keeps no {cache.name} cache ({', '.join(cache.runtimes)} do); counted as if "
            "it did",
        )
        for cache in dict.fromkeys(caches)
        if runtime not in cache.runtimes
    ]


def _runtime(name: str, format: Format, placements: tuple[Placement, ...]) -> str:
    word = name.strip().lower()
    if word == "auto":
        return _usual_runtime(format, placements)
    if word == ALL:
        text = "runtime all compares engines: --runtime all of sizewise memory, or compare_runtimes()"
        raise UsageError("bad_option", text)
    engine = word.split("@", 1)[0]
    if engine not in RUNTIMES:
        near = did_you_mean(engine, RUNTIMES)
        raise UsageError(
            "bad_option", f"{shorten(name)!r} is no runtime{near or '; known: auto, ' + ', '.join(RUNTIMES)}"
        )
    version = RUNTIMES[engine].version
    if "@" in word and word.split("@", 1)[1] != version:
        raise UsageError("bad_option", f"{engine} is followed at version {version}; write {engine}@{version}")
    return engine


def _usual_runtime(format: Format, placements: tuple[Placement, ...]) -> str:
    """Return llama.cpp for its own file types, vLLM on named datacenter GPUs, else transformers."""
    if format.is_file_type:
        return "llama.cpp"
    if placements and all(row.device.kind == "datacenter" and row.device.id != CUSTOM for row in placements):
        return "vllm" if "vllm" in RUNTIMES else "transformers"
    return "transformers"


def _placements(asked: Asked) -> tuple[tuple[Placement, ...], tuple[Notice, ...]]:
    if asked.placements:
        return asked.placements, ()
    if asked.on is None:
        if asked.memory_bytes is None:
            return (), ()
        return (Placement(device=custom_device(asked.memory_bytes), count=1),), ()
    if asked.on.strip().lower() == "here":
        from sizewise.detection import detect, here_devices

        found = here_devices(detect())
        if asked.memory_bytes is not None:
            found = tuple((with_memory(device, asked.memory_bytes), count) for device, count in found)
    else:
        found = parse_devices(asked.on, memory_bytes=asked.memory_bytes)
    notices = [
        Notice(code="device", message=note)
        for device, _ in found
        for note in (*device.notes, *warned_of_row(device))
    ]
    return tuple(Placement(device=device, count=count) for device, count in found), tuple(notices)
