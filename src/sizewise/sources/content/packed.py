"""Packed matrices of a checkpoint: which tensors belong to one, and how many weights it holds.

A packed matrix is recognised by its siblings: the name of a scale, a zero point or a constant says
which tensor it belongs to. The layouts are those of AutoAWQ, AutoGPTQ, bitsandbytes 0.50,
compressed-tensors 0.15, NVIDIA ModelOpt, OCP Microscaling (gpt-oss, DeepSeek-V4), DeepSeek FP8,
mlx.nn.quantize and hqq 0.2.8. Shapes: a matrix [out, in], b bits, groups of g inputs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from sizewise.catalog.formats import find_format
from sizewise.formats.patterns import Patterns, compile_patterns
from sizewise.formats.quantization import PackingRule, Quantization
from sizewise.listing import Shape

FLOAT8 = frozenset({"F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"})
PACKED_DTYPES = frozenset({"U8", "I8", "I32", "U32", "F4", *FLOAT8})
USUAL_BITS = 4
USUAL_GROUPS = (32, 64, 128)

Rules = tuple[tuple[PackingRule, Patterns], ...]

SatelliteKind = Literal["scale", "constant"]

OWNERS: tuple[tuple[str, tuple[str, ...], SatelliteKind], ...] = (
    (".qzeros", (".qweight",), "scale"),
    (".g_idx", (".qweight",), "scale"),
    (".scales", (".qweight", ".weight"), "scale"),
    (".biases", (".weight",), "scale"),
    (".weight_scale", (".weight", ".weight_packed"), "scale"),
    (".weight_scale_inv", (".weight",), "scale"),
    (".weight_scale_2", (".weight",), "scale"),
    (".weight_global_scale", (".weight_packed",), "scale"),
    (".weight_zero_point", (".weight_packed", ".weight"), "scale"),
    (".weight_shape", (".weight_packed",), "scale"),
    (".weight_g_idx", (".weight_packed",), "scale"),
    (".input_global_scale", (".weight_packed",), "scale"),
    (".input_scale", (".weight", ".weight_packed"), "scale"),
    (".SCB", (".weight",), "scale"),
    (".weight_format", (".weight",), "constant"),
    (".weight.absmax", (".weight",), "scale"),
    (".weight.nested_absmax", (".weight",), "scale"),
    (".weight.quant_map", (".weight",), "constant"),
    (".weight.nested_quant_map", (".weight",), "constant"),
    (".scale", (".weight", ".W_q"), "scale"),
    (".zero", (".W_q",), "scale"),
    ("_scales", ("_blocks",), "scale"),
    ("_scale_inv", ("",), "scale"),
    ("_scale_2", ("",), "scale"),
    ("_input_scale", ("",), "scale"),
    ("_scale", ("",), "scale"),
)
"""Endings of satellites, and the endings of the packed tensors that they may belong to."""

SCALE_ENDINGS = (".weight_scale", ".scale", "_scale")
_ENDINGS = tuple(ending for ending, _, _ in OWNERS)
BNB_STATE = ".quant_state.bitsandbytes__"
HQQ_CONSTANTS = frozenset(
    (
        ".axis",
        ".bias_quant",
        ".channel_wise",
        ".compute_dtype",
        ".encoded_state_dict",
        ".group_size",
        ".max",
        ".min",
        ".nbits",
        ".offload_meta",
        ".optimize",
        ".packing",
        ".quant_scale",
        ".quant_zero",
        ".round_zero",
        ".shape",
        ".stores_quant_config",
        ".unpack_view",
        ".view_as_float",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Satellite:
    """A tensor that describes a packed one: the name of that one, and its own ending."""

    owner: str
    ending: str
    kind: SatelliteKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What a packed tensor holds: the name of its format and the shape of the matrix.

    ``assumed`` says that its width was guessed. The shape is flat where nothing tells the rows.
    """

    format: str
    shape: Shape
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """A packed tensor with the shapes of its satellites by their endings; ``bits`` when they are known."""

    dtype: str
    shape: Shape
    near: Mapping[str, Shape]
    bits: int | None

    @property
    def elements(self) -> int:
        """Count the stored elements."""
        return prod(self.shape)


