"""What serving engines have in common: notices about models and devices, reports of a replica."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sizewise.catalog.engine_classes import Served, last_version, runs_class
from sizewise.ledger import Line
from sizewise.notices import Notice
from sizewise.runtimes.working import Part, range_leaf

CUDA = "NVIDIA"
LIKE_CUDA = frozenset((CUDA, ""))
"""Vendors of devices with CUDA; a device of which only the memory is named has none."""


def engine_notices(part: Part, engine: Served, label: str) -> Iterator[Notice]:
    """Yield what an engine is not known to run; ``label`` is its name with the version."""
    name = part.whole.model_class
    if not runs_class(engine, name):
        until = last_version(engine, name)
        had = f"; it had one until {until}" if until else ""
        text = f"{label} has no class for {name}{had}; counted as if it had"
        yield Notice(code="not_run_by_engine", message=text)
    device = part.device
    if device is not None and device.vendor not in LIKE_CUDA:
        text = f"{device.name}: {label} is counted there as on a device of {CUDA}, which it is not"
        yield Notice(code="not_cuda", message=text)


def unshared_prefix(part: Part, name: str, shares: bool) -> Iterator[Notice]:
    """Yield that a prefix is counted for every sequence, where layers keep more than all tokens alike."""
    if part.scenario.engine.shared_prefix and not shares:
        text = "counted for every sequence: layers with windows or states share it only at times"
        yield Notice(code="prefix_not_shared", message=f"{name}: the shared prefix is {text}")


def pool_report(name: str, unit: str, amounts: tuple[float, float, float], source: str) -> Line:
    """Return (low, typical, high) of a pool: never less than none, and in this order.

    >>> pool_report("blocks", "blocks", (-3, 5, 4), "").interval
    (0, 5)
    """
    low, typical, high = sorted(max(amount, 0) for amount in amounts)
    return range_leaf(name, unit, (low, typical, high), source)


def per_replica(reports: Iterable[Line], replicas: int) -> tuple[Line, ...]:
    """Return reports of one of several replicas under names that say so."""
    if replicas == 1:
        return tuple(reports)
    return tuple(replace(line, name=f"{line.name} per replica") for line in reports)
