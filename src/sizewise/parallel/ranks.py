"""Equal devices that share a model by a layout: stages of a pipeline, ranks of each matrix, replicas."""

from sizewise.architecture import Architecture
from sizewise.errors import UsageError
from sizewise.parallel.data import ExpertSharing, data_shares
from sizewise.parallel.experts import expert_rank
from sizewise.parallel.pipeline import stages
from sizewise.parallel.shares import DeviceShare
from sizewise.parallel.tensor import is_possible, tensor_rank
from sizewise.scenario import Layout


def usual_layout(architecture: Architecture, devices: int) -> Layout:
    """Return as many ranks as the model can be divided by, in as many stages as are left.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> usual_layout(describe(Config({"num_attention_heads": 28, "hidden_size": 3584}, "qwen2")), 8).tensor
    4
    """
    tensor = next(
        ranks for ranks in range(devices, 0, -1) if devices % ranks == 0 and is_possible(architecture, ranks)
    )
    return Layout(tensor=tensor, pipeline=devices // tensor)


def rank_shares(
    architecture: Architecture, layout: Layout, sequences: int, devices: int
) -> tuple[DeviceShare, ...]:
    """Return what each device holds: stage by stage, rank by rank.

    Raises UsageError (bad_option) for a layout that does not use all devices, or is not possible.
    """
    tensor = layout.tensor or max(1, devices // (layout.pipeline * layout.data))
    used = tensor * layout.pipeline * layout.data
    if used != devices:
        text = f"{tensor} ranks x {layout.pipeline} stages x {layout.data} replicas are {used:,} devices"
        raise UsageError("bad_option", f"{text}, but there are {devices:,}; name as many with --on")
    if layout.data > 1:
        if layout.pipeline > 1:
            raise UsageError("bad_option", "replicas of attention and stages are not combined here; use one")
        sharing: ExpertSharing = "experts" if layout.experts else "width"
        return data_shares(architecture, layout.data, sequences, tensor=tensor, sharing=sharing)
    shares = [
        _rank(stage, tensor, experts=layout.experts)
        for stage in stages(architecture, layout.pipeline)
        for _ in range(tensor)
    ]
    return tuple(
        DeviceShare(device=number, architecture=share, cached=share, sequences=sequences)
        for number, share in enumerate(shares)
    )


def _rank(stage: Architecture, tensor: int, *, experts: bool) -> Architecture:
    return expert_rank(stage, tensor, tensor=tensor) if experts else tensor_rank(stage, tensor)
