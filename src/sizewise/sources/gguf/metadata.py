"""The pairs of metadata of a GGUF file, of which only what describes the model is kept.

Kept are numbers, short texts and short lists of numbers. Of long lists and lists of texts (the tokenizer)
the length is kept, of long texts (the chat template) nothing; no text is ever rendered.
Source: ggml ``docs/gguf.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.sources.gguf.window import Window

KEY_BYTES = 65_535
PAIRS = 65_536
TEXTS = 2_000_000
PAIR_BYTES = 13
"""The least that a pair takes: the length of its key, a key of one byte less, its type."""
TEXT_KEPT = 4_096
TEXT_CHECKED = 2**20
NUMBERS_KEPT = 4_096
"""llama.cpp takes at most 512 layers, and lists have an entry per layer."""

ALIGNMENT = "general.alignment"
DEFAULT_ALIGNMENT = 32
_UINT32, _BOOL, _TEXT, _ARRAY = 4, 7, 8, 9
_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

Number = int | float | bool
Value = Number | str | tuple[Number, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a file says about itself: ``values`` by key, and ``lengths`` of all its lists."""

    values: Mapping[str, Value]
    lengths: Mapping[str, int]
    alignment: int

    def text(self, key: str) -> str | None:
        """Return a text, None where there is none of that kind."""
        found = self.values.get(key)
        return found if isinstance(found, str) else None

    def whole(self, key: str) -> int | None:
        """Return a whole number, None where there is none of that kind."""
        found = self.values.get(key)
        return found if isinstance(found, int) and not isinstance(found, bool) else None


def read_metadata(window: Window, pairs: int) -> Metadata:
    """Read so many pairs.

    Raises InputError: truncated, bad_utf8, bad_field, duplicate, too_deep, too_many_entries,
    string_too_long, bad_alignment.
    """
    values: dict[str, Value] = {}
    lengths: dict[str, int] = {}
    keys: set[str] = set()
    alignment = DEFAULT_ALIGNMENT
    for _ in range(pairs):
        key = _key(window)
        if key in keys:
            raise InputError("duplicate", f"{window.name} holds the key {shorten(key)!r} twice")
        keys.add(key)
        kind = window.uint32()
        if key == ALIGNMENT:
            alignment = _alignment(window, kind)
        elif kind == _ARRAY:
            lengths[key], numbers = _array(window, key)
            if numbers is not None:
                values[key] = numbers
        elif kind == _TEXT:
            text = _text(window, key)
            if text is not None:
                values[key] = text
        else:
            values[key] = _number(window, kind, key)
    return Metadata(values=values, lengths=lengths, alignment=alignment)


def _key(window: Window) -> str:
    length = window.uint64()
    if length > window.remaining:
        raise window.short(length)
    if not 1 <= length <= KEY_BYTES:
        code = "string_too_long" if length else "bad_field"
        raise InputError(code, f"{window.name}: a key has {length:,} bytes; 1 to {KEY_BYTES:,} are legal")
    return decoded(window.raw(length), window.name, "a key")


def decoded(raw: bytes, name: str, what: str) -> str:
    """Return the text of bytes. Raises InputError (bad_utf8)."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InputError("bad_utf8", f"{name}: {what} is not UTF-8; the file is damaged") from None


def _text(window: Window, key: str) -> str | None:
    """Return a short text, None for a long one; those of over a mebibyte are not even read."""
    length = window.uint64()
    if length > window.remaining:
        raise window.short(length)
    if length > TEXT_CHECKED:
        window.skip(length)
        return None
    text = decoded(window.raw(length), window.name, f"the text of {shorten(key)!r}")
    return text if length <= TEXT_KEPT else None


def _number(window: Window, kind: int, key: str) -> Number:
    code = _CODES.get(kind)
    if code is None:
        raise InputError(
            "bad_field", f"{window.name}: {shorten(key)!r} has the unknown type {kind}; the file is damaged"
        )
    found = window.number(code)
    return _flag(found, window, key) if kind == _BOOL else found


def _flag(found: Number, window: Window, key: str) -> bool:
    if found not in (0, 1):
        raise InputError("bad_field", f"{window.name}: {shorten(key)!r} is {found} where 0 or 1 is needed")
    return bool(found)


def _array(window: Window, key: str) -> tuple[int, tuple[Number, ...] | None]:
    """Return the length of a list, and its numbers where they are few."""
    kind, count = window.uint32(), window.uint64()
    if kind == _ARRAY:
        raise InputError(
            "too_deep", f"{window.name}: {shorten(key)!r} is a list of lists, which llama.cpp refuses as well"
        )
    if kind == _TEXT:
        _skip_texts(window, key, count)
        return count, None
    if kind not in _CODES:
        raise InputError("bad_field", f"{window.name}: the list {shorten(key)!r} has the unknown type {kind}")
    if count * _BYTES[kind] > window.remaining:
        raise window.short(count * _BYTES[kind])
    if count > NUMBERS_KEPT:
        window.skip(count * _BYTES[kind])
        return count, None
    return count, tuple(_number(window, kind, key) for _ in range(count))


def _skip_texts(window: Window, key: str, count: int) -> None:
    if 8 * count > window.remaining:
        raise window.short(8 * count)
    if count > TEXTS:
        raise InputError(
            "too_many_entries",
            f"{window.name}: {shorten(key)!r} lists {count:,} texts; {TEXTS:,} at most are read",
        )
    window.skip_texts(count)


def _alignment(window: Window, kind: int) -> int:
    """Return where tensors may begin: multiples of a power of two, 8 or more."""
    found = _number(window, kind, ALIGNMENT) if kind == _UINT32 else 0
    if not isinstance(found, int) or found < 8 or found & (found - 1):
        raise InputError(
            "bad_alignment",
            f"{window.name}: {ALIGNMENT} must be a power of two from 8, as an unsigned number of 32 bits",
        )
    return found
