"""What each device of a training run holds of a model, and which layouts cannot be had.

Devices are replicas x ranks x stages x parts of the context; experts are shared over replicas and parts of
the context. Source: Megatron-LM, arXiv:2104.04473; torchtitan, arXiv:2410.06511.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Component
from sizewise.errors import UsageError
from sizewise.parallel.division import nearest_possible
from sizewise.parallel.experts import routed_experts
from sizewise.parallel.pipeline import stages
from sizewise.parallel.routed import ROUTED
from sizewise.parallel.tensor import rank_with_experts, tensor_rank
from sizewise.recipe import Recipe, Sharding


def check_layout(architecture: Architecture, recipe: Recipe, devices: int) -> None:
    """Refuse a layout that cannot be had, with the nearest that can.

    Raises UsageError (bad_option): another number of devices, a context or layers that do not divide, experts
    of a model that has none.
    """
    sharding = recipe.sharding
    for name, number in _axes(sharding):
        if number < 1:
            raise UsageError("bad_option", f"{name} {number:,}: give 1 or more")
    _check_stages(architecture, recipe)
    if sharding.context > 1 and recipe.attention == "eager":
        text = "eager attention has all keys on one device; use --attention sdpa or flash"
        raise UsageError("bad_option", f"--cp {sharding.context:,}: {text}")
    if sharding.devices != devices:
        tensor_rank(architecture, sharding.tensor)
        text = (
            f"{sharding.data:,} replicas x {sharding.tensor:,} ranks x {sharding.pipeline:,} stages x "
            f"{sharding.context:,} parts of the context are {sharding.devices:,} devices, not {devices:,}"
        )
        raise UsageError("bad_option", f"{text}; {_other_data(sharding, devices)}")
    _check_divides(recipe.sequence, sharding.context, "tokens of a sequence", "--cp")
    _check_experts(architecture, sharding)
    _check_group(sharding)


def _axes(sharding: Sharding) -> tuple[tuple[str, int], ...]:
    return (
        ("--dp", sharding.data),
        ("--tp", sharding.tensor),
        ("--pp", sharding.pipeline),
        ("--cp", sharding.context),
        ("--ep", sharding.experts),
        ("--virtual-stages", sharding.virtual),
    )


def _other_data(sharding: Sharding, devices: int) -> str:
    rest = sharding.devices // sharding.data
    if devices % rest:
        return f"name a multiple of {rest:,} devices, or fewer ranks and stages"
    return f"with {devices:,} devices --dp is {devices // rest:,}"


def _check_divides(count: int, parts: int, what: str, option: str) -> None:
    if count % parts:
        possible = nearest_possible(parts, lambda number: count % number == 0)
        text = f"{option} {parts:,}: {count:,} {what} cannot be divided by {parts:,}; {possible}"
        raise UsageError("bad_option", text)


def _check_experts(architecture: Architecture, sharding: Sharding) -> None:
    if sharding.experts == 1:
        return
    experts = routed_experts(architecture)
    if not experts:
        text = "this model has no routed experts; leave --ep out, share its tensors (--tp) or states (--zero)"
        raise UsageError("bad_option", f"--ep {sharding.experts:,}: {text}")
    _check_divides(experts, sharding.experts, "experts of a layer", "--ep")
    _check_divides(
        sharding.data * sharding.context, sharding.experts, "replicas and parts of the context", "--ep"
    )


def _check_group(sharding: Sharding) -> None:
    if sharding.group is not None and not sharding.zero:
        text = "--shard-group shares states in groups; name what is shared with --zero 1 to 3"
        raise UsageError("bad_option", text)
    if sharding.group is not None:
        _check_divides(
            sharding.data * sharding.context, sharding.group, "devices that share states", "--shard-group"
        )


def _check_stages(architecture: Architecture, recipe: Recipe) -> None:
    sharding = recipe.sharding
    if sharding.virtual > 1 and sharding.pipeline == 1:
        raise UsageError("bad_option", "--virtual-stages interleaves a pipeline; name its stages with --pp")
    pieces = sharding.pipeline * sharding.virtual
    depth = architecture.depth
    if pieces > depth:
        text = f"{depth:,} layers cannot be shared over {pieces:,} stages; possible are 1 to {depth:,}"
        raise UsageError("bad_option", f"--pp {sharding.pipeline:,}: {text}")
    if sharding.virtual > 1:
        _check_divides(depth, pieces, "layers", "--pp x --virtual-stages")


def training_stages(architecture: Architecture, sharding: Sharding) -> tuple[Architecture, ...]:
    """Return what one rank of each stage holds.

    Raises UsageError (bad_option) with the nearest possible number where something does not divide.
    """
    return tuple(_rank(stage, sharding) for stage in stages(architecture, sharding.pipeline))


def _rank(stage: Architecture, sharding: Sharding) -> Architecture:
    if sharding.tensor == 1 and sharding.experts == 1:
        return stage

    def routed(component: Component) -> Component:
        if not isinstance(component, ROUTED):
            return component
        return replace(component, experts=component.experts // sharding.experts)

    if sharding.experts > 1:
        return rank_with_experts(stage, sharding.tensor, routed)
    return tensor_rank(stage, sharding.tensor)


def micro_batches_in_flight(stage: int, recipe: Recipe) -> int:
    """Count the micro-batches whose activations a stage keeps at once.

    One forward, one backward (1F1B): stage i of p keeps p - i of them, or all if there are fewer. With v
    interleaved pieces per device the first keeps 1 + (p - 1)/(p*v) times as much, counted in whole pieces
    here. Source: Narayanan et al. 2021, arXiv:2104.04473, section 2.2; Korthikanti et al. 2022,
    arXiv:2205.05198, section 4.2.3.

    >>> from sizewise.recipe import Sharding
    >>> recipe = Recipe(sequence=1024, accumulate=16, sharding=Sharding(pipeline=4))
    >>> [micro_batches_in_flight(stage, recipe) for stage in range(4)]
    [4, 3, 2, 1]
    """
    return min(recipe.sharding.pipeline - stage, recipe.accumulate)


def interleaved_pieces(stage: int, recipe: Recipe) -> int:
    """Count the pieces (a v-th of a device's layers each) that an interleaved stage keeps at once.

    The warm-up does 2*(p - i - 1) + (v - 1)*p pieces, and one more is in work.
    """
    sharding = recipe.sharding
    warm_up = 2 * (sharding.pipeline - stage - 1) + (sharding.virtual - 1) * sharding.pipeline
    return min(warm_up + 1, recipe.accumulate * sharding.virtual)
