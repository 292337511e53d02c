"""Ollama: what it starts llama.cpp's server with when nobody says otherwise.

Its rules by version are rows of ``facts/runtimes/ollama.toml``. Memory beyond these options is llama.cpp's.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sizewise.catalog.rows import tables
from sizewise.errors import UsageError
from sizewise.escaping import shorten
from sizewise.units import GIB, MIB

NEWEST = "0.33"

FlashAttention = Literal["on", "off", "auto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaHost:
    """Where Ollama runs: bytes of all its devices together (0: no accelerator), how much of them is free.

    ``cuda`` says that one of them is CUDA's, ``flash_attention`` that every one has fused kernels,
    ``smallest`` is the memory of the smallest one.
    """

    memory: int
    free: int | None = None
    smallest: int | None = None
    cuda: bool = True
    flash_attention: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaModel:
    """What Ollama looks at in a model file.

    ``family`` is ``general.architecture``, ``context`` the trained length, ``images`` whether it sees,
    ``completion`` False for an embedding model, ``predicted`` the bytes it is thought to need.
    """

    family: str = ""
    context: int | None = None
    images: bool = False
    completion: bool = True
    predicted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaSettings:
    """What the user sets: OLLAMA_CONTEXT_LENGTH or num_ctx, OLLAMA_NUM_PARALLEL, OLLAMA_KV_CACHE_TYPE,
    OLLAMA_FLASH_ATTENTION, num_batch. None is the default.
    """

    context: int | None = None
    parallel: int | None = None
    cache_type: str | None = None
    flash_attention: bool | None = None
    batch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaLaunch:
    """The options of llama.cpp that Ollama starts with: ``batch`` is both -b and -ub."""

    context_per_sequence: int
    sequences: int
    batch: int
    cache_type: str
    flash_attention: FlashAttention
    version: str
    source: str

    @property
    def context(self) -> int:
        """Tokens of all sequences together: what is passed as -c."""
        return self.context_per_sequence * self.sequences


def ollama_defaults(
    host: OllamaHost,
    model: OllamaModel,
    settings: OllamaSettings | None = None,
    *,
    version: str = NEWEST,
) -> OllamaLaunch:
    """Return the options of llama.cpp that Ollama starts a model with.

    Raises UsageError (bad_option) for a version before the first known one, or a quantized cache with
    flash attention off.

    >>> host = OllamaHost(memory=24 * GIB)
    >>> launch = ollama_defaults(host, OllamaModel(context=131072))
    >>> launch.context, launch.batch, launch.flash_attention
    (32768, 1024, 'auto')
    """
    asked = settings or OllamaSettings()
    facts = tables("runtimes")["ollama"]
    row = _row(facts, version)
    sequences = _sequences(facts, row, model, asked)
    context = _context(facts, row, host, model, asked)
    flash = _flash_attention(row, host, asked)
    cache_type = asked.cache_type or "f16"
    if flash == "off" and cache_type not in {"f16", "f32", "bf16"}:
        raise UsageError(
            "bad_option", f"Ollama's cache type {shorten(cache_type)!r} needs OLLAMA_FLASH_ATTENTION=1"
        )
    return OllamaLaunch(
        context_per_sequence=context,
        sequences=sequences,
        batch=_batch(facts, row, host, model, asked, total=context * sequences, flash=flash),
        cache_type=cache_type,
        flash_attention=flash,
        version=row["since"],
        source=f"{facts['source']}; {row['source']} ({facts['checked']})",
    )


def _row(facts: dict[str, Any], version: str) -> dict[str, Any]:
    """Return the row of the newest version that is not newer than ``version``."""
    try:
        wanted = _numbers(version)
    except ValueError:
        raise UsageError("bad_option", f"{shorten(version)!r} is no version of Ollama") from None
    found: dict[str, Any] | None = None
    for row in facts["version"]:
        if _numbers(row["since"]) <= wanted:
            found = row
    if found is None:
        first = facts["version"][0]["since"]
        raise UsageError("bad_option", f"Ollama {shorten(version)} is not known here; the first is {first}")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.removeprefix("v").split("-")[0].split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def _sequences(facts: dict[str, Any], row: dict[str, Any], model: OllamaModel, asked: OllamaSettings) -> int:
    """Return the sequences at once: one for embeddings and for families that it serves alone."""
    if not model.completion or model.family in facts["single_sequence"]:
        return 1
    default: int = row["parallel"]
    return max(asked.parallel or default, 1)


def _context(
    facts: dict[str, Any], row: dict[str, Any], host: OllamaHost, model: OllamaModel, asked: OllamaSettings
) -> int:
    """Return the tokens of a sequence: as asked or by the memory of the devices, at most as trained."""
    tokens: int = asked.context or next(
        tokens for least, tokens in row["context_tiers"] if host.memory >= least * GIB
    )
    least: int = facts["least_context_with_images"] if model.images else facts["least_context"]
    tokens = max(tokens, least)
    return min(tokens, model.context) if model.context else tokens


def _flash_attention(row: dict[str, Any], host: OllamaHost, asked: OllamaSettings) -> FlashAttention:
    if asked.flash_attention is not None:
        return "on" if asked.flash_attention else "off"
    return "auto" if row["flash_attention"] == "auto" and host.flash_attention else "off"


def _batch(
    facts: dict[str, Any],
    row: dict[str, Any],
    host: OllamaHost,
    model: OllamaModel,
    asked: OllamaSettings,
    *,
    total: int,
    flash: FlashAttention,
) -> int:
    """Return the tokens of a batch: as asked, or by context and by the memory that the model leaves."""
    if not model.completion:
        embedding: int = facts["embedding_batch"]
        return min(asked.batch or embedding, total)
    if asked.batch:
        return asked.batch
    tiers = row["batch_tiers"]
    if flash == "off" and host.cuda and host.memory and len(tiers) > 1:
        return _batch_without_flash_attention(facts, host, total)
    for over, batch, cost_mib, percent in tiers:
        if total > over and (over == 0 or _leaves_room(facts, host, model, cost_mib * MIB, percent)):
            return int(batch)
    return int(tiers[-1][1])


def _batch_without_flash_attention(facts: dict[str, Any], host: OllamaHost, total: int) -> int:
    smallest = host.memory if host.smallest is None else host.smallest
    small = total > facts["small_device_context"] and smallest <= facts["small_device_gib"] * GIB
    return int(facts["small_device_batch"] if small else facts["batch_without_flash_attention"])


def _leaves_room(
    facts: dict[str, Any], host: OllamaHost, model: OllamaModel, cost: int, percent: int
) -> bool:
    """Tell whether a model leaves room for a larger batch; what is not known is taken to."""
    free = host.memory if host.free is None else host.free
    if not model.predicted or not free:
        return True
    limit: int = free * facts["batch_headroom"] // 100
    return model.predicted <= min(limit - cost, free * percent // 100)
