"""The highest memory of a forward and a backward pass, piece by piece, under a policy of recomputation.

What is added up is activations, their gradients and the weights' gradients; weights and optimizer state are
there all the time and belong to others. ``Load`` says what sharding adds while a piece runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sizewise.tape.replay import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Bytes beside the activations of a piece: gathered weights while it runs, gradients that it leaves.

    ``forward`` and ``backward`` are there while the piece runs; ``stays`` is what is left of its weights'
    gradients when its backward pass is over (a shard of them, or all).
    """

    forward: int = 0
    backward: int = 0
    stays: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment of a step: activations (saved and in work), gradients of weights, what is gathered."""

    phase: str
    activations: int
    gradients: int
    gathered: int

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.activations + self.gradients + self.gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Neighbouring pieces; ``again``: only what enters them is kept, and they are done again in backward.

    ``kept`` bytes more are kept of each where they are done again in part (selective recomputation).
    ``away``: what enters waits in the host's memory.
    """

    pieces: tuple[Costs, ...]
    loads: tuple[Load, ...]
    again: bool = False
    kept: int = 0
    away: bool = False


@dataclass(slots=True)
class _Walk:
    """What is alive while the passes go on, and the highest moment of each phase."""

    activations: int = 0
    gradients: int = 0
    highest: dict[str, Moment] = field(default_factory=dict)

    def see(self, phase: str, above: int, gathered: int) -> None:
        """Note a moment at which ``above`` bytes more than those alive are needed."""
        moment = Moment(
            phase=phase, activations=self.activations + above, gradients=self.gradients, gathered=gathered
        )
        known = self.highest.get(phase)
        if known is None or moment.bytes > known.bytes:
            self.highest[phase] = moment


def highest_moments(segments: Sequence[Segment], *, loss: int = 0) -> dict[str, Moment]:
    """Return the highest moment of each phase: forward, loss (its backward), backward.

    ``loss`` is the number of last segments that make up head and loss.
    """
    read = {
        name: size for segment in segments for piece in segment.pieces for name, size in piece.read.items()
    }
    walk = _Walk(activations=sum(read.values()))
    for segment in segments:
        _forward(walk, segment)
    walk.activations += _shared(segments) - sum(read.values())
    for number in range(len(segments) - 1, -1, -1):
        phase = "loss" if number >= len(segments) - loss else "backward"
        before = segments[number - 1].pieces[-1].saves_exit if number else False
        _backward(walk, segments[number], phase, exit_of_previous_saved=before)
    return walk.highest


def kept_bytes(segments: Sequence[Segment]) -> int:
    """Count the bytes that are kept between a forward pass and its backward pass."""
    walk = _Walk()
    for segment in segments:
        _forward(walk, segment)
    last = segments[-1].pieces[-1]
    return walk.activations + _shared(segments) - (0 if last.saves_exit else last.leaving)


def _shared(segments: Sequence[Segment]) -> int:
    """Count the shared memory that stays between the passes: saved, or read by what is done again."""
    kept: dict[str, int] = {}
    for segment in segments:
        for piece in segment.pieces:
            kept |= piece.read if segment.again else piece.shared
    return sum(kept.values())


def _forward(walk: _Walk, segment: Segment) -> None:
    entering = segment.pieces[0].entering
    for piece, load in zip(segment.pieces, segment.loads, strict=True):
        above = piece.unsaved_peak if segment.again else piece.forward_peak
        walk.see("forward", above + segment.kept, load.forward)
        if segment.again:
            walk.activations += segment.kept
        else:
            _enter(walk, piece)
    if segment.again:
        walk.activations += segment.pieces[-1].leaving - (entering if segment.away else 0)


def _enter(walk: _Walk, piece: Costs) -> None:
    """Add what a piece keeps: its exit is alive, and what enters it only if it is saved."""
    walk.activations += piece.saved + piece.leaving * (not piece.saves_exit)
    walk.activations -= piece.entering * (not piece.saves_entry)


def _backward(walk: _Walk, segment: Segment, phase: str, *, exit_of_previous_saved: bool) -> None:
    if segment.again:
        _again(walk, segment, phase)
    for number in range(len(segment.pieces) - 1, -1, -1):
        piece, load = segment.pieces[number], segment.loads[number]
        previous = segment.pieces[number - 1].saves_exit if number else exit_of_previous_saved
        walk.see(phase, piece.backward_peak, load.backward)
        walk.activations += piece.entering - piece.saved - piece.leaving
        if piece.saves_entry and not previous and not (segment.again and not number):
            walk.activations -= piece.entering
        walk.gradients += load.stays
    if segment.again:
        walk.activations -= segment.pieces[0].entering


def _again(walk: _Walk, segment: Segment, phase: str) -> None:
    """Do the forward passes of a segment again, now keeping what backward needs."""
    first = segment.pieces[0]
    if segment.away:
        walk.activations += first.entering
    walk.activations -= segment.kept * len(segment.pieces)
    for number, (piece, load) in enumerate(zip(segment.pieces, segment.loads, strict=True)):
        walk.see(phase, piece.forward_peak, load.backward)
        walk.activations += piece.saved
        if number:
            walk.activations += piece.entering * (piece.saves_entry - 1)
        if number < len(segment.pieces) - 1:
            walk.activations += piece.leaving * (not piece.saves_exit)
