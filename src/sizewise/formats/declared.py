"""What a configuration says about how its weights are stored: ``dtype`` and ``quantization_config``.

A method that is not known is reported and leaves no rules; it never counts as 16 bit. The field names
are those of transformers 5.23, compressed-tensors 0.15, ModelOpt, mlx-lm and exllamav2.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.formats.declared_groups import compressed_tensors, layer_rules, merged, modelopt
from sizewise.formats.declared_limits import beyond
from sizewise.formats.patterns import compile_patterns
from sizewise.formats.quantization import PackingRule, Quantization
from sizewise.formats.settings import Settings
from sizewise.notices import Notice

Rules = tuple[PackingRule, ...]

RULE_LIMIT = 1_000
_UNPACKED_BITS = 16

_DTYPES = {
    "float32": "fp32",
    "float": "fp32",
    "fp32": "fp32",
    "float16": "fp16",
    "half": "fp16",
    "fp16": "fp16",
    "bfloat16": "bf16",
    "bf16": "bf16",
    "float8_e4m3fn": "fp8",
}
_GPTQ_FIELDS = frozenset({"desc_act", "sym", "damp_percent", "true_sequential"})
_PLACES = ("quantization_config", "compression_config", "quantization")
_TEXT_SECTIONS = ("text_config", "language_config", "llm_config", "thinker_config")


def declared_dtype(raw: Mapping[str, Any]) -> str | None:
    """Return the format that ``dtype`` or ``torch_dtype`` names; None when none or an unknown one does.

    >>> declared_dtype({"torch_dtype": "bfloat16"}), declared_dtype({"text_config": {"dtype": "float32"}})
    ('bf16', 'fp32')
    """
    return _DTYPES.get(_dtype_text(raw))


def declared_quantization(raw: Mapping[str, Any]) -> tuple[Quantization | None, tuple[Notice, ...]]:
    """Return the packing that a configuration declares and the warnings about how its weights are stored.

    Raises InputError: bad_config for settings that cannot be meant, too_many_entries.

    >>> settings = {"quant_method": "awq", "bits": 4, "group_size": 128}
    >>> declared_quantization({"quantization_config": settings})[0].format
    'awq'
    """
    found, text_only = _settings(raw)
    notices = list(_dtype_notices(raw))
    if found is None:
        return None, tuple(notices)
    method = _method(found)
    reader, field = _METHODS.get(method), beyond(method, found)
    rules = reader(found) if reader and not field else ()
    method = f"{method} with {field}" if field else method
    if method == "fp8":
        rules = (*rules[:-1], *_fp4_experts(raw), *rules[-1:])
    if len(rules) > RULE_LIMIT:
        raise InputError(
            "too_many_entries",
            f"the quantization settings state {len(rules):,} different formats of modules; "
            f"at most {RULE_LIMIT:,} can be meant",
        )
    if not rules:
        notices.append(Notice(code="unknown_quantization", message=_unknown(method)))
    notices.extend(_pattern_notices(rules))
    return Quantization(method=method or "unnamed", rules=rules, text_only=text_only), tuple(notices)


def _dtype_text(raw: Mapping[str, Any]) -> str:
    for holder in (raw, *_sections(raw)):
        for name in ("dtype", "torch_dtype"):
            value = holder.get(name)
            if isinstance(value, str):
                return value.lower().removeprefix("torch.")
    return ""


def _dtype_notices(raw: Mapping[str, Any]) -> Iterator[Notice]:
    text = _dtype_text(raw)
    if text and text != "auto" and text not in _DTYPES:
        yield Notice(code="unknown_dtype", message=f"dtype {shorten(text)!r} is not known; bf16 is assumed")


def _sections(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in _TEXT_SECTIONS:
        value = raw.get(name)
        if isinstance(value, Mapping):
            yield value


def _settings(raw: Mapping[str, Any]) -> tuple[Settings | None, bool]:
    """Return the settings and whether they stand in the section of the language model."""
    for inside, holder in ((False, raw), *((True, section) for section in _sections(raw))):
        for place in _PLACES:
            found = holder.get(place)
            if found:
                named = Settings({"quant_method": found}) if isinstance(found, str) else None
                return named or Settings(holder).section(place), inside
    return None, False


def _method(settings: Settings) -> str:
    """Return the named method, or the one that the fields belong to where tools name none."""
    named = settings.text("quant_method")
    if named:
        named = named.removeprefix("intel/")
        return named.replace("_", "-") if named.startswith("compressed") else named
    if settings.flag("load_in_4bit") or settings.flag("load_in_8bit"):
        return "bitsandbytes"
    if settings.text("quant_algo"):
        return "modelopt"
    if not {"bits", "group_size"} <= set(settings.raw):
        return ""
    if not _GPTQ_FIELDS.isdisjoint(settings.raw):
        return "gptq"
    further = (value for name, value in settings.raw.items() if name not in ("bits", "group_size", "mode"))
    return "mlx" if all(isinstance(value, Mapping | bool | None) for value in further) else ""


def _unknown(method: str) -> str:
    return (
        f"quantization method {shorten(method or 'without a name')!r} is not known, so the bytes of this "
        "checkpoint are not; name a format with --quant to count the same model in it"
    )


def _pattern_notices(rules: Rules) -> Iterator[Notice]:
    unknown = [
        text
        for rule in rules
        for entries in (rule.targets, rule.ignored)
        for text in compile_patterns(entries).unknown
    ]
    if unknown:
        shown = shorten(unknown[0], 60)
        message = (
            f"{len(unknown)} module patterns of the quantization settings are not understood, e.g. {shown!r}"
        )
        yield Notice(code="unknown_pattern", message=message)


def _fp8(settings: Settings) -> Rules:
    ignored = settings.words("modules_to_not_convert", "ignored_layers") or ()
    block = settings.pair("weight_block_size")
    name = "fp8-block"
    if block is None:
        name = "fp8-static" if settings.text("activation_scheme") == "static" else "fp8"
    mixed = layer_rules(settings)
    general = PackingRule(format=name, block=block, ignored=ignored)
    return (*mixed, general)


def _fp4_experts(raw: Mapping[str, Any]) -> Rules:
    """Return the rule of DeepSeek-V4: experts in MXFP4 beside FP8 blocks."""
    return (PackingRule(format="mxfp4"),) if raw.get("expert_dtype") == "fp4" else ()


def _fbgemm(settings: Settings) -> Rules:
    return (PackingRule(format="fp8-channel", ignored=settings.words("modules_to_not_convert") or ()),)


def _bitsandbytes(settings: Settings) -> Rules:
    ignored = settings.words("llm_int8_skip_modules") or ()
    if settings.flag("load_in_8bit") or settings.flag("_load_in_8bit"):
        return (PackingRule(format="bnb-int8", ignored=ignored),)
    if not (settings.flag("load_in_4bit") or settings.flag("_load_in_4bit")):
        return ()
    kind = settings.text("bnb_4bit_quant_type") or "fp4"
    if kind not in ("fp4", "nf4"):
        return ()
    double = "-dq" if settings.flag("bnb_4bit_use_double_quant") else ""
    return (PackingRule(format=f"{kind}{double}", ignored=ignored),)


def _awq(settings: Settings) -> Rules:
    bits = settings.integer("bits", "w_bit") or 4
    rule = PackingRule(
        format="awq",
        bits=bits,
        group=settings.group("group_size", "q_group_size"),
        ignored=settings.words("modules_to_not_convert") or (),
    )
    return (rule,) if bits == 4 else ()


def _gptq(settings: Settings) -> Rules:
    """Return the rule of GPTQ; its modules are those of a block that the file lists, if it lists any."""
    bits = settings.integer("bits") or 4
    head = settings.flag("lm_head") or settings.flag("quant_lm_head")
    listed = settings.nested_words("modules_in_block_to_quantize")
    rule = PackingRule(
        format="gptq",
        bits=bits,
        group=settings.group("group_size"),
        head=head,
        targets=(*listed, "lm_head") if listed and head else listed,
        ignored=settings.words("modules_to_not_convert") or (),
    )
    return (rule,) if bits in (2, 3, 4, 8) else ()


def _auto_round(settings: Settings) -> Rules:
    """Return the rule of AutoRound and those of the modules that have settings of their own."""
    pack = _awq if "awq" in settings.text("packing_format") else _gptq
    general, left = pack(settings), []
    special: list[PackingRule] = []
    for name, own in settings.sections("extra_config").items():
        if (own.integer("bits") or 0) >= _UNPACKED_BITS:
            left.append(name)
            continue
        rules = pack(Settings({**settings.raw, **own.raw}))
        if not rules:
            return ()
        special.extend(replace(rule, targets=(name,)) for rule in rules)
    return (*merged(special), *(replace(rule, ignored=(*rule.ignored, *left)) for rule in general))


def _mxfp4(settings: Settings) -> Rules:
    return (PackingRule(format="mxfp4", ignored=settings.words("modules_to_not_convert") or ()),)


def _hqq(settings: Settings) -> Rules:
    outer = settings.section("quant_config") or settings
    inner = outer.section("weight_quant_params") or outer
    bits = inner.integer("nbits") or 4
    rule = PackingRule(
        format="hqq",
        bits=bits,
        group=inner.group("group_size"),
        ignored=settings.words("skip_modules") or (),
    )
    return (rule,) if bits in (1, 2, 3, 4, 8) else ()


def _exl2(settings: Settings) -> Rules:
    bits = settings.raw.get("bits")
    if isinstance(bits, bool) or not isinstance(bits, int | float) or not 2 <= bits <= 8:
        return ()
    return (PackingRule(format=f"exl2-{round(float(bits), 3)}", head_bits=settings.integer("head_bits")),)


def _mlx(settings: Settings) -> Rules:
    """Return the rule of mlx-lm and those of the modules that have settings of their own."""
    if settings.text("mode") not in ("", "affine"):
        return ()
    own: dict[PackingRule, list[str]] = {}
    for name, value in settings.raw.items():
        if isinstance(value, Mapping) and "bits" in value:
            own.setdefault(_mlx_rule(Settings(value)), []).append(name)
    ignored = tuple(name for name, value in settings.raw.items() if value is False)
    special = (replace(rule, targets=tuple(names)) for rule, names in own.items())
    general = _mlx_rule(settings, ignored=ignored)
    rules = (*special, general)
    return rules if all(rule.bits in (2, 3, 4, 5, 6, 8) for rule in rules) else ()


def _mlx_rule(settings: Settings, ignored: tuple[str, ...] = ()) -> PackingRule:
    return PackingRule(
        format="mlx-4bit",
        bits=settings.integer("bits"),
        group=settings.group("group_size"),
        ignored=ignored,
    )


_METHODS: Mapping[str, Callable[[Settings], Rules]] = {
    "fp8": _fp8,
    "fbgemm_fp8": _fbgemm,
    "bitsandbytes": _bitsandbytes,
    "awq": _awq,
    "gptq": _gptq,
    "auto-round": _auto_round,
    "mxfp4": _mxfp4,
    "hqq": _hqq,
    "exl2": _exl2,
    "mlx": _mlx,
    "modelopt": modelopt,
    "compressed-tensors": compressed_tensors,
}
