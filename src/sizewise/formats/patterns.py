r"""Names and patterns of modules, as quantization settings list them, matched safely and fast.

Three kinds: plain names (``lm_head``, ``model.layers.0``) stand for the module and all below it, and for
a run of its dotted parts; globs (``model.layers.3.mlp*``) cover the whole name; ``re:`` expressions match
from the start. Files are not trusted: expressions are never given to a backtracking engine. The
subset that is understood (literals, ``.``, ``\d``, classes, groups of literals, ``* + ?``) is followed
for all positions at once, in time linear in the pattern; anything else is reported, not guessed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from string import ascii_letters, digits

TEXT_LIMIT = 400
GENERAL_LIMIT = 200
REPEATED_TEXTS = 20
"""Steps that one text of a repeated group is counted as."""
LOOK_UP_WORK = 4
"""Steps that looking up all names of a module is counted as."""

_WRAPPERS = frozenset({"model", "language_model", "transformer", "text_model"})
_NUMBER = re.compile("[0-9]+")
_STEADY = re.compile(r"\.\*|\\\.|\\d\+|\[0-9\]\+")
_VARIABLE = re.compile(r"[?+\[]|\\[dw]")
_SIGN = re.compile(r"[*?\[]")
_DIGITS = frozenset(digits)
_WORD = frozenset(ascii_letters + digits + "_")


class Text:
    """A name with the positions of its characters as bits, bit i for the i-th one.

    Sets of positions are integers, so that a step of a pattern is a few operations on them.
    """

    def __init__(self, name: str) -> None:
        """Note where each character of the name stands."""
        self.all = (1 << len(name)) - 1
        self.end = 1 << len(name)
        self._places: dict[str, int] = {}
        self._classes: dict[frozenset[str], int] = {}
        for at, sign in enumerate(name):
            self._places[sign] = self._places.get(sign, 0) | 1 << at

    def after(self, text: str, positions: int) -> int:
        """Return the positions behind the text where it stands at one of these."""
        for sign in text:
            positions = (positions & self._places.get(sign, 0)) << 1
        return positions

    def of_class(self, choices: frozenset[str]) -> int:
        """Return the positions of the characters of a class."""
        found = self._classes.get(choices)
        if found is None:
            found = 0
            for sign, places in self._places.items():
                found |= places if sign in choices else 0
            self._classes[choices] = found
        return found


@dataclass(frozen=True, slots=True)
class Piece:
    """One of several texts (None: any character), taken once or as ``repeat`` (``*``, ``+``, ``?``) says.

    ``single`` says that every text is one character.
    """

    choices: frozenset[str] | None
    repeat: str = ""
    single: bool = True

    def reach(self, text: Text, positions: int) -> int:
        """Return the positions in the name that can be reached from these."""
        if not self.single:
            return self._reach_texts(text, positions)
        places = text.all if self.choices is None else text.of_class(self.choices)
        once = (positions & places) << 1
        if self.repeat == "":
            return once
        if self.repeat == "?":
            return positions | once
        start = positions if self.repeat == "*" else once
        return (((start & places) + places) ^ places) | start

    def _reach_texts(self, text: Text, positions: int) -> int:
        reached = positions if self.repeat in ("*", "?") else 0
        frontier = positions
        while frontier:
            frontier = self._once(text, frontier) & ~reached
            reached |= frontier
            if self.repeat in ("", "?"):
                break
        return reached

    def _once(self, text: Text, positions: int) -> int:
        found = 0
        for choice in self.choices or ():
            found |= text.after(choice, positions)
        return found


@dataclass(frozen=True, slots=True)
class General:
    """A glob or an expression as pieces; ``whole`` demands that the name ends with the last one."""

    pieces: tuple[Piece, ...]
    whole: bool

    def matches(self, name: str | Text) -> bool:
        r"""Tell whether the name matches.

        >>> expression(r".*mlp\.(gate|up)_proj.*").matches("model.layers.0.mlp.up_proj")
        True
        """
        text = Text(name) if isinstance(name, str) else name
        positions = 1
        for piece in self.pieces:
            positions = piece.reach(text, positions)
            if not positions:
                return False
        return bool(positions & text.end) if self.whole else True

    @property
    def work(self) -> int:
        """Estimate the steps of a match: pieces, and the texts of those that repeat along the name."""
        return sum(1 if piece.single else REPEATED_TEXTS * len(piece.choices or ()) for piece in self.pieces)


class Module:
    """A module to match, under all the names that it has."""

    def __init__(self, names: Iterable[str]) -> None:
        """Keep the names; what matching needs of them is derived when it is first asked for."""
        self.names = tuple(names)
        self.short = tuple(dict.fromkeys(unwrapped(name) for name in self.names))

    @cached_property
    def runs(self) -> frozenset[str]:
        """Every run of dotted parts of the names."""
        return frozenset(run for name in self.short for run in _runs(name))

    @cached_property
    def starts(self) -> frozenset[str]:
        """Every beginning of the names."""
        return frozenset(name[:end] for name in self.short for end in range(len(name) + 1))

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """The names, with and without what wraps a decoder."""
        return tuple(Text(name) for name in dict.fromkeys((*self.names, *self.short)))


@dataclass(frozen=True, slots=True)
class Patterns:
    """A compiled list. ``unknown`` are the entries that were not understood.

    ``numbers`` are those in the entries, ``expert_numbers`` those after the word ``experts``: layers and
    experts that no entry names are all alike.
    """

    names: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    general: tuple[General, ...] = ()
    unknown: tuple[str, ...] = ()
    numbers: frozenset[str] = frozenset()
    expert_numbers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.names or self.prefixes or self.general or self.unknown)

    def match(self, name: str) -> bool:
        """Tell whether one of the entries covers a module.

        >>> patterns = compile_patterns(["lm_head", "model.layers.1", "*.mlp.gate"])
        >>> [patterns.match(name) for name in ("model.layers.1.mlp.up", "model.layers.11.mlp.up")]
        [True, False]
        """
        return self.cover(Module((name,)))

    def cover(self, module: Module) -> bool:
        """Tell whether one of the entries covers a module under any of its names."""
        if self.names and not self.names.isdisjoint(module.runs):
            return True
        if self.prefixes and not self.prefixes.isdisjoint(module.starts):
            return True
        return any(entry.matches(text) for entry in self.general for text in module.texts)

    @property
    def work(self) -> int:
        """Estimate the steps of matching one module."""
        looked_up = LOOK_UP_WORK * (bool(self.names) + bool(self.prefixes))
        return looked_up + sum(entry.work for entry in self.general)


def compile_patterns(entries: Iterable[str]) -> Patterns:
    """Return a list of names, globs and ``re:`` expressions ready to match."""
    return _compiled(tuple(entries))


@lru_cache(maxsize=16)
def _compiled(entries: tuple[str, ...]) -> Patterns:
    names: set[str] = set()
    prefixes: set[str] = set()
    general: list[General] = []
    unknown: list[str] = []
    understood: list[str] = []
    for text in dict.fromkeys(entries):
        kind = _kind(text)
        if kind == "name":
            names.add(unwrapped(text))
            understood.append(text)
        elif kind == "prefix":
            prefixes.add(unwrapped(text[:-1]))
            understood.append(text)
        else:
            compiled = _general(text) if kind == "general" and len(general) < GENERAL_LIMIT else None
            if compiled is None:
                unknown.append(text)
            else:
                general.append(compiled)
                understood.append(text)
    return Patterns(
        names=frozenset(names),
        prefixes=frozenset(prefixes),
        general=tuple(general),
        unknown=tuple(unknown),
        numbers=_numbers(understood),
        expert_numbers=_numbers(_expert_part(text) for text in understood),
    )


def _numbers(texts: Iterable[str]) -> frozenset[str]:
    """Return the numbers in entries; every digit where a pattern is about how a number is written."""
    found: set[str] = set()
    for text in texts:
        if _VARIABLE.search(text):
            found.update(digits if _VARIABLE.search(_STEADY.sub("", text)) else ())
        found.update(_NUMBER.findall(text))
    return frozenset(found)


def _expert_part(text: str) -> str:
    """Return what of an entry may number experts: what follows their word, all where layers have none."""
    _, word, after = text.partition("experts")
    if word:
        return after
    return "" if "layers" in text else text


def _kind(text: str) -> str:
    """Tell a plain name, a prefix that ends in ``*``, another pattern, and what is too long."""
    if len(text) > TEXT_LIMIT:
        return "too long"
    if text.startswith("re:"):
        return "general"
    sign = _SIGN.search(text)
    if sign is None:
        return "name"
    return "prefix" if text[sign.start() :] == "*" else "general"


def unwrapped(name: str) -> str:
    """Return the name without the modules that only wrap a decoder.

    >>> unwrapped("model.language_model.layers.0.mlp"), unwrapped("language_model.model.layers.0.mlp")
    ('layers.0.mlp', 'layers.0.mlp')
    """
    while "." in name and name.partition(".")[0] in _WRAPPERS:
        name = name.partition(".")[2]
    return name


def expression(text: str) -> General | None:
    r"""Return a regular expression of the safe subset, None when it is outside.

    >>> expression(r".*layers\.\d+\.gate$").matches("model.layers.12.gate")
    True
    >>> expression("(a+)+$") is None
    True
    """
    whole = text.endswith("$") and not text.endswith("\\$")
    body = text.removeprefix("^")[: -1 if whole else None] if whole else text.removeprefix("^")
    pieces: list[Piece] = []
    at = 0
    while at < len(body):
        read = _atom(body, at)
        if read is None:
            return None
        choices, at = read
        repeat = body[at] if at < len(body) and body[at] in "*+?" else ""
        at += len(repeat)
        if at < len(body) and repeat and body[at] in "*+?":
            return None
        single = choices is None or all(len(choice) == 1 for choice in choices)
        pieces.append(Piece(choices, repeat, single))
    return General(tuple(pieces), whole)


def _general(text: str) -> General | None:
    if text.startswith("re:"):
        return expression(text.removeprefix("re:"))
    return None if "[" in text else glob(text)


def glob(text: str) -> General:
    """Return a glob: ``*`` any text, ``?`` any character.

    >>> glob("*.ffn.shared_experts.*").matches("layers.3.ffn.shared_experts.w1")
    True
    """
    signs = {"*": Piece(None, "*"), "?": Piece(None)}
    return General(tuple(signs.get(sign) or Piece(frozenset({sign})) for sign in text), whole=True)


def _runs(name: str) -> Iterable[str]:
    """Yield every run of dotted parts of a name."""
    parts = name.split(".")
    for first in range(len(parts)):
        for last in range(first, len(parts)):
            yield ".".join(parts[first : last + 1])


def _atom(body: str, at: int) -> tuple[frozenset[str] | None, int] | None:
    """Read one character, escape, class or group; return what it may be and where it ends."""
    sign = body[at]
    if sign == ".":
        return None, at + 1
    if sign == "(":
        return _group(body, at)
    if sign == "[":
        return _class(body, at)
    if sign == "\\":
        choices = _escaped(body[at + 1 : at + 2])
        return None if choices is None else (choices, at + 2)
    return None if sign in "*+?)]{}|^$" else (frozenset({sign}), at + 1)


def _escaped(sign: str) -> frozenset[str] | None:
    if sign in ("d", "w"):
        return _DIGITS if sign == "d" else _WORD
    return None if not sign or sign.isalnum() else frozenset({sign})


def _group(body: str, at: int) -> tuple[frozenset[str], int] | None:
    """Read ``(a|b)`` or ``(?:a|b)`` whose alternatives are literal."""
    end = body.find(")", at)
    inner = body[at + 1 : end].removeprefix("?:")
    if end < 0 or any(sign in inner.replace("\\.", "") for sign in "\\.*+?([{^$"):
        return None
    return frozenset(inner.replace("\\.", ".").split("|")), end + 1


def _class(body: str, at: int) -> tuple[frozenset[str], int] | None:
    """Read ``[0-9_]``: characters and ranges of ASCII letters or digits."""
    end = body.find("]", at)
    inner = body[at + 1 : end]
    if end < 0 or not inner or any(sign in inner for sign in "\\^["):
        return None
    choices: set[str] = set()
    while inner:
        if len(inner) > 2 and inner[1] == "-":
            if not (inner[0].isascii() and inner[2].isascii()):
                return None
            choices.update(chr(code) for code in range(ord(inner[0]), ord(inner[2]) + 1))
            inner = inner[3:]
        else:
            choices.add(inner[0])
            inner = inner[1:]
    return frozenset(choices), end + 1
