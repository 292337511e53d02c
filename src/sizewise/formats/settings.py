"""Settings: checked access to a ``quantization_config``, which is data from a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten

LIST_LIMIT = 200_000
NUMBER_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Settings:
    """One object of settings; every reader raises InputError (bad_config) naming the field."""

    raw: Mapping[str, Any]

    def bad(self, name: str, why: str) -> InputError:
        """Return the error about a field."""
        return InputError("bad_config", f"quantization settings: {shorten(name, 40)} {why}")

    def text(self, *names: str) -> str:
        """Return the first string under one of the names, in lower case; empty when there is none."""
        for name in names:
            value = self.raw.get(name)
            if isinstance(value, str):
                return value[:100].lower()
            if value is not None:
                raise self.bad(name, "is not a string")
        return ""

    def integer(self, *names: str) -> int | None:
        """Return the first whole number from -1 under one of the names; None when there is none."""
        for name in names:
            value = self.raw.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= NUMBER_LIMIT:
                raise self.bad(name, "is not a whole number in range")
            return value
        return None

    def group(self, *names: str) -> int | None:
        """Return a group size; 0 for -1 (one group per row), None when it is not stated."""
        value = self.integer(*names)
        if value == 0:
            raise self.bad(names[0], "is 0; a group holds at least one weight")
        return 0 if value == -1 else value

    def flag(self, name: str) -> bool:
        """Return true or false; missing and null are false."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.bad(name, "is not true or false")
        return bool(value)

    def words(self, *names: str) -> tuple[str, ...] | None:
        """Return the first list of strings under one of the names; None when there is none."""
        for name in names:
            value = self.raw.get(name)
            if value is None:
                continue
            if not isinstance(value, list | tuple) or len(value) > LIST_LIMIT:
                raise self.bad(name, "is not a list of module names")
            if not all(isinstance(word, str) for word in value):
                raise self.bad(name, "holds something that is not a module name")
            return tuple(value)
        return None

    def nested_words(self, name: str) -> tuple[str, ...]:
        """Return the strings of a list of strings or of lists of strings; empty when there is none."""
        value = self.raw.get(name)
        if not isinstance(value, list | tuple):
            return self.words(name) or ()
        lists = (Settings({name: word if isinstance(word, list | tuple) else [word]}) for word in value)
        return tuple(word for found in lists for word in found.words(name) or ())

    def pair(self, name: str) -> tuple[int, int] | None:
        """Return two whole numbers from 1; None when there are none."""
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, Sequence) or len(value) != 2 or not all(_positive(size) for size in value):
            raise self.bad(name, "is not a pair of sizes such as [128, 128]")
        return value[0], value[1]

    def section(self, name: str) -> "Settings | None":
        """Return a nested object; None when it is missing or null."""
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.bad(name, "is not an object")
        return Settings(value)

    def sections(self, name: str) -> "dict[str, Settings]":
        """Return the objects inside a nested object; empty when it is missing or null."""
        outer = self.section(name)
        if outer is None:
            return {}
        return {str(key): found for key in outer.raw if (found := outer.section(key)) is not None}


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= NUMBER_LIMIT
