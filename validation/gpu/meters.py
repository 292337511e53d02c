"""Meters of peaks: CUDA's allocator, and torch's memory tracker on fake tensors for a run without a GPU."""

from collections.abc import Callable
from typing import Any

import torch
from torch.distributed._tools.mem_tracker import MemTracker

STATISTICS = {
    "inactive_split_peak": "inactive_split_bytes.all.peak",
    "requested_peak": "requested_bytes.all.peak",
    "retries": "num_alloc_retries",
}
"""Columns and the statistics of CUDA's allocator that they are."""


class CudaMeter:
    """What the allocator of the first GPU gives out and reserves."""

    device = torch.device("cuda", 0)

    def track(self, *_owners: Any) -> None:
        """Know everything: the allocator does."""

    def measure(self, run: Callable[[], None]) -> dict[str, int]:
        """Run and return the peaks, and what the whole device has in use after it."""
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        statistics = torch.cuda.memory_stats()
        free, total = torch.cuda.mem_get_info()
        return {
            "allocated_peak": torch.cuda.max_memory_allocated(),
            "reserved_peak": torch.cuda.max_memory_reserved(),
            **{column: int(statistics.get(name, 0)) for column, name in STATISTICS.items()},
            "device_used": total - free,
        }


class FakeMeter:
    """Totals of fake tensors: nothing is reserved."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._tracker = MemTracker()

    def track(self, *owners: Any) -> None:
        """Count what is there already."""
        self._tracker.track_external(*owners)

    def measure(self, run: Callable[[], None]) -> dict[str, int]:
        """Run and return the highest total."""
        with self._tracker:
            run()
        peaks = self._tracker.get_tracker_snapshot("peak").values()
        return {"allocated_peak": sum(int(device["Total"]) for device in peaks)}
