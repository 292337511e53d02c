"""Cache bytes against caches that mlx-lm 0.32.2 filled on a CPU (mlx 0.32.4, 2026-11-22).

``mlx_caches.jsonl.gz``: small bf16 models of 69 types; ``prompt`` tokens came in pieces of ``step``, then
one by one up to ``tokens``; ``bytes`` are those of all arrays at the end, ``prefill_bytes`` the most that
they had after a piece.
Left out: configurations whose heads or layer kinds stand in fields that the model file does not read.
"""

import gzip
import json
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from sizewise.catalog.rows import tables
from sizewise.configuration import Config
from sizewise.errors import InputError, UsageError
from sizewise.families import describe, known_types
from sizewise.ledger import Line
from sizewise.operations import Kept, TokenCache
from sizewise.runtimes import CacheRequest
from sizewise.runtimes.mlx import Habits, Mlx, mlx_habits, mlx_kept
from sizewise.runtimes.mlx_buffers import mlx_buffers

FILE = Path(__file__).parent / "mlx_caches.jsonl.gz"
ROWS = [json.loads(line) for line in gzip.decompress(FILE.read_bytes()).splitlines()]


def kept(row: dict[str, Any]) -> list[tuple[Kept, int]]:
    architecture = describe(Config(row["config"], row["model_type"]))
    return list(mlx_kept(architecture, mlx_habits(row["model_type"])))


def engine(row: dict[str, Any]) -> Mlx:
    return Mlx(habits=mlx_habits(row["model_type"]), prompt=row["prompt"], prefill_step=row["step"])


def request(tokens: int, sequences: int = 1) -> CacheRequest:
    return CacheRequest(context=tokens, sequences=sequences, cache_bytes=2, state_bytes=2)


def assert_formulas_hold(line: Line) -> None:
    for _, below in line.walk():
        if not below.parts and below.amount is not None:
            scope = {"min": min, "max": max, "ceil": ceil, **below.inputs}
            assert eval(below.formula, scope) == below.value, below.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['model_type']}-{row['prompt']}")
