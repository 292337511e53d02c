"""A profile: the same amounts twice, predicted and measured, and what was seen besides."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sizewise.lab.figures import Figure
from sizewise.notices import Notice

BLOCKS = ("parameters", "memory", "compute", "time")
HEADLINES = {
    "parameters": ("total",),
    "memory": ("inference",),
    "compute": ("forward_flops",),
    "time": ("prompt", "forward"),
}
"""By block: the amount that stands for it, the first that is known."""

ARCHITECTURE = "architecture"
WITHOUT_DATA = "tensors without data"
RUN = "run"
"""Where a side is from: a description of the architecture, operators on shapes alone, a run on data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What was predicted, or what was measured; an amount that is not there is not known.

    ``parameters`` are counts (total, trainable, non_trainable); ``memory`` bytes (weights, cache, inference,
    training and its phases); ``compute`` FLOPs, MACs and bytes of a forward pass and a step, ``roles`` the
    FLOPs of a forward pass by role; ``time`` seconds (prompt or forward, token, step).
    """

    source: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)
    compute: Mapping[str, float] = field(default_factory=dict)
    roles: Mapping[str, float] = field(default_factory=dict)
    time: Mapping[str, float] = field(default_factory=dict)
    operators: int = 0
    """Operators of a forward pass that make something, each of which the framework has to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What only a run shows: FLOPs by operator and by module, operators without a rule, times in detail."""

    by_operator: Mapping[str, int] = field(default_factory=dict)
    by_module: Mapping[str, int] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)
    uncounted: Mapping[str, int] = field(default_factory=dict)
    timings: Mapping[str, Mapping[str, float | int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A model's profile for ``batch`` sequences of ``sequence`` tokens, its numbers stored as ``dtype``.

    ``device`` is written as ``--on`` takes it, ``threads`` are those of torch's products on a CPU.
    ``intervals`` are the 90 % intervals of predicted times, in seconds. ``answer`` tokens were decoded.
    """

    name: str
    batch: int
    sequence: int
    dtype: str
    device: str
    threads: int
    answer: int
    predicted: Side
    measured: Side
    seen: Seen
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    notices: tuple[Notice, ...] = ()

    def figures(self, block: str) -> dict[str, Figure]:
        """Return the figures of a block: each amount that either side knows."""
        predicted: Mapping[str, float] = getattr(self.predicted, block)
        measured: Mapping[str, float] = getattr(self.measured, block)
        names = dict.fromkeys((*measured, *predicted))
        return {name: Figure(predicted=predicted.get(name), measured=measured.get(name)) for name in names}

    def headline(self, block: str) -> Figure:
        """Return the figure that stands for a block; of two sides that know nothing an empty one."""
        found = self.figures(block)
        known = (found[name] for name in HEADLINES[block] if name in found)
        return next(known, Figure(predicted=None, measured=None))

    def rates(self) -> dict[str, float]:
        """Return what the measured times come to: FLOPs and tokens a second."""
        seconds, compute = self.measured.time, self.measured.compute
        found: dict[str, float] = {}
        first = seconds.get("prompt", seconds.get("forward"))
        if first:
            found["flops_per_s"] = compute["forward_flops"] / first
            found["bytes_per_s"] = compute["moved_bytes"] / first
        if "prompt" in seconds:
            found["prompt_tokens_per_s"] = self.batch * self.sequence / seconds["prompt"]
        if "token" in seconds:
            found["output_tokens_per_s"] = self.batch / seconds["token"]
        if "step" in seconds:
            found["training_tokens_per_s"] = self.batch * self.sequence / seconds["step"]
        return found
