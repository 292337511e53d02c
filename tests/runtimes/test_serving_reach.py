"""Serving engines from end to end: how far devices reach, small devices, other devices, notices, reports."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

import sizewise as sw
from sizewise.catalog.engine_classes import runs_class
from sizewise.ledger import Line
from sizewise.planning.answer import MemoryAnswer
from sizewise.report.document import memory_document
from sizewise.report.memory import memory_notes

SERVERS = ("vllm", "sglang")
MINICPM3 = {
    "model_type": "minicpm3",
    "hidden_size": 2560,
    "num_hidden_layers": 62,
    "num_attention_heads": 40,
    "num_key_value_heads": 40,
    "intermediate_size": 6400,
    "vocab_size": 73448,
    "q_lora_rank": 768,
    "kv_lora_rank": 256,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32,
    "v_head_dim": 64,
}


def reports(answer: MemoryAnswer) -> dict[str, Line]:
    return {line.name: line for line in answer.reports}


def codes(answer: MemoryAnswer) -> list[str]:
    return [notice.code for notice in answer.notices]


@pytest.mark.parametrize(
    ("name", "on", "engine"),
    [
        ("llama-3.1-8b", "h100-sxm", {}),
        ("llama-3.1-8b", "rtx-4090", {"block": 64}),
        ("gpt-oss-120b", "h100-sxm:8", {}),
        ("gpt-oss-20b", "rtx-4090", {"block": 64}),
        ("qwen3-next-80b-a3b-instruct", "h100-sxm:4", {}),
        ("deepseek-v3", "h200:8", {}),
        ("qwen2.5-vl-3b-instruct", "h100-sxm", {}),
    ],
)
def test_devices_reach_as_far_as_sglangs_pools(name: str, on: str, engine: dict[str, Any]) -> None:
    answer = sw.memory_answer(name, on=on, runtime="sglang", engine=engine)
    found = reports(answer)
    assert answer.largest_context == found["tokens of the pool"].value
    assert answer.largest_sequences == found["sequences of full context"].value


@pytest.mark.parametrize(
    ("name", "on", "context"),
    [("gemma-3-27b-it", "h100-sxm", 32768), ("llama-3.1-70b", "h100-sxm:2", 8192)],
)
def test_sequences_are_as_unsure_as_vllms_pool(name: str, on: str, context: int) -> None:
    answer = sw.memory_answer(name, quant="bf16", on=on, context=context, runtime="vllm")
    found = reports(answer)
    pool, sequences = found["tokens of the pool"], found["sequences of full context"]
    assert sequences.interval[0] < sequences.value < sequences.interval[1]
    for held, tokens in zip(sequences.interval, pool.interval, strict=True):
        assert held * context == pytest.approx(tokens, abs=1)
    told = next(note for note in memory_notes(answer) if note.startswith("sequences of full context"))
    assert all(len(number.partition(".")[2]) <= 1 for number in re.findall(r"[\d,]+\.?\d*", told))


@pytest.mark.parametrize("runtime", SERVERS)
@pytest.mark.parametrize("memory", ["1", "100MiB", "1GiB", "8GiB"])
def test_small_devices_hold_nothing(runtime: str, memory: str) -> None:
    answer = sw.memory_answer("gpt2", runtime=runtime, memory=memory)
    for line in answer.reports:
        low, high = line.interval
        assert 0 <= low <= line.value <= high
    assert all(int(part.value) >= 0 for share in answer.shares for part in share.line.parts)
    json.dumps(memory_document(answer), allow_nan=False)


@pytest.mark.parametrize("runtime", SERVERS)
def test_a_model_without_a_cache_has_no_pool(runtime: str) -> None:
    answer = sw.memory_answer("bert-base-uncased", runtime=runtime, context=512, on="h100-sxm")
    assert answer.reports == ()
    json.dumps(memory_document(answer), allow_nan=False)


@pytest.mark.parametrize("runtime", SERVERS)
def test_steps_of_any_length_take_no_time(runtime: str, calls: Callable) -> None:
    def asked(tokens: int) -> int:
        engine = {"batched_tokens": tokens}
        return calls(lambda: sw.memory_answer("llama-3.1-8b", runtime=runtime, on="h100-sxm", engine=engine))

    asked(10**4)  # what every question shares is remembered from here on
    assert asked(10**9) < 10 * asked(2 * 10**4)


@pytest.mark.parametrize("runtime", SERVERS)
def test_reports_of_replicas_say_so(runtime: str) -> None:
    answer = sw.memory_answer("deepseek-v3", runtime=runtime, on="h200:8", layout={"tensor": 1, "data": 8})
    assert answer.reports
    assert all(line.name.endswith(" per replica") for line in answer.reports)


def test_vllm_expands_the_latent_of_types_that_it_does_not_list() -> None:
    """40 heads of 96 features, keys and values, where the latent has 288."""
    expanded = sw.memory_answer(MINICPM3, runtime="vllm", context=8192).line.part("cache")
    assert expanded.value == 62 * 8192 * 2 * 40 * 96 * 2
    kept = sw.memory_answer(MINICPM3, runtime="sglang", context=8192).line.part("cache")
    assert kept.value == 62 * 8192 * 288 * 2


@pytest.mark.parametrize(
    ("model_type", "split"),
    [("granite_swa", True), ("granitemoe_swa", True), ("gemma4_unified_text", True), ("exaone4", False)],
)
def test_sglang_gives_windows_a_pool_where_it_lists_the_class(model_type: str, split: bool) -> None:
    answer = sw.memory_answer({"model_type": model_type}, runtime="sglang", context=8192)
    names = [line.name for line in answer.line.part("cache").parts]
    assert ("sliding attention" in names) == split


@pytest.mark.parametrize(
    ("name", "runtime", "noticed"),
    [
        ("llama-3.1-8b", "vllm", False),
        ("phi-3.5-moe-instruct", "vllm", False),
        ("kimi-k2.5", "sglang", False),
        ("mpt-7b", "vllm", True),
        ("t5-3b", "vllm", True),
        ("t5-3b", "sglang", True),
        ("falcon-180b", "sglang", True),
    ],
)
def test_a_notice_says_that_an_engine_has_no_such_class(name: str, runtime: str, noticed: bool) -> None:
    answer = sw.memory_answer(name, runtime=runtime, context=512)
    assert ("not_run_by_engine" in codes(answer)) == noticed


def test_vllm_had_some_classes_before() -> None:
    (text,) = (
        notice.message
        for notice in sw.memory_answer("mpt-7b", runtime="vllm").notices
        if notice.code == "not_run_by_engine"
    )
    assert (
        text == "vLLM 0.33.0 has no class for MptForCausalLM; it had one until 0.28.0; counted as if it had"
    )


def test_sglang_turns_no_class_into_another() -> None:
    assert runs_class("vllm", "Qwen3ForTokenClassification")
    assert not runs_class("sglang", "Qwen3ForTokenClassification")


@pytest.mark.parametrize(("on", "noticed"), [("h100-sxm", False), ("tpu-v5e", True), ("mi300x", True)])
@pytest.mark.parametrize("runtime", SERVERS)
def test_a_notice_says_that_a_device_has_no_cuda(runtime: str, on: str, noticed: bool) -> None:
    answer = sw.memory_answer("llama-3.1-8b", runtime=runtime, on=on)
    assert ("not_cuda" in codes(answer)) == noticed
