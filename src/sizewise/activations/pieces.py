"""A model as pieces: what comes before the layers, each layer, and what comes after them with the loss."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sizewise.activations.experts import balance_loss
from sizewise.activations.freezing import NOTHING, Frozen, silent
from sizewise.activations.wiring import record_layer
from sizewise.architecture import Architecture, Block, Component, Part, Stack
from sizewise.components.embeddings import Bias, Embedding, Head
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.tape.activation import activation
from sizewise.tape.adapters import NO_ADAPTERS
from sizewise.tape.attention import is_eager
from sizewise.tape.loss import LABEL, cross_entropy, cross_entropy_in_parts, masked_cross_entropy
from sizewise.tape.replay import Piece
from sizewise.tape.style import Style
from sizewise.tape.tape import WIDE, NotRecordable, Setting, Tape
from sizewise.tape.tensors import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The pieces of a model in the order of the forward pass; equal layers are one object.

    ``before`` and ``after`` are None on a stage of a pipeline that has neither.
    """

    before: Piece | None
    layers: tuple[Piece, ...]
    after: Piece | None
    checkpointed: int = 0
    """Bytes that checkpoints of layers keep once for all beside what enters them."""
    assumed: str = ""
    """Why the pieces are an estimate; empty where every one is recorded as its class is."""

    @property
    def all(self) -> tuple[Piece, ...]:
        """Every piece."""
        before = () if self.before is None else (self.before,)
        after = () if self.after is None else (self.after,)
        return (*before, *self.layers, *after)


def pieces(architecture: Architecture, setting: Setting, style: Style, frozen: Frozen = NOTHING) -> Pieces:
    """Record a model of one stack of layers. Raises NotRecordable where a part of it has no record."""
    if style.refused:
        raise NotRecordable(style.refused)
    body = architecture.body
    stacks = [item for item in body if isinstance(item, Stack)]
    if len(stacks) > 1:
        raise NotRecordable(f"{len(stacks)} stacks of layers")
    first = next((index for index, item in enumerate(body) if isinstance(item, Stack)), 0)
    ahead = [item.component for item in body[:first] if isinstance(item, Part)]
    behind = [item.component for item in body[first:] if isinstance(item, Part)]
    layers = tuple(
        piece for stack in stacks for piece in _layers(stack, architecture.hidden, setting, style, frozen)
    )
    before = _before(setting, style, ahead) if ahead else None
    tracked = frozen.tracked or any(not piece.silent for piece in layers)
    mask = setting.tokens * setting.sequence * setting.stored if is_eager(setting, style) else 0
    return Pieces(
        before=silent(before) if before is not None and frozen.before and not frozen.tracked else before,
        layers=layers,
        after=_after(architecture, _Ending(setting, style, frozen, tracked), behind),
        checkpointed=mask if style.checkpointed_mask else 0,
    )


def _before(setting: Setting, style: Style, parts: Sequence[Component]) -> Piece:
    """Record the sum of all embeddings, its norm and dropout, and what widens it."""
    tape = Tape(setting, style)
    stream: Tensor | None = None
    dropped = False
    for component in parts:
        if isinstance(component, Embedding):
            stream = _embedded(tape, component, stream)
        elif stream is None or not isinstance(component, Norm | Linear):
            raise NotRecordable(type(component).__name__)
        elif isinstance(component, Norm):
            stream = component.record(tape, stream)
        else:
            stream = tape.dropout(stream, style.embedding_dropout)
            stream = tape.linear(stream, component.outputs, bias=component.bias)
            dropped = True
    if stream is None:
        raise NotRecordable("what stands before the layers")
    stream = stream if dropped else tape.dropout(stream, style.embedding_dropout)
    return Piece(steps=tuple(tape.steps), entry=None, exit=stream)


def _embedded(tape: Tape, table: Embedding, stream: Tensor | None) -> Tensor:
    """Record the look-up of tokens, or of what is added to them."""
    setting, style = tape.setting, tape.style
    if stream is None:
        return table.record(tape, tape.tensor(setting.tokens, LABEL, tracked=False))
    rows = style.position_rows if table.role == "position" else style.type_rows
    if rows == "buffer":
        return tape.add(stream, table.record(tape, tape.weight(setting.sequence, width=LABEL)))
    numbers = setting.tokens if rows == "batch" else setting.sequence
    return tape.add(stream, table.record(tape, tape.tensor(numbers, LABEL, tracked=False)))


