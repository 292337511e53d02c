"""Run the small program in a checkpoint's ``data.pkl`` as data: nothing is imported, called or built.

An interpreter of our own for the opcodes that ``torch.save`` writes. Names are matched whole against a
list; everything else is refused by name. Its work follows the bytes: the memo is a dictionary, dictionary
keys are plain, and opcodes and tensors are counted against what the archive can mean.
Source: CPython 3.11, ``Lib/pickletools.py`` (opcodes); torch 2.13, ``torch/_utils.py`` (rebuilders).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.sources.torch_values import Storage, StorageType, View, called, named

OPCODE_LIMIT = 10_000_000
FREE_OPCODES = 500_000
OPCODES_PER_TENSOR = 100
STACK_LIMIT = 200_000
TEXT_LIMIT = 65_535
"""Bytes of a text that is kept; longer ones are neither names nor keys."""
WIDE_TEXT_LIMIT = 16_000_000
"""Bytes of all texts beyond ASCII, which take up to four times as much in memory."""
_NAME_LIMIT = 256
_STOP = 0x2E
_CHECK_EVERY = 1_024
_PLAIN_KEYS = (str, int, bool, float, type(None))


@dataclass(frozen=True, slots=True)
class LongText:
    """Text that was stepped over."""


@dataclass(slots=True, kw_only=True)
class Machine:
    """The state of one run: a stack, its marks, the memo, and what may still be done."""

    data: bytes
    where: str
    tensor_limit: int
    position: int = 0
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)
    tensors: int = 0
    wide_text: int = 0
    result: Any = None

    def byte(self) -> int:
        """Return the next byte of the program as a number."""
        self.position += 1
        if self.position > len(self.data):
            raise InputError("truncated", f"{self.where} ends in the middle of an opcode")
        return self.data[self.position - 1]

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes of the program."""
        start, self.position = self.position, self.position + length
        if self.position > len(self.data):
            raise InputError("truncated", f"{self.where} ends in the middle of an opcode")
        return self.data[start : self.position]

    def line(self) -> str:
        """Return the text up to the next newline."""
        end = self.data.find(b"\n", self.position, self.position + _NAME_LIMIT)
        if end < 0:
            raise InputError(
                "bad_field", f"{self.where} holds a name without an end at byte {self.position:,}"
            )
        text = self.take(end + 1 - self.position)[:-1]
        return text.decode("utf-8", "replace")

    def pop(self) -> Any:
        """Return the top of the stack above the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise self.invalid("takes more values than there are")
        return self.stack.pop()

    def pop_mark(self) -> list[Any]:
        """Return everything above the last mark."""
        if not self.marks:
            raise self.invalid("takes values without a mark")
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def invalid(self, reason: str) -> InputError:
        """Return the error about a program that no writer makes."""
        return InputError("bad_field", f"{self.where} {reason} at byte {self.position:,}")


def run_pickle(data: bytes, where: str, *, tensor_limit: int) -> Machine:
    """Run the program to its end; its answer is in ``result``, its storages in ``storages``.

    Raises InputError: blocked_global, blocked_opcode, truncated, bad_field, bad_utf8, overflow,
    bad_offsets, inconsistent, unsupported_version, trailing_data, too_many_entries, too_many_tensors.
    """
    machine = Machine(data=data, where=where, tensor_limit=tensor_limit)
    stack, find, end = machine.stack, _STEPS.get, len(data)
    steps = 0
    while machine.position < end:
        code = data[machine.position]
        machine.position += 1
        step = find(code)
        if step is None:
            break
        step(machine)
        steps += 1
        if not steps % _CHECK_EVERY:
            _check_work(machine, steps)
    else:
        raise InputError("truncated", f"{where} ends without an answer")
    if code != _STOP:
        raise InputError(
            "blocked_opcode", f"{where} holds the opcode {code:#04x}, which torch.save never writes"
        )
    machine.result = machine.pop()
    if stack or machine.marks or machine.position != end:
        raise InputError("trailing_data", f"{where} goes on after its answer")
    return machine


def _check_work(machine: Machine, steps: int) -> None:
    """Demand that the tensors found so far justify the work so far."""
    allowed = min(OPCODE_LIMIT, FREE_OPCODES + OPCODES_PER_TENSOR * machine.tensors)
    if steps > allowed or len(machine.stack) > STACK_LIMIT:
        raise InputError(
            "too_many_entries", f"{machine.where} holds more values than its {machine.tensors:,} tensors need"
        )


def _protocol(machine: Machine) -> None:
    version = machine.byte()
    if version not in (2, 3, 4, 5):
        raise InputError(
            "unsupported_version", f"{machine.where} is written in pickle protocol {version}, not 2 to 5"
        )


def _put(machine: Machine, index: int) -> None:
    """Remember the top of the stack: a third of all opcodes."""
    stack, marks = machine.stack, machine.marks
    if index > len(machine.data) or len(stack) <= (marks[-1] if marks else 0):
        raise machine.invalid(f"remembers a value as number {index:,}")
    machine.memo[index] = stack[-1]


def _put_long(machine: Machine) -> None:
    start = machine.position
    machine.position = start + 4
    _put(machine, int.from_bytes(machine.data[start : start + 4], "little"))


def _get(machine: Machine, index: int) -> None:
    if index not in machine.memo:
        raise machine.invalid(f"recalls the value number {index:,}, which it never kept")
    machine.stack.append(machine.memo[index])


def _mark(machine: Machine) -> None:
    machine.marks.append(len(machine.stack))


def _get_short(machine: Machine) -> None:
    _get(machine, machine.byte())


def _small(machine: Machine) -> None:
    machine.stack.append(machine.byte())


def _text(machine: Machine, length: int) -> None:
    raw = machine.take(length)
    if length > TEXT_LIMIT:
        machine.stack.append(LongText())
        return
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InputError("bad_utf8", f"{machine.where} holds text that is not UTF-8") from None
    machine.wide_text += 0 if len(text) == length else length
    if machine.wide_text > WIDE_TEXT_LIMIT:
        raise InputError("string_too_long", f"{machine.where} holds too much text beside its tensors")
    machine.stack.append(text)


def _tuple(machine: Machine, length: int) -> None:
    stack = machine.stack
    first = len(stack) - length
    if first < (machine.marks[-1] if machine.marks else 0):
        raise machine.invalid("takes more values than there are")
    stack[first:] = [tuple(stack[first:])]


def _append(machine: Machine, values: list[Any]) -> None:
    target = machine.stack[-1] if machine.stack else None
    if type(target) is not list:
        raise machine.invalid("appends to what is no list")
    target.extend(values)


def _set(machine: Machine, values: list[Any]) -> None:
    target = machine.stack[-1] if machine.stack else None
    if type(target) is not dict or len(values) % 2:
        raise machine.invalid("sets items of what is no dictionary")
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not _is_plain_key(key):
            raise machine.invalid("uses a key that is neither text nor a number")
        target[key] = value


def _is_plain_key(key: Any) -> bool:
    """Tell whether a key is cheap to hash: hashing nested tuples can take for ever."""
    if type(key) is tuple:
        return len(key) <= 16 and all(type(item) in _PLAIN_KEYS for item in key)
    return type(key) in _PLAIN_KEYS


def _pair(machine: Machine) -> list[Any]:
    value = machine.pop()
    return [machine.pop(), value]


def _name(machine: Machine, module: Any, name: Any) -> None:
    if type(module) is not str or type(name) is not str:
        raise InputError("blocked_global", f"{machine.where} uses a name that is no text")
    machine.stack.append(named(f"{module}.{name}", machine.where))


def _name_on_stack(machine: Machine) -> None:
    name = machine.pop()
    _name(machine, machine.pop(), name)


def _name_in_lines(machine: Machine) -> None:
    module = machine.line()
    _name(machine, module, machine.line())


def _reduce(machine: Machine) -> None:
    arguments, function = machine.pop(), machine.pop()
    value = called(function, arguments, machine.where)
    if type(value) is View:
        machine.tensors += 1
        if machine.tensors > machine.tensor_limit:
            raise InputError(
                "too_many_tensors", f"{machine.where} makes more than {machine.tensor_limit:,} tensors"
            )
    machine.stack.append(value)


def _build(machine: Machine) -> None:
    """Drop the state that a module's state dict carries (``_metadata``)."""
    machine.pop()
    if not machine.stack or type(machine.stack[-1]) is not dict:
        raise InputError("blocked_opcode", f"{machine.where} sets the state of what is no dictionary")


