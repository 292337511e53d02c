r"""Expressions and globs over names, matched without backtracking in time linear in the pattern.

The subset of regular expressions: literals, ``.``, ``\d``, ``\w``, classes, groups of literals, each
once or with ``*``, ``+`` or ``?``. A pattern becomes pieces, and all positions that a piece can reach
are followed at once, as the bits of an integer (Cameron et al. 2014, MatchStar).
"""

from dataclasses import dataclass
from string import ascii_letters, digits

REPEATED_TEXTS = 20
"""Steps that one text of a repeated group is counted as."""

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


def glob(text: str) -> General:
    """Return a glob: ``*`` any text, ``?`` any character.

    >>> glob("*.ffn.shared_experts.*").matches("layers.3.ffn.shared_experts.w1")
    True
    """
    signs = {"*": Piece(None, "*"), "?": Piece(None)}
    return General(tuple(signs.get(sign) or Piece(frozenset({sign})) for sign in text), whole=True)


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
