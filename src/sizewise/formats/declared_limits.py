"""Quantization settings that change the stored bytes in ways that are not modelled.

`beyond` names the first such field, so that its checkpoint is refused and never counted as if the field
were not there. The field names are those of transformers 5.23, GPTQModel 5, AutoRound 0.9,
compressed-tensors 0.15 and HQQ 0.2.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from sizewise.formats.settings import Settings

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\-]+")
_CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_LANGUAGE_LAYERS = frozenset(
    {"model.layers", "model.language_model.layers", "language_model.model.layers", "thinker.model.layers"}
)


def beyond(method: str, settings: Settings) -> str:
    """Return the field of these settings that is not modelled; empty where all of them are.

    >>> beyond("gptq", Settings({"bits": 4, "dynamic": {"-:.*mlp.*": {}}}))
    'dynamic'
    """
    check = _CHECKS.get(method)
    return next(check(settings), "") if check else ""


def _gptq(settings: Settings) -> Iterator[str]:
    if settings.raw.get("dynamic"):
        yield "dynamic"
    if settings.text("checkpoint_format") == "marlin" or settings.raw.get("is_marlin_format") is True:
        yield "checkpoint_format marlin"


def _auto_round(settings: Settings) -> Iterator[str]:
    if _not_integers(settings):
        yield f"data_type {settings.text('data_type')}"
    if "llm_compressor" in settings.text("packing_format"):
        yield "packing_format llm_compressor"
    for name, own in settings.sections("extra_config").items():
        if not _PLAIN_NAME.fullmatch(name):
            yield "patterns in extra_config"
        if _not_integers(own):
            yield f"data_type {own.text('data_type')} in extra_config"
    for field in ("block_name_to_quantize", "to_quant_block_names"):
        named = settings.raw.get(field)
        blocks = named.split(",") if isinstance(named, str) else settings.words(field) or ()
        if not _LANGUAGE_LAYERS.issuperset(block.strip() for block in blocks):
            yield field


def _not_integers(settings: Settings) -> bool:
    kind = settings.text("data_type")
    return bool(kind) and not kind.startswith("int")


def _compressed_tensors(settings: Settings) -> Iterator[str]:
    sparsity = settings.section("sparsity_config")
    if sparsity is not None and sparsity.text("format") not in ("", "dense"):
        yield f"sparsity_config {sparsity.text('format')}"
    for group in settings.sections("config_groups").values():
        for target in group.words("targets") or ():
            if target != "Linear" and _CLASS_NAME.fullmatch(target):
                yield f"targets {target}"


def _hqq(settings: Settings) -> Iterator[str]:
    outer = settings.section("quant_config")
    inner = outer.section("weight_quant_params") if outer is not None else None
    if outer is not None and inner is None and any(isinstance(own, Mapping) for own in outer.raw.values()):
        yield "settings of single modules"
    for holder in filter(None, (settings, outer, inner)):
        if "group_size" in holder.raw and holder.raw["group_size"] is None:
            yield "group_size null"
    for field in ("scale_quant_params", "zero_quant_params"):
        if outer is not None and outer.raw.get(field):
            yield field


_CHECKS: Mapping[str, Callable[[Settings], Iterator[str]]] = {
    "gptq": _gptq,
    "auto-round": _auto_round,
    "compressed-tensors": _compressed_tensors,
    "hqq": _hqq,
}
