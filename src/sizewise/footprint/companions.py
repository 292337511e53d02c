"""What is served beside a language model: layers that predict ahead, a draft model, encoders of pictures.

Their weights are in a number format as the model's own are; nothing of them is counted elsewhere but the
towers, which are part of the model's weights.
"""

from dataclasses import replace
from typing import get_args

from sizewise.architecture import Architecture, Beside, TowerRole
from sizewise.footprint.weights import stored_bytes
from sizewise.formats.scheme import Scheme
from sizewise.ledger import Line, leaf, total

UNIT = "bytes"
PREDICTION = "mtp_"
"""How the names of what belongs to prediction layers begin."""


def tower_bytes(architecture: Architecture, scheme: Scheme) -> Line:
    """Return the bytes of the towers: parts ``vision``, ``audio`` and ``projector``, those that there are."""
    parts = [part for part in stored_bytes(architecture, scheme).parts if part.name in get_args(TowerRole)]
    return total("towers", parts, UNIT)


def prediction_bytes(architecture: Architecture, scheme: Scheme) -> Line:
    """Return the bytes of the layers that predict further tokens, as published files hold them.

    Zero where the type has none or the configuration asks for none. A layer whose matrices are known is
    packed as the model's are; projections, norms and copies of tables keep the base format.
    """
    parts = [
        part
        for beside in architecture.beside
        if beside.name.startswith(PREDICTION)
        for part in _beside(architecture, beside, scheme)
    ]
    return total("prediction layers", parts, UNIT)


def draft_bytes(draft: Architecture, scheme: Scheme, cache: Line) -> Line:
    """Return what a draft model adds on the device: its weights and its own cache of the same tokens."""
    return total("draft model", (stored_bytes(draft, scheme), replace(cache, name="cache")), UNIT)


def _beside(architecture: Architecture, beside: Beside, scheme: Scheme) -> list[Line]:
    if beside.body:
        layers = replace(architecture, body=beside.body, towers=(), beside=())
        line = replace(stored_bytes(layers, scheme), name=beside.name)
        known = sum(weight.elements * copies for weight, copies in layers.weights())
    else:
        line, known = None, 0
    rest = beside.elements - known
    plain = [_plain(beside.name, rest, scheme)] if rest else []
    return plain if line is None else [line, *plain]


def _plain(name: str, elements: int, scheme: Scheme) -> Line:
    """Return elements in the base format."""
    bits = int(scheme.base.bits)
    return leaf(
        name,
        elements * bits // 8,
        UNIT,
        formula="elements * bits // 8",
        inputs={"elements": elements, "bits": bits},
        source="elements that published files hold beside the class",
        status="derived",
    )
