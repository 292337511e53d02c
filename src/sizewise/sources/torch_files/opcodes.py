"""What each opcode that ``torch.save`` writes does to a `Machine`.

Names are matched whole against a list and refused where they are not on it; dictionary keys are plain.
Source: CPython 3.11, ``Lib/pickletools.py`` (opcodes).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sizewise.errors import InputError
from sizewise.sources.torch_files.machine import Machine
from sizewise.sources.torch_files.values import StorageType, View, called, named

TEXT_LIMIT = 65_535
"""Bytes of a text that is kept; longer ones are neither names nor keys."""
WIDE_TEXT_LIMIT = 16_000_000
"""Bytes of all texts beyond ASCII, which take up to four times as much in memory."""
_PLAIN_KEYS = (str, int, bool, float, type(None))


@dataclass(frozen=True, slots=True)
class LongText:
    """Text that was stepped over."""


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
        machine.count_tensor()
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
    machine.stack.append(machine.add_storage(key, kind, count))


def _push(machine: Machine, value: Any) -> None:
    machine.stack.append(value)


def _unsigned(machine: Machine, length: int) -> int:
    return int.from_bytes(machine.take(length), "little")


def _signed(machine: Machine, length: int) -> int:
    return int.from_bytes(machine.take(length), "little", signed=True)


def _float(machine: Machine) -> Any:
    return struct.unpack(">d", machine.take(8))[0]


STEPS: dict[int, Callable[[Machine], Any]] = {
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
