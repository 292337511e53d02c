"""Engines side by side: what runs where, in which format, and why it differs from the ideal."""

from collections.abc import Callable

import pytest

import sizewise as sw
from sizewise.catalog.formats import find_format
from sizewise.planning.compare import compare_engines, nearest, runs
from sizewise.planning.defaults import Asked
from sizewise.runtimes.registry import RUNTIMES


def test_every_engine_answers_and_the_ideal_differs_in_nothing() -> None:
    answers = sw.compare_runtimes("llama-3.1-8b", context=10_000, on="h100-sxm")
    assert [answer.scenario.runtime for answer in answers] == list(RUNTIMES)
    assert answers[0].differs == ()
    for answer in answers[1:]:
        assert answer.differs
        alone = sw.memory_answer(
            "llama-3.1-8b",
            context=10_000,
            on="h100-sxm",
            runtime=answer.scenario.runtime,
            quant=answer.scenario.weights.name,
        )
        assert alone.line == answer.line


@pytest.mark.parametrize(
    ("model", "runtime", "reason"),
    [
        ("llama-3.1-8b", "llama.cpp", "full attention in 10,240 cells for 10,001 tokens"),
        ("gemma-3-12b-it", "llama.cpp", "sliding attention in 1,536 cells for 1,024 tokens"),
        ("gemma-3-12b-it", "llama.cpp", "without vision"),
        ("gemma-3-12b-it", "transformers", "sliding attention holds 1,023 tokens for 1,024"),
        ("gemma-3-12b-it", "sglang", "sliding attention keeps every token"),
        ("gemma-3-12b-it", "vllm", "blocks of 16 tokens, windows and tokens in flight"),
        ("llama-3.1-8b", "vllm", "blocks of 16 tokens"),
        ("qwen3-next-80b-a3b-instruct", "transformers", "convolution state with all 4 columns"),
        ("qwen3-next-80b-a3b-instruct", "llama.cpp", "convolution state in 32 bits instead of 16"),
        ("qwen3-next-80b-a3b-instruct", "sglang", "recurrent state: 5 slots for a sequence, and one more"),
        ("deepseek-v3", "llama.cpp", "latent in 10,240 cells for 10,001 tokens"),
    ],
)
def test_reasons_are_read_off_the_lines(model: str, runtime: str, reason: str) -> None:
    answers = {answer.scenario.runtime: answer for answer in sw.compare_runtimes(model, context=10_001)}
    assert reason in ". ".join(answers[runtime].differs)


def test_a_file_type_is_counted_in_the_nearest_format_elsewhere() -> None:
    answers = {row.scenario.runtime: row for row in sw.compare_runtimes("llama-3.1-8b", quant="q4_k_m")}
    assert answers["llama.cpp"].scenario.weights.name == "q4_k_m"
    assert answers["vllm"].scenario.weights.name == "awq"
    assert answers["vllm"].differs[0] == "vllm runs no q4_k_m weights: counted in awq"
    assert any(notice.code == "format_replaced" for notice in answers["vllm"].notices)


def test_a_file_type_with_the_same_numbers_is_no_other_format() -> None:
    answers = {row.scenario.runtime: row for row in sw.compare_runtimes("gpt-oss-20b")}
    assert answers["llama.cpp"].scenario.weights.name == "mxfp4_moe"
    assert not any(notice.code == "format_replaced" for notice in answers["llama.cpp"].notices)


@pytest.mark.parametrize(
    ("model", "wanted", "engine", "found"),
    [
        ("gpt-oss-20b", "q4_k_m", "vllm", "mxfp4"),
        ("llama-3.1-8b", "awq", "llama.cpp", "q4_k_m"),
        ("llama-3.1-8b", "fp8", "llama.cpp", "q8_0"),
        ("llama-3.1-8b", "q8_0", "vllm", "fp8"),
        ("llama-3.1-8b", "nf4", "vllm", "awq"),
        ("llama-3.1-8b", "q4_k_m", "mlx", "mlx-4bit"),
        ("llama-3.1-8b", "q4_k_m", "transformers", "nf4"),
    ],
)
def test_the_nearest_format(model: str, wanted: str, engine: str, found: str) -> None:
    assert not runs(engine, find_format(wanted))
    assert nearest(sw.load(model), find_format(wanted), engine).name == found


def test_engines_that_cannot_run_a_model_are_listed_with_the_reason(run: Callable) -> None:
    found = compare_engines(sw.load("t5-small"), Asked())
    assert {refusal.runtime.split("@")[0] for refusal in found.refusals} >= {"llama.cpp", "ollama"}
    ideal = sw.compare_runtimes("t5-small")[0]
    assert any(notice.code == "runtime_refused" for notice in ideal.notices)
    document = run("memory", "t5-small", "--runtime", "all", "--json").document
    assert {row["code"] for row in document["refused"]} == {"unsupported_architecture"}
    text = run("memory", "t5-small", "--runtime", "all").out
    assert "cannot run it" in text
    assert "are not modelled here" in text


def test_json_compares_as_with_several_models(run: Callable) -> None:
    document = run("memory", "gpt2", "--runtime", "all", "-c", "500", "--json").document
    assert [row["runtime"].split("@")[0] for row in document["compared"]] == list(RUNTIMES)
    assert document["refused"] == []
    assert document["compared"][0]["command"] is None
    assert all(row["command"] and row["differs"] for row in document["compared"][1:])


def test_all_forms(run: Callable) -> None:
    arguments = ("memory", "gpt2", "--runtime", "all", "--on", "rtx-4090")
    table = run(*arguments).out
    assert all(name in table for name in RUNTIMES)
    assert "run it: vllm serve openai-community/gpt2 --max-model-len 1024" in table
    assert run(*arguments, "--format", "csv").out.startswith("model,runtime,part,bytes,status\n")
    assert "| vllm@" in run(*arguments, "--format", "md").out
    assert len(run(*arguments, "--format", "jsonl").out.splitlines()) == len(RUNTIMES)
    assert "gpt2, ideal@1" in run(*arguments, "--explain").out
    assert run(*arguments, "--check").code == 0
    assert run("memory", "gpt2", "--runtime", "all", "--memory", "1GiB", "--check").code == 1


def test_what_no_engine_could_mean_is_an_error(run: Callable) -> None:
    assert run("memory", "gpt2", "--runtime", "all", "-q", "nonsense").code == 2
    with pytest.raises(sw.UsageError, match="compare_runtimes"):
        sw.memory_answer("gpt2", runtime="all")


def test_devices_that_cannot_share_a_model_are_no_suggestion() -> None:
    answer = sw.memory_answer("gpt-oss-20b", runtime="transformers", on="rtx-4090", context=10_000)
    assert answer.changes


def test_the_command_is_the_last_line(run: Callable) -> None:
    out = run("memory", "gpt2", "--runtime", "vllm").out
    assert out.splitlines()[-1] == "run it: vllm serve openai-community/gpt2 --max-model-len 1024"