def test_the_cache_has_the_measured_bytes(row: dict[str, Any]) -> None:
    entries = kept(row)
    line = engine(row).cache(entries, request(row["tokens"]))
    assert line.value == row["bytes"]
    assert_formulas_hold(line)
    assert engine(row).cache(entries, request(row["tokens"], 3)).value == 3 * row["bytes"]


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["prompt"] > 1],
    ids=lambda row: f"{row['model_type']}-{row['prompt']}",
)
def test_the_widest_moment_of_the_prompt_is_known(row: dict[str, Any]) -> None:
    entries, asked = kept(row), request(row["prompt"])
    surplus = engine(row).prompt_surplus(entries, asked)
    assert_formulas_hold(surplus)
    widest = engine(row).cache(entries, asked).value + surplus.value
    last = row["prompt"] - 1
    grown_since = ceil(last / 256) > ceil(last // row["step"] * row["step"] / 256)
    assert widest >= row["prefill_bytes"] if grown_since else widest == row["prefill_bytes"]


def test_every_type_is_known_and_measured_or_said_to_be_read_only() -> None:
    facts = tables("runtimes")["mlx"]
    measured = {row["model_type"] for row in ROWS}
    assert set(facts["types"]) == measured | set(facts["read"])
    assert not measured & set(facts["read"])
    assert set(facts["types"]) <= set(known_types())
    for habit in ("rotating", "chunked", "expanded", "padded_index", "listed", "own_precision"):
        assert set(facts[habit]) <= set(facts["types"]), habit


def test_a_type_that_mlx_lm_has_not_is_refused() -> None:
    with pytest.raises(InputError, match="bloom"):
        mlx_habits("bloom")


@pytest.mark.parametrize(("bits", "row_bytes"), [(8, 36), (6, 28), (4, 20), (3, 16)])
def test_a_quantized_cache_has_a_scale_and_a_bias_per_group(bits: int, row_bytes: int) -> None:
    entries: list[tuple[Kept, int]] = [(TokenCache(keys=64, values=64, heads=2), 2)]
    quantized = Mlx(cache_bits=bits, cache_group=32)
    line = quantized.cache(entries, request(6000))
    assert line.value == 2 * 6144 * 4 * row_bytes
    assert_formulas_hold(line)
    assert quantized.cache(entries, request(4999)).value == 2 * 5120 * 128 * 2


def test_measured_quantized_caches() -> None:
    """70 tokens at once, then up to 330: the row of Qwen3.5 with its cache in groups of 32 from the start."""
    row = next(row for row in ROWS if row["model_type"] == "qwen3_5" and row["prompt"] == 1)
    for bits, measured in ((8, 193536), (6, 160768), (4, 128000), (3, 111616)):
        quantized = Mlx(cache_bits=bits, cache_group=32, quantized_start=0, prompt=70)
        assert quantized.cache(kept(row), request(330)).value == measured


def test_rotating_and_latent_caches_cannot_be_quantized() -> None:
    rotating = Mlx(habits=Habits(rotating=True), cache_bits=8)
    with pytest.raises(UsageError, match="rotating"):
        rotating.cache([(TokenCache(keys=64, values=64, window=512), 1)], request(8192))
    with pytest.raises(UsageError, match="latent"):
        Mlx(cache_bits=8).cache([(TokenCache(keys=576, latent=True), 1)], request(8192))


def test_a_layer_with_a_list_of_caches_stays_as_it_is() -> None:
    entries: list[tuple[Kept, int]] = [(TokenCache(keys=64, values=64), 1)]
    listed = Mlx(habits=Habits(listed=True), cache_bits=8)
    assert listed.cache(entries, request(8192)).value == 8192 * 128 * 2


def test_chunked_layers_keep_a_chunk_and_a_step() -> None:
    entries: list[tuple[Kept, int]] = [(TokenCache(keys=1, chunk=8192), 1)]
    chunked = Mlx(habits=Habits(chunked=True))
    for context, tokens in ((100, 256), (8192, 8192), (8193, 8448), (99999, 8448)):
        line = chunked.cache(entries, request(context))
        assert line.value == 2 * tokens
        assert_formulas_hold(line)


TINY = {"hidden_size": 512, "vocab_size": 4000, "head_dim": 64}
# type, heads, KV heads, feed-forward width, layers, context, step, peak less weights and cache
CPU_PEAKS = [
    ("llama", 8, 2, 2048, 6, 1024, 512, 24424486),
    ("llama", 8, 2, 2048, 6, 2048, 512, 33048614),
    ("llama", 8, 2, 2048, 6, 2048, 1024, 65556518),
    ("qwen3", 8, 8, 1024, 6, 1024, 512, 25708650),
    ("qwen3", 8, 8, 1024, 6, 2048, 1024, 69251178),
]


@pytest.mark.parametrize("row", CPU_PEAKS)
def test_peaks_on_a_cpu_lie_inside_once_its_written_scores_are_added(row: tuple[Any, ...]) -> None:
    model_type, heads, kv_heads, width, layers, context, step, peak = row
    fields = {
        **TINY,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": width,
        "num_hidden_layers": layers,
    }
    architecture = describe(Config(fields, model_type))
    line = mlx_buffers(architecture, context=context, sequences=1, number_bytes=2, prefill_step=step)
    assert [part.name for part in line.parts] == ["activations"]
    low, high = line.interval
    scores = heads * step * context * 2
    assert low + 0.8 * scores <= peak <= high + 1.6 * scores
    assert_formulas_hold(line)


def test_head_sizes_without_a_fused_kernel_write_their_scores() -> None:
    fields = {**TINY, "head_dim": 256, "num_attention_heads": 4, "num_key_value_heads": 1}
    line = mlx_buffers(describe(Config(fields, "gemma3_text")), context=9000, sequences=2, number_bytes=2)
    assert line.part("attention scores").value == 2 * 4 * 2048 * 9000 * 2
    assert_formulas_hold(line)
