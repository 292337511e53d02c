"""Cache bytes against caches that transformers 5.23 filled on a CPU, and against ideal arithmetic.

Rows and their origin: ``architectures/SOURCES.md`` and ``memory/SOURCES.md``.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from sizewise.configuration import Config
from sizewise.families import describe, known_types
from sizewise.ledger import Line
from sizewise.operations import Kept, SequenceState, TokenCache
from sizewise.runtimes import CacheRequest
from sizewise.runtimes.ideal import Ideal
from sizewise.runtimes.transformers import Transformers

HERE = Path(__file__).parent
BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}


def covered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["model_type"] in known_types()]


MEMORY = json.loads((HERE / "memory" / "kv_golden.json").read_text())
MEASURED = covered(json.loads((HERE / "architectures" / "kv_truth.json").read_text())) + covered(
    {
        **row,
        "case": row["name"],
        "model_type": row["config"]["model_type"],
        "tokens_cached": row["prefill"] + row["decode"],
        "counter_bytes": 0,
    }
    for row in MEMORY["transformers_cases"]
)
IDEAL = covered(
    {**row, "model_type": config["model_type"], "config": config}
    for row in MEMORY["ideal_8192_bf16_batch1"]
    for config in [json.loads((HERE / "memory" / "configs" / f"{row['model']}.json").read_text())]
)


def kept(row: dict[str, Any], field: str = "config") -> list[tuple[Kept, int]]:
    return list(describe(Config(row[field], row["model_type"])).kept())


def request(row: dict[str, Any]) -> CacheRequest:
    each = BYTES[row["dtype"]]
    tokens = row.get("static_max_len", row["tokens_cached"])
    return CacheRequest(context=tokens, sequences=row["batch"], cache_bytes=each, state_bytes=each)


def evaluated(line: Line) -> Any:
    return eval(line.formula, {"min": min, "max": max, "ceil": ceil, **line.inputs})


def assert_formulas_hold(line: Line) -> None:
    for _, below in line.walk():
        if not below.parts and below.amount is not None:
            assert evaluated(below) == below.value, below.name
            assert isinstance(below.value, int)


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: row["case"])
def test_the_cache_has_the_measured_bytes(row: dict[str, Any]) -> None:
    runtime = Transformers(static="static_max_len" in row)
    line = runtime.cache(kept(row), request(row))
    assert line.value == row["measured_bytes"]
    assert runtime.counters(kept(row)).value == row["counter_bytes"]
    assert_formulas_hold(line)
    assert_formulas_hold(runtime.counters(kept(row)))


@pytest.mark.parametrize("row", [row for row in MEASURED if "resolved" in row], ids=lambda row: row["case"])
def test_the_resolved_configuration_has_the_same_cache(row: dict[str, Any]) -> None:
    runtime = Transformers(static="static_max_len" in row)
    assert runtime.cache(kept(row, "resolved"), request(row)).value == row["measured_bytes"]


@pytest.mark.parametrize("row", IDEAL, ids=lambda row: f"{row['model']}: {row['rule']}")
def test_the_ideal_cache_has_the_published_bytes(row: dict[str, Any]) -> None:
    entries = kept(row)
    if "full length" in row["rule"]:
        entries = [
            (replace(entry, window=None) if isinstance(entry, TokenCache) else entry, layers)
            for entry, layers in entries
        ]
    asked = CacheRequest(context=8192, sequences=1, cache_bytes=2, state_bytes=2)
    line = Ideal().cache(entries, asked)
    assert line.value == row["ideal_bytes"]
    assert_formulas_hold(line)


def test_layers_are_named_by_what_they_keep() -> None:
    entries: list[tuple[Kept, int]] = [
        (TokenCache(keys=64, values=64), 2),
        (TokenCache(keys=64, values=64, window=512), 3),
        (TokenCache(keys=64, values=64, chunk=128), 1),
        (TokenCache(keys=512, values=64, index=32, latent=True), 1),
        (TokenCache(keys=64, values=64, encoder=True), 1),
        (SequenceState(channels=96, kernel=4, recurrent=1024, shift=32), 5),
    ]
    asked = CacheRequest(context=1000, sequences=2, cache_bytes=1, state_bytes=2, encoder_tokens=77)
    line = Ideal().cache(entries, asked)
    assert {part.name: part.value for part in line.parts} == {
        "full attention": 2 * 2 * 1000 * 128,
        "sliding attention (window 512)": 3 * 2 * 512 * 128,
        "chunked attention (chunk 128)": 2 * 128 * 128,
        "latent": 2 * 1000 * 576,
        "indexer keys": 2 * 1000 * 32,
        "cross attention": 2 * 77 * 128,
        "convolution state": 5 * 2 * 3 * 96 * 2,
        "recurrent state": 5 * 2 * 1024 * 4,
        "token shift": 5 * 2 * 32 * 2,
    }
    assert_formulas_hold(line)
    assert_formulas_hold(Transformers().cache(entries, asked))
    assert_formulas_hold(Transformers(static=True).cache(entries, asked))


def test_alike_layers_make_one_line_and_different_ones_a_sum() -> None:
    asked = CacheRequest(context=10, sequences=1, cache_bytes=2, state_bytes=2)
    narrow, wide = TokenCache(keys=8, values=8), TokenCache(keys=16, values=16)
    one = Ideal().cache([(narrow, 2), (narrow, 3)], asked).part("full attention")
    assert (one.value, one.inputs["layers"]) == (5 * 10 * 16 * 2, 5)
    two = Ideal().cache([(narrow, 2), (wide, 1), (narrow, 1)], asked).part("full attention")
    assert [part.name for part in two.parts] == ["16 numbers", "32 numbers"]
    assert two.value == (3 * 16 + 32) * 10 * 2


@pytest.mark.parametrize(("window", "tokens"), [(1, 9), (2, 1), (9, 8), (10, 9), (99, 9)])
def test_a_growing_cache_keeps_one_token_less_than_the_window(window: int, tokens: int) -> None:
    asked = CacheRequest(context=9, sequences=1, cache_bytes=1, state_bytes=1)
    entries: list[tuple[Kept, int]] = [(TokenCache(keys=1, window=window), 1)]
    line = Transformers().cache(entries, asked)
    assert line.value == tokens
    assert_formulas_hold(line)


def test_a_model_without_a_cache_keeps_nothing() -> None:
    asked = CacheRequest(context=9, sequences=1, cache_bytes=2, state_bytes=2)
    assert Ideal().cache([], asked).value == 0
    assert Transformers().counters([]).value == 0
