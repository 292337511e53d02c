"""A command as a value, and how its words are made: flags by name, quoted values, names of models."""

import json
import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sizewise.architecture import Model
from sizewise.catalog.formats import CacheFormat, Format
from sizewise.catalog.starting import Starting
from sizewise.scenario import Scenario

MODEL = "MODEL"
"""What stands for a model that has no files: a bare size, shapes, a changed configuration."""
FLOATS = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A ``command`` for a shell, and what has to be done or known beside it."""

    command: str
    notes: tuple[str, ...] = ()


def shell(words: Iterable[str]) -> str:
    """Return words as one line of a POSIX shell.

    Unprintable characters are written as the escapes of ``$'…'``.

    >>> print(shell(["run", "a b; rm -rf ~", "it's"]))
    run 'a b; rm -rf ~' 'it'"'"'s'
    """
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.encode("utf-8", "surrogateescape").decode("latin-1")
    return "$'" + "".join(_escaped(character) for character in escaped) + "'"


def _escaped(character: str) -> str:
    plain = character.isascii() and character.isprintable() and character not in "\\'"
    return character if plain else f"\\x{ord(character):02x}"


def text(value: str) -> str:
    r"""Return a text as Python writes it, in double quotes.

    >>> print(text('a"b'))
    "a\"b"
    """
    return json.dumps(value, ensure_ascii=False)


def flag(engine: Starting, option: str, *values: object) -> list[str]:
    """Return an option's flag in the engine's own words, with its values."""
    return [*engine.flags[option].split(), *map(str, values)]


def told(engine: Starting, options: Sequence[tuple[str, object, object]]) -> list[str]:
    """Return the flags of (option, value, default) whose value is not the default; True has no value."""
    words: list[str] = []
    for option, value, default in options:
        if value is not None and value != default:
            words += flag(engine, option) if value is True else flag(engine, option, value)
    return words


def hub_or_path(model: Model) -> str:
    """Return what a checkpoint is loaded by: a folder, a repository, or MODEL where there is none.

    >>> import sizewise
    >>> hub_or_path(sizewise.load("llama3.1:8b"))
    'meta-llama/Llama-3.1-8B-Instruct'
    """
    place = model.place
    if not place.path:
        return place.repository or MODEL
    return guarded(place.path if os.path.isdir(place.path) else os.path.dirname(place.path) or ".")


def guarded(path: str) -> str:
    """Return a path that cannot be taken for an option."""
    return os.path.join(".", path) if path.startswith("-") else path


def checkpoint_is(model: Model, weights: Format, scenario: Scenario) -> bool:
    """Tell whether the model's own checkpoint holds the weights in a format."""
    if scenario.shipped is not None:
        return True
    if model.quantization is not None and model.quantization.known:
        return model.quantization.format == weights.name
    return weights.plain and weights.name in FLOATS


def packed_already(model: Model, scenario: Scenario) -> str | None:
    """Return what to say of a checkpoint whose weights are packed in another format than the asked one.

    Engines pack weights of 16 bit alone while they load; None for a checkpoint of those.
    """
    packed = model.quantization
    if packed is None:
        return None
    own, runtime, asked = packed.format if packed.known else packed.method, scenario.runtime, scenario.weights
    return (
        f"{hub_or_path(model)} is already in {own}, of which {runtime} makes no {asked.name}: started so it "
        f"runs in {own}; for {asked.name} give a checkpoint of it in that or in 16 bits"
    )


def cache_word(engine: Starting, row: CacheFormat) -> str | None:
    """Return the engine's name of a cache format; None for the model's own 16 bits or no name."""
    own = row.block == 1 and row.bits == 16
    return None if own else engine.cache.get(row.name)


def cache_notes(engine: Starting, scenario: Scenario) -> tuple[str, ...]:
    """Name the cache formats that the engine does not keep."""
    rows = dict.fromkeys((scenario.cache, scenario.values))
    return tuple(
        f"{scenario.runtime} keeps no {row.name} cache"
        for row in rows
        if row.bits != 16 and row.name not in engine.cache
    )
