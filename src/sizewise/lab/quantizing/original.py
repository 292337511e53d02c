"""What is to be quantized: the model as the core describes it, its class without memory, its own bytes."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sizewise.architecture import Model
from sizewise.catalog.formats import find_format
from sizewise.counting import parameter_line
from sizewise.errors import HubError, InputError, SizewiseError, UsageError
from sizewise.escaping import shorten
from sizewise.footprint.weights import sixteen_bit, weight_bytes
from sizewise.lab.loading import CODE
from sizewise.sources.config_json import from_config
from sizewise.sources.gguf.parts import part_names
from sizewise.sources.module_model import from_module
from sizewise.sources.reference import load_reference, raw_configuration

FP32_BYTES = 4
GGUF = ".gguf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A model before it is quantized.

    ``reference`` is what the user named, or a live module; ``make_blank`` makes its class without memory.
    ``base`` is the 16-bit format of what is not packed. ``gguf`` is the path of its GGUF file, ``packed_as``
    the block type of most of that file's bytes where it is a packed one.
    """

    reference: Any
    model: Model
    make_blank: Callable[[], Any]
    base: str
    gguf: str = ""
    packed_as: str = ""
    offline: bool = False
    shipped_bytes: int | None = None
    """Bytes of the tensors of what this one was converted from."""

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.model.name

    @property
    def blank(self) -> Any:
        """The class on torch's meta device, in ``base``; made when it is first asked for.

        Raises InputError (unsupported_architecture, bad_config) where transformers has none of it.
        """
        return self.make_blank()

    @property
    def parts(self) -> int:
        """Count the files of a GGUF source, 0 for any other."""
        return len(part_names(os.path.basename(self.gguf))) if self.gguf else 0

    @property
    def live(self) -> bool:
        """Tell whether the weights are a module's of this process."""
        return not isinstance(self.reference, str)

    @property
    def shipped(self) -> int:
        """Bytes of the tensors as they are shipped; of a configuration alone, of its dtype (none: bf16)."""
        if self.shipped_bytes is not None:
            return self.shipped_bytes
        if self.model.listing is not None:
            return self.model.listing.bytes
        return int(weight_bytes(self.model.architecture, find_format(self.model.dtype or "bf16")).value)

    @property
    def fp32(self) -> int:
        """Bytes of every parameter in fp32, tied ones once."""
        return FP32_BYTES * int(parameter_line(self.model).value)


def read_original(reference: Any, *, offline: bool = False) -> Original:
    """Return the original that a reference, or a live module of transformers, means. No weights are read.

    Raises UsageError (bad_reference) for what is neither, InputError: already_quantized for a checkpoint that
    is packed, other than a GGUF file, unsupported_architecture for modules that are no causal language model
    of transformers, and what `load_reference` raises.
    """
    if not isinstance(reference, str):
        return _live(reference)
    model = load_reference(reference, offline=offline)
    path = model.place.path if model.place.path.lower().endswith(GGUF) else ""
    if model.quantization is not None:
        raise InputError(
            "already_quantized",
            f"{shorten(model.name, 120)} is packed already ({shorten(model.quantization.method, 40)}); "
            "quantize the checkpoint that it was made of",
        )
    base = "bf16" if path else sixteen_bit(model.dtype)
    return Original(
        reference=reference,
        model=model,
        make_blank=cache(lambda: _blank(_configuration(reference, model, offline=offline), base)),
        base=base,
        gguf=path,
        packed_as=_packed_as(model) if path else "",
        offline=offline,
    )


def _live(module: Any) -> Original:
    """Return a live module as an original: described by its configuration where that is modelled."""
    kind = type(module).__name__
    config: Any = getattr(module, "config", None)
    if not hasattr(module, "named_parameters") or not hasattr(config, "to_json_string"):
        raise UsageError("bad_reference", f"a {kind} is no reference and no model of transformers")
    model = from_module(module)
    if getattr(config, "quantization_config", None) is not None:
        raise InputError(
            "already_quantized", f"{model.name} is packed already; quantize the weights that it was made of"
        )
    blank = _blank(config, "bf16")
    if type(blank) is not type(module):
        raise InputError(
            "unsupported_architecture",
            f"{model.name} is no {type(blank).__name__}, the causal language model of its configuration",
        )
    with suppress(SizewiseError):
        raw = json.loads(config.to_json_string(use_diff=False))
        described = from_config(raw, name=model.name, origin=model.origin)
        model = replace(described, listing=model.listing, trainable=model.trainable)
    return Original(reference=module, model=model, make_blank=lambda: blank, base="bf16")


def _packed_as(model: Model) -> str:
    assert model.listing is not None
    most = model.listing.by_dtype()[0].dtype.lower()
    return "" if most in ("f32", "f16", "bf16") else most


def _configuration(reference: str, model: Model, *, offline: bool) -> Any:
    """Return the configuration of transformers; code that one names is never run."""
    import transformers

    place = model.place
    try:
        if place.path and not os.path.isfile(place.path):
            return transformers.AutoConfig.from_pretrained(place.path, local_files_only=True)
        if place.path.lower().endswith(GGUF):
            folder, name = os.path.split(os.path.abspath(place.path))
            return transformers.AutoConfig.from_pretrained(folder, gguf_file=name, local_files_only=True)
        if model.origin.startswith("catalogue") or not place.repository:
            return _of_fields(raw_configuration(reference))
        options = {"revision": place.revision} if place.revision else {}
        return transformers.AutoConfig.from_pretrained(place.repository, local_files_only=offline, **options)
    except OSError as error:
        kind = HubError("http_error", _said(model, error)) if place.repository else None
        raise kind or InputError("unreadable", _said(model, error)) from None
    except (KeyError, ValueError) as error:
        raise InputError("bad_config", _said(model, error)) from None


def _of_fields(raw: Mapping[str, Any]) -> Any:
    import transformers

    model_type = raw.get("model_type")
    if model_type not in transformers.CONFIG_MAPPING:
        raise InputError(
            "unsupported_architecture", f"transformers knows no model type {shorten(str(model_type), 80)!r}"
        )
    fields = {key: value for key, value in raw.items() if key not in CODE}
    return transformers.CONFIG_MAPPING[model_type].from_dict(fields)


def _blank(config: Any, base: str) -> Any:
    """Return the class of a configuration without memory.

    Raises InputError (unsupported_architecture) where transformers has no causal language model of it.
    """
    import torch
    import transformers

    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[base]
    try:
        with torch.device("meta"):
            return transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)
    except ValueError as error:
        reason = shorten(str(error), 200)
        raise InputError(
            "unsupported_architecture", f"transformers has no causal language model of it: {reason}"
        ) from None


def _said(model: Model, error: BaseException) -> str:
    reason = shorten(f"{type(error).__name__}: {error}", 240)
    return f"{shorten(model.name, 120)}: transformers cannot read its configuration: {reason}"
