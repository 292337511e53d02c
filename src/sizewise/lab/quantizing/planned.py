"""The plan of a quantization, made before a weight is read, and what has to be said beforehand."""

import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sizewise.catalog.formats import Format
from sizewise.components.latent_attention import LatentAttention
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.quantizing.bitsandbytes_files import repacks_here
from sizewise.lab.quantizing.bitsandbytes_plan import (
    Held,
    held_tensors,
    offset_spread,
    planned_tensors,
    unsupported_shapes,
    whole_file,
    with_offsets,
)
from sizewise.lab.quantizing.gguf_files import open_gguf, quantizer
from sizewise.lab.quantizing.gguf_plan import gguf_plan, read_metadata
from sizewise.lab.quantizing.methods import is_gguf
from sizewise.lab.quantizing.original import Original
from sizewise.lab.quantizing.plan import Plan
from sizewise.notices import Notice
from sizewise.units import both_bytes

LITTLE = 0.5
"""Share of the weights below which a format is said to pack little."""


def planned(
    original: Original,
    format: Format,
    *,
    kept: Collection[str] = (),
    blocks: Mapping[str, str] | None = None,
    weights: Any = None,
) -> Plan:
    """Return the plan of a format: of nested scales it is exact with a module's ``weights`` alone.

    ``kept`` modules are not packed by bitsandbytes; ``blocks`` are the block types of single tensors of a
    GGUF file. Raises UsageError (bad_option), InputError (unsupported_architecture).
    """
    if is_gguf(format):
        metadata = read_metadata(open_gguf(original.gguf)) if original.parts == 1 else None
        plan = gguf_plan(original, format, metadata, blocks)
        return replace(plan, notices=(*_said_of_gguf(original, plan), *_said_of_all(original, plan)))
    held = held_tensors(original.blank, format, original.base, kept)
    spread = offset_spread(held, format)
    if weights is not None:
        held, spread = with_offsets(held, weights, original.base), 0
    plan = Plan(
        format=format,
        maker="bitsandbytes",
        tensors=planned_tensors(held, format),
        bytes=sum(one.bytes for one in held),
        spread=spread,
        file_bytes=whole_file(original.blank, held),
        shipped=original.shipped,
        fp32=original.fp32,
        kept=tuple(kept),
    )
    refused = _refused_here(original, plan, held)
    return replace(plan, runs_here=not refused, notices=(*refused, *_said_of_all(original, plan)))


def check_room(path: str, needed: int) -> None:
    """Raise InputError (disk_full) where a disk has not the room for what will be written."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if free < needed:
        raise InputError(
            "disk_full", f"{shorten(path, 120)} needs {both_bytes(needed)}, free there is {both_bytes(free)}"
        )


def _said_of_all(original: Original, plan: Plan) -> tuple[Notice, ...]:
    """Say that a plan does nothing or little, and that its source is packed already."""
    found = []
    name = plan.format.name
    if not plan.packed:
        reason = max(plan.left, key=lambda why: sum(tensor.elements for tensor in plan.left[why]))
        found.append(Notice(code="nothing_packed", message=f"{name} will change nothing here: {reason}"))
    elif plan.packed_share < LITTLE:
        text = f"{name} packs {plan.packed_share:.0%} of these weights; the rest stays as it is"
        found.append(Notice(code="little_packed", message=text))
    if plan.bytes >= plan.shipped and original.model.listing is not None:
        text = f"the result is no smaller than what is shipped ({both_bytes(plan.shipped)})"
        found.append(Notice(code="not_smaller", message=text))
    if original.packed_as:
        text = (
            f"the source is packed in {original.packed_as} itself: losses are beside that, not beside 16 bit"
        )
        found.append(Notice(code="packed_source", message=text))
    return tuple(found)


def _refused_here(original: Original, plan: Plan, held: tuple[Held, ...]) -> tuple[Notice, ...]:
    """Say what cannot be computed with on this machine once it is packed."""
    latent = any(
        isinstance(place.component, LatentAttention) for place in original.model.architecture.placed()
    )
    if plan.format.name == "bnb-int8":
        if not latent:
            return ()
        text = (
            "bitsandbytes' int8 layers do not run latent attention on a CPU; the file can be written, and "
            "its loss is that of unpacked weights, without the rounding of activations"
        )
        return (Notice(code="cannot_run_here", message=text),)
    odd = unsupported_shapes(held, original.blank) if repacks_here() else ()
    if not odd:
        return ()
    text = (
        f"64 does not divide the inputs, or 32 the outputs, of {len(odd)} matrices ({odd[0]}): bitsandbytes "
        "refuses them on CPUs with AVX-512-BF16 such as this one; the file can be written, and runs elsewhere"
    )
    return (Notice(code="cannot_run_here", message=text),)


def _said_of_gguf(original: Original, plan: Plan) -> tuple[Notice, ...]:
    if plan.maker == "llama.cpp" and original.gguf and not quantizer():
        text = f"{plan.format.name} needs llama.cpp's quantizer here, which is not found: pip install cyllama"
        return (Notice(code="cannot_write_here", message=text),)
    return ()
