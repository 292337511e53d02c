"""``sizewise memory``: how much memory a run needs, by part and device; what fits; what to change."""

import click

from sizewise.architecture import Model
from sizewise.cli.emit import colour, emit
from sizewise.cli.engine_options import engine_options
from sizewise.cli.options import (
    Output,
    check_explained,
    model_options,
    output_options,
    scenario_options,
)
from sizewise.escaping import escape
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.defaults import Asked
from sizewise.planning.memory import answer_memory
from sizewise.report.document import memory_document
from sizewise.report.table import csv_text, markdown
from sizewise.scenario import EngineOptions, Layout
from sizewise.units import parse_memory


@click.command("memory")
@model_options
@scenario_options
@engine_options
@click.option("--explain", is_flag=True, help="Show the formula of every number.")
@click.option("--check", is_flag=True, help="Exit with 1 when it does not fit.")
@output_options
def command(
    *,
    models: list[Model],
    context: int | None,
    images: int,
    image_size: tuple[int, int],
    audio: tuple[tuple[float, ...], ...],
    sequences: int,
    quant: str | None,
    kv_cache_dtype: str | None,
    value_cache_dtype: str | None,
    runtime: str,
    engine: EngineOptions,
    layout: Layout,
    on: str | None,
    memory: str | None,
    explain: bool,
    check: bool,
    output: Output,
) -> int:
    """How much memory it takes to run a model: weights, cache, buffers, overhead, and where it fits."""
    check_explained(output, explain=explain)
    asked = Asked(
        context=context,
        images=images,
        image_size=image_size,
        audio=tuple(seconds for given in audio for seconds in given),
        sequences=sequences,
        quant=quant,
        kv_cache_dtype=kv_cache_dtype,
        value_cache_dtype=value_cache_dtype,
        runtime=runtime,
        engine=engine,
        layout=layout,
        on=on,
        memory_bytes=parse_memory(memory) if memory is not None else None,
    )
    if check and on is None and memory is None:
        raise click.UsageError("--check needs a device: --on rtx-4090 or --memory 24GiB")
    answers = [answer_memory(model, asked) for model in models]
    if output.plot:
        from sizewise.report.plots import plot_memory

        plot_memory(answers, output.plot)
    wants_json = output.format in ("json", "jsonl")
    emit(
        output,
        [memory_document(answer, explain=explain) for answer in answers] if wants_json else [],
        text=lambda: _text(answers, output, explain=explain),
        markdown=lambda: _markdown(answers),
        csv=lambda: _csv(answers),
        notices=[notice for answer in answers for notice in (*answer.model.notices, *answer.notices)],
    )
    return int(check and not all(answer.all_fit for answer in answers))


def _text(answers: list[MemoryAnswer], output: Output, *, explain: bool) -> str:
    from sizewise.report.memory import compared_memory, explained, memory_bar, memory_notes, memory_tables
    from sizewise.report.terminal import render

    if explain:
        return "\n\n".join(f"{escape(answer.model.name)}\n{explained(answer)}" for answer in answers) + "\n"
    if len(answers) > 1:
        return render(compared_memory(answers), color=colour(output))
    (answer,) = answers
    return render(
        memory_tables(answer), color=colour(output), bar=memory_bar(answer), notes=memory_notes(answer)
    )


def _markdown(answers: list[MemoryAnswer]) -> str:
    from sizewise.report.memory import memory_tables

    return "\n\n".join(markdown(memory_tables(answer)) for answer in answers)


def _csv(answers: list[MemoryAnswer]) -> str:
    rows = [
        (answer.model.name, part.name, part.value, part.status)
        for answer in answers
        for part in (*answer.line.parts, answer.line)
    ]
    return csv_text(rows, ("model", "part", "bytes", "status"))
