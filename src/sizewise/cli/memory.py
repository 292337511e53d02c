"""``sizewise memory``: how much memory a run needs, by part and device; what fits; what to change."""

from typing import TYPE_CHECKING, Any

import click

from sizewise.architecture import Model
from sizewise.cli.caller import model_of
from sizewise.cli.emit import colour, emit
from sizewise.cli.engine_options import engine_options
from sizewise.cli.options import (
    Output,
    check_curve,
    check_explained,
    model_options,
    output_options,
    scenario_options,
)
from sizewise.escaping import escape
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.defaults import ALL, Asked
from sizewise.planning.memory import answer_memory
from sizewise.report.document import Document, memory_document, refusal_document
from sizewise.report.table import csv_text, markdown
from sizewise.units import parse_memory

if TYPE_CHECKING:
    from sizewise.planning.compare import Comparison


@click.command("memory")
@model_options
@scenario_options
@engine_options
@click.option("--explain", is_flag=True, help="Show the formula of every number.")
@click.option("--check", is_flag=True, help="Exit with 1 when it does not fit.")
@click.option("--draft", metavar="MODEL", help="A draft model for speculative decoding, counted beside it.")
@click.option("--mtp", "prediction", is_flag=True, help="Load the model's own layers that predict ahead.")
@click.option("--largest-model", is_flag=True, help="Find the largest known model that fits the same way.")
@click.option("--curve", is_flag=True, help="Memory against context for each cache format, in the JSON.")
@output_options
def command(
    *,
    models: list[Model],
    audio: tuple[tuple[float, ...], ...],
    memory: str | None,
    draft: str | None,
    explain: bool,
    curve: bool,
    check: bool,
    output: Output,
    **told: Any,
) -> int:
    """How much memory it takes to run a model: weights, cache, buffers, overhead, and where it fits."""
    check_explained(output, explain=explain)
    check_curve(output, curve=curve)
    asked = Asked(
        audio=tuple(seconds for given in audio for seconds in given),
        memory_bytes=parse_memory(memory) if memory is not None else None,
        draft=None if draft is None else model_of(draft),
        **told,
    )
    if check and asked.on is None and memory is None:
        raise click.UsageError("--check needs a device: --on rtx-4090 or --memory 24GiB")
    every = asked.runtime.strip().lower() == ALL
    comparisons = _compared(models, asked) if every else []
    answers = [answer for one in comparisons for answer in one.answers]
    answers = answers or [answer_memory(model, asked) for model in models]
    if output.plot:
        from sizewise.report.plots import plot_memory

        plot_memory(answers, output.plot)
    wants_json = output.format in ("json", "jsonl")
    emit(
        output,
        [_document(answer, explain=explain, curve=curve) for answer in answers] if wants_json else [],
        text=lambda: _text(answers, comparisons, output, explain=explain),
        markdown=lambda: _markdown(answers, comparisons),
        csv=lambda: _csv(answers, comparisons),
        notices=[notice for answer in answers for notice in (*answer.model.notices, *answer.notices)],
        refused=_refused(comparisons) if every else None,
    )
    return int(check and not all(answer.all_fit for answer in answers))


def _document(answer: MemoryAnswer, *, explain: bool, curve: bool) -> Document:
    document = memory_document(answer, explain=explain)
    if not curve:
        return document
    from sizewise.planning.context_curve import context_samples
    from sizewise.report.memory_curve import curve_block

    return document | {"curve": curve_block(context_samples(answer))}


def _compared(models: list[Model], asked: Asked) -> "list[Comparison]":
    from sizewise.planning.compare import compare_engines

    return [compare_engines(model, asked) for model in models]


def _refused(comparisons: "list[Comparison]") -> list[Document]:
    return [refusal_document(one.model.name, refusal) for one in comparisons for refusal in one.refusals]


def _text(
    answers: list[MemoryAnswer], comparisons: "list[Comparison]", output: Output, *, explain: bool
) -> str:
    from sizewise.report.memory import compared_memory, explained, memory_bar, memory_notes, memory_tables
    from sizewise.report.terminal import render

    if explain:
        heads = [answer.model.name + (f", {answer.runtime}" if comparisons else "") for answer in answers]
        found = zip(heads, answers, strict=True)
        return "\n\n".join(f"{escape(head)}\n{explained(answer)}" for head, answer in found) + "\n"
    if comparisons:
        from sizewise.report.engines import engine_notes, engine_table

        tables = [engine_table(one) for one in comparisons]
        return render(
            tables, color=colour(output), notes=[note for one in comparisons for note in engine_notes(one)]
        )
    if len(answers) > 1:
        return render(compared_memory(answers), color=colour(output))
    (answer,) = answers
    return render(
        memory_tables(answer), color=colour(output), bar=memory_bar(answer), notes=memory_notes(answer)
    )


def _markdown(answers: list[MemoryAnswer], comparisons: "list[Comparison]") -> str:
    from sizewise.report.engines import engine_table
    from sizewise.report.memory import memory_tables

    if comparisons:
        return markdown([engine_table(one) for one in comparisons])
    return "\n\n".join(markdown(memory_tables(answer)) for answer in answers)


def _csv(answers: list[MemoryAnswer], comparisons: "list[Comparison]") -> str:
    rows = [
        (*_named(answer, comparisons), part.name, part.value, part.status)
        for answer in answers
        for part in (*answer.line.parts, answer.line)
    ]
    columns = ("model", *(("runtime",) if comparisons else ()), "part", "bytes", "status")
    return csv_text(rows, columns)


def _named(answer: MemoryAnswer, comparisons: "list[Comparison]") -> tuple[str, ...]:
    return (answer.model.name, *((answer.runtime,) if comparisons else ()))