def satellite(name: str, dtypes: Mapping[str, str]) -> Satellite | None:
    """Return what a tensor describes, None where it stands for itself.

    ``dtypes`` are those of all tensors by name: an owner has to be stored packed.
    """
    owner, state, kind = name.partition(BNB_STATE)
    if state:
        return Satellite(owner=owner, ending=f"{state}{kind}", kind="constant") if owner in dtypes else None
    module, dot, leaf = name.rpartition(".")
    if f"{dot}{leaf}" in HQQ_CONSTANTS and f"{module}.W_q" in dtypes:
        return Satellite(owner=f"{module}.W_q", ending=f".{leaf}", kind="constant")
    if not name.endswith(_ENDINGS):
        return None
    for ending, owners, found in OWNERS:
        if not name.endswith(ending):
            continue
        stem = name.removesuffix(ending)
        for suffix in owners:
            if dtypes.get(stem + suffix) in PACKED_DTYPES:
                return Satellite(owner=stem + suffix, ending=ending, kind=found)
    return None


def unpacked(name: str, codes: Codes) -> Unpacked | None:
    """Return what a packed tensor holds, None where its layout is not recognised."""
    leaf = name.rpartition(".")[2]
    if leaf.endswith("_blocks"):
        return _blocks(codes)
    if leaf in _BY_LEAF:
        return _BY_LEAF[leaf](codes)
    if codes.dtype in FLOAT8:
        return _float8(codes)
    if codes.dtype == "F4":
        return Unpacked(format="nvfp4", shape=codes.shape)
    return _integers(codes)


def _integers(codes: Codes) -> Unpacked | None:
    """Read codes in integers that have no name of their own."""
    if ".SCB" in codes.near:
        return Unpacked(format="bnb-int8", shape=codes.shape)
    if ".weight.absmax" in codes.near:
        return Unpacked(format=_bitsandbytes_format(codes), shape=(2 * codes.elements,))
    if codes.dtype == "U32" and ".scales" in codes.near:
        return _mlx(codes)
    return _short_floats(codes)


def _bitsandbytes_format(codes: Codes) -> str:
    kinds = [ending.removeprefix(BNB_STATE) for ending in codes.near if ending.startswith(BNB_STATE)]
    kind = kinds[0] if kinds and kinds[0] in ("nf4", "fp4") else "nf4"
    return f"{kind}-dq" if ".weight.nested_absmax" in codes.near else kind


def _blocks(codes: Codes) -> Unpacked | None:
    """Read MXFP4 blocks [..., out, in/32, 16]: two codes per byte."""
    if len(codes.shape) < 3:
        return None
    *rows, blocks, width = codes.shape
    return Unpacked(format="mxfp4", shape=(*rows, 2 * blocks * width))


