"""Why an engine's memory differs from the ideal: read off the lines of both, part by part."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from sizewise.ledger import Line
from sizewise.planning.answer import MemoryAnswer
from sizewise.units import binary_bytes

SHOWN = 3
"""Reasons shown for one part."""
SIDES = ("keys", "values")
WIDTH = " numbers"
FACTORS = ("layers", "sequences", "streams", "numbers", "bytes_per_number")


def differences(answer: MemoryAnswer, ideal: Line, *, same_format: bool = True) -> tuple[str, ...]:
    """Return a reason for every part that differs; ``ideal`` is the whole run in the ideal engine.

    The weights are passed over where they are not counted in the ideal's format.
    """
    found = []
    for part in answer.line.parts if same_format else answer.line.parts[1:]:
        floor = ideal.part(part.name)
        gap = int(part.value - floor.value)
        if gap:
            reasons = list(_cache(part, floor)) if part.name == "cache" else []
            if part.name == "weights":
                reasons = _weights(part, floor, answer.scenario.weights.name)
            why = "; ".join(list(dict.fromkeys(reasons or _largest(part)))[:SHOWN])
            found.append(f"{part.name} {'+' if gap > 0 else '-'}{binary_bytes(abs(gap))}: {why}")
    return tuple(found)


def _largest(part: Line) -> list[str]:
    """Name the leaves of a part, the largest first; those of several devices once."""
    sums: dict[str, int] = {}
    for line in _leaves(part):
        sums[line.name] = sums.get(line.name, 0) + int(line.value)
    return [name for name, amount in sorted(sums.items(), key=lambda row: -row[1]) if amount]


def _weights(part: Line, ideal: Line, format: str) -> list[str]:
    """Name roles that the engine does not load with the rest, and types beside the main one."""
    roles = {line.name for line in part.parts}
    missing = [line.name for line in ideal.parts if line.value and line.name not in roles]
    others = [f"without {name}" for name in missing] if len(missing) < len(ideal.parts) else []
    types = [name for name in _largest(part) if name != format and " " not in name]
    return [*others, *(f"also stored in {name}" for name in types)]


def _cache(part: Line, ideal: Line) -> Iterator[str]:
    """Yield how the entries of a cache differ: blocks, cells, tokens, columns, bytes of a number."""
    entries = {_kind(line): line for line in _leaves(ideal)}
    seen = set()
    for line in _leaves(part):
        kind = _kind(line)
        seen.add(kind)
        yield from _pooled(line)
        if kind in entries:
            yield from _entry(kind, line, entries[kind])
    if "blocks" in seen:
        return
    for kind, line in entries.items():
        limited = "window" in line.inputs or "chunk" in line.inputs
        if limited and kind not in seen and _held(line) < line.inputs["context"]:
            yield f"{kind} keeps every token"


def _pooled(line: Line) -> Iterator[str]:
    """Yield what a pool allocates beyond the tokens of each layer."""
    inputs = line.inputs
    if "request_blocks" in inputs:
        size = binary_bytes(inputs["block_bytes"])
        yield f"{line.name}: {inputs['request_blocks']:,} of {size} for a sequence"
    if "sequences + 1" in line.formula:
        yield f"{line.name}: one more than there are sequences"
    if "slots + 1" in line.formula:
        yield f"{line.name}: {inputs['slots']:,} slots for a sequence, and one more"
    if "blocks" in inputs and "request_blocks" not in inputs:
        yield f"{line.name}: {inputs['blocks']:,} blocks"


def _entry(kind: str, line: Line, ideal: Line) -> Iterator[str]:
    """Yield how one entry differs from the ideal's of its kind."""
    needed, inputs = _held(ideal), line.inputs
    if "cells" in inputs:
        if inputs["cells"] != needed:
            yield f"{kind} in {inputs['cells']:,} cells for {float(needed):,g} tokens"
        return
    if "token_bytes" in inputs and inputs["tokens"] != needed:
        yield f"{kind} in {inputs['tokens']:,} tokens of the pool for {float(needed):,g}"
    own, usual = inputs.get("bytes_per_number"), ideal.inputs.get("bytes_per_number")
    if own is not None and usual is not None and own != usual:
        yield f"{kind} in {8 * own:g} bits instead of {8 * usual:g}"
    if "kernel" in ideal.formula and "(kernel - 1)" not in line.formula and "kernel" in line.formula:
        yield f"{kind} with all {inputs['kernel']:,} columns of the kernel"
    elif "numbers" in inputs and inputs.get("numbers") == ideal.inputs.get("numbers"):
        held = _held(line)
        if held and held != needed:
            yield f"{kind} holds {float(held):,g} tokens for {float(needed):,g}"


def _held(line: Line) -> Fraction:
    """Return the tokens or columns of an entry: its amount over all other factors."""
    inputs, divisor = line.inputs, 1
    for name in FACTORS:
        divisor *= int(inputs.get(name, 1))
    if "bytes_per_block" in inputs:
        numbers, block = int(inputs["numbers"]), int(inputs["block"])
        divisor = divisor // numbers * -(-numbers // block) * int(inputs["bytes_per_block"])
    return Fraction(int(line.value), divisor) if divisor else Fraction(0)


def _kind(line: Line) -> str:
    """Return what an entry is, without its window, its side or the block's size."""
    layer, _, side = line.name.partition(": ")
    name = side if side not in ("", *SIDES) else layer.split(" (")[0]
    return "blocks" if name.startswith("blocks") else name


def _leaves(line: Line) -> Iterator[Line]:
    """Yield the leaves with an amount; those told apart by their width bear the name of their sum."""
    for part in line.parts:
        if part.amount is None:
            yield from _leaves(part)
        elif part.value:
            yield replace(part, name=line.name) if part.name.endswith(WIDTH) else part
