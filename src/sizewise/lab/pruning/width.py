"""Narrower layers: neurons of the feed-forward, groups of heads, channels of the hidden state taken out.

What goes is what the calibration text uses least: neurons and heads by the norm of what they send through
the matrix after them, channels by the norm of what the layers read of them (after Minitron: Muralidharan et
al. 2024, arXiv:2407.14679). Heads go with the key and value head that they share, so K/V groups stay whole.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch

from sizewise.errors import InputError, UsageError
from sizewise.lab.pruning.asked import Axis, part_of
from sizewise.lab.pruning.configurations import narrower
from sizewise.lab.pruning.stack import Stack
from sizewise.lab.pruning.surgery import rebuilt

MULTIPLE = 8
"""Widths stay multiples of this where they were one: what units that multiply matrices want."""
READING = ("self_attn.q_proj", "mlp.gate_proj", "mlp.up_proj")
"""Matrices that read the hidden state of a layer."""
_ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
_FEED_FORWARD = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
NEEDED: Mapping[Axis, tuple[str, ...]] = {
    "ffn": _FEED_FORWARD,
    "heads": _ATTENTION,
    "hidden": (*_ATTENTION, *_FEED_FORWARD),
}
"""What every layer has where widths are cut along an axis."""
AXES_OF: Mapping[str, tuple[str | None, ...]] = {
    "embed_tokens.weight": (None, "hidden"),
    "lm_head.weight": (None, "hidden"),
    "self_attn.q_proj.weight": ("heads", "hidden"),
    "self_attn.q_proj.bias": ("heads",),
    "self_attn.k_proj.weight": ("kv", "hidden"),
    "self_attn.k_proj.bias": ("kv",),
    "self_attn.v_proj.weight": ("kv", "hidden"),
    "self_attn.v_proj.bias": ("kv",),
    "self_attn.o_proj.weight": ("hidden", "heads"),
    "self_attn.o_proj.bias": ("hidden",),
    "mlp.gate_proj.weight": ("ffn", "hidden"),
    "mlp.gate_proj.bias": ("ffn",),
    "mlp.up_proj.weight": ("ffn", "hidden"),
    "mlp.up_proj.bias": ("ffn",),
    "mlp.down_proj.weight": ("hidden", "ffn"),
    "mlp.down_proj.bias": ("hidden",),
    "layernorm.weight": ("hidden",),
    "model.norm.weight": ("hidden",),
}
"""What the axes of the weights of a decoder are, by the end of their names."""

NORMS = ("layernorm.weight", "model.norm.weight")

Kept = Mapping[str, torch.Tensor]
"""Indices along an axis that stay, by axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The widths of a decoder: D, F, N, K, H."""

    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    head_size: int

    def width(self, axis: str) -> int:
        """Return how long an axis of `AXES_OF` is."""
        sizes = {"heads": self.heads * self.head_size, "kv": self.kv_heads * self.head_size}
        return sizes[axis] if axis in sizes else int(getattr(self, axis))


def shape_of(module: Any) -> Shape:
    """Return the widths that a configuration names.

    Raises InputError (unsupported_architecture) where it names none, or others for some layers.
    """
    config = module.config
    try:
        heads = int(config.num_attention_heads)
        return Shape(
            hidden=int(config.hidden_size),
            ffn=int(config.intermediate_size),
            heads=heads,
            kv_heads=int(getattr(config, "num_key_value_heads", None) or heads),
            head_size=int(getattr(config, "head_dim", None) or config.hidden_size // heads),
        )
    except Exception as error:  # configurations with widths by layer raise classes of their own
        raise InputError(
            "unsupported_architecture",
            f"{type(module).__name__}: its configuration has no widths that all layers share; "
            "take --method layers",
        ) from error


def check_parts(module: Any, stack: Stack, axes: Iterable[Axis]) -> None:
    """Raise InputError (unsupported_architecture) for a layer without the matrices that the axes need."""
    for axis in axes:
        for number, layer in enumerate(stack.layers):
            present = {path for path, part in layer.named_modules() if isinstance(part, torch.nn.Linear)}
            lacking = [part for part in NEEDED[axis] if part not in present]
            if lacking:
                raise InputError(
                    "unsupported_architecture",
                    f"{type(module).__name__}: layer {number} has no {lacking[0]}; --axis {axis} cuts "
                    f"decoders with {', '.join(NEEDED[axis])} in every layer; take --method layers",
                )


def narrowed(
    module: Any, stack: Stack, *, axes: Iterable[Axis], share: float, squares: Mapping[str, torch.Tensor]
) -> Any:
    """Return a new model with ``share`` of its widths taken out along the axes; the old one is unchanged.

    ``squares`` are those of `input_squares` for all linear layers. Raises UsageError (bad_option) where
    nothing would go or stay, and InputError (unsupported_architecture).
    """
    shape, chosen = shape_of(module), tuple(axes)
    check_parts(module, stack, chosen)
    layers = [
        _kept(_Layer(f"{stack.path}.{number}", module, shape, squares), chosen, share)
        for number in range(len(stack.layers))
    ]
    everywhere: dict[str, torch.Tensor] = {}
    if "hidden" in chosen:
        _check_norms(module, shape.hidden)
        count = _staying(shape.hidden, share, "hidden")
        everywhere["hidden"] = _largest(_read(stack, squares, shape.hidden), count)
    weights = {
        name: _cut(name, weight, _indices(name, stack, layers) | everywhere, shape)
        for name, weight in module.state_dict().items()
    }
    return rebuilt(module, _configuration(module, shape, layers[0] | everywhere), weights)


def _configuration(module: Any, shape: Shape, kept: Kept) -> dict[str, Any]:
    heads = len(kept["heads"]) // shape.head_size if "heads" in kept else shape.heads
    kv_heads = len(kept["kv"]) // shape.head_size if "kv" in kept else shape.kv_heads
    return narrower(
        module.config.to_dict(),
        heads=heads,
        kv_heads=kv_heads,
        head_size=shape.head_size,
        ffn=len(kept["ffn"]) if "ffn" in kept else None,
        hidden=len(kept["hidden"]) if "hidden" in kept else None,
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer of a model with what flowed into its matrices."""

    path: str
    module: Any
    shape: Shape
    squares: Mapping[str, torch.Tensor]

    def sent(self, name: str) -> torch.Tensor:
        """Return the sum of squares that each input channel of a matrix sends on."""
        path = f"{self.path}.{name}"
        weight = self.module.get_submodule(path).weight.data.float()
        return self.squares[path] * weight.square().sum(0)


