"""A plain transformer from bare shapes, and a typical one for a bare size such as ``7b``.

The plain transformer counts matrices only, as textbooks do, unless biases, norms or positions are
asked for: attention 4*D*N*H (grouped heads less), feed-forward 2*D*F or gated 3*D*F, tables V*D.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from sizewise.architecture import Architecture, Model, Part, Stack, stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.errors import UsageError, did_you_mean
from sizewise.operations import Kept, Operation, product
from sizewise.tape.tape import Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight

WIDTH_PER_LAYER = 128
"""Hidden size over depth of large dense models: 4096/32, 8192/80, 16384/126 (Llama 3, arXiv:2407.21783)."""
FFN_STEP = 256
"""Feed-forward sizes are usually multiples of this."""
HEAD_SIZE = 128
TYPICAL_KV_HEADS = 8
TYPICAL_VOCABULARY = 128_256
SMALL_VOCABULARY = 32_000
_LARGEST = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a plain transformer; None means: derived (F = 4*D, K = N, H = D/N)."""

    layers: int
    hidden: int
    heads: int
    vocab: int
    kv_heads: int | None = None
    head_size: int | None = None
    ffn: int | None = None
    gated: bool = False
    tied: bool = False
    biases: bool = False
    norms: bool = False
    positions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """Matrix weights that bring a typical shape to a nominal total; used once per token."""

    elements: int
    columns: int

    def weights(self) -> Iterator[Weight]:
        """Yield a matrix of whole rows of ``columns``, and what is left as one row."""
        rows, left = divmod(self.elements, self.columns)
        for name, shape in (("weight", (rows, self.columns)), ("left.weight", (1, left))):
            if shape[0] and shape[1]:
                yield Weight(name=name, role="feed_forward", shape=shape, kind="matrix")

    def operations(self) -> Iterator[Operation]:
        """Yield its product."""
        yield product("remainder", "feed_forward", 1, self.elements)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())

    def record(self, _tape: Tape, source: Tensor) -> Tensor:
        """Record nothing: what it stands for saves as the other layers do."""
        return source


def checked_shape(shape: Shape) -> Shape:
    """Return the shape with the derived sizes filled in.

    Raises UsageError (bad_option) for sizes that cannot be meant.
    """
    for field in fields(shape):
        _check_field(field.name, field.type, getattr(shape, field.name))
    kv_heads = shape.kv_heads or shape.heads
    if kv_heads > shape.heads or shape.heads % kv_heads:
        raise UsageError("bad_option", f"--kv-heads {kv_heads} must divide --heads {shape.heads}")
    if shape.head_size is None and shape.hidden % shape.heads:
        raise UsageError(
            "bad_option", f"--heads {shape.heads} must divide --hidden {shape.hidden}, or give --head-size"
        )
    return replace(
        shape,
        kv_heads=kv_heads,
        head_size=shape.head_size or shape.hidden // shape.heads,
        ffn=shape.ffn or 4 * shape.hidden,
    )


def _check_field(name: str, kind: object, value: object) -> None:
    """Raise UsageError (bad_option) for a value that the field's type does not have."""
    option = f"--{name.replace('_', '-')}"
    if kind is bool:
        if not isinstance(value, bool):
            raise UsageError("bad_option", f"{option} is a switch: true or false")
        return
    if value is None and kind == int | None:
        return
    high = 100_000 if name == "layers" else _LARGEST
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
        raise UsageError("bad_option", f"{option} must be a whole number from 1 to {high:,}")


def plain_transformer(given: Shape, *, remainder: int = 0) -> Architecture:
    """Return the architecture of a shape.

    >>> shape = Shape(layers=12, hidden=512, heads=8, vocab=50_000)
    >>> sum(weight.elements * n for weight, n in plain_transformer(shape).weights())
    88948736
    """
    shape = checked_shape(given)
    norm = Part(name="norm", component=Norm(width=shape.hidden, kind="layer" if shape.norms else "none"))
    body: list[Part | Stack] = [
        Part(name="embedding", component=Embedding(rows=shape.vocab, width=shape.hidden))
    ]
    if shape.positions:
        table = Embedding(rows=shape.positions, width=shape.hidden, role="position")
        body.append(Part(name="positions", component=table))
    body += [stack("layers", [0] * shape.layers, lambda _: _layer(shape)), norm]
    if remainder:
        body.append(Part(name="remainder", component=Remainder(elements=remainder, columns=shape.hidden)))
    head = Head(hidden=shape.hidden, vocabulary=shape.vocab, tied=shape.tied)
    body.append(Part(name="head", component=head))
    return Architecture(
        model_class="plain transformer",
        body=tuple(body),
        hidden=shape.hidden,
        vocabulary=shape.vocab,
        context=shape.positions,
        tied=shape.tied,
    )


