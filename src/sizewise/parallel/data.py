"""Data-parallel attention: every replica has the whole attention and serves a part of the sequences.

Experts are shared by all devices of all replicas. Source: vLLM 0.33.0, FusedMoEParallelConfig
(tensor ranks are counted across replicas); DeepSeek-V3 report, arXiv:2412.19437, section 3.4.
"""

from typing import Literal

from sizewise.architecture import Architecture
from sizewise.parallel.experts import expert_rank, narrow_expert_rank, routed_experts
from sizewise.parallel.shares import DeviceShare
from sizewise.parallel.tensor import tensor_rank

ExpertSharing = Literal["experts", "width"]
"""experts: each device has whole experts · width: each has a part of every expert."""


def data_rank(
    architecture: Architecture, replicas: int, *, tensor: int = 1, sharing: ExpertSharing = "experts"
) -> Architecture:
    """Return what the fullest device holds of ``replicas`` of ``tensor`` devices each.

    A dense model is on every replica whole. Raises UsageError (bad_option) as the parts do.
    """
    if not routed_experts(architecture):
        return tensor_rank(architecture, tensor)
    share = expert_rank if sharing == "experts" else narrow_expert_rank
    return share(architecture, replicas * tensor, tensor=tensor)


def replica_sequences(sequences: int, replicas: int) -> int:
    """Count the sequences of the busiest replica.

    >>> replica_sequences(10, 4)
    3
    """
    return -(-sequences // replicas)


def data_shares(
    architecture: Architecture,
    replicas: int,
    sequences: int,
    *,
    tensor: int = 1,
    sharing: ExpertSharing = "experts",
) -> tuple[DeviceShare, ...]:
    """Return the share of every device; all are counted as the fullest one."""
    part = data_rank(architecture, replicas, tensor=tensor, sharing=sharing)
    count = replica_sequences(sequences, replicas)
    return tuple(
        DeviceShare(device=device, architecture=part, cached=part, sequences=count)
        for device in range(replicas * tensor)
    )
