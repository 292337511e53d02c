"""What sharding keeps beside the activations: gathered weights, exchange buffers, gradients on their way.

FSDP gathers a layer before it runs and the next one ahead; what stands outside the layers is one unit that
stays gathered (torch 2.13, FSDP2 with layers and the model as units). Gradients of a unit are exchanged in
the width in which they are kept, while the next unit's are computed.
"""

from dataclasses import dataclass

from sizewise.activations.passes import Load
from sizewise.activations.pieces import Pieces
from sizewise.activations.segments import Loads, gradients_stay
from sizewise.architecture import Architecture
from sizewise.operations import TokenCache
from sizewise.parallel.zero import sharers
from sizewise.recipe import Recipe
from sizewise.states.trained import trainable
from sizewise.tape.replay import Costs, Piece

ZERO_BUCKET = 500_000_000
"""Numbers of DeepSpeed's reduce bucket and of its gather bucket (0.19.8, runtime/zero/config.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Numbers of weights of the layers' largest unit and of what stands outside the layers."""

    layer: int
    outside: int


def units(architecture: Architecture) -> Units:
    """Count the weights of the largest layer, and of what is gathered as one unit outside the layers."""
    layers: dict[tuple[str, int], int] = {}
    outside = 0
    for place in architecture.placed():
        numbers = sum(weight.elements for weight in place.weights())
        if not place.in_stack:
            outside += numbers
            continue
        stack = place.prefix.split("{}")[0]
        for layer in place.layers:
            layers[stack, layer] = layers.get((stack, layer), 0) + numbers
    return Units(layer=max(layers.values(), default=0), outside=outside)


def gathers(recipe: Recipe) -> bool:
    """Tell whether weights are gathered, or fetched from the host, unit by unit."""
    shared = recipe.sharding.zero >= 3 and sharers(recipe.sharding) > 1
    return shared or recipe.offload_weights or copies_units(recipe)


def copies_units(recipe: Recipe) -> bool:
    """Tell whether units are cast to the computing width, which FSDP does on a single device too."""
    precision = recipe.precision
    return precision.stored != precision.compute and not precision.autocast and recipe.sharding.zero >= 3


def loads(architecture: Architecture, found: Pieces, recipe: Recipe) -> Loads:
    """Return what each piece has beside its activations on a device that holds ``architecture``."""
    if not gathers(recipe):
        return gradients_stay
    of = units(architecture)
    width = recipe.precision.compute
    trains = trainable(architecture, recipe).parameters > 0
    wide = recipe.precision.gradient if trains else 0
    root, one = of.outside * width, of.layer * width
    exchanged = of.layer * wide if wide != width else one
    summed = recipe.accumulate > 1
    outer = {id(piece) for piece in (found.before, found.after) if piece is not None}
    devices = sharers(recipe.sharding)

    def load(piece: Piece, _costs: Costs) -> Load:
        born = sum(sum(step.weight_gradients) for step in piece.steps)
        if id(piece) in outer:
            return Load(forward=root + one, backward=root + one, stays=born)
        stays = 0 if summed else -(-born * wide // (width * devices))
        return Load(forward=root + 2 * one, backward=root + 2 * one + exchanged, stays=stays)

    return load


def exchange_buffers(architecture: Architecture, recipe: Recipe, gradients: int) -> int:
    """Return the bytes of buffers that are there the whole time: buckets, and copies of all weights.

    DistributedDataParallel's buckets hold a second copy of all gradients. Stages 1 and 2 exchange through
    two buckets of 500 million numbers at most; with fp32 weights they keep a copy of all that computes.
    """
    sharding, precision = recipe.sharding, recipe.precision
    numbers = trainable(architecture, recipe).parameters
    replicas = sharding.data * sharding.context
    buffers = 0
    if sharding.zero in (1, 2) and replicas > 1:
        buffers += 2 * min(ZERO_BUCKET, numbers) * precision.compute
    if sharding.zero == 0 and replicas > 1:
        buffers += gradients
    if precision.stored != precision.compute and not precision.autocast and sharding.zero < 3:
        buffers += (
            sum(weight.elements * copies for weight, copies in architecture.weights()) * precision.compute
        )
    return buffers + passed_keys(architecture, recipe)


def passed_keys(architecture: Architecture, recipe: Recipe) -> int:
    """Return the bytes of keys and values that parts of a context pass on: one layer's, coming and going.

    Source: Liu et al. 2023, arXiv:2310.01889.
    """
    if recipe.sharding.context == 1:
        return 0
    numbers = max(
        (entry.numbers for entry, _ in architecture.kept() if isinstance(entry, TokenCache)), default=0
    )
    tokens = recipe.batch_tokens // recipe.sharding.context
    return 2 * numbers * tokens * recipe.precision.compute
