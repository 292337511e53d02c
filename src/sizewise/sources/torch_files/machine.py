"""The state of a pickle program that is run as data: a stack, its marks, a memo, and the storages named.

The memo is a dictionary, so that no number in the program is ever the size of anything.
"""

from dataclasses import dataclass, field
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.sources.torch_files.values import Storage, StorageType

_NAME_LIMIT = 256


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

    def add_storage(self, key: str, kind: StorageType, count: Any) -> Storage:
        """Return the storage of ``count`` elements, which a program describes in one way only.

        Raises InputError: overflow, inconsistent.
        """
        size = count * kind.element.bits // 8 if type(count) is int else -1
        if not 0 <= size < 2**63:
            raise InputError("overflow", f"{self.where} refers to a storage of an impossible size")
        storage = Storage(key, kind.element, size)
        known = self.storages.setdefault(key, storage)
        if known is not storage and known != storage:
            raise InputError(
                "inconsistent", f"{self.where} describes the storage {shorten(key)!r} in two ways"
            )
        return storage

    def count_tensor(self) -> None:
        """Count one more tensor; raises InputError (too_many_tensors) beyond the limit."""
        self.tensors += 1
        if self.tensors > self.tensor_limit:
            raise InputError(
                "too_many_tensors", f"{self.where} makes more than {self.tensor_limit:,} tensors"
            )
