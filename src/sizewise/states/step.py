"""What an optimizer's step allocates for a moment: the largest sum of its temporary tensors, in bytes.

Counted from the tensors that torch's operators return (torch 2.13.0); scalars and what a kernel takes inside
are not. All trained tensors are one group of the optimizer: groups apart (as for weight decay) are updated
one after another and take less with foreach.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby, pairwise

from sizewise.architecture import Architecture
from sizewise.catalog.optimizers import Implementation, Optimizer, Temporaries
from sizewise.recipe import Recipe
from sizewise.states.optimizer import optimizer_for
from sizewise.states.tensors import TrainedTensor
from sizewise.states.trained import trainable
from sizewise.states.widths import widths


def step_temporaries(architecture: Architecture, recipe: Recipe, implementation: Implementation) -> int:
    """Return the bytes that a step of the recipe's optimizer holds at its peak beside the states.

    An optimizer without implementations to choose from has its own. Raises UsageError (bad_option) for one
    that lacks this one.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> gpt2 = describe(Config({}, "gpt2"))
    >>> step_temporaries(gpt2, Recipe(sequence=1024), "foreach") == 4 * 124_439_808
    True
    >>> step_temporaries(gpt2, Recipe(sequence=1024), "fused")
    0
    """
    groups: dict[str, list[TrainedTensor]] = defaultdict(list)
    chosen: dict[str, Optimizer] = {}
    for tensor in trainable(architecture, recipe):
        optimizer = optimizer_for(tensor, recipe)
        chosen[optimizer.name] = optimizer
        groups[optimizer.name].append(tensor)
    return max(
        (_peak(groups[name], row.step(implementation), recipe) for name, row in chosen.items()), default=0
    )


def _peak(tensors: list[TrainedTensor], rule: Temporaries, recipe: Recipe) -> int:
    """Return the peak of one group: everything at once, or the worst moment of the tensors in their order."""
    whole = sum(
        rule.all * tensor.elements * tensor.copies * _number_bytes(tensor, rule, recipe) for tensor in tensors
    )
    alone = max(_at_work(tensor, rule, recipe) for tensor in tensors)
    if not rule.previous:
        return whole + alone
    late = (
        _late(before, rule, recipe) + _at_work(after, rule, recipe) for before, after in _neighbours(tensors)
    )
    return whole + max(alone, max(late, default=0))


def _at_work(tensor: TrainedTensor, rule: Temporaries, recipe: Recipe) -> int:
    width = widths(tensor, recipe)
    return rule.at_work(tensor.shape, width.state, width.master or width.stored)


def _late(tensor: TrainedTensor, rule: Temporaries, recipe: Recipe) -> int:
    return rule.previous * tensor.elements * _number_bytes(tensor, rule, recipe)


def _number_bytes(tensor: TrainedTensor, rule: Temporaries, recipe: Recipe) -> int:
    return rule.number_bytes(widths(tensor, recipe).state)


def _neighbours(tensors: list[TrainedTensor]) -> Iterator[tuple[TrainedTensor, TrainedTensor]]:
    """Yield the pairs of kinds of tensors that are updated one after the other."""
    return iter(dict.fromkeys(pairwise(_in_order(tensors))))


def _in_order(tensors: list[TrainedTensor]) -> Iterator[TrainedTensor]:
    """Yield every tensor where the class has it: stacks layer by layer."""
    for _, stack in groupby(tensors, key=lambda tensor: tensor.name.partition("{}")[:2]):
        members = list(stack)
        if "{}" not in members[0].name:
            yield from members
            continue
        places = ((layer, index) for index, member in enumerate(members) for layer in member.layers)
        for _, index in sorted(places):
            yield members[index]