def _kept(layer: _Layer, axes: tuple[Axis, ...], share: float) -> dict[str, torch.Tensor]:
    """Return what stays inside one layer: neurons, and channels of heads and of K/V heads."""
    shape, kept = layer.shape, {}
    if "ffn" in axes:
        kept["ffn"] = _largest(layer.sent("mlp.down_proj"), _staying(shape.ffn, share, "ffn"))
    if "heads" in axes:
        groups = layer.sent("self_attn.o_proj").reshape(shape.kv_heads, -1).sum(1)
        staying = _largest(groups, _staying(shape.kv_heads, share, "heads", multiple=1))
        kept["kv"] = _expanded(staying, shape.head_size)
        kept["heads"] = _expanded(staying, shape.heads // shape.kv_heads * shape.head_size)
    return kept


def _staying(width: int, share: float, axis: Axis, *, multiple: int = MULTIPLE) -> int:
    """Return how much of a width stays: ``share`` goes, rounded so that multiples stay multiples."""
    left = width - part_of(width, share)
    if width % multiple == 0:
        left = -(-left // multiple) * multiple
    if not 0 < left < width:
        unit = "K/V groups of heads" if axis == "heads" else f"{axis} channels"
        raise UsageError("bad_option", f"--amount: {share:.0%} of {width} {unit} takes none away")
    return left


def _largest(amounts: torch.Tensor, count: int) -> torch.Tensor:
    return amounts.topk(count).indices.sort().values


def _expanded(places: torch.Tensor, width: int) -> torch.Tensor:
    return (places[:, None] * width + torch.arange(width)).flatten()


def _read(stack: Stack, squares: Mapping[str, torch.Tensor], hidden: int) -> torch.Tensor:
    paths = [f"{stack.path}.{number}.{name}" for number in range(len(stack.layers)) for name in READING]
    return sum((squares[path] for path in paths), torch.zeros(hidden))


def _indices(name: str, stack: Stack, layers: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    if not name.startswith(f"{stack.path}."):
        return {}
    return layers[int(name.removeprefix(f"{stack.path}.").partition(".")[0])]


def _cut(name: str, weight: torch.Tensor, kept: Kept, shape: Shape) -> torch.Tensor:
    """Return what stays of a weight; a norm over fewer channels is scaled as if the others were zero.

    What has another size than its axis (norms of single heads) stays whole.
    """
    axes = next((found for end, found in AXES_OF.items() if name.endswith(end)), ())
    for place, axis in enumerate(axes):
        if axis is None or axis not in kept or weight.shape[place] != shape.width(axis):
            continue
        weight = weight.index_select(place, kept[axis])
        if axes == ("hidden",) and "norm" in name:
            weight = weight * sqrt(shape.hidden / len(kept["hidden"]))
    return weight


def _check_norms(module: Any, hidden: int) -> None:
    """Raise InputError (unsupported_architecture) where a norm is no plain RMSNorm: it would not scale."""
    for name, part in module.named_modules():
        if not f"{name}.weight".endswith(NORMS) or _size(part) not in (None, hidden):
            continue
        if _size(part) is None or not _is_plain(part):
            raise InputError(
                "unsupported_architecture",
                f"{type(module).__name__}: the norm {name} is no plain RMSNorm; take --axis ffn",
            )


def _size(norm: Any) -> int | None:
    weight = getattr(norm, "weight", None)
    return None if weight is None else int(weight.numel())


def _is_plain(norm: Any) -> bool:
    """Tell whether a norm is weight times the input over its root mean square."""
    weight = norm.weight.data.float()
    given = torch.linspace(-1.0, 2.0, weight.numel())
    with torch.inference_mode():
        found = norm(given.to(norm.weight.dtype)).float()
    expected = given * given.square().mean().rsqrt() * weight
    return bool(torch.allclose(found, expected, rtol=0.05, atol=0.05))
