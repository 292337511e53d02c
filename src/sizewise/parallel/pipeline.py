"""Pipeline parallelism: every stage holds a run of layers, the first the embeddings, the last the head.

Source: vLLM 0.33.0, distributed/utils.py (get_pp_indices); Huang et al. 2018, arXiv:1811.06965.
"""

from itertools import accumulate

from sizewise.architecture import Architecture, Part
from sizewise.errors import UsageError
from sizewise.parallel.selection import Place, check_one_stack, selected, token_table


def stage_sizes(layers: int, count: int) -> tuple[int, ...]:
    """Count the layers of each stage: those that are left over go to the stages before the last.

    They start with the last but one and go backwards, so that the stage with the head has fewest.

    >>> stage_sizes(62, 4)
    (15, 16, 16, 15)
    """
    if not 1 <= count <= layers:
        text = f"{layers:,} layers cannot be shared over {count:,} stages; possible are 1 to {layers:,}"
        raise UsageError("bad_option", text)
    each, left = divmod(layers, count)
    return tuple(each + (count - 1 - left <= stage < count - 1) for stage in range(count))


def stages(architecture: Architecture, count: int) -> tuple[Architecture, ...]:
    """Return what each stage holds; the towers are on the first, a tied head has a copy of the table.

    Raises UsageError (bad_option) for more stages than layers, and for models with several stacks of
    layers or with layers that share weights.
    """
    if count == 1:
        return (architecture,)
    sizes = stage_sizes(architecture.depth, count)
    check_one_stack(architecture)
    ends = list(accumulate(sizes))
    runs = zip([0, *ends], ends, strict=False)
    return tuple(_stage(architecture, range(start, end), architecture.depth) for start, end in runs)


def _stage(architecture: Architecture, layers: range, depth: int) -> Architecture:
    first, last = layers.start == 0, layers.stop == depth
    table = token_table(architecture)

    def holds(part: Part, place: Place) -> bool:
        if place == "end":
            return last
        return first or (last and part is table)

    return selected(architecture, holds, layers=layers, towers=first)
