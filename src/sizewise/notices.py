"""Notice: a warning that belongs to an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A warning that belongs to the answer: shown on standard error and in the JSON."""

    code: str
    message: str
