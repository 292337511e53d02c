"""What is served, on what, under which load."""

from dataclasses import dataclass
from functools import cached_property

from sizewise.catalog.timing import UNKNOWN
from sizewise.errors import UsageError
from sizewise.timing.machine import Machine
from sizewise.timing.work import Work

ENGINES = {
    "trtllm": "trtllm",
    "tensorrt-llm": "trtllm",
    "vllm": "vllm",
    "sglang": "sglang",
}
"""Engines that were measured, by the names that people use; all others are unknown."""

SIMPLE_ENGINES = frozenset(("transformers", "llama.cpp", "ollama", "mlx"))
"""Engines that were not made to serve many at once: far from every measured one."""

COMPUTED_IN = {
    "fp32": "fp32",
    "fp8": "fp8",
    "fp8-static": "fp8",
    "fp8-channel": "fp8",
    "fp8-block": "fp8",
    "mxfp8": "fp8",
    "w8a8": "int8",
    "nvfp4": "fp4",
}
"""Number format that products are computed in, by the format of the weights; others compute in 16 bit."""

SMALL_CACHE = frozenset(("fp8", "fp4"))

MOSTLY_SIXTEEN = 1.5
"""Bytes per parameter from which matrices are taken as left in 16 bit."""


HOST_LINK = 25e9
"""Bytes per second that a host sends to a device over PCIe 4.0 x16 (assumed)."""

