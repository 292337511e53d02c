"""What is profiled: a module of the caller, or one that is made from a reference, with data or without."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch

from sizewise.architecture import Model
from sizewise.counting import count
from sizewise.errors import InputError, SizewiseError, UsageError
from sizewise.lab.loading import load_module, random_module
from sizewise.lab.profiling.without_data import built
from sizewise.notices import Notice
from sizewise.sources.config_json import from_config
from sizewise.sources.hub.reference import parse_hub_reference
from sizewise.sources.reference import load_reference, raw_configuration
from sizewise.sources.settings import apply_settings, parse_settings
from sizewise.sources.torch_module import listing_of_module

DTYPES = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
NAMES = {short: str(dtype).removeprefix("torch.") for dtype, short in DTYPES.items()}
"""Our names of number formats, and torch's."""
_WEIGHTS = (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".gguf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A module to profile; ``owned``: it was made here and may be changed. ``model`` describes it, if known.

    ``raw`` is its configuration, empty where it has none; ``module`` is None until it is made.
    """

    name: str
    module: Any
    model: Model | None
    owned: bool
    raw: Mapping[str, Any]
    dtype: str
    stored: str = ""
    """The path of its weights, empty where they are random."""
    notices: tuple[Notice, ...] = ()


def of_module(module: Any) -> Subject:
    """Return a live module as a subject; one of transformers tells its configuration.

    A compiled module is taken as it was written: compiled kernels show no operators.
    """
    written = getattr(module, "_orig_mod", None)
    if written is not None:
        text = "the compiled module is profiled as it was written"
        return replace(of_module(written), notices=(Notice(code="compiled", message=text),))
    config: Any = getattr(module, "config", None)
    raw = json.loads(config.to_json_string(use_diff=False)) if hasattr(config, "to_json_string") else {}
    if "model_type" in raw:
        raw["architectures"] = [type(module).__name__]
    return _described(
        Subject(
            name=f"module {type(module).__name__}",
            module=module,
            model=None,
            owned=False,
            raw=raw,
            dtype=dtype_of(module),
        )
    )


def of_reference(
    reference: str, *, settings: Sequence[str] = (), dtype: str | None = None, offline: bool = False
) -> Subject:
    """Return what a reference means, not yet made; weights are read where they lie in files here.

    Raises UsageError, InputError and HubError as `load_reference` does.
    """
    model = load_reference(reference, settings, offline=offline)
    stored = "" if settings else _stored(reference)
    raw = apply_settings(_configuration(reference, offline=offline), parse_settings(settings))
    chosen = dtype or _declared(model)
    return Subject(
        name=model.name, module=None, model=model, owned=True, raw=raw, dtype=chosen, stored=stored
    )


def _configuration(reference: str, *, offline: bool) -> Mapping[str, Any]:
    """Return the configuration that a reference means, from the hub where it is nowhere else."""
    try:
        return raw_configuration(reference)
    except UsageError:
        hub = parse_hub_reference(reference)
        if hub is None:
            raise
        from sizewise.sources.hub.repository import HubRepository, hub_config

        return hub_config(HubRepository(hub, offline=offline))[0]


def of_configuration(raw: Mapping[str, Any], *, dtype: str | None = None) -> Subject:
    """Return the model of a configuration as a subject, not yet made."""
    model = from_config(raw, name="config", origin="dict")
    return Subject(
        name="config", module=None, model=model, owned=True, raw=raw, dtype=dtype or _declared(model)
    )


def _declared(model: Model) -> str:
    names = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
    word = (model.dtype or "").lower()
    found = names.get(word, word)
    return found if found in NAMES else "bf16"


def _stored(reference: str) -> str:
    path = os.path.expanduser(reference)
    if os.path.isfile(path) and path.lower().endswith(".gguf"):
        return path
    if os.path.isdir(path) and any(name.endswith(_WEIGHTS) for name in os.listdir(path)):
        return path
    return ""


def own_architecture(subject: Subject, module: Any) -> Subject:
    """Return the subject without its description where that is of another class, or size, than the module."""
    model = subject.model
    if model is None:
        return subject
    named, found = model.architecture.model_class, {part.__name__ for part in type(module).__mro__}
    shown, reason = type(module).__name__, ""
    if named and named not in found:
        reason = f"the configuration describes {named}, the module is a {shown}"
    elif not model.quantization:
        ours, total = int(count(model).total.value), listing_of_module(module).total
        if ours != total:
            reason = f"the configuration describes {ours:,} parameters, the module has {total:,}"
    if not reason:
        return subject
    notice = Notice(code="other_class", message=f"predicted from operators on shapes: {reason}")
    return replace(subject, model=None, notices=(*subject.notices, notice))


def _described(subject: Subject) -> Subject:
    """Return the subject with the description of its architecture, or with why there is none."""
    if "model_type" not in subject.raw:
        return subject
    try:
        model = from_config(subject.raw, name=subject.name, origin="live module")
    except SizewiseError as error:
        text = f"predicted from operators on shapes: {error.message}"
        return replace(subject, notices=(Notice(code=error.code, message=text),))
    return replace(subject, model=model)


def with_data(subject: Subject) -> Subject:
    """Return the subject with its module made: weights from their files, else random ones.

    Raises InputError as `load_module` does.
    """
    if subject.module is not None:
        return subject
    dtype = NAMES[subject.dtype]
    if subject.stored:
        loaded = load_module(subject.stored, dtype=dtype, offline=True, needed_for="sizewise profile")
    else:
        loaded = random_module(subject.raw, name=subject.name, dtype=dtype, model_class=_class(subject))
    module = loaded.module
    if torch.cuda.is_available():
        module = module.to("cuda")
    return replace(
        subject, module=module, dtype=dtype_of(module), notices=(*subject.notices, *loaded.notices)
    )


def without_weights(subject: Subject, mode: Any) -> Any:
    """Return the subject's module without data, made in a mode of such tensors."""
    named = "" if subject.stored else _class(subject)
    return built(subject.raw, mode or nullcontext(), dtype=NAMES[subject.dtype], model_class=named)


def _class(subject: Subject) -> str:
    return subject.model.architecture.model_class if subject.model is not None else ""


def dtype_of(module: Any) -> str:
    """Return the format in which most of a module's numbers are stored.

    Raises InputError (unknown_dtype) for another than fp32, fp16, bf16.
    """
    sizes: dict[Any, int] = {}
    for parameter in module.parameters():
        if parameter.is_floating_point():
            sizes[parameter.dtype] = sizes.get(parameter.dtype, 0) + _elements(parameter)
    most = max(sizes, key=lambda dtype: sizes[dtype], default=torch.float32)
    if most not in DTYPES:
        raise InputError(
            "unknown_dtype", f"most numbers of the module are {most}; known are: {', '.join(NAMES)}"
        )
    return DTYPES[most]


def _elements(parameter: Any) -> int:
    try:
        return int(parameter.numel())
    except (RuntimeError, ValueError):
        return 0
