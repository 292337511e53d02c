"""The verb: say what will be written, write it whole or not at all, read it back, measure the loss."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Unpack

from sizewise.catalog.formats import find_format
from sizewise.catalog.ggml import block_types, file_types
from sizewise.catalog.texts import Use, shipped_text
from sizewise.counting import parameter_line
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.extras import required
from sizewise.lab.loading import Loaded, load_module
from sizewise.lab.outputs import check_absent, check_elsewhere, remove_leftovers
from sizewise.lab.quality.measure import Quality, measured, scored
from sizewise.lab.quality.windows import (
    Passage,
    Windows,
    random_windows,
    read_passage,
    shipped_passage,
    text_windows,
)
from sizewise.lab.quantizing import gguf_files
from sizewise.lab.quantizing.answer import QuantizeAnswer
from sizewise.lab.quantizing.asked import QuantizeAsked, QuantizeOptions, quantize_asked
from sizewise.lab.quantizing.conversion import as_gguf, check_convertible
from sizewise.lab.quantizing.methods import is_gguf
from sizewise.lab.quantizing.mixing import choices, measure_and_spend, measure_layers
from sizewise.lab.quantizing.original import Original, read_original
from sizewise.lab.quantizing.plan import Plan
from sizewise.lab.quantizing.planned import check_room, planned
from sizewise.lab.quantizing.sensitivity import Sensitivity
from sizewise.lab.quantizing.writing import write_file, write_folder
from sizewise.lab.quiet import quiet_transformers
from sizewise.lab.texts import context_of
from sizewise.notices import Notice
from sizewise.planning.quality.format_loss import FormatLoss, model_format_loss

Tell = Callable[[str, int, int], None]
"""Told of each stage how much of it is done, of how much."""
CHOOSING_WINDOWS = 3
FP32_UP_TO = 3 * 10**9
"""Parameters up to which the original is computed in fp32; above in its own format."""
COMMAND = "sizewise quantize"
PACKED = "q8_0"
"""The file type that a command names where a mix is of 16 bit, for which llama.cpp chooses no types."""
PACKAGES = ("accelerate", "bitsandbytes", "gguf", "safetensors")


def quantize(
    model: Any,
    quant: str | None = None,
    *,
    offline: bool = False,
    tell: Tell | None = None,
    announce: Callable[[Plan], None] | None = None,
    **options: Unpack[QuantizeOptions],
) -> QuantizeAnswer:
    """Quantize a real model: the exact bytes first, then the file, proved to read back, and its loss.

    ``model`` is a reference or a live causal language model of transformers; ``quant`` a format (``nf4``,
    ``4bit``, ``bnb-int8``, ``q8_0``, ``q4_k_m`` …). The other options are those of `QuantizeOptions`.
    ``announce`` is given the plan before anything starts, ``tell`` how far each stage is.

    Raises UsageError (bad_option) and InputError: made_elsewhere, missing_extra, exists, replaces_source,
    disk_full, already_quantized, missing_weights, quantizer_failed, proof_failed and those of the sources.
    """
    asked = quantize_asked(quant, options)
    if asked.output:
        check_absent(asked.output, force=asked.force)
        remove_leftovers(asked.output)
    for package in ("torch", "transformers"):
        required(package, needed_for=COMMAND)
    with quiet_transformers():
        for package in PACKAGES:
            required(package, needed_for=COMMAND)
        own = read_passage(asked.text) if asked.text else None
        original = read_original(model, offline=offline)
        if asked.output:
            check_elsewhere(asked.output, original.model.place.path, asked.text)
        run = _Run(asked=asked, own=own, tell=tell or _nobody, announce=announce or (lambda _: None))
        return run.answer(original)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One quantization: what is asked, the user's own text, who is told how far it is, and given the plan."""

    asked: QuantizeAsked
    own: Passage | None
    tell: Tell
    announce: Callable[[Plan], None]

    def answer(self, original: Original) -> QuantizeAnswer:
        """Return the plan; with an output, or something to measure, what came of it."""
        plan = planned(original, self.asked.format)
        self.announce(plan)
        asked = self.asked
        if not (asked.output or asked.mixed or asked.sensitivity):
            return _answer(original, plan, _expected(original, plan, asked))
        if original.parts > 1:
            raise InputError(
                "split_file",
                f"{shorten(original.name, 120)} is one of {original.parts} parts; join them with "
                "llama-gguf-split --merge, and give the result",
            )
        if not asked.output:
            return self._found(original, plan)
        _check_writable(original, plan, asked.output)
        if not is_gguf(plan.format) or original.gguf:
            return self._found(original, plan)
        with as_gguf(original, asked.output) as converted:
            return self._found(converted, planned(converted, plan.format))

    def _found(self, original: Original, plan: Plan) -> QuantizeAnswer:
        """Return what was measured of an original, and what was written."""
        asked = self.asked
        loaded, said = self._loaded(original, plan)
        found = None
        if loaded is not None and (asked.mixed or asked.sensitivity):
            found, plan = self._sensitivity(original, plan, loaded)
        if loaded is not None and not is_gguf(plan.format):
            exact = planned(original, plan.format, kept=plan.kept, weights=loaded.module)
            plan = replace(exact, notices=plan.notices)
        answer = _answer(original, plan, _expected(original, plan, asked), found, said)
        return self._written(answer, loaded) if asked.output else answer

    def _loaded(self, original: Original, plan: Plan) -> tuple[Loaded | None, tuple[Notice, ...]]:
        """Return the original with its weights, and what is said of them.

        None where a file of llama.cpp is made of another one and nothing is measured, or transformers, which
        measures, cannot read it.
        """
        asked = self.asked
        needed = asked.mixed or asked.sensitivity or not is_gguf(plan.format)
        if not (needed or asked.quality):
            return None, ()
        self.tell("weights read", 0, 1)
        try:
            loaded = _load(original)
        except InputError as error:
            if needed:
                raise
            return None, (_not_measured(error),)
        return loaded, (*loaded.notices, *_unread(original, loaded))

    def _sensitivity(self, original: Original, plan: Plan, loaded: Loaded) -> tuple[Sensitivity, Plan]:
        chosen = choices(original, self.asked)
        if not chosen.parameters:
            raise InputError(
                "nothing_packed", f"{plan.format.name} packs nothing of this model: no plan to make"
            )
        reference = scored(loaded.module, self._windows(loaded, "choose"))

        def step(done: int, of: int) -> None:
            self.tell("groups measured", done, of)

        if self.asked.mixed:
            return measure_and_spend(loaded.module, reference, original, self.asked, chosen=chosen, step=step)
        return measure_layers(loaded.module, reference, chosen, step), plan

    def _written(self, answer: QuantizeAnswer, loaded: Loaded | None) -> QuantizeAnswer:
        """Return the answer after the result was written and proved, and how far it is from the original."""
        asked, original, plan = self.asked, answer.original, answer.plan
        windows = self._windows(loaded, "measure") if loaded is not None and asked.quality else None
        again = None
        if loaded is None or is_gguf(plan.format):
            saved = write_file(original, plan, asked.output, force=asked.force, tell=self.tell)
        else:
            saved, again = write_folder(
                original, plan, loaded, asked.output, force=asked.force, tell=self.tell
            )
        answer = replace(answer, saved=saved)
        if again is None and asked.mixed:
            answer = replace(answer, command=_command(original, plan, saved.path))
        return answer if loaded is None or windows is None else self._measured(answer, loaded, again, windows)

    def _measured(
        self, answer: QuantizeAnswer, loaded: Loaded, again: Any, windows: Windows
    ) -> QuantizeAnswer:
        assert answer.saved is not None
        self.tell("models measured", 0, 2)
        try:
            candidate = again if again is not None else load_module(answer.saved.path, dtype="float32").module
            quality = measured(loaded.module, candidate, windows)
        except InputError as error:
            return replace(answer, notices=(*answer.notices, _not_measured(error)))
        return replace(answer, quality=quality, notices=(*answer.notices, *_said_of_quality(quality)))

    def _windows(self, loaded: Loaded, use: Use) -> Windows:
        """Return the windows to measure on, no longer than the model reads: random without a tokenizer."""
        asked, config = self.asked, loaded.module.config.get_text_config()
        length = min(asked.window, context_of(loaded) or asked.window)
        most = asked.windows if use == "measure" else min(asked.windows, CHOOSING_WINDOWS)
        if loaded.tokenizer is None:
            seed = 0 if use == "measure" else 1
            return random_windows(config.vocab_size, length=length, most=most, seed=seed)
        own = self.own if use == "measure" else None
        passage = own or shipped_passage(shipped_text(use))
        return text_windows(loaded.tokenizer, passage, length=length, most=most)