TYPICAL_ACCEPTANCE = (0.6, 0.7, 0.8)
"""Chance that a drafted token is accepted: low, middle and high of what is reported (assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """``drafted`` tokens ahead of each step, each accepted with a chance.

    A draft takes ``draft_share`` of a step; heads that predict further tokens about one layer of the model.
    """

    drafted: int
    acceptance: float = TYPICAL_ACCEPTANCE[1]
    draft_share: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what is no chance."""
        if self.drafted < 1 or not 0 <= self.acceptance < 1 or self.draft_share < 0:
            raise UsageError("bad_option", "speculation drafts 1 token or more, accepted with 0 to below 1")

    @property
    def accepted(self) -> float:
        """The tokens that a step yields in the mean: (1 - a^(d+1)) / (1 - a).

        >>> round(Speculation(drafted=3, acceptance=0.5).accepted, 3)
        1.875
        """
        return (1 - self.acceptance ** (self.drafted + 1)) / (1 - self.acceptance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offload:
    """``bytes`` of weights per device that stay on the host and cross its link at every pass.

    A pass takes at most ``tokens`` of a prompt, None for all of them. Read ``in_place``, of experts only the
    chosen ones cross.
    """

    bytes: float
    link: float = HOST_LINK
    tokens: int | None = None
    in_place: bool = False

    def __post_init__(self) -> None:
        """Refuse amounts that are none."""
        if not self.bytes > 0 or not self.link > 0 or (self.tokens is not None and self.tokens < 1):
            raise UsageError("bad_option", "offloaded bytes, the host's link and a pass's tokens are above 0")


@dataclass(frozen=True, kw_only=True)
class Replica:
    """A model on the devices of one replica, parted by ranks of tensor parallelism and stages.

    ``compute`` is the number format of its products. ``schedulers`` are the processes that share the
    sequences among them: one, or one per device where attention is replicated. ``chunk`` is the budget of
    tokens of a step, None for the engine's habit. ``offload`` is what a device does not hold itself.
    ``weights`` is the format that they are stored in, empty where it is one of the fitted rows'. ``peers``
    replicas of attention, this one among them, spread their experts over the devices of all. ``usable`` is
    the share of a device's memory that is filled, and at most ``limit`` sequences run; None: the usual.
    With ``enough`` the devices are taken to have as much memory as the load needs.
    """

    work: Work
    machine: Machine
    engine: str = UNKNOWN
    compute: str = "bf16"
    pipeline: int = 1
    schedulers: int = 1
    chunk: int | None = None
    speculation: Speculation | None = None
    offload: Offload | None = None
    weights: str = ""
    peers: int = 1
    usable: float | None = None
    limit: float | None = None
    enough: bool = False

    def __post_init__(self) -> None:
        """Refuse stages that do not divide the devices."""
        if self.pipeline < 1 or self.machine.count % self.pipeline:
            text = f"the number of devices, {self.machine.count}, is no multiple of {self.pipeline} stages"
            raise UsageError("bad_option", text)
        if self.schedulers < 1 or (self.chunk is not None and self.chunk < 1):
            raise UsageError("bad_option", "schedulers and the tokens of a chunk are 1 or more")

    @property
    def devices(self) -> int:
        """Count the devices of the replica."""
        return self.machine.count

    @property
    def tensor(self) -> int:
        """Count the ranks that share a layer."""
        return self.machine.count // self.pipeline

    @property
    def measured_engine(self) -> str:
        """The engine as the coefficients know it."""
        return ENGINES.get(self.engine, UNKNOWN)

    @property
    def held_bytes(self) -> float:
        """The bytes of weights that the devices of this replica hold: of shared experts a part."""
        work = self.work
        away = 0.0 if self.offload is None else self.offload.bytes * self.devices
        return work.dense_bytes + work.lookup_bytes + work.expert_bytes / self.peers - away

    @cached_property
    def peak(self) -> float:
        """FLOP per second of one device in the format of the products."""
        return self.machine.peak(self.compute)

    @cached_property
    def dense_peak(self) -> float:
        """FLOP per second of one device where no experts are: 16 bit for what a format leaves in 16 bit."""
        stored = self.work.dense_bytes / max(self.work.dense_params, 1)
        return min(self.peak, self.machine.peak("bf16")) if stored >= MOSTLY_SIXTEEN else self.peak

    @cached_property
    def token_seconds(self) -> float:
        """Seconds of the products of one token, on one device at its peak."""
        work = self.work
        chosen = work.expert_params * work.expert_share
        return 2 * (work.dense_params / self.dense_peak + chosen / self.peak)

    @cached_property
    def score_peak(self) -> float:
        """FLOP per second of one device in the format of attention's scores: 16 bit, or 32 as the weights."""
        return self.machine.peak("fp32" if self.compute == "fp32" else "bf16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests of ``prompt`` and ``answer`` tokens, ``concurrency`` of them at a replica at all times.

    ``cached`` is the part of the prompt that the prefix cache holds: it is read, not computed.
    """

    prompt: int
    answer: int
    concurrency: float = 1.0
    cached: float = 0.0

    def __post_init__(self) -> None:
        """Refuse amounts that no request has."""
        if self.prompt < 1 or self.answer < 1 or not self.concurrency > 0:
            raise UsageError("bad_option", "a load has prompts and answers of 1 token or more, and requests")
        if not 0 <= self.cached < 1:
            raise UsageError("bad_option", "the cached part of a prompt is from 0 to below 1")

    @property
    def computed(self) -> float:
        """The tokens of the prompt that have to be computed."""
        return self.prompt * (1 - self.cached)

    @property
    def context(self) -> float:
        """The tokens that a step reads in the mean while an answer is made."""
        return self.prompt + self.answer / 2


def compute_format(weights: str, machine: Machine) -> str:
    """Return the format of the products for weights of a format: weight-only formats compute in 16 bit.

    So do formats of 4 bit on devices without units for them; with such units MXFP4 computes at the rate of
    8 bit.
    """
    if weights == "mxfp4":
        return "fp8" if machine.device.rates.fp4 else "bf16"
    found = COMPUTED_IN.get(weights, "bf16")
    return "bf16" if found == "fp4" and not machine.device.rates.fp4 else found


def usual_cache_bytes(compute: str) -> float:
    """Return the bytes of a cached number that measured servers keep: 8 bit beside weights of 8 or 4 bit."""
    return 1.0 if compute in SMALL_CACHE else 2.0
