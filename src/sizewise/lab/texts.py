"""What a model is measured on and what choices are made on: never the same passage."""

from dataclasses import replace
from typing import Any

from sizewise.catalog.texts import shipped_text
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.loading import Loaded
from sizewise.lab.quality.windows import (
    Passage,
    Windows,
    random_windows,
    read_passage,
    shipped_passage,
    text_windows,
)

Text = str | Windows | None
"""A file, tokens that are windows already, or None: the shipped passage."""

CALIBRATION_SEED = 1
ALL = 10**9
FEWEST = 2
RANDOM_WINDOWS = 64


def measuring_windows(loaded: Loaded, text: Text, *, length: int, most: int) -> Windows:
    """Return the windows that a quality is measured on: of a file, else of the shipped passage for it.

    A model without a tokenizer gets random tokens where no text is named. Raises InputError (bad_data for a
    text that no tokenizer reads) with the codes of `read_passage` and `text_windows`.
    """
    return _windows(loaded, text, "measure", length=length, most=most)


def choosing_windows(loaded: Loaded, text: Text, *, length: int, most: int) -> Windows:
    """Return the windows that are calibrated on, as `measuring_windows`, of another passage."""
    return _windows(loaded, text, "choose", length=length, most=most)


def context_of(loaded: Loaded) -> int | None:
    """Return how many tokens a model reads, None where its configuration does not say."""
    config = loaded.module.config.get_text_config()
    found = getattr(config, "max_position_embeddings", None)
    return found if isinstance(found, int) and found > 0 else None


def _windows(loaded: Loaded, text: Text, use: Any, *, length: int, most: int) -> Windows:
    if isinstance(text, Windows):
        return text
    length = min(length, context_of(loaded) or length)
    if loaded.tokenizer is None and text is not None:
        raise InputError(
            "bad_data",
            f"{shorten(loaded.name, 120)} has no tokenizer that could read {shorten(text, 120)}; "
            "without a text random tokens are taken",
        )
    if loaded.tokenizer is None:
        vocabulary = loaded.module.get_input_embeddings().weight.shape[0]
        seed = 0 if use == "measure" else CALIBRATION_SEED
        return random_windows(vocabulary, length=length, most=min(most, RANDOM_WINDOWS), seed=seed)
    passage: Passage = read_passage(text) if text is not None else shipped_passage(shipped_text(use))
    return text_windows(loaded.tokenizer, passage, length=length, most=most)


def training_windows(loaded: Loaded, text: Text, *, length: int, split: bool) -> Windows:
    """Return the windows that a model is trained on: all, or all but the last tenth (``split``).

    Without a file they are of the shipped passage that nothing is measured on. Raises InputError.
    """
    windows = _windows(loaded, text, "choose", length=length, most=ALL)
    if text is None or not split:
        return windows
    return replace(windows, ids=windows.ids[: windows.count - _held(windows)])


def held_out_windows(loaded: Loaded, text: Text, held_out: Text, *, length: int, most: int) -> Windows:
    """Return the windows that no training sees: of their own file, else the last tenth of the training text.

    Without any file they are of the shipped passage that is measured on. Raises InputError.
    """
    if text is None or held_out is not None:
        return _windows(loaded, held_out, "measure", length=length, most=most)
    windows = _windows(loaded, text, "choose", length=length, most=ALL)
    last = windows.ids[windows.count - _held(windows) :]
    return replace(windows, ids=last[:most])


def _held(windows: Windows) -> int:
    if windows.count < FEWEST:
        raise InputError(
            "bad_data",
            f"{windows.title}: {windows.count} windows of {windows.length} tokens are too few to hold some "
            f"out; give at least {FEWEST}, or another text with --held-out",
        )
    return max(windows.count // 10, 1)
