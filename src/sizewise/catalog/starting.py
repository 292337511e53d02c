"""How engines are started: rows of ``facts/runtimes/commands.toml`` as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from sizewise.catalog.formats import Format
from sizewise.catalog.rows import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """How one engine is started, and which formats of weights it runs.

    ``flags`` maps sizewise's names of options to the engine's, ``cache`` names of cache formats. ``loads``
    are formats of checkpoints that it runs, ``makes`` those that it makes itself, with what asks for them.
    """

    program: tuple[str, ...]
    flags: Mapping[str, str] = field(default_factory=dict)
    cache: Mapping[str, str] = field(default_factory=dict)
    loads: tuple[str, ...] = ()
    makes: Mapping[str, str] = field(default_factory=dict)
    file_types: bool = False
    source: str
    checked: str

    def runs(self, weights: Format) -> bool:
        """Tell whether the engine runs weights in a format."""
        return self.file_types if weights.is_file_type else weights.name in self.loads


@cache
def startings() -> Mapping[str, Starting]:
    """Return {engine: how it is started}.

    >>> startings()["vllm"].flags["context"]
    '--max-model-len'
    """
    return {
        name: Starting(**{**row, "program": tuple(row["program"]), "loads": tuple(row.get("loads", ()))})
        for name, row in tables("runtimes")["commands"].items()
    }
