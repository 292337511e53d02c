"""Walk large JSON headers piece by piece: work and memory follow the bytes and stop at the first fault.

A whole header is never turned into objects: 25 MB of ``[[],[],…]`` would take 629 MB. A piece (one
entry, the metadata) is measured first, by tokens and depth, and only then parsed.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from sizewise.errors import InputError
from sizewise.escaping import shorten

SPACE = rb"[ \t\n\r]*+"
"""A regular expression of JSON white space."""

PLAIN_STRING = rb'"([^"\\\x00-\x1f]*+)"'
"""A regular expression of a JSON string without escapes; one group."""

STRING_LIMIT = 1_000_000
"""Bytes of one name."""
_KEY_SLACK = 1_000
"""White space around the colon behind a name of that size."""

HUGE = 10**30
"""What an integer of more than 30 digits is read as: beyond every limit, and cheap."""

_SPACE = re.compile(SPACE)
_KEY = re.compile(rb'"((?:[^"\\\x00-\x1f]++|\\.)*+)"' + SPACE + b":" + SPACE, re.S)
_TOKEN = re.compile(rb'([\[{])|([\]}])|"(?:[^"\\]++|\\.)*+("?+)', re.S)
_SURROGATE = re.compile(rb"\\u[dD]")


@dataclass(slots=True)
class Scanner:
    """A place in JSON text, and how many more tokens may be read on the way to its end."""

    data: bytes
    where: str
    depth: int
    tokens: int
    position: int = 0

    def peek(self) -> bytes:
        """Return the next byte after white space, empty at the end."""
        self.position = _end(_SPACE, self.data, self.position)
        return self.data[self.position : self.position + 1]

    def expect(self, byte: bytes, meaning: str) -> None:
        """Step over one byte; raises InputError (bad_json, too_deep) when another one stands there."""
        if self.peek() != byte:
            raise self.unexpected(meaning)
        self.position += 1

    def key(self) -> str:
        """Step over a name and its colon, and return the name.

        Raises InputError: bad_json, bad_utf8, string_too_long.
        """
        self.peek()
        match = _KEY.match(self.data, self.position, self.position + STRING_LIMIT + _KEY_SLACK)
        if match is None and self.peek() == b'"' and len(self.data) > self.position + STRING_LIMIT:
            raise self._too_long(STRING_LIMIT)
        if match is None:
            raise self.unexpected("a name in quotes and a colon")
        start, self.position = self.position, match.end()
        return str(self._parse(self.data[start : match.end(1) + 1], str))

    def piece(self, kind: type, what: str, *, limit: int) -> Any:
        """Step over the value of the field ``what`` and return it: a JSON type, at most ``limit`` bytes.

        Raises InputError: bad_json, bad_utf8, bad_field, duplicate, too_deep, too_many_entries,
        string_too_long.
        """
        opening = b"{" if kind is dict else b'"'
        if self.peek() != opening:
            wanted = "an object" if kind is dict else "a string"
            raise self.unexpected(f"{wanted} for {shorten(what)!r}", code="bad_field")
        start = self.position
        self.position = self._end_of_value(limit)
        return self._parse(self.data[start : self.position], kind)

    def skip(self, *, limit: int) -> None:
        """Step over any value without reading it; raises InputError as `piece` does."""
        byte = self.peek()
        if byte in (b"{", b"[", b'"'):
            start, self.position = self.position, self._end_of_value(limit)
        else:
            start, self.position = self.position, _end(_BARE, self.data, self.position)
        self._parse(self.data[start : self.position], object)

    def separator(self) -> bool:
        """Step over ``,`` or the closing brace of the object; tell whether another entry follows."""
        byte = self.peek()
        if byte not in (b",", b"}"):
            raise self.unexpected("a comma or a closing brace")
        self.position += 1
        return byte == b","

    def finish(self) -> None:
        """Demand that nothing but white space is left."""
        if self.peek():
            raise self.unexpected("the end of the JSON text")

    def unexpected(self, meaning: str, *, code: str = "bad_json") -> InputError:
        """Return the error about what stands here instead of what was meant."""
        opening = self.data[self.position : _end(_OPENING, self.data, self.position)]
        depth = len(opening.translate(None, b" \t\n\r"))
        if depth > self.depth:
            return self._too_deep()
        found = self.data[self.position : self.position + 20].decode("utf-8", "replace")
        shown = f"not {shorten(found, 30)!r}" if found else "but the text ends"
        return InputError(code, f"{self.where}: {meaning} is expected at byte {self.position:,}, {shown}")

    def _end_of_value(self, limit: int) -> int:
        """Return where the value that starts here ends, counting its tokens against the bounds."""
        depth = 0
        for match in _TOKEN.finditer(self.data, self.position, self.position + limit):
            self.tokens -= 1
            if self.tokens < 0:
                raise InputError(
                    "too_many_entries",
                    f"{self.where} holds too many unknown or nested fields near byte {match.start():,}",
                )
            if match[1]:
                depth += 1
                if depth > self.depth:
                    raise self._too_deep()
            elif match[2]:
                depth -= 1
            elif not match[3]:
                break
            if depth <= 0:
                return match.end()
        if len(self.data) > self.position + limit:
            raise self._too_long(limit)
        raise InputError("bad_json", f"{self.where}: the value at byte {self.position:,} never ends")

    def _parse(self, text: bytes, kind: type) -> Any:
        """Return a piece as Python data: strict, without duplicates, no integer beyond 30 digits."""
        try:
            value = _DECODER.decode(text.decode())
        except UnicodeDecodeError:
            raise InputError("bad_utf8", f"{self.where} is not UTF-8 near byte {self.position:,}") from None
        except _RepeatedFieldError:
            raise InputError(
                "duplicate", f"{self.where} names a field twice near byte {self.position:,}"
            ) from None
        except (ValueError, RecursionError) as error:
            raise InputError(
                "bad_json",
                f"{self.where} is not valid JSON near byte {self.position:,}: {shorten(str(error), 100)}",
            ) from None
        if not isinstance(value, kind):
            raise InputError("bad_json", f"{self.where} is not valid JSON near byte {self.position:,}")
        if _SURROGATE.search(text) and not _is_text(value):
            raise InputError("bad_utf8", f"{self.where}: half a surrogate pair near byte {self.position:,}")
        return value

    def _too_long(self, limit: int) -> InputError:
        return InputError(
            "string_too_long", f"{self.where}: what stands at byte {self.position:,} is over {limit:,} bytes"
        )

    def _too_deep(self) -> InputError:
        return InputError("too_deep", f"{self.where} nests deeper than {self.depth} levels")


_OPENING = re.compile(rb"[\[{ \t\n\r]*+")
_BARE = re.compile(rb"[^,\]}\s]{0,5000}+")


def check_utf8(data: bytes, where: str) -> None:
    """Raise InputError (bad_utf8) unless the bytes are UTF-8, holding a megabyte of text at a time."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), 1 << 20):
        try:
            decoder.decode(data[start : start + (1 << 20)], start + (1 << 20) >= len(data))
        except UnicodeDecodeError as error:
            near = f"near byte {start + error.start:,}"
            raise InputError("bad_utf8", f"{where} is not UTF-8 {near}; the file is damaged") from None


def _end(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    match = pattern.match(data, position)
    assert match is not None
    return match.end()


def _is_text(value: Any) -> bool:
    """Tell whether all strings in a value can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _bounded(digits: str) -> int:
    return int(digits) if len(digits) <= 30 else HUGE


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


class _RepeatedFieldError(Exception):
    """An object names a field twice."""


def _pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise _RepeatedFieldError
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_refuse, parse_int=_bounded)
