"""Frozen values whose hash is computed once: deep ones are looked up in caches thousands of times."""

from dataclasses import fields


class HashedOnce:
    """Base of a frozen dataclass with slots; the class says ``__hash__ = HashedOnce.__hash__``.

    The hash is that of the fields that are compared. It is no field: it is neither copied nor pickled.
    """

    __slots__ = ("_hash",)

    _hash: int

    def __hash__(self) -> int:
        """Return the hash of the fields."""
        try:
            return self._hash
        except AttributeError:
            compared = (one.name for one in fields(self) if one.compare)  # type: ignore[arg-type]
            found = hash(tuple(getattr(self, name) for name in compared))
            object.__setattr__(self, "_hash", found)
            return found
