"""What an engine is asked, and what it answers: the memory of one device beside its weights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sizewise.architecture import Architecture
from sizewise.catalog.devices import Device
from sizewise.catalog.overheads import overheads
from sizewise.ledger import Line, leaf, total
from sizewise.notices import Notice
from sizewise.runtimes import CacheRequest
from sizewise.scenario import USUAL_LAYOUT, Layout, Scenario

if TYPE_CHECKING:
    from sizewise.catalog.serving import Allowance

NOTHING = total("host", (), "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One device's part of a run: what it computes, what it caches for how many sequences.

    ``whole`` is the model that the part belongs to, ``weights`` the bytes of the weights on the device
    (None is a device that nobody named).
    """

    model_type: str
    whole: Architecture
    architecture: Architecture
    cached: Architecture
    sequences: int
    weights: int
    scenario: Scenario
    layout: Layout = USUAL_LAYOUT
    """How the devices share the model, where they share every matrix."""
    device: Device | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """Bytes beside the weights: on the device, and on the host where the engine keeps some there."""

    cache: Line
    buffers: Line
    overhead: Line
    host: Line = NOTHING
    reports: tuple[Line, ...] = ()
    """What the engine says at its start: blocks, tokens, sequences."""
    notices: tuple[Notice, ...] = ()


class Engine(Protocol):
    """An engine at a version."""

    @property
    def name(self) -> str:
        """The engine's name as in ``--runtime``."""
        ...

    @property
    def version(self) -> str:
        """The version whose habits are followed."""
        ...

    def usable(self, device: Device, scenario: Scenario) -> int:
        """Return the bytes of a device that the engine may fill."""
        ...

    def working(self, part: Part) -> Working:
        """Return the bytes beside the weights that the engine holds on one device."""
        ...


def whole_device(device: Device, scenario: Scenario) -> int:
    """Return all usable bytes of a device, or the share of it that the scenario names."""
    share = scenario.engine.utilization
    return device.memory_bytes if share is None else int(device.memory_bytes * share)


def range_leaf(name: str, unit: str, amounts: tuple[float, float, float], source: str) -> Line:
    """Return (low, typical, high) as an assumed line."""
    low, typical, high = amounts
    return leaf(name, typical, unit, source=source, status="assumed", interval=(low, high))


def allowance_leaf(name: str, amount: "Allowance", source: str) -> Line:
    """Return an allowance in bytes as a line."""
    amounts = (int(amount.low), int(amount.typical), int(amount.high))
    return range_leaf(name, "bytes", amounts, source)


def fixed_overhead(runtime: str) -> Line:
    """Return what a process holds on each device besides the model, from the rows of facts."""
    leaves = [
        leaf(
            row.name,
            row.typical,
            "bytes",
            source=row.source,
            status="assumed",
            interval=(row.low, row.high),
        )
        for row in overheads(runtime)
    ]
    return total("overhead", leaves, "bytes")


def cache_request(part: Part) -> CacheRequest:
    """Return what a cache that grows with the tokens is asked for."""
    scenario = part.scenario
    return CacheRequest(
        context=scenario.context,
        sequences=part.sequences,
        cache_bytes=scenario.cache.block_bytes,
        cache_block=scenario.cache.block,
        state_bytes=scenario.number_bytes,
        encoder_tokens=scenario.encoder_tokens,
    )
