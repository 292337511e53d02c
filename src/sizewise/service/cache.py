"""A cache that is bounded in entries and in bytes; what was not used for longest goes first."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True, kw_only=True)
class BoundedCache(Generic[Value]):
    """Values by name, at most ``entries`` of them and ``most_bytes`` together."""

    entries: int
    most_bytes: int
    bytes: int = field(default=0, init=False)
    _held: OrderedDict[str, tuple[Value, int]] = field(default_factory=OrderedDict, init=False)

    def __len__(self) -> int:
        """Count the values."""
        return len(self._held)

    def get(self, name: str) -> Value | None:
        """Return the value of a name, which is now the last to go; None where it is gone."""
        found = self._held.get(name)
        if found is None:
            return None
        self._held.move_to_end(name)
        return found[0]

    def put(self, name: str, value: Value, size: int) -> bool:
        """Keep a value of so many bytes; tell whether it was small enough to be kept."""
        if name in self._held:
            self.bytes -= self._held.pop(name)[1]
        if size > self.most_bytes:
            return False
        self._held[name] = (value, size)
        self.bytes += size
        while len(self._held) > self.entries or self.bytes > self.most_bytes:
            _, (_, gone) = self._held.popitem(last=False)
            self.bytes -= gone
        return True
