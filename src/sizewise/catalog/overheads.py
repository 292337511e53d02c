"""Habits of engines as rows: fixed overheads with an interval, classes without fused attention."""

from dataclasses import dataclass
from functools import cache

from sizewise.catalog.rows import tables
from sizewise.units import MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Bytes that an engine's process takes besides the model, with the range seen."""

    name: str
    low: int
    typical: int
    high: int
    source: str


def eager_classes() -> frozenset[str]:
    """Return the transformers classes that have no fused attention kernel by default."""
    return frozenset(tables("runtimes")["transformers"]["eager"]["classes"])


@cache
def overheads(runtime: str) -> tuple[Overhead, ...]:
    """Return the overheads of a runtime; none when the runtime has none."""
    return tuple(
        Overhead(
            name=row["name"],
            low=row["low_mib"] * MIB,
            typical=row["typical_mib"] * MIB,
            high=row["high_mib"] * MIB,
            source=f"{row['source']} ({row['checked']}, {row['confidence']})",
        )
        for row in tables("runtimes")["overheads"]["overhead"]
        if row["runtime"] == runtime
    )