def _persistent(machine: Machine) -> None:
    """Push the storage of ``("storage", type, key, location, count)``."""
    given = machine.pop()
    if type(given) is not tuple or len(given) != 5 or given[0] != "storage":
        raise machine.invalid("refers to something else than a storage")
    _, kind, key, location, count = given
    if type(kind) is not StorageType or type(key) is not str or type(location) is not str:
        raise machine.invalid("refers to a storage of an unknown type")
    size = count * kind.element.bits // 8 if type(count) is int else -1
    if not 0 <= size < 2**63:
        raise InputError("overflow", f"{machine.where} refers to a storage of an impossible size")
    storage = Storage(key, kind.element, size)
    if machine.storages.setdefault(key, storage) != storage:
        raise InputError(
            "inconsistent", f"{machine.where} describes the storage {shorten(key)!r} in two ways"
        )
    machine.stack.append(storage)


def _push(machine: Machine, value: Any) -> None:
    machine.stack.append(value)


def _unsigned(machine: Machine, length: int) -> int:
    return int.from_bytes(machine.take(length), "little")


def _signed(machine: Machine, length: int) -> int:
    return int.from_bytes(machine.take(length), "little", signed=True)


def _float(machine: Machine) -> Any:
    return struct.unpack(">d", machine.take(8))[0]