def _nobody(_stage: str, _done: int, _of: int) -> None:
    """Tell nobody."""


def _answer(
    original: Original,
    plan: Plan,
    expected: FormatLoss,
    sensitivity: Sensitivity | None = None,
    notices: tuple[Notice, ...] = (),
) -> QuantizeAnswer:
    return QuantizeAnswer(
        original=original,
        plan=plan,
        expected=expected,
        sensitivity=sensitivity,
        notices=(*original.model.notices, *plan.notices, *notices),
    )


def _check_writable(original: Original, plan: Plan, output: str) -> None:
    """Raise InputError where what is planned cannot be written: no converter, no quantizer, no room."""
    if is_gguf(plan.format):
        check_convertible(original)
    if plan.maker == "llama.cpp":
        gguf_files.check_quantizer(plan)
    check_room(output, plan.file_bytes or plan.bytes)


def _load(original: Original) -> Loaded:
    """Return the original with its weights; a live module is copied, for it is somebody's."""
    if original.live:
        module = deepcopy(original.reference).float().eval()
        return Loaded(module=module, tokenizer=None, name=original.name, origin="live")
    small = parameter_line(original.model).value <= FP32_UP_TO
    loaded = load_module(
        original.reference,
        dtype="float32" if small else "auto",
        offline=original.offline,
        needed_for=COMMAND,
    )
    for notice in loaded.notices:
        if notice.code == "missing_weights":
            raise InputError("missing_weights", notice.message)
    return loaded