def _layers(stack: Stack, hidden: int, setting: Setting, style: Style, frozen: Frozen) -> list[Piece]:
    """Record the layers, those that are alike once: by block, rotation, and how gradients reach them."""
    blocks = {layer: group.block for group in stack.groups for layer in group.layers}
    plain = replace(style, rotary="none")
    known: dict[tuple[int, bool, bool, bool, bool], Piece] = {}
    found: list[Piece] = []
    tracked = frozen.tracked
    for layer in sorted(blocks):
        block, trained = blocks[layer], layer not in frozen.layers
        first = style.wide_stream and layer == 0
        key = (id(block), style.rotates(layer), first, trained, tracked)
        if key not in known:
            own = style if style.rotates(layer) else plain
            usual = setting if trained else replace(setting, trained=False, adapters=NO_ADAPTERS)
            known[key] = _layer(block, hidden, usual, own, first=first, tracked=tracked)
        found += [known[key]] * _uses(block)
        tracked = tracked or trained
    return found


def _uses(block: Block) -> int:
    """Count how often tokens pass through a layer that is stored once."""
    uses = {part.uses for part in block.parts}
    if len(uses) != 1:
        raise NotRecordable("a layer whose parts are not used equally often")
    return uses.pop()


def _layer(block: Block, hidden: int, setting: Setting, style: Style, *, first: bool, tracked: bool) -> Piece:
    tape = Tape(setting, style)
    width = setting.stored if first else _width(setting, style)
    entry = tape.tensor(tape.stream * hidden, width, tracked=tracked)
    leaving = record_layer(tape, block, entry)
    piece = Piece(steps=tuple(tape.steps), entry=entry, exit=leaving)
    return piece if leaving.tracked else silent(piece)


@dataclass(frozen=True, slots=True)
class _Ending:
    """How what follows the layers is recorded, and whether a gradient flows into them."""

    setting: Setting
    style: Style
    frozen: Frozen
    tracked: bool


def _after(architecture: Architecture, ending: _Ending, parts: Sequence[Component]) -> Piece | None:
    """Record norms, what stands before the head, the head and the loss; None where nothing follows."""
    if not parts:
        return None
    setting, style, frozen = ending.setting, ending.style, ending.frozen
    tape = Tape(setting, replace(style, activation=style.head_activation or style.activation))
    width = _width(setting, style)
    entry = stream = tape.tensor(tape.stream * architecture.hidden, width, tracked=ending.tracked)
    for component, following in zip(parts, (*parts[1:], None), strict=True):
        kept = frozen.norms if isinstance(component, Norm) else frozen.head
        tape.setting = replace(setting, trained=False) if kept else setting
        if isinstance(component, Head) and setting.loss != "full":
            loss = cross_entropy_in_parts(tape, stream, component.vocabulary, component.hidden)
            return Piece(steps=tuple(tape.steps), entry=entry, exit=loss)
        if isinstance(component, Norm | Head):
            stream = component.record(tape, stream)
        elif isinstance(component, Linear) and isinstance(following, Norm | Head):
            stream = tape.linear(stream, component.outputs, bias=component.bias)
            stream = activation(tape, stream) if isinstance(following, Norm) else stream
        elif not isinstance(component, Bias):
            raise NotRecordable(f"{type(component).__name__} after the layers")
    if not any(isinstance(component, Head) for component in parts):
        return Piece(steps=tuple(tape.steps), entry=entry, exit=stream)
    masked = architecture.model_class.endswith("ForMaskedLM")
    loss = masked_cross_entropy(tape, stream) if masked else cross_entropy(tape, stream)
    loss = balance_loss(tape, [item for item in architecture.body if isinstance(item, Stack)], loss)
    return Piece(steps=tuple(tape.steps), entry=entry, exit=loss, held=(stream,), lets_go=True)


def _width(setting: Setting, style: Style) -> int:
    """Return the bytes per number of the residual stream behind the first layer."""
    return WIDE if style.wide_stream else setting.stored
