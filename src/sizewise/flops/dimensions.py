"""The few numbers of a model that published rules for its FLOPs are written in."""

from dataclasses import dataclass

from sizewise.architecture import Model
from sizewise.counting import active_by_convention
from sizewise.flops.forward import matmul_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """L layers, D hidden, V vocabulary and the parameters, by the conventions of the papers.

    ``parameters`` are all that a token uses, ``non_embedding`` those without tables and head, ``matmul``
    those that it is multiplied with (head included, tied or not). ``attention`` is N*H summed over the
    layers: L*D where the heads together are as wide as the hidden state.
    """

    layers: int
    hidden: int
    vocabulary: int
    parameters: int
    non_embedding: int
    matmul: int
    attention: int


def dimensions(model: Model) -> Dimensions:
    """Return the numbers of a model.

    Half of what a token pays per key it attends to is Q·Kᵀ, N*H where keys and values are equally wide.
    """
    architecture = model.architecture
    active = active_by_convention(architecture)
    per_key = sum(op.macs_per_key * layers for op, layers in architecture.operations() if not op.selects)
    return Dimensions(
        layers=architecture.depth,
        hidden=architecture.hidden,
        vocabulary=architecture.vocabulary,
        parameters=active["all"],
        non_embedding=active["non_embedding"],
        matmul=matmul_parameters(architecture),
        attention=per_key // 2,
    )
