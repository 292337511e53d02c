"""What is asked of a quantization, checked."""

from dataclasses import dataclass
from typing import TypedDict

from sizewise.argument_values import flag, quantity, text, text_or_none, whole
from sizewise.catalog.formats import Format
from sizewise.catalog.ggml import block_types, file_types
from sizewise.errors import UsageError, did_you_mean
from sizewise.lab.quality.windows import LENGTH, MOST
from sizewise.lab.quantizing.methods import is_gguf, offered_format
from sizewise.lab.quantizing.original import GGUF
from sizewise.lab.quantizing.rounding import can_round
from sizewise.units import MEMORY_LIMIT, parse_memory

WINDOWS_LIMIT, WINDOW_LIMIT = 10**4, 10**5
MIXED = ("q4_0", "q5_0", "q8_0")
"""Formats among which a budget chooses where none is named, the coarsest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeAsked:
    """The formats, the first of which is the plan's; what is measured; where the result is written."""

    formats: tuple[Format, ...]
    output: str = ""
    force: bool = False
    budget: int | None = None
    sensitivity: bool = False
    text: str = ""
    windows: int = MOST
    window: int = LENGTH
    quality: bool = True

    @property
    def format(self) -> Format:
        """The format of what no plan chooses another for."""
        return self.formats[-1]

    @property
    def mixed(self) -> bool:
        """Tell whether a budget chooses among formats."""
        return self.budget is not None


class QuantizeOptions(TypedDict, total=False):
    """The options of `quantize` beside the format.

    ``output`` is a folder for formats of bitsandbytes, a .gguf file for file types of llama.cpp; nothing is
    written without. ``force`` replaces it. ``budget`` in bytes (``"900MB"``) chooses a format for each group
    of matrices by what it loses; ``sensitivity`` measures each layer. ``text`` is a file to measure on,
    ``windows`` of ``window`` tokens; a passage is shipped. Without ``quality`` nothing is measured.
    """

    output: str | None
    force: bool
    budget: int | str | None
    sensitivity: bool
    text: str
    windows: int
    window: int
    quality: bool


def quantize_asked(quant: str | None, options: QuantizeOptions) -> QuantizeAsked:
    """Return what is asked, each option checked; ``quant`` may name several formats for a budget.

    Raises UsageError (bad_option), InputError (made_elsewhere).
    """
    for name in options:
        if name not in QuantizeOptions.__annotations__:
            near = did_you_mean(name, QuantizeOptions.__annotations__)
            raise UsageError("bad_option", f"quantize has no option {name!r}{near}")
    output = _place(options.get("output"))
    budget, sensitivity = options.get("budget"), flag("sensitivity", options.get("sensitivity", False))
    formats = _formats(quant, MIXED if budget is not None else ())
    if len(formats) > 1 and budget is None:
        raise UsageError("bad_option", "several formats need a --budget to choose among them; name one")
    if len({is_gguf(format) for format in formats}) > 1:
        raise UsageError("bad_option", "one file holds file types of llama.cpp, or formats of bitsandbytes")
    if budget is not None or sensitivity:
        _check_roundable(formats)
    if output and is_gguf(formats[0]) != output.lower().endswith(GGUF):
        what = "a .gguf file" if is_gguf(formats[0]) else "a folder"
        raise UsageError("bad_option", f"{formats[0].name} is written into {what}; name one with -o")
    return QuantizeAsked(
        formats=formats,
        output=output,
        force=flag("force", options.get("force", False)),
        budget=None if budget is None else quantity("budget", budget, parse_memory, MEMORY_LIMIT),
        sensitivity=sensitivity,
        text=text("text", options.get("text", "")),
        windows=whole("windows", options.get("windows", MOST), 1, WINDOWS_LIMIT),
        window=whole("window", options.get("window", LENGTH), 2, WINDOW_LIMIT),
        quality=flag("quality", options.get("quality", True)),
    )


def _place(output: str | None) -> str:
    """Return where the result is written, nothing where it is not."""
    found = text_or_none("output", output)
    if found is not None and (not found or "\0" in found):
        raise UsageError("bad_option", f"{found!r} names no place for the result")
    return found or ""


def _formats(quant: str | None, usual: tuple[str, ...]) -> tuple[Format, ...]:
    """Return the formats that are named, each once, the coarsest first; ``usual`` ones where none is."""
    given = "" if quant is None else text("quant", quant)
    names = [name.strip() for name in given.split(",") if name.strip()] or usual
    found = {format.name: format for format in map(offered_format, names)}
    if not found:
        raise UsageError("bad_option", "no format given; name one with -q (nf4, bnb-int8, q8_0, q4_k_m …)")
    return tuple(sorted(found.values(), key=_bits))


def _bits(format: Format) -> float:
    """Return the bits of a packed weight with its scales."""
    if not is_gguf(format):
        return float(format.bits)
    block = block_types()[file_types()[format.name].block]
    return 8 * block.bytes / block.weights


def _check_roundable(formats: tuple[Format, ...]) -> None:
    for format in formats:
        if not can_round(format.name):
            known = ", ".join(name for name in file_types() if can_round(name))
            raise UsageError(
                "bad_option",
                f"what {format.name} does to single matrices is not measured here; take {known}, "
                "nf4, fp4 or bnb-int8",
            )
        if not is_gguf(format) and len(formats) > 1:
            raise UsageError("bad_option", f"{format.name} stands in a file with 16 bit alone; name no other")
