"""What published files hold beside the parameters: buffers, and layers that predict further tokens.

Which types have it was found where it makes published totals come out to the last element, and in the
names that classes of transformers 5.23 ignore in a file.
Source of the layers: DeepSeek-V3 report, arXiv:2412.19437, section 2.2.
"""

from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Beside, Block, Group, Part, Stack
from sizewise.components.router import Router
from sizewise.configuration import LAYER_LIMIT, Config

CORRECTIONS = "router_correction_bias_buffers"
MASKS = "causal_mask_buffers"
ROTARY = "rotary_inv_freq_buffers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """How a type stores a layer that predicts a further token.

    ``copies`` says that the layer has an embedding and a head of its own; ``field`` holds how many
    layers there are, ``count`` where a file does not say it.
    """

    field: str = "num_nextn_predict_layers"
    count: int = 0
    layer: str = "mtp_layer"
    joint: str = "mtp_eh_proj_and_3_norms"
    stack: str = "model.layers"
    copies: bool = False
    corrected: bool = False


def correction_biases(architecture: Architecture) -> tuple[Beside, ...]:
    """Return the correction biases of the routers: E per layer with experts, buffers in the class."""
    routers = (
        (place.component, len(place.layers))
        for place in architecture.language()
        if isinstance(place.component, Router)
    )
    elements = sum(router.experts * layers for router, layers in routers)
    return (Beside(name=CORRECTIONS, elements=elements),) if elements else ()


def with_corrections(architecture: Architecture) -> Architecture:
    """Return the architecture with the correction biases of its routers beside it."""
    return replace(architecture, beside=(*architecture.beside, *correction_biases(architecture)))


def with_predictions(
    config: Config, architecture: Architecture, style: Prediction, parts: tuple[Part, ...]
) -> Architecture:
    """Return the architecture with layers of these parts beside it, each predicting a further token.

    Each has a projection [D, 2*D] of the hidden state and the embedding, two norms before it and one
    after the layer: 2*D*D + 3*D elements.
    """
    given = config.given(style.field)
    count = config.count(style.field, high=LAYER_LIMIT) if given else style.count
    if not count:
        return architecture
    depth, hidden = architecture.depth, architecture.hidden
    group = Group(block=Block(parts=parts), layers=tuple(range(depth, depth + count)))
    layers = replace(architecture, body=(Stack(name=style.stack, groups=(group,)),), towers=())
    elements = sum(weight.elements * copies for weight, copies in layers.weights())
    found = [
        Beside(name=style.layer, elements=elements, body=layers.body),
        Beside(name=style.joint, elements=count * (2 * hidden**2 + 3 * hidden)),
    ]
    if style.copies:
        tables = count * 2 * architecture.vocabulary * hidden
        found.append(Beside(name="mtp_embedding_and_head_copies", elements=tables))
    if style.corrected:
        found.extend(correction_biases(layers))
    return replace(architecture, beside=(*architecture.beside, *found))


def last_layer(architecture: Architecture) -> tuple[Part, ...]:
    """Return the parts of the last layer."""
    last = architecture.depth - 1
    groups = (group for item in architecture.body if isinstance(item, Stack) for group in item.groups)
    return next(group.block.parts for group in groups if last in group.layers)


def causal_masks(layers: int, context: int) -> Beside:
    """Return the masks of older files: a square of the context in every such layer.

    >>> causal_masks(12, 1024).elements
    12582912
    """
    return Beside(name=MASKS, elements=layers * context**2)


def rotary_frequencies(layers: int, rotary_size: int) -> Beside:
    """Return the frequencies of rotary positions in older files: half of the rotated features per layer.

    >>> rotary_frequencies(32, 128).elements
    2048
    """
    return Beside(name=ROTARY, elements=layers * (rotary_size // 2))
