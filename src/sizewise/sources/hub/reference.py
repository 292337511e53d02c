"""What a user writes for a model on the Hugging Face hub: ``org/name[@revision][:file]``.

Nothing that is not of this form reaches the network: no other address, no path, no control character.
"""

import re
from dataclasses import dataclass

_PREFIX = re.compile(r"(?:https://)?(?:www\.)?(?:hf\.co|huggingface\.co)/(?=.)", re.I)
_REFERENCE = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]{0,95}(?:/[\w.-]{1,96})?)"
    r"(?:@(?P<revision>[\w./-]{1,200}))?"
    r"(?::(?P<file>[\w.+][\w./+-]{0,199}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubReference:
    """A repository of models; ``file`` is one of its files, or the format of one (``Q4_K_M``)."""

    repo: str
    revision: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        """Return the canonical text, without a host."""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{self.repo}{revision}{f':{self.file}' if self.file else ''}"


def parse_hub_reference(text: str) -> HubReference | None:
    """Return what the text names on the hub, None if it cannot be meant so.

    A name without an organisation (``gpt2``) needs the host, as it could be anything else.

    >>> str(parse_hub_reference("https://huggingface.co/Qwen/Qwen3-8B@main"))
    'Qwen/Qwen3-8B@main'
    >>> parse_hub_reference("hf.co/org/name-GGUF:Q4_K_M").file
    'Q4_K_M'
    >>> parse_hub_reference("../../etc/passwd")
    """
    prefix = _PREFIX.match(text)
    rest = text[prefix.end() :].removesuffix("/") if prefix else text
    found = _REFERENCE.fullmatch(rest)
    if found is None or ".." in rest or (prefix is None and "/" not in found["repo"]):
        return None
    for part in (found["revision"], found["file"]):
        if part is not None and ("//" in part or part[0] == "/" or part[-1] == "/"):
            return None
    return HubReference(repo=found["repo"], revision=found["revision"], file=found["file"])
