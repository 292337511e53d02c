"""Quantization settings that list groups of layers: compressed-tensors and NVIDIA ModelOpt.

Their lists of exceptions are complete: a head that is not listed is packed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby

from sizewise.formats.quantization import PackingRule
from sizewise.formats.settings import Settings

Rules = tuple[PackingRule, ...]

_ALGORITHMS = {
    "fp8": "fp8-static",
    "fp8_per_channel_per_token": "fp8-channel",
    "fp8_pb_wo": "fp8-block",
    "fp8_pb_real": "fp8-block",
    "nvfp4": "nvfp4",
    "w4a16_nvfp4": "nvfp4-w4a16",
    "mxfp8": "mxfp8",
    "mxfp4": "mxfp4",
}
"""Our formats by ModelOpt's ``quant_algo``."""

_LINEAR = "Linear"


def modelopt(settings: Settings) -> Rules:
    """Return the rules of a ModelOpt checkpoint; none when its algorithm is not known."""
    ignored = settings.words("exclude_modules", "ignore") or ()
    if settings.text("quant_algo") == "mixed_precision":
        return layer_rules(settings, ignored)
    name = _ALGORITHMS.get(settings.text("quant_algo"))
    if name is None:
        return ()
    group = settings.group("group_size")
    return (PackingRule(format=name, group=group, ignored=ignored, lists_all=True),)


def layer_rules(settings: Settings, ignored: tuple[str, ...] = ()) -> Rules:
    """Return a rule per format named in ``quantized_layers``; none when one of them is not known."""
    modules: dict[tuple[str, int | None], list[str]] = {}
    for module, layer in settings.sections("quantized_layers").items():
        name = _ALGORITHMS.get(layer.text("quant_algo"))
        if name is None:
            return ()
        modules.setdefault((name, layer.group("group_size")), []).append(module)
    return tuple(
        PackingRule(format=name, group=group, targets=tuple(targets), ignored=ignored, lists_all=True)
        for (name, group), targets in modules.items()
    )


def compressed_tensors(settings: Settings) -> Rules:
    """Return a rule per group of a compressed-tensors checkpoint; none when one is not known.

    A group of all linear layers ("Linear") comes after those that name modules; the modules that it
    names beside count only where another group could take them.
    """
    ignored = settings.words("ignore") or ()
    groups = settings.sections("config_groups")
    rules = []
    for group in groups.values():
        rule = _group(group, group.text("format") or settings.text("format"), ignored)
        if rule is None:
            return ()
        named = tuple(target for target in dict.fromkeys(rule.targets) if target != _LINEAR)
        everything = not rule.targets or _LINEAR in rule.targets
        if named and (not everything or len(groups) > 1):
            rules.append(replace(rule, targets=named))
        if everything:
            rules.append(replace(rule, targets=()))
    return merged(sorted(rules, key=lambda rule: not rule.targets))


def merged(rules: Iterable[PackingRule]) -> Rules:
    """Return the rules with neighbours of equal settings as one; the order of others decides."""
    joined: list[PackingRule] = []
    runs = groupby(rules, key=lambda rule: (replace(rule, targets=()), not rule.targets))
    for (settings, everything), run in runs:
        targets = () if everything else tuple(target for rule in run for target in rule.targets)
        joined.append(replace(settings, targets=targets))
    return tuple(joined)


def _group(group: Settings, packing: str, ignored: tuple[str, ...]) -> PackingRule | None:
    weights = group.section("weights")
    if weights is None:
        return None
    bits = weights.integer("num_bits")
    name = (
        _float_format(weights, bits, group) if weights.text("type") == "float" else _int_format(bits, packing)
    )
    if name is None:
        return None
    return PackingRule(
        format=name,
        bits=bits,
        group=0 if weights.text("strategy") == "channel" else weights.group("group_size"),
        block=weights.pair("block_structure"),
        zero_point=weights.raw.get("symmetric") is False,
        targets=group.words("targets") or (),
        ignored=ignored,
        lists_all=True,
    )


def _float_format(weights: Settings, bits: int | None, group: Settings) -> str | None:
    if bits == 4:
        return "mxfp4" if weights.integer("group_size") == 32 else "nvfp4"
    if bits != 8:
        return None
    activations = group.section("input_activations")
    static = activations is not None and activations.raw.get("dynamic") is False
    strategies: Mapping[str, str] = {
        "channel": "fp8-channel",
        "block": "fp8-block",
        "group": "mxfp8",
        "tensor": "fp8-static" if static else "fp8",
    }
    return strategies.get(weights.text("strategy") or "tensor")


def _int_format(bits: int | None, packing: str) -> str | None:
    if packing in ("int-quantized", "naive-quantized"):
        return "w8a8" if bits == 8 else None
    if packing == "pack-quantized" and bits in (2, 3, 4, 8):
        return "w8a16" if bits == 8 else "w4a16"
    return None
