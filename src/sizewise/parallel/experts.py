"""Expert parallelism: every rank holds whole experts, a part of all; what is no expert is divided otherwise.

The first ranks hold one expert more where they do not come out even, so the fullest holds
ceil(experts / ranks). A token's experts may all be on one rank: ``active`` stays as large as it can be.
Source: vLLM 0.33.0, determine_expert_map; Lepikhin et al. 2020, arXiv:2006.16668.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Component
from sizewise.components.experts import Experts
from sizewise.components.flat_experts import FlatExperts
from sizewise.components.listed_experts import ListedExperts
from sizewise.errors import UsageError
from sizewise.parallel.routed import ROUTED
from sizewise.parallel.tensor import rank_with_experts
from sizewise.parallel.tensor_rules import tensor_share

Routed = Experts | FlatExperts | ListedExperts


def expert_rank(architecture: Architecture, ranks: int, *, tensor: int = 1) -> Architecture:
    """Return what the fullest of ``ranks`` devices holds, with its other parts divided by ``tensor``.

    Raises UsageError (bad_option) for a model without routed experts or with fewer than ranks, and where
    ``tensor`` is not possible.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> mixtral = describe(Config({}, "mixtral"))
    >>> max(weight.experts for weight, _ in expert_rank(mixtral, 3).weights())
    3
    """
    _check(architecture, ranks)
    if ranks == 1 and tensor == 1:
        return architecture
    return rank_with_experts(architecture, tensor, lambda component: some_experts(component, ranks))


def narrow_expert_rank(architecture: Architecture, ranks: int, *, tensor: int = 1) -> Architecture:
    """Return what each of ``ranks`` devices holds where each holds a part of every expert's width."""
    if ranks == 1 and tensor == 1:
        return architecture
    return rank_with_experts(architecture, tensor, lambda component: tensor_share(component, ranks))


def some_experts(component: Component, ranks: int) -> Component:
    """Return the experts that the fullest of ``ranks`` devices holds; other components as they are."""
    if not isinstance(component, ROUTED):
        return component
    here = -(-component.experts // ranks)
    share = replace(component, experts=here, active=min(component.active, here))
    if isinstance(share, Experts):
        return replace(share, idle=-(-share.idle // ranks), chosen=share.chosen or component.active)
    return share


def routed_experts(architecture: Architecture) -> int:
    """Count the experts of the layer that has the fewest; 0 for a dense model."""
    places = architecture.language()
    return min(
        (place.component.experts for place in places if isinstance(place.component, ROUTED)), default=0
    )


def _check(architecture: Architecture, ranks: int) -> None:
    fewest = routed_experts(architecture)
    if not fewest:
        text = "this model has no routed experts to share; share its tensors or its layers instead"
        raise UsageError("bad_option", text)
    if not 1 <= ranks <= fewest:
        text = f"{fewest:,} experts cannot be shared over {ranks:,} devices; possible are 1 to {fewest:,}"
        raise UsageError("bad_option", text)