def _integer_groups(codes: Codes) -> Unpacked | None:
    """Read AWQ, [in, out*b/32], or GPTQ, [in*b/32, out]: the last axis of the scales is out."""
    scales, zeros = codes.near.get(".scales", ()), codes.near.get(".qzeros", ())
    if len(codes.shape) != 2 or len(scales) != 2 or not all((*codes.shape, *scales)):
        return None
    (first, last), out = codes.shape, scales[-1]
    if last != out:
        return None if out % last else Unpacked(format="awq", shape=(out, first))
    if ".g_idx" in codes.near:
        return Unpacked(format="gptq", shape=(out, prod(codes.near[".g_idx"])))
    bits = 32 * zeros[-1] // out if len(zeros) == 2 else codes.bits
    if bits == 0:
        return None
    return Unpacked(format="gptq", shape=(out, first * 32 // (bits or USUAL_BITS)), assumed=bits is None)


def _hqq(codes: Codes) -> Unpacked | None:
    """Read codes [groups*b/8, g] with a scale per group."""
    scale = codes.near.get(".scale", ())
    if len(codes.shape) != 2 or len(scale) != 2 or scale[1] != 1:
        return None
    return Unpacked(format="hqq", shape=(scale[0] * codes.shape[1],))


def _compressed(codes: Codes) -> Unpacked | None:
    """Read 4-bit floats in bytes, or integers of b bits in words: [out, in*b/32]."""
    if codes.dtype != "U8":
        return _words("w4a16", codes, codes.near.get(".weight_scale", ()))
    if not codes.shape:
        return None
    format = "nvfp4" if ".weight_global_scale" in codes.near else "mxfp4"
    return Unpacked(format=format, shape=_doubled(codes.shape))


def _mlx(codes: Codes) -> Unpacked | None:
    """Read words [out, in*b/32] with scales [out, in/g]."""
    return _words(f"mlx-{codes.bits or USUAL_BITS}bit", codes, codes.near.get(".scales", ()))


def _words(format: str, codes: Codes, scales: Shape) -> Unpacked | None:
    """Read rows of 32-bit words; without a known width 4 bits, where that makes a usual group."""
    if not codes.shape or not scales:
        return None
    *rows, words = codes.shape
    if codes.bits is not None:
        return Unpacked(format=format, shape=(*rows, words * 32 // codes.bits))
    columns, groups = words * 32 // USUAL_BITS, scales[-1]
    if not groups or columns % groups or columns // groups not in USUAL_GROUPS:
        return None
    return Unpacked(format=format, shape=(*rows, columns), assumed=True)


def _float8(codes: Codes) -> Unpacked:
    """Read E4M3 codes: a scale per block, per row or per matrix."""
    scale = _first_scale(codes)
    if any(ending.endswith("_scale_inv") for ending in codes.near) or (scale and scale[-1] > 1):
        return Unpacked(format="fp8-block", shape=codes.shape)
    if scale and scale[0] > 1:
        return Unpacked(format="fp8-channel", shape=codes.shape)
    static = any(ending.endswith("input_scale") for ending in codes.near)
    return Unpacked(format="fp8-static" if static else "fp8", shape=codes.shape)


def _short_floats(codes: Codes) -> Unpacked | None:
    """Read two 4-bit floats per byte, known by how many bytes share a scale, or int8 with one per row."""
    scale = _first_scale(codes)
    if not scale or not codes.shape or not scale[-1]:
        return None
    format = _FLOATS_BY_BYTES_PER_SCALE.get(codes.shape[-1] / scale[-1])
    if format and scale[:-1] == codes.shape[:-1]:
        return Unpacked(format=format, shape=_doubled(codes.shape))
    return Unpacked(format="w8a8", shape=codes.shape) if codes.dtype == "I8" else None


def _first_scale(codes: Codes) -> Shape:
    """Return the shape of the scale under the first of its usual names."""
    return next((codes.near[ending] for ending in SCALE_ENDINGS if ending in codes.near), ())


def _doubled(shape: Shape) -> Shape:
    return (*shape[:-1], 2 * shape[-1])


_BY_LEAF: Mapping[str, Callable[[Codes], Unpacked | None]] = {
    "qweight": _integer_groups,
    "W_q": _hqq,
    "weight_packed": _compressed,
}
_FLOATS_BY_BYTES_PER_SCALE = {8.0: "nvfp4", 16.0: "mxfp4"}


def stated_bits(rules: Rules, module: str) -> int | None:
    """Return the bits of a module as the first rule that covers it states them, None where none does."""
    rule = next((rule for rule, targets in rules if not targets or targets.match(module)), None)
    if rule is None:
        return None
    bits = int(find_format(rule.format).bits) if rule.bits is None else rule.bits
    return bits if 1 <= bits <= 32 else None


def compiled(quantization: Quantization | None) -> Rules:
    """Return the rules of a source's quantization settings, ready to match."""
    rules = quantization.rules if quantization else ()
    return tuple((rule, compile_patterns(rule.targets)) for rule in rules)
