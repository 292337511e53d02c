"""Profile a model: predict first, then count, measure and time, and hold both side by side.

What does not fit into this machine, or need not be run, is counted and followed on tensors without data:
parameters, FLOPs and peaks of any size in seconds, no times.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sizewise.errors import UsageError
from sizewise.lab.extras import required
from sizewise.lab.profiling.answer import Profile

NEEDED_FOR = "sizewise profile"


def profile(
    model: Any,
    *,
    batch: int = 1,
    sequence: int = 512,
    input_shape: Sequence[int] | None = None,
    inputs: Any = None,
    on: str | None = None,
    training: bool | None = None,
    timed: bool = True,
    answer: int = 16,
    data: bool | None = None,
    dtype: str | None = None,
    settings: Sequence[str] = (),
    offline: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Profile:
    """Return a model's profile: parameters, memory, FLOPs and times, each predicted and measured.

    ``model`` is a live ``torch.nn.Module``, which is left as it was, a reference (a name, a folder, a GGUF
    file; weights that are in no files here are random) or a configuration as a mapping. ``batch`` sequences
    of ``sequence`` tokens go in, or an input of ``input_shape``, or ``inputs`` (a tensor, several, or named
    ones). ``on`` is the device that times are predicted for, as on the command line (None: this machine, by
    what it is measured to do). ``training`` adds a step with AdamW (None: where the model is run),
    ``timed=False`` leaves times out; ``answer`` tokens are decoded (1: none are timed). ``data=False`` runs
    nothing, shapes alone go through; True runs what may not fit. ``dtype`` is fp32, fp16 or bf16.
    ``progress`` is told what is being done. Raises UsageError (bad_option), InputError (missing_extra,
    bad_data, …).
    """
    required("torch", needed_for=NEEDED_FOR)
    from sizewise.lab.profiling.inputs import identifiers_in, rows_of
    from sizewise.lab.profiling.profiled import profiled
    from sizewise.lab.profiling.sides import Wanted

    shape = None if input_shape is None else tuple(_positive("input_shape", size) for size in input_shape)
    if shape is not None and len(shape) > 1:
        batch, sequence = shape[0], shape[1]
    identifiers = identifiers_in(inputs)
    if identifiers is not None:
        batch, sequence = (int(size) for size in identifiers.shape)
    elif inputs is not None:
        batch, sequence = rows_of(inputs)
    wanted = Wanted(
        batch=_positive("batch", batch),
        sequence=_positive("sequence", sequence),
        shape=shape,
        inputs=inputs,
        on=on,
        training=training,
        timed=timed,
        answer=_positive("answer", answer),
        data=data,
        tell=progress or (lambda _what: None),
    )
    return profiled(_subject(model, dtype=dtype, settings=settings, offline=offline), wanted)


def _positive(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError("bad_option", f"{name}={value!r} is no count of at least 1")
    return value


def _subject(model: Any, *, dtype: str | None, settings: Sequence[str], offline: bool) -> Any:
    from sizewise.lab.profiling import subject

    if dtype is not None and dtype not in subject.NAMES:
        raise UsageError("bad_option", f"dtype {dtype!r} is none of {', '.join(subject.NAMES)}")
    if hasattr(model, "named_parameters"):
        if dtype is not None or settings:
            raise UsageError("bad_option", "dtype and settings belong to a reference; this module is built")
        return subject.of_module(model)
    required("transformers", needed_for=NEEDED_FOR)
    if isinstance(model, str):
        return subject.of_reference(model, settings=settings, dtype=dtype, offline=offline)
    if isinstance(model, Mapping):
        return subject.of_configuration(model, dtype=dtype)
    raise UsageError(
        "bad_reference", f"a {type(model).__name__} is no model: give a name, a path or a module"
    )