def _layer(shape: Shape) -> tuple[Part, ...]:
    attention = GroupedQueryAttention(
        hidden=shape.hidden,
        query_heads=shape.heads,
        kv_heads=shape.kv_heads or shape.heads,
        head_size=shape.head_size or shape.hidden // shape.heads,
        qkv_bias=shape.biases,
        out_bias=shape.biases,
    )
    width = shape.ffn or 4 * shape.hidden
    mlp = FeedForward(hidden=shape.hidden, width=width, gated=shape.gated, bias=shape.biases)
    norm = Norm(width=shape.hidden, kind="layer" if shape.norms else "none")
    return (
        Part(name="attention", component=attention),
        Part(name="mlp", component=mlp),
        Part(name="attention_norm", component=norm),
        Part(name="mlp_norm", component=norm),
    )


def from_shape(shape: Shape, settings: dict[str, Any] | None = None) -> Model:
    """Return the model of bare shapes, with ``--set`` changing fields of the shape."""
    changed = _changed(shape, settings or {})
    architecture = plain_transformer(changed)
    name = f"{changed.layers} layers × {changed.hidden} hidden"
    return Model(
        name=name, model_type="plain", architecture=architecture, origin="shapes", context=changed.positions
    )


def nominal(parameters: int, settings: dict[str, Any] | None = None) -> Model:
    """Return a model of exactly ``parameters`` weights with the shape that such models typically have.

    Width over depth is 128, heads are 128 wide, 8 of them hold keys and values, the feed-forward is
    gated and a multiple of 256; what the rounded shape lacks is one remainder matrix.
    """
    shape = _changed(typical_shape(parameters), settings or {})
    rest = 0 if settings else parameters - _elements(plain_transformer(shape))
    architecture = plain_transformer(shape, remainder=rest)
    return Model(
        name=f"{parameters:,} parameters",
        model_type="nominal",
        architecture=architecture,
        origin="bare size",
        assumed="nominal size, typical shape (width / depth = 128, grouped heads, gated)",
    )


def typical_shape(parameters: int) -> Shape:
    """Return the typical shape of at most ``parameters`` weights.

    Raises UsageError (bad_reference) below 10,000.
    """
    if parameters < 10_000:
        raise UsageError(
            "bad_reference", f"a model of {parameters:,} parameters is too small to have a shape"
        )
    layers = max(1, int((parameters / (12 * WIDTH_PER_LAYER**2)) ** (1 / 3)))
    hidden = layers * WIDTH_PER_LAYER if layers > 1 else 16
    vocabulary = next(
        (size for size in (TYPICAL_VOCABULARY, SMALL_VOCABULARY) if 8 * size * hidden <= parameters),
        max(1, parameters // (8 * hidden)),
    )
    wide = hidden // HEAD_SIZE
    heads = wide // TYPICAL_KV_HEADS * TYPICAL_KV_HEADS or max(1, wide)
    shape = Shape(
        layers=layers,
        hidden=hidden,
        heads=heads,
        vocab=vocabulary,
        kv_heads=min(TYPICAL_KV_HEADS, heads),
        head_size=min(HEAD_SIZE, hidden),
        ffn=1,
        gated=True,
    )
    room = parameters - _elements(plain_transformer(shape))
    ffn = 1 + room // (3 * layers * hidden)
    return replace(shape, ffn=ffn // FFN_STEP * FFN_STEP or ffn)


def _elements(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


def _changed(shape: Shape, settings: dict[str, Any]) -> Shape:
    known = [field.name for field in fields(shape)]
    for key in settings:
        if key not in known:
            raise UsageError(
                "bad_option", f"--set {key[:60]}: shapes have no such field{did_you_mean(key, known)}"
            )
    return checked_shape(replace(shape, **settings))
