"""Random torch archives: sound ones, and ones with one value, opcode or byte broken."""

from math import prod
from random import Random
from typing import Any

from ..corpus.writers import TYPES, Built, Call, Name, Persistent, Raw, encoded, storage, view, zipped
from .driver import ODD_NAMES, flipped

ORDERED = Call(Name("collections", "OrderedDict"), ())
ODD = (0, 1, -1, 2**31, 2**63, 2**64, 10**30, True, None, 2.5, "2", "", (), [], {}, Name("posix", "system"))
ODD_CODES = (
    b"0",
    b".",
    b"(",
    b"t",
    b"R",
    b"b",
    b"Q",
    b"N",
    b"u",
    b"s",
    b"a",
    b"\x85",
    b"q\x00",
    b"h\x00",
    b"o",
    b"i",
)


class Checkpoint:
    """A checkpoint that is being made: its storages (bytes by key), its value and its elements."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.storages: dict[str, int] = {}
        self.total = 0
        self.made: list[Call] = []
        """Tensors so far, some of which are tied: they stand in the value again."""
        self.broken = False
        self.odd = random.random() < 0.4
        self.value: Any = self._group(0)

    def _group(self, depth: int) -> Any:
        random = self.random
        items = [self._item(depth) for _ in range(random.randint(0, 4))]
        if random.random() < 0.2:
            return random.choice((list, tuple))(items)
        named = {self._key(place): item for place, item in enumerate(items)}
        return Built(named, {"_metadata": ORDERED}) if random.random() < 0.1 else named

    def _key(self, place: int) -> Any:
        random = self.random
        if random.random() < 0.8:
            return f"layers.{place}.weight"
        return random.choice((place, f"{random.choice(ODD_NAMES[:-1])}{place}", (place, "a")))

    def _item(self, depth: int) -> Any:
        chance = self.random.random()
        if chance > 0.9 and self.made:
            return self.random.choice(self.made)
        if chance < 0.15 and depth < 4:
            return self._group(depth + 1)
        if chance < 0.3:
            return self.random.choice(
                (1, -(2**40), 2.5, None, True, "text", Name("torch", "float16"), ORDERED)
            )
        return self._tensor()

    def _tensor(self) -> Call:
        random = self.random
        kind = random.choice(tuple(TYPES))
        shape = tuple(random.choice((0, 1, 2, 3, 5, 8)) for _ in range(random.randint(0, 3)))
        strides = tuple(prod(shape[place + 1 :]) for place in range(len(shape)))
        extra = random.choice((0, 0, 0, 4))
        key, count = str(len(self.storages)), prod(shape) + extra
        self.storages[key] = count * TYPES[kind]
        self.total += prod(shape)
        held, offset = storage(key, count, kind), random.randint(0, extra)
        arguments: list[Any] = list(view(held, offset, shape, strides).arguments)
        if self.odd and random.random() < 0.4:
            self._break(arguments, held)
        made = Call(Name("torch._utils", "_rebuild_tensor_v2"), tuple(arguments))
        self.made.append(made)
        if random.random() < 0.1:
            return Call(Name("torch._utils", "_rebuild_parameter"), (made, True, ORDERED))
        return made

    def _break(self, arguments: list[Any], held: Persistent) -> None:
        random = self.random
        self.broken = True
        match random.randrange(4):
            case 0:
                arguments[random.randrange(len(arguments))] = random.choice(ODD)
            case 1:
                del arguments[random.randrange(len(arguments))]
            case 2:
                parts = list(held.value)
                parts[random.randrange(5)] = random.choice(ODD)
                arguments[0] = Persistent(tuple(parts))
            case _:
                sizes = list(arguments[random.choice((2, 3))]) or [1]
                sizes[random.randrange(len(sizes))] = random.choice(ODD)
                arguments[random.choice((2, 3))] = tuple(sizes)


def archive_of(random: Random) -> tuple[bytes, int | None]:
    """Return an archive, and its elements when nothing is broken."""
    made = Checkpoint(random)
    broken = made.broken
    program = b"\x80\x02" + encoded(made.value) + b"."
    if made.odd and random.random() < 0.4:
        place = random.randrange(2, len(program))
        program = program[:place] + encoded(Raw(random.choice(ODD_CODES))) + program[place:]
        broken = True
    if made.odd and random.random() < 0.3:
        program, broken = flipped(random, program), True
    entries = {"m/data.pkl": program, "m/version": b"3\n"}
    entries |= {f"m/data/{key}": bytes(min(size, 10_000)) for key, size in made.storages.items()}
    data = zipped(entries.items(), deflated=random.random() < 0.2)
    if made.odd and random.random() < 0.3:
        data, broken = flipped(random, data), True
    return data, None if broken else made.total