def _unread(original: Original, loaded: Loaded) -> tuple[Notice, ...]:
    """Say that transformers has no place for all numbers of a GGUF file; tables of rotary factors aside."""
    if loaded.origin != "gguf" or original.model.listing is None:
        return ()
    held = sum(one.elements for one in original.model.listing.tensors if not one.name.startswith("rope_"))
    read = sum(one.numel() for one in loaded.module.parameters())
    if held <= read:
        return ()
    text = f"transformers leaves {held - read:,} of {held:,} weights of the file aside; it measures without"
    return (Notice(code="unread_weights", message=text),)


def _expected(original: Original, plan: Plan, asked: QuantizeAsked) -> FormatLoss:
    """Return what is known of the loss of a format; nothing of a mix that was chosen here."""
    if asked.mixed:
        return FormatLoss(
            format="mixed",
            nats=None,
            low=None,
            high=None,
            status="unknown",
            basis="a mix that was chosen here",
        )
    return model_format_loss(original.model, plan.format)


def _command(original: Original, plan: Plan, path: str) -> tuple[str, ...]:
    """Return what makes llama.cpp's own quantizer write the same block types."""
    packed = block_types()[file_types()[plan.format.name].block].weights > 1
    usual = planned(original, plan.format if packed else find_format(PACKED))
    return gguf_files.command(plan, usual, original.gguf, path, repack=bool(original.packed_as))


def _not_measured(error: InputError) -> Notice:
    return Notice(code="not_measured", message=f"the loss is not measured: {error.message}")


def _said_of_quality(quality: Quality) -> tuple[Notice, ...]:
    if quality.random:
        text = "there is no tokenizer: random tokens tell the models apart, and nothing of their quality"
        return (Notice(code="random_text", message=text),)
    if not quality.enough:
        text = f"{quality.tokens} tokens are too few to say something of the quality; give more --windows"
        return (Notice(code="few_tokens", message=text),)
    return ()
