"""Every engine on one model: its answer with what makes it differ from the ideal, or why it has none.

An engine that does not run the asked format is shown with the nearest one that it runs, the model's own
first. "Nearest" is by whole bits of a packed weight.
"""

from dataclasses import dataclass, replace

from sizewise.architecture import Model
from sizewise.catalog.formats import Format, file_type_formats, formats
from sizewise.catalog.starting import startings
from sizewise.errors import SizewiseError
from sizewise.notices import Notice
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.changes import FILE_TYPES_SHOWN
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.differences import differences
from sizewise.planning.memory import answer_memory
from sizewise.planning.placing import IDEAL
from sizewise.planning.running import memory_line, runtime_label
from sizewise.planning.storage import OWN_FILE_TYPES
from sizewise.runtimes.registry import RUNTIMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An engine that cannot run a model, and why."""

    runtime: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One model in every engine: answers, the ideal first, and refusals."""

    model: Model
    answers: tuple[MemoryAnswer, ...]
    refusals: tuple[Refusal, ...]


def compare_engines(model: Model, asked: Asked) -> Comparison:
    """Return every engine's answer, all at one context.

    Raises what the ideal raises: options that no engine could be meant with.
    """
    ideal = replace(asked, runtime=IDEAL)
    floor, _ = scenario_for(model, ideal)
    text_tokens = floor.context - floor.image_tokens - floor.audio_tokens
    asked = replace(asked, context=text_tokens)
    answers = [answer_memory(model, ideal)]
    bare = memory_line(model, replace(floor, placements=()))
    refusals = []
    for name in RUNTIMES:
        if name == IDEAL:
            continue
        chosen, notices = _runnable(model, floor.weights, name)
        try:
            answer = answer_memory(model, replace(asked, runtime=name, quant=chosen or asked.quant))
        except SizewiseError as error:
            refusals.append(Refusal(runtime=runtime_label(name), code=error.code, message=error.message))
            continue
        found = differences(answer, bare, same_format=not notices)
        reasons = (*(notice.message for notice in notices), *found)
        answers.append(replace(answer, notices=(*notices, *answer.notices), differs=reasons))
    return Comparison(model=model, answers=tuple(answers), refusals=tuple(refusals))


def _runnable(model: Model, wanted: Format, engine: str) -> tuple[str | None, tuple[Notice, ...]]:
    """Return the name of another format where the engine does not run the wanted one, and say so."""
    known = wanted.is_file_type or wanted.name in formats()
    if engine not in startings() or not known or runs(engine, wanted):
        return None, ()
    found = nearest(model, wanted, engine)
    text = f"{engine} runs no {wanted.name} weights: counted in {found.name}"
    return found.name, (Notice(code="format_replaced", message=text),)


def runs(engine: str, weights: Format) -> bool:
    """Tell whether an engine runs a format of weights.

    >>> from sizewise.catalog.formats import find_format
    >>> runs("vllm", find_format("awq")), runs("vllm", find_format("q4_k_m"))
    (True, False)
    """
    starting = startings()[engine]
    return starting.runs(weights) or (starting.file_types and weights.name in OWN_FILE_TYPES)


def nearest(model: Model, wanted: Format, engine: str) -> Format:
    """Return the format nearest to the wanted one that an engine runs: the model's own, then the usual."""
    starting = startings()[engine]
    if starting.file_types:
        names = (*FILE_TYPES_SHOWN, *OWN_FILE_TYPES.values())
        candidates = [file_type_formats()[name] for name in names]
    else:
        candidates = [formats()[name] for name in starting.loads]
    own = model.quantization.format if model.quantization and model.quantization.known else model.dtype

    def distance(row: Format) -> tuple[int, bool]:
        return round(abs(row.bits - wanted.bits)), row.name != own

    return min(candidates, key=distance)
