"""What serving engines choose and reserve: defaults by device, cache numbers, allowances with their range."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sizewise.catalog.rows import tables
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.units import GIB, MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """An amount that nobody can compute: the least and the most seen, and a usual one."""

    low: float
    typical: float
    high: float

    def scaled(self, factor: float) -> "Allowance":
        """Return the allowance times a factor (MiB to bytes, for example)."""
        return Allowance(low=self.low * factor, typical=self.typical * factor, high=self.high * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDefaults:
    """Tokens of one step and sequences at once that vLLM starts with on a device."""

    offline_tokens: int
    server_tokens: int
    sequences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheCell:
    """How vLLM stores one number of the cache; ``bits`` None: as the model's own numbers.

    ``scale_bytes`` are kept per head and side, ``numbers_per_scale`` numbers share one more byte.
    ``latent_row`` is the size of a whole row of latent attention, ``sparse_row`` of sparse latent
    attention on Hopper, where the format has one of its own.
    """

    bits: int | None = None
    scale_bytes: int = 0
    numbers_per_scale: int | None = None
    latent_row: int | None = None
    sparse_row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmVersion:
    """Habits that differ between versions of vLLM."""

    since: str
    gpu_memory_utilization: float
    graphs_in_budget: bool
    token_rule: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRow:
    """Defaults of SGLang on devices with less memory than ``below_mib`` (None: any).

    Tokens of a chunk of the prompt, and the largest decoding batch that is captured as a graph with
    fewer than four, and with more devices.
    """

    below_mib: int | None
    chunk_tokens: int
    graph_batch: int
    wide_graph_batch: int


def vllm_defaults() -> Mapping[str, Any]:
    """Return the constants of vLLM: ``{"gpu_memory_utilization", "block_tokens", …}``."""
    return _document("vllm", "defaults")


def vllm_expert_padding() -> Mapping[str, Any]:
    """Return what kernels of packed experts pad to, and the block of their format."""
    return _document("vllm", "expert_padding")


def vllm_batch(device_bytes: int, device_name: str) -> BatchDefaults:
    """Return the batch that vLLM starts with on a device of that memory and name.

    >>> vllm_batch(80 * GIB, "NVIDIA H100 80GB HBM3").server_tokens
    8192
    >>> vllm_batch(80 * GIB, "NVIDIA A100-SXM4-80GB").sequences
    256
    """
    name = device_name.lower()
    for row in _rows("vllm", "batch"):
        excluded = any(word in name for word in row.get("except_names", ()))
        if device_bytes >= row["at_least_gib"] * GIB and not excluded:
            return BatchDefaults(
                offline_tokens=row["offline_tokens"],
                server_tokens=row["server_tokens"],
                sequences=row["sequences"],
            )
    raise AssertionError("the last row has no lower bound")


def vllm_cache(name: str) -> CacheCell:
    """Return how a number of the cache is stored under a value of ``--kv-cache-dtype``.

    Raises UsageError (bad_option) for an unknown name.

    >>> vllm_cache("fp8_e4m3").bits
    8
    """
    found = _cells().get(name.strip().lower())
    if found is None:
        near = did_you_mean(name, _cells())
        raise UsageError("bad_option", f"vLLM has no cache format {shorten(name)!r}{near}")
    return found


@cache
def _cells() -> Mapping[str, CacheCell]:
    return {
        name: CacheCell(
            bits=row.get("bits"),
            scale_bytes=row.get("scale_bytes", 0),
            numbers_per_scale=row.get("numbers_per_scale"),
            latent_row=row.get("latent_row"),
            sparse_row=row.get("sparse_row"),
        )
        for row in _rows("vllm", "cache")
        for name in row["names"]
    }


def vllm_keeps_fp32(model_type: str) -> bool:
    """Tell whether vLLM keeps the recurrent states of a model type in fp32."""
    return model_type in _document("vllm", "recurrent_fp32")["types"]


def vllm_keeps_latent(text_type: str) -> bool:
    """Tell whether vLLM keeps the latent of a text model of that type, not the expanded keys and values.

    >>> vllm_keeps_latent("deepseek_v3"), vllm_keeps_latent("minicpm3")
    (True, False)
    """
    return text_type in _document("vllm", "latent")["types"]


def vllm_version(version: str) -> VllmVersion:
    """Return the habits of a version of vLLM, ``"0.19.1"`` for example; the oldest row for older ones.

    >>> vllm_version("0.19.1").token_rule, vllm_version("0.33.0").token_rule
    ('blocks', 'concurrency')
    """
    rows = [
        VllmVersion(
            since=row["since"],
            gpu_memory_utilization=row["gpu_memory_utilization"],
            graphs_in_budget=row["graphs_in_budget"],
            token_rule=row["token_rule"],
            source=row["source"],
        )
        for row in _rows("vllm", "version")
    ]
    return next((row for row in rows if _numbers(row.since) <= _numbers(version)), rows[-1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@cache
def allowance(engine: str, name: str) -> Allowance:
    """Return an allowance of an engine by its column; names that end in ``_mib`` come in bytes.

    >>> allowance("vllm", "graph_mib").low
    1048576.0
    """
    row = _document(engine, "allowance")[name]
    found = Allowance(low=float(row["low"]), typical=float(row["typical"]), high=float(row["high"]))
    return found.scaled(MIB) if name.endswith("_mib") else found


def allowance_source(engine: str) -> str:
    """Return where the allowances of an engine come from, with date and confidence."""
    row = _document(engine, "allowance")
    return f"{row['source']} ({row['checked']}, {row['confidence']})"


def sglang_defaults() -> Mapping[str, Any]:
    """Return the constants of SGLang: ``{"page_tokens", "window_ratio", …}``."""
    return _document("sglang", "defaults")


def sglang_capacity(device_mib: int) -> CapacityRow:
    """Return what SGLang starts with on a device of that memory.

    >>> sglang_capacity(81559).chunk_tokens
    8192
    """
    rows = [
        CapacityRow(
            below_mib=row.get("below_mib"),
            chunk_tokens=row["chunk_tokens"],
            graph_batch=row["graph_batch"],
            wide_graph_batch=row["wide_graph_batch"],
        )
        for row in _rows("sglang", "capacity")
    ]
    return next(row for row in rows if row.below_mib is None or device_mib < row.below_mib)


def _document(engine: str, table: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tables("runtimes")[engine][table]
    return found


def _rows(engine: str, table: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = tables("runtimes")[engine][table]
    return found


def sglang_pools_windows(model_class: str) -> bool:
    """Tell whether SGLang gives the sliding layers of a class a pool of their own.

    >>> sglang_pools_windows("GptOssForCausalLM"), sglang_pools_windows("Gemma3ForCausalLM")
    (True, False)
    """
    row = _document("sglang", "window_pools")
    return model_class in row["classes"] or model_class in row["inside"]


def sglang_ratio(kind: Literal["window", "state"], model_class: str) -> float | None:
    """Return a ratio of SGLang's pools that it sets for a class: None where its default holds.

    ``window``: tokens of the pool of windows over those of full layers; ``state``: bytes of recurrent
    states over those of tokens.

    >>> sglang_ratio("window", "InklingForConditionalGeneration"), sglang_ratio("state", "JambaForCausalLM")
    (0.1, None)
    """
    found: float | None = _document("sglang", "class_ratios")[kind].get(model_class)
    return found
