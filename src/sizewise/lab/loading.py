"""A real model, with its weights: of a folder, a GGUF file or the hub; random where there are none.

Weights are read as data: nothing that a configuration names is imported or run. Needs torch and
transformers (extra ``lab``).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sizewise.catalog.models import find_preset, find_tag
from sizewise.errors import HubError, InputError, SizewiseError, UsageError
from sizewise.escaping import shorten
from sizewise.lab.extras import required
from sizewise.lab.quiet import quiet_transformers
from sizewise.notices import Notice
from sizewise.sources.hub.reference import HubReference, parse_hub_reference
from sizewise.sources.reference import raw_configuration

CODE = ("auto_map", "trust_remote_code", "_attn_implementation_internal", "_attn_implementation")
"""Fields of a configuration that name code, or that choose it."""
_WEIGHTS = (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json")

_WORD = "word"
"""Text that every tokenizer with a vocabulary finds tokens for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A live causal language model in evaluation mode, its tokenizer (None: none), and where both are from.

    ``origin`` is one of folder, gguf, hub, random, module.
    """

    module: Any
    tokenizer: Any
    name: str
    origin: str
    notices: tuple[Notice, ...] = ()


def load_module(
    reference: str, *, dtype: str = "auto", offline: bool = False, seed: int = 0, needed_for: str = "this"
) -> Loaded:
    """Return the model that a reference means, with its weights, on the CPU.

    ``dtype`` is a name of torch (float32, bfloat16) or ``auto``, as the weights are stored; of a GGUF file,
    whose weights are unpacked, auto is float32. A configuration without weights gives random ones, drawn
    from ``seed``, and a notice; so do parameters that a checkpoint lacks (missing_weights). A GGUF file that
    transformers reads in part only is refused. Raises UsageError (bad_reference), InputError (missing_extra,
    not_found, bad_config, unsupported_architecture …), HubError (http_error, offline).
    """
    required("torch", needed_for=needed_for)
    required("transformers", needed_for=needed_for)
    with quiet_transformers():
        return _loaded(reference, dtype=dtype, offline=offline, seed=seed)


def _loaded(reference: str, *, dtype: str, offline: bool, seed: int) -> Loaded:
    path = os.path.expanduser(reference)
    if path.lower().endswith(".gguf") and os.path.isfile(path):
        return _gguf(path, dtype)
    if os.path.isdir(path) and any(name.endswith(_WEIGHTS) for name in os.listdir(path)):
        return _stored(path, dtype, name=reference, origin="folder", local=True)
    hub = None if os.path.exists(path) else _on_hub(reference)
    if hub is not None:
        return _stored(
            hub.repo, dtype, name=reference, origin="hub", local=offline, revision=hub.revision, file=hub.file
        )
    return random_module(raw_configuration(reference), name=reference, dtype=dtype, seed=seed)


def live_model(
    model: Any, *, needed_for: str, dtype: str = "auto", offline: bool = False, seed: int = 0
) -> Loaded:
    """Return the model of a reference, or a live one as it is.

    Raises UsageError (bad_reference) for what is neither, and the errors of `load_module`.
    """
    if isinstance(model, Loaded):
        return model
    if isinstance(model, str):
        return load_module(model, dtype=dtype, offline=offline, seed=seed, needed_for=needed_for)
    if not hasattr(model, "named_parameters") or not hasattr(model, "config"):
        raise UsageError("bad_reference", f"a {type(model).__name__} is no reference and no model")
    return Loaded(module=model, tokenizer=None, name=type(model).__name__, origin="module")


def place_of(model: Any) -> str:
    """Return the path of the files that a model is read from here; empty for the hub and for live models."""
    reference = model.name if isinstance(model, Loaded) and model.origin != "module" else model
    path = os.path.expanduser(reference) if isinstance(reference, str) else ""
    return path if os.path.exists(path) else ""


def random_module(
    raw: Mapping[str, Any], *, name: str, dtype: str = "auto", seed: int = 0, model_class: str = ""
) -> Loaded:
    """Return the class of a configuration with random weights; torch's random state stays as it was.

    ``model_class`` names another class of transformers than the causal language model of its type.

    Raises InputError: unsupported_architecture, bad_config.
    """
    import torch
    import transformers

    model_type = raw.get("model_type")
    if model_type not in transformers.CONFIG_MAPPING:
        shown = shorten(str(model_type), 80)
        raise InputError("unsupported_architecture", f"transformers knows no model type {shown!r}")
    fields = {key: value for key, value in raw.items() if key not in (*CODE, "quantization_config")}
    with _refused(name), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = transformers.CONFIG_MAPPING[model_type].from_dict(fields)
        options = {} if dtype == "auto" else {"dtype": getattr(torch, dtype)}
        module = made_from(config, model_class, **options)
    notice = Notice(
        code="random_weights", message=f"{shorten(name, 120)} has no weights: they are random (seed {seed})"
    )
    return Loaded(module=module.eval(), tokenizer=None, name=name, origin="random", notices=(notice,))


def made_from(config: Any, model_class: str, **options: Any) -> Any:
    """Return a new module of a configuration: of the class named, else the causal language model."""
    import transformers

    found: Any = getattr(transformers, model_class, None) if model_class else None
    if isinstance(found, type) and issubclass(found, transformers.PreTrainedModel):
        making: Any = found
        return making._from_config(config, **options)
    return transformers.AutoModelForCausalLM.from_config(config, **options)


def _on_hub(reference: str) -> HubReference | None:
    """Return the repository that a name of the catalogue, a tag or a hub id means."""
    tag = find_tag(reference)
    preset = find_preset(tag.preset if tag else reference)
    return parse_hub_reference(f"hf.co/{preset.id}" if preset else reference)


def _stored(
    place: str,
    dtype: str,
    *,
    name: str,
    origin: str,
    local: bool,
    revision: str | None = None,
    file: str | None = None,
) -> Loaded:
    import transformers

    options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
    if revision is not None:
        options["revision"] = revision
    if file is not None:
        options["gguf_file"] = file
    with _refused(name, hub=origin == "hub"):
        module, told = transformers.AutoModelForCausalLM.from_pretrained(
            place, dtype=dtype, output_loading_info=True, **options
        )
    return Loaded(
        module=module.eval(),
        tokenizer=_tokenizer(place, options),
        name=name,
        origin=origin,
        notices=_missing(name, told),
    )


def _gguf(path: str, dtype: str) -> Loaded:
    """Return the model of a GGUF file, unpacked, and free to be saved in another format."""
    import transformers

    required("gguf", needed_for="a GGUF file")
    folder, name = os.path.split(os.path.abspath(path))
    options: dict[str, Any] = {"gguf_file": name, "local_files_only": True}
    with _refused(path):
        module, told = transformers.AutoModelForCausalLM.from_pretrained(
            folder,
            dtype="float32" if dtype == "auto" else dtype,
            quantization_config=transformers.GgufConfig(dequantize=True),
            output_loading_info=True,
            **options,
        )
    for notice in _missing(path, told):
        raise InputError(
            "unsupported_architecture", f"transformers does not read all of it: {notice.message}"
        )
    module.is_quantized = False
    module.hf_quantizer = None
    if hasattr(module.config, "quantization_config"):
        del module.config.quantization_config
    return Loaded(module=module.eval(), tokenizer=_tokenizer(folder, options), name=path, origin="gguf")


def _missing(name: str, told: Mapping[str, Any]) -> tuple[Notice, ...]:
    """Say which parameters of a class were in no file, and are random."""
    missing = sorted(told["missing_keys"])
    if not missing:
        return ()
    text = f"{len(missing)} parameters are not in {shorten(name, 120)} and are random, e.g. {missing[0]}"
    return (Notice(code="missing_weights", message=text),)


def _tokenizer(place: str, options: Mapping[str, Any]) -> Any:
    """Return the tokenizer beside the weights, None where there is none, or one without a vocabulary."""
    import transformers

    try:
        found = transformers.AutoTokenizer.from_pretrained(place, **options)
        if len(found.get_vocab()) <= len(found.get_added_vocab()):
            return None
        return found if found(_WORD, add_special_tokens=False)["input_ids"] else None
    except Exception:  # a tokenizer is told missing in many ways, and a model is whole without one
        return None


@contextmanager
def _refused(name: str, *, hub: bool = False) -> Iterator[None]:
    """Turn what transformers says of a model that it cannot load into an error of ours."""
    try:
        yield
    except SizewiseError:
        raise
    except (MemoryError, RuntimeError) as error:
        raise InputError("bad_config", _said(name, error)) from error
    except OSError as error:
        if hub:
            raise HubError("http_error", _said(name, error)) from error
        raise InputError("unreadable", _said(name, error)) from error
    except Exception as error:
        raise InputError("bad_config", _said(name, error)) from error


def _said(name: str, error: BaseException) -> str:
    reason = shorten(f"{type(error).__name__}: {error}", 240)
    return f"{shorten(name, 120)} cannot be loaded by transformers: {reason}"
