"""How many sequences the memory of a replica holds at once."""

from dataclasses import replace

from sizewise.timing.serving.question import Load, Replica

USABLE = 0.95
"""Share of a device's memory that servers fill with weights and cache."""

RESERVE = 3e9
"""Bytes per device for activations, graphs and buffers."""

FILLED = 0.75
"""Part of its answer that a running sequence has in the cache, a cautious mean."""

RUNNING_LIMIT = 512
"""Sequences that a scheduler runs at most where nobody says otherwise (assumed; engines: 256 to 2,048)."""


def most_running(replica: Replica, load: Load) -> float:
    """Return the sequences whose caches fit beside the weights, at least 1: those beyond it wait.

    A rough count for waiting times alone; the memory questions know the engine's own arithmetic. A replica
    with memory enough holds every client, and as many as a scheduler runs.
    """
    if replica.enough:
        room = max(float(RUNNING_LIMIT * replica.schedulers), load.concurrency)
        return room if replica.limit is None else min(room, replica.limit)
    work, devices = replica.work, replica.devices
    usable = USABLE if replica.usable is None else replica.usable
    free = devices * (usable * replica.machine.device.memory_bytes - RESERVE) - replica.held_bytes
    copies = max(1.0, replica.tensor / work.cache_heads)
    each = work.cache_bytes(load.prompt + FILLED * load.answer) * copies + work.state_bytes
    room = max(1.0, free / max(each, 1.0))
    return room if replica.limit is None else min(room, replica.limit)


def running_load(replica: Replica, load: Load) -> Load:
    """Return the load that runs at once: the sequences that memory does not hold wait."""
    return replace(load, concurrency=min(load.concurrency, most_running(replica, load)))
