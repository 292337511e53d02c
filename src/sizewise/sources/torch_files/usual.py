"""Read whole tensors of a pickle program in the form that ``torch.save`` gives all but its first ones.

The arguments of ``_rebuild_tensor_v2`` take some twenty opcodes each. Where they stand as torch writes them,
one regular expression reads them; anything else, and every fault, is left to the opcodes, one by one. Both
give the same values. Source: torch 2.13, ``torch/_tensor.py`` (``_reduce_ex_internal``); CPython 3.11,
``Modules/_pickle.c`` (memo places are consecutive), read 2026-11.
"""

import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sizewise.listing import Shape
from sizewise.sources.torch_files.machine import Machine
from sizewise.sources.torch_files.values import Global, Storage, StorageType, View, view_of

_KNOWN_LIMIT = 10_000
_HOOKS = Global("collections.OrderedDict")
_SIGNED = 0x4A
_WIDTHS = {0x4B: 2, 0x4D: 3, _SIGNED: 5}
"""Bytes of BININT1, BININT2 and BININT with what follows."""
_PLACES = struct.Struct("<7I")
_INT = rb"(?:K.|M..|J....)"
_GET = rb"(h.|j....)"
_PUT = rb"r(....)"
_SIZES = (
    b"("
    + b"|".join((_INT + rb"\x85", _INT * 2 + rb"\x86", _INT * 3 + rb"\x87", rb"\(%b{4,8}t" % _INT))
    + b")"
)
_STORAGE = (
    rb"\(" + _GET + _GET + rb"X(.)\0\0\0([0-9]{1,20}+)" + _PUT + _GET + b"(" + _INT + b")t" + _PUT + b"Q"
)
_TENSOR = re.compile(
    rb"\(%b(%b)%b%b%b%b[\x88\x89]%b\)R%bt%bR%b"
    % (_STORAGE, _INT, _SIZES, _PUT, _SIZES, _PUT, _GET, _PUT, _PUT, _PUT),
    re.S,
)
"""Storage (its word, type, key, location, elements), offset, shape, strides, requires_grad and hooks."""


@dataclass(slots=True, kw_only=True)
class UsualTensors:
    """The usual tensors of one run; a shape over a size of storage is checked once."""

    machine: Machine
    views: dict[tuple[object, ...], View] = field(default_factory=dict)

    def read(self) -> bool:
        """Read the tensor whose arguments begin with the mark just read; tell whether one stood there.

        Raises InputError as the opcodes do: overflow, inconsistent, bad_field, bad_offsets, too_many_tensors.
        """
        machine = self.machine
        stack = machine.stack
        if not stack or type(stack[-1]) is not Global or stack[-1].name != "torch._utils._rebuild_tensor_v2":
            return False
        match = _TENSOR.match(machine.data, machine.position - 1)
        if match is None:
            return False
        word, kind, length, key, _, location, count, _, offset, size, _, stride, _, hooks = match.groups()[
            :14
        ]
        places = _consecutive(b"".join(match.group(5, 8, 11, 13, 15, 16, 17)), len(machine.data))
        known = _recalled(machine, (word, kind, location, hooks), places.start)
        if (
            known is None
            or length[0] != len(key)
            or len(stack) <= (machine.marks[-1] if machine.marks else 0)
        ):
            return False
        text, elements = key.decode(), _integer(count)
        storage = machine.add_storage(text, known, elements)
        view = self._view(storage, (offset, size, stride))
        identity = ("storage", known, text, machine.memo[_integer(location)], elements)
        machine.count_tensor()
        stack[-1] = view
        made: dict[Any, Any] = {}
        arguments = (storage, view.offset, view.shape, view.strides, False, made)
        kept = (text, identity, view.shape, view.strides, made, arguments, view)
        machine.memo.update(zip(places, kept, strict=True))
        machine.position = match.end()
        return True

    def _view(self, storage: Storage, layout: tuple[bytes, bytes, bytes]) -> View:
        """Return the view of a storage whose offset, shape and strides are those opcodes."""
        alike = (storage.element.dtype, storage.bytes, layout)
        known = self.views.get(alike)
        if known is not None:
            return View(storage.element, known.shape, known.strides, known.offset, storage)
        offset, size, stride = layout
        view = view_of(
            storage, storage.element, _integer(offset), _sizes(size), _sizes(stride), where=self.machine.where
        )
        if len(self.views) < _KNOWN_LIMIT:
            self.views[alike] = view
        return view


def _consecutive(raw: bytes, limit: int) -> range:
    """Return the places in the memo that a tensor fills, an empty range where they do not follow another."""
    first = int.from_bytes(raw[:4], "little")
    places = range(first, first + 7)
    return places if places.stop <= limit and raw == _PLACES.pack(*places) else range(0)


def _recalled(machine: Machine, codes: tuple[bytes, ...], before: int) -> StorageType | None:
    """Return the storage's type where what the arguments recall is what torch lets them recall."""
    indices = [_integer(code) for code in codes]
    if max(indices) >= before:
        return None
    word, kind, location, hooks = map(machine.memo.get, indices)
    sound = word == "storage" and type(location) is str and hooks == _HOOKS
    return kind if sound and type(kind) is StorageType else None


def _sizes(code: bytes) -> Shape:
    """Return the sizes that an opcode of a tuple takes from those before it."""
    sizes, place = [], int(code[:1] == b"(")
    while place < len(code) - 1:
        width = _WIDTHS[code[place]]
        sizes.append(_integer(code[place : place + width]))
        place += width
    return tuple(sizes)


@lru_cache(maxsize=4_096)
def _integer(code: bytes) -> int:
    r"""Return the integer behind an opcode of its own: signed where it has four bytes.

    >>> _integer(b"K\xff"), _integer(b"J\xff\xff\xff\xff")
    (255, -1)
    """
    return int.from_bytes(code[1:], "little", signed=code[0] == _SIGNED)
