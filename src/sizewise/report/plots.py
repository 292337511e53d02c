"""Pictures of answers, drawn by matplotlib (extra ``plot``): the stacked memory bar, parameters by role.

Colours are told apart without red and green and in grey; numbers stand next to the marks.
"""

import os
from collections.abc import Sequence
from typing import Any

from sizewise.counting import Count
from sizewise.errors import InputError, UsageError
from sizewise.escaping import escape, shorten
from sizewise.planning.answer import MemoryAnswer
from sizewise.report.memory import bar_device
from sizewise.report.params import ROLE_NAMES
from sizewise.units import GIB, binary_bytes, short_count

ENDINGS = (".svg", ".png", ".pdf")
COLOURS = ("#0072B2", "#56B4E9", "#E69F00", "#CC79A7", "#999999")
"""The colour-blind safe colours of Okabe and Ito."""

HATCHES = ("", "//", "..", "xx", "")


def plot_memory(answers: Sequence[MemoryAnswer], path: str) -> None:
    """Draw one stacked bar per model, with the line of the asked device or the smallest that fits.

    Raises UsageError (bad_option) for another ending, InputError (exists, missing_extra).
    """
    figure, axes = _figure(path, height=1.6 + 0.7 * len(answers))
    for row, answer in enumerate(answers):
        left = 0.0
        line = answer.shares[0].line if answer.shares else answer.line
        for part, colour, hatch in zip(line.parts, COLOURS, HATCHES, strict=False):
            width = part.value / GIB
            label = part.name if row == 0 else None
            axes.barh(row, width, left=left, color=colour, hatch=hatch, edgecolor="white", label=label)
            left += width
    fit = bar_device(answers[0].fits)
    if fit is not None:
        axes.axvline(fit.usable / GIB, color="black", linestyle="--", linewidth=1.2)
        axes.text(fit.usable / GIB, len(answers) - 0.45, f"{fit.device} ", ha="right", fontsize=10)
    axes.set_yticks(range(len(answers)), [_label(answer) for answer in answers])
    axes.set_xlabel("GiB on each device" if len(answers[0].shares) > 1 else "GiB")
    axes.margins(x=0.15)
    axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.25), frameon=False, fontsize=10)
    _save(figure, path)


def _label(answer: MemoryAnswer) -> str:
    line = answer.shares[0].line if answer.shares else answer.line
    runtime = f", {answer.runtime}" if answer.differs else ""
    return f"{escape(shorten(answer.model.name, 40))}{runtime}\n{binary_bytes(line.value)}"


def plot_params(count: Count, name: str, path: str) -> None:
    """Draw the parameters by role as bars. Raises as `plot_memory`."""
    roles = sorted(count.by_role.items(), key=lambda item: item[1])
    figure, axes = _figure(path, height=1.2 + 0.4 * len(roles))
    axes.barh(
        [ROLE_NAMES.get(role, role) for role, _ in roles], [amount for _, amount in roles], color=COLOURS[0]
    )
    for place, (_, amount) in enumerate(roles):
        axes.text(amount, place, f" {short_count(amount)}", va="center", fontsize=10)
    axes.set_xlabel("parameters")
    axes.xaxis.set_major_formatter(lambda amount, _: short_count(amount))
    axes.set_title(escape(shorten(name, 60)), loc="left", fontsize=12)
    axes.margins(x=0.15)
    _save(figure, path)


def _figure(path: str, height: float) -> tuple[Any, Any]:
    if not path.lower().endswith(ENDINGS):
        raise UsageError("bad_option", f"--plot {shorten(path)!r} must end in {', '.join(ENDINGS)}")
    if os.path.lexists(path):
        raise InputError("exists", f"{shorten(path, 120)} exists; choose another name or remove it")
    try:
        from matplotlib import rcParams
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "missing_extra", "pictures need matplotlib; run: pip install 'sizewise[plot]'"
        ) from None
    rcParams["svg.hashsalt"] = "sizewise"
    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Any, path: str) -> None:
    """Write the picture, whole or not at all; the same answer gives the same bytes."""
    temporary = f"{path}.{os.getpid()}.tmp"
    ending = path.lower().rsplit(".", 1)[1]
    try:
        metadata = {"Date": None} if ending == "svg" else {"CreationDate": None} if ending == "pdf" else None
        figure.savefig(temporary, format=ending, metadata=metadata, dpi=150)
        os.rename(temporary, path)
    except OSError as error:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise InputError("unwritable", f"{shorten(path, 120)} cannot be written: {error.strerror}") from None
