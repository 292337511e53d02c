"""From what single groups lose to a plan of several formats within a budget of bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from sizewise.catalog.formats import Format
from sizewise.catalog.ggml import block_types
from sizewise.errors import UsageError
from sizewise.gguf.conversion import file_names
from sizewise.gguf.file_types import quantizable, tensor_bytes
from sizewise.gguf.tensors import GgufTensor
from sizewise.lab.quality.measure import Reference
from sizewise.lab.quantizing.asked import QuantizeAsked
from sizewise.lab.quantizing.bitsandbytes_plan import held_tensors
from sizewise.lab.quantizing.budget import Option, spend
from sizewise.lab.quantizing.gguf_plan import source_shape
from sizewise.lab.quantizing.groups import Group, layer_groups, matrix_groups
from sizewise.lab.quantizing.methods import is_gguf
from sizewise.lab.quantizing.original import Original
from sizewise.lab.quantizing.plan import Plan
from sizewise.lab.quantizing.planned import planned
from sizewise.lab.quantizing.sensitivity import Sensitivity, Step, joint_nats, measured_options

TRIES = 4
"""How often a budget is cut by what the file's head takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The parameters that formats may be chosen for, the formats, and the bytes of each in each."""

    parameters: tuple[str, ...]
    formats: tuple[str, ...]
    bytes: Mapping[tuple[str, str], int]
    files: Mapping[str, tuple[GgufTensor, ...]]

    def of_group(self, group: Group, format: str) -> int:
        """Return the bytes of a group in a format."""
        return sum(self.bytes[name, format] for name in group.parameters)


def choices(original: Original, asked: QuantizeAsked) -> Choices:
    """Return what can be chosen: block types of a GGUF file, or packed and 16 bit of bitsandbytes."""
    return _of_file(original, asked) if is_gguf(asked.format) else _of_modules(original, asked.format)


def measure_layers(module: Any, reference: Reference, chosen: Choices, step: Step) -> Sensitivity:
    """Return the loss of each layer alone in the first format, and of all together."""
    format = chosen.formats[0]
    groups = layer_groups(chosen.parameters)
    options = measured_options(module, reference, groups, (format,), chosen.of_group, step=step)
    return _measured(module, reference, groups, options, tuple(option for (option,) in options))


def measure_and_spend(
    module: Any,
    reference: Reference,
    original: Original,
    asked: QuantizeAsked,
    *,
    chosen: Choices,
    step: Step,
) -> tuple[Sensitivity, Plan]:
    """Return what each group loses in each format, and the plan of the best use of the budget.

    Raises UsageError (bad_option) where the smallest plan is larger than the budget, before it measures.
    """
    assert asked.budget is not None
    groups = matrix_groups(chosen.parameters)
    smallest = _smallest(chosen, groups)
    least = _size(_plan_of(original, asked, chosen, groups, smallest))
    if least > asked.budget:
        short = f"{least - asked.budget:,} bytes short"
        raise UsageError("bad_option", f"the budget is {short}: the smallest plan takes {least:,} bytes")
    options = measured_options(module, reference, groups, chosen.formats, chosen.of_group, step=step)
    room = asked.budget - least + sum(option.bytes for option in smallest)
    for _ in range(TRIES):
        best = spend(options, room)
        plan = _plan_of(original, asked, chosen, groups, best)
        excess = _size(plan) - asked.budget
        if excess <= 0:
            break
        room -= excess
    return _measured(module, reference, groups, options, best), plan


def _smallest(chosen: Choices, groups: Sequence[Group]) -> tuple[Option, ...]:
    """Return the smallest way to store each group, whose loss nobody has measured."""
    return tuple(
        min(
            (
                Option(group=group.name, format=name, bytes=chosen.of_group(group, name), kl_nats=nan)
                for name in chosen.formats
            ),
            key=lambda one: one.bytes,
        )
        for group in groups
    )


def _of_file(original: Original, asked: QuantizeAsked) -> Choices:
    shape = source_shape(original)
    tensors = {tensor.name: tensor for tensor in shape.tensors}
    files: dict[str, tuple[GgufTensor, ...]] = {}
    for parameter, names in file_names(original.model).items():
        found = tuple(tensors[name] for name in names if name in tensors)
        if found and len(found) == len(names) and all(quantizable(one, shape.architecture) for one in found):
            files[parameter] = found
    formats = tuple(format.name for format in asked.formats)
    sizes = {
        (parameter, format): sum(tensor_bytes(one, fitting(one, format)) for one in found)
        for parameter, found in files.items()
        for format in formats
    }
    return Choices(parameters=tuple(files), formats=formats, bytes=sizes, files=files)


def fitting(tensor: GgufTensor, block: str) -> str:
    """Return a block type, or f16 where it does not divide the rows of a tensor."""
    return block if block_types()[block].holds(tensor.row) else "f16"


def _of_modules(original: Original, format: Format) -> Choices:
    held = held_tensors(original.blank, format, original.base)
    sizes: dict[tuple[str, str], int] = {}
    for one in held:
        if one.stored:
            sizes[one.name, format.name] = one.bytes
            sizes[one.name, original.base] = one.tensor.numel() * 2
    parameters = tuple(one.name for one in held if one.stored)
    return Choices(parameters=parameters, formats=(format.name, original.base), bytes=sizes, files={})


def _plan_of(
    original: Original, asked: QuantizeAsked, chosen: Choices, groups: Sequence[Group], best: Sequence[Option]
) -> Plan:
    formats = {
        name: option.format for group, option in zip(groups, best, strict=True) for name in group.parameters
    }
    if not is_gguf(asked.format):
        kept = [name.removesuffix(".weight") for name, format in formats.items() if format == original.base]
        return planned(original, asked.format, kept=kept)
    blocks = {
        tensor.name: fitting(tensor, format)
        for name, format in formats.items()
        for tensor in chosen.files[name]
    }
    return planned(original, asked.format, blocks=blocks)


def _size(plan: Plan) -> int:
    """Return the bytes of the whole file, of its tensors where that is not known."""
    return plan.bytes if plan.file_bytes is None else plan.file_bytes


def _measured(
    module: Any,
    reference: Reference,
    groups: Sequence[Group],
    options: tuple[tuple[Option, ...], ...],
    best: tuple[Option, ...],
) -> Sensitivity:
    formats = {group: option.format for group, option in zip(groups, best, strict=True)}
    return Sensitivity(
        options=options,
        chosen=best,
        joint_nats=joint_nats(module, reference, formats),
        text=reference.windows.title,
        tokens=reference.windows.scored,
    )
