"""An estimate for what has no record: parts and layers from the operations that they say they do.

Every product keeps its input, once per distinct input; a function of numbers keeps what it is a function of,
a product of two both; attention keeps queries, keys, values and its output; a convolution and a scan keep
what they read. Layers are taken as norm, part, sum. What a class writes otherwise (head norms, casts, scans
in chunks) is within ``RANGE``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sizewise.activations.pieces import Pieces
from sizewise.activations.unknown import record_unknown
from sizewise.activations.wiring import Recordable, record_layer
from sizewise.architecture import Architecture, Block, Component, Part, Stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.norms import Norm
from sizewise.tape.loss import LABEL, cross_entropy
from sizewise.tape.replay import Piece
from sizewise.tape.style import Style
from sizewise.tape.tape import NotRecordable, Setting, Tape
from sizewise.tape.tensors import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What torch saves as a share of the estimate, of nine in ten models that were measured."""

    low: float
    high: float


RANGE = Range(low=0.55, high=2.1)
"""93 of 99 tiny random models of 52 types without an exact record lie within (transformers 5.23, bf16,
2026-11-22); the lowest is 0.58.

Above it, up to 4.1: classes that run every expert or loop over them (dbrx), that mix several
streams (deepseek_v4), and scans in torch operations whose heads are few and small (kimi_linear).
"""


def estimated_pieces(architecture: Architecture, setting: Setting, style: Style, why: str) -> Pieces:
    """Return the pieces of any model, each layer recorded where it can be; ``why`` the rest cannot."""
    body = architecture.body
    first = next((index for index, item in enumerate(body) if isinstance(item, Stack)), len(body))
    ahead = [item for item in body[:first] if isinstance(item, Part)]
    behind = [item for item in body[first:] if isinstance(item, Part)]
    hidden = architecture.hidden
    layers = tuple(
        piece for item in body if isinstance(item, Stack) for piece in _layers(item, hidden, setting, style)
    )
    return Pieces(
        before=_before(ahead, hidden, setting, style),
        layers=layers,
        after=_after(behind, hidden, setting, style),
        assumed=f"saved activations are estimated from the operations of the layers: {why}",
    )


def _before(ahead: Sequence[Part], hidden: int, setting: Setting, style: Style) -> Piece:
    tape = Tape(setting, style)
    identifiers = tape.tensor(setting.tokens, LABEL, tracked=False)
    stream = tape.tensor(tape.stream * hidden, setting.stored, tracked=False)
    for part in ahead:
        if isinstance(part.component, Embedding):
            stream = _to(tape, part.component.record(tape, identifiers), hidden)
        else:
            stream = _passed(tape, part.component, stream, hidden)
    return Piece(steps=tuple(tape.steps), entry=None, exit=stream)


def _after(behind: Sequence[Part], hidden: int, setting: Setting, style: Style) -> Piece:
    tape = Tape(setting, style)
    entry = tape.tensor(tape.stream * hidden, setting.stored)
    stream = entry
    heads = [part.component for part in behind if isinstance(part.component, Head)]
    for part in behind:
        if not isinstance(part.component, Head | Embedding):
            stream = _passed(tape, part.component, stream, hidden)
    if not heads:
        leaving = tape.view(stream)
        return Piece(steps=tuple(tape.steps), entry=entry, exit=leaving)
    logits = heads[0].record(tape, stream)
    loss = cross_entropy(tape, logits)
    return Piece(steps=tuple(tape.steps), entry=entry, exit=loss, held=(logits,))


def _layers(stack: Stack, hidden: int, setting: Setting, style: Style) -> Iterator[Piece]:
    by_layer: dict[int, tuple[Piece, ...]] = {}
    for group in stack.groups:
        passes = tuple(_layer(block, hidden, setting, style) for block in _passes(group.block))
        by_layer.update(dict.fromkeys(group.layers, passes))
    for layer in sorted(by_layer):
        yield from by_layer[layer]


def _passes(block: Block) -> Iterator[Block]:
    """Yield what a token passes through each time that it comes to a block that is stored once."""
    for number in range(max((part.uses for part in block.parts), default=0)):
        yield Block(parts=tuple(part for part in block.parts if part.uses > number))


def _layer(block: Block, hidden: int, setting: Setting, style: Style) -> Piece:
    for record in (record_layer, _estimated_layer):
        tape = Tape(setting, style)
        entry = tape.tensor(tape.stream * hidden, setting.stored)
        try:
            leaving = record(tape, block, entry)
        except NotRecordable:
            continue
        return Piece(steps=tuple(tape.steps), entry=entry, exit=leaving)
    raise AssertionError("an estimated layer needs no record")


def _estimated_layer(tape: Tape, block: Block, source: Tensor) -> Tensor:
    """Record x + part(norm(x)) for each part in turn; norms that are left over stand behind them."""
    hidden = source.numbers // tape.stream
    rest = [part.component for part in block.parts]
    norms = [component for component in rest if isinstance(component, Norm) and component.width == hidden]
    stream = source
    for component in rest:
        if component in norms:
            continue
        entry = norms.pop(0).record(tape, stream) if norms else stream
        stream = tape.add(stream, _passed(tape, component, entry, hidden))
    for norm in norms:
        stream = norm.record(tape, stream)
    return stream


def _passed(tape: Tape, component: Component, source: Tensor, hidden: int) -> Tensor:
    """Record a part on an input of the width that it reads, and bring what leaves it to the stream's."""
    if isinstance(component, Norm):
        return _to(tape, component.record(tape, _to(tape, source, component.width)), hidden)
    done = len(tape.steps)
    if isinstance(component, Recordable) and not _routed(component):
        try:
            return _to(tape, component.record(tape, source), hidden)
        except NotRecordable:
            del tape.steps[done:]
    return _to(tape, record_unknown(tape, component, source), hidden)


def _routed(component: Component) -> bool:
    """Tell whether a part belongs to an expert layer, which is recorded as a whole."""
    return any(operation.role in ("expert", "router") for operation in component.operations())


def _to(tape: Tape, source: Tensor, features: int) -> Tensor:
    """Return a tensor of ``features`` per token of the stream, made anew where it has others."""
    numbers = tape.stream * features
    if source.numbers == numbers:
        return source
    return tape.step("joined", (source,), numbers, source.width)
