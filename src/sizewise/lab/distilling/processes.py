"""The processes that torchrun or accelerate start: who this one is, and what they share.

Both set the environment variables RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """One process among ``count``, by its number, and the device that it computes on."""

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Tell whether this process writes files and answers."""
        return self.rank == 0

    def average_gradients(self, module: Any) -> None:
        """Replace every gradient by the mean over the processes."""
        if self.count == 1:
            return
        for weight in module.parameters():
            if weight.grad is not None:
                torch.distributed.all_reduce(weight.grad)
                weight.grad.div_(self.count)

    def mean(self, value: torch.Tensor) -> float:
        """Return the mean of a number over the processes."""
        shared = value.detach().clone()
        if self.count > 1:
            torch.distributed.all_reduce(shared)
        return float(shared) / self.count

    def any(self, found: bool) -> bool:
        """Tell whether something is true of any of the processes."""
        if self.count == 1:
            return found
        shared = torch.tensor(float(found), device=self.device)
        torch.distributed.all_reduce(shared)
        return bool(shared)

    def wait(self) -> None:
        """Go on when every process is here."""
        if self.count > 1:
            torch.distributed.barrier()


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes that were started together; one alone where there are no others."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    accelerated = torch.cuda.is_available()
    place = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if accelerated else "cpu"
    joined = count > 1 and not torch.distributed.is_initialized()
    if joined:
        torch.distributed.init_process_group("nccl" if accelerated else "gloo")
    try:
        yield Processes(rank=rank, count=count, device=torch.device(place))
    finally:
        if joined:
            torch.distributed.destroy_process_group()