_STEPS: dict[int, Callable[[Machine], Any]] = {
    0x80: _protocol,
    0x95: lambda machine: machine.take(8),  # FRAME
    0x28: _mark,
    0x4E: lambda machine: _push(machine, None),
    0x88: lambda machine: _push(machine, True),
    0x89: lambda machine: _push(machine, False),
    0x4B: _small,  # BININT1
    0x4D: lambda machine: _push(machine, _unsigned(machine, 2)),  # BININT2
    0x4A: lambda machine: _push(machine, _signed(machine, 4)),  # BININT
    0x8A: lambda machine: _push(machine, _signed(machine, machine.byte())),  # LONG1
    0x47: lambda machine: _push(machine, _float(machine)),  # BINFLOAT
    0x58: lambda machine: _text(machine, _unsigned(machine, 4)),  # BINUNICODE
    0x8C: lambda machine: _text(machine, machine.byte()),  # SHORT_BINUNICODE
    0x7D: lambda machine: _push(machine, {}),
    0x5D: lambda machine: _push(machine, []),
    0x29: lambda machine: _push(machine, ()),
    0x85: lambda machine: _tuple(machine, 1),
    0x86: lambda machine: _tuple(machine, 2),
    0x87: lambda machine: _tuple(machine, 3),
    0x74: lambda machine: _push(machine, tuple(machine.pop_mark())),  # TUPLE
    0x61: lambda machine: _append(machine, [machine.pop()]),
    0x65: lambda machine: _append(machine, machine.pop_mark()),  # APPENDS
    0x73: lambda machine: _set(machine, _pair(machine)),
    0x75: lambda machine: _set(machine, machine.pop_mark()),  # SETITEMS
    0x71: lambda machine: _put(machine, machine.byte()),  # BINPUT
    0x72: _put_long,  # LONG_BINPUT
    0x94: lambda machine: _put(machine, len(machine.memo)),  # MEMOIZE
    0x68: _get_short,  # BINGET
    0x6A: lambda machine: _get(machine, _unsigned(machine, 4)),  # LONG_BINGET
    0x63: _name_in_lines,  # GLOBAL
    0x93: _name_on_stack,  # STACK_GLOBAL
    0x52: _reduce,
    0x62: _build,
    0x51: _persistent,  # BINPERSID
}
