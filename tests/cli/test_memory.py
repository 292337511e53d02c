import json
from collections.abc import Callable
from pathlib import Path

import pytest

import sizewise as sw
from sizewise.errors import UsageError

GIB = 2**30


def memory(run: Callable, *arguments: str) -> dict:
    found = run("memory", *arguments, "--json")
    assert found.code == 0, found.err
    return found.document


def test_the_main_job(run: Callable) -> None:
    document = memory(run, "llama-3.1-8b", "--context", "32k", "--on", "rtx-4090")
    parts = document["memory"]
    assert parts["weights"] == 16_060_522_496
    assert parts["cache"] == 32_768 * 131_072
    assert parts["total"] == sum(parts[name] for name in ("weights", "cache", "buffers", "overhead"))
    assert document["scenario"]["context"] == 32_768
    assert document["runtime"].startswith("transformers@")
    (fit,) = document["fits"]
    assert fit["device"] == "rtx-4090-24gb"
    assert fit["fits"] == (fit["needed"] <= fit["usable"])
    low, high = document["intervals"]["total"]
    assert low < parts["total"] < high


@pytest.mark.parametrize(
    ("model", "per_token"), [("llama-3.1-8b", 131_072), ("deepseek-v3", 70_272), ("llama-2-7b-hf", 524_288)]
)
def test_cache_per_token(run: Callable, model: str, per_token: int) -> None:
    assert (
        memory(run, model, "--context", "1000", "--runtime", "ideal")["memory"]["cache"] == 1000 * per_token
    )


def test_the_ideal_has_neither_buffers_nor_overhead(run: Callable) -> None:
    parts = memory(run, "gpt2", "--runtime", "ideal")["memory"]
    assert (parts["buffers"], parts["overhead"]) == (0, 0)


@pytest.mark.parametrize(
    "spelling",
    [("--sequences", "4"), ("--batch", "4"), ("--max-num-seqs", "4"), ("--parallel", "4"), ("-np", "4")],
)
def test_spellings_of_other_tools(run: Callable, spelling: tuple[str, str]) -> None:
    four = memory(run, "gpt2", "--context", "512", *spelling)["memory"]["cache"]
    assert four == 4 * memory(run, "gpt2", "-c", "512")["memory"]["cache"]
    assert memory(run, "gpt2", "--max-model-len", "512")["scenario"]["context"] == 512
    assert memory(run, "gpt2", "--ctx-size", "512")["scenario"]["context"] == 512


def test_default_context_is_8192_or_the_models_limit(run: Callable) -> None:
    assert memory(run, "llama-3.1-8b")["scenario"]["context"] == 8192
    assert memory(run, "gpt2")["scenario"]["context"] == 1024


def test_a_context_beyond_training_is_said(run: Callable) -> None:
    codes = [warning["code"] for warning in memory(run, "llama-2-7b", "--context", "8k")["warnings"]]
    assert "beyond_context" in codes


def test_a_context_without_positions_is_refused(run: Callable) -> None:
    found = run("memory", "gpt2", "--context", "4k")
    assert found.code == 2
    assert "--context: openai-community/gpt2 has a table of 1,024 positions" in found.err


def test_the_largest_context_fits_and_one_more_token_does_not(run: Callable) -> None:
    document = memory(run, "llama-3.1-8b", "--memory", "20GiB", "--sequences", "2")
    context = document["largest"]["context"]
    at = memory(run, "llama-3.1-8b", "--memory", "20GiB", "--sequences", "2", "-c", str(context))
    beyond = memory(run, "llama-3.1-8b", "--memory", "20GiB", "--sequences", "2", "-c", str(context + 1))
    assert at["fits"][0]["fits"]
    assert not beyond["fits"][0]["fits"]


def test_check_exits_with_one_when_it_does_not_fit(run: Callable) -> None:
    assert run("memory", "llama-3.1-70b", "--on", "rtx-4090", "--check", "--json").code == 1
    assert run("memory", "llama-3.1-8b", "--on", "h100-sxm", "--check", "--json").code == 0
    assert run("memory", "llama-3.1-8b", "--check").code == 2


def test_changes_save_what_they_say(run: Callable) -> None:
    document = memory(run, "llama-3.1-8b", "--on", "rtx-3060", "--context", "16k")
    needed = document["fits"][0]["needed"]
    assert document["changes"]
    assert any(change["fits"] for change in document["changes"])
    for change in document["changes"]:
        assert change["needed"] == needed - change["saves"]
        option = change["option"].split()
        again = memory(run, "llama-3.1-8b", "--on", "rtx-3060", "--context", "16k", *option)
        assert again["fits"][0]["needed"] == change["needed"], change


def test_ranks_of_one_layout_hold_the_same(run: Callable) -> None:
    document = memory(run, "llama-3.1-70b", "--on", "h100-sxm:2", "--tp", "2")
    first, second = document["per_device"]
    assert first == {**second, "device": first["device"]}
    assert 2 * first["weights"] >= document["memory"]["weights"]
    assert 2 * first["cache"] == document["memory"]["cache"]
    assert document["fits"][0]["count"] == 2
    assert document["fits"][0]["needed"] == first["total"]


def test_table_shows_parts_bar_and_devices(run: Callable) -> None:
    shown = run("memory", "llama-3.1-8b", "--context", "32k", "--on", "rtx-4090").out
    for word in ("weights", "cache", "buffers", "overhead", "total", "GiB", "GB", "rtx-4090-24gb", "█"):
        assert word in shown
    assert "\x1b" not in shown


def test_side_by_side(run: Callable) -> None:
    document = memory(run, "llama-3.1-8b", "qwen2.5-7b", "--on", "rtx-4090")
    assert len(document["compared"]) == 2
    assert "Qwen/Qwen2.5-7B" in run("memory", "llama-3.1-8b", "qwen2.5-7b").out


@pytest.mark.parametrize(("text", "expected"), [("24GiB", 24 * GIB), ("24", 24 * GIB), ("24GB", 24 * 10**9)])
def test_units_of_memory(run: Callable, text: str, expected: int) -> None:
    assert memory(run, "gpt2", "--memory", text)["fits"][0]["usable"] == expected


LISTENS = {
    "model_type": "qwen2_audio",
    "audio_config": {"model_type": "qwen2_audio_encoder"},
    "text_config": {"model_type": "qwen2", "max_position_embeddings": 32_768},
}


@pytest.fixture
def listener(tmp_path: Path) -> str:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(LISTENS))
    return str(file)


@pytest.mark.parametrize("spelling", [("--audio", "10,3"), ("--audio", "10s", "--audio", "3.0")])
def test_sound_takes_tokens_of_the_context(run: Callable, listener: str, spelling: tuple[str, ...]) -> None:
    heard = memory(run, listener, "-c", "1000", "--runtime", "ideal", *spelling)
    longer = memory(run, listener, "-c", "1325", "--runtime", "ideal")
    assert heard["scenario"]["audio_tokens"] == 250 + 75
    assert heard["scenario"]["context"] == 1325
    assert heard["memory"] == longer["memory"]
    assert longer["scenario"]["audio_tokens"] == 0


def test_the_rule_for_sound_is_explained(run: Callable, listener: str) -> None:
    found = run("memory", listener, "--audio", "10", "--explain")
    assert "sound of 10 s: 250 tokens (derived) = " in found.out
    assert "processing_qwen2_audio.py" in found.out
    assert "sound takes 250 tokens" in run("memory", listener, "--audio", "10").out
    lines = memory(run, listener, "--audio", "10", "--explain")
    assert lines["audio"]["parts"][0]["value"] == 250


def test_sound_that_the_processor_cuts_is_said(run: Callable, listener: str) -> None:
    document = memory(run, listener, "--audio", "31")
    assert document["scenario"]["audio_tokens"] == 750
    assert "sound_cut" in [warning["code"] for warning in document["warnings"]]


@pytest.mark.parametrize("model", ["llama-3.1-8b", "gpt2"])
def test_text_models_take_no_sound(run: Callable, model: str) -> None:
    found = run("memory", model, "--audio", "10")
    assert found.code == 2
    assert "[bad_option]" in found.err
    assert "takes no sound" in found.err


@pytest.mark.parametrize("length", ["0", "-3", "", "1e9", "ten", "5,,5", "9999999", "1;2", "nan"])
def test_lengths_of_sound_that_cannot_be_meant(run: Callable, listener: str, length: str) -> None:
    found = run("memory", listener, f"--audio={length}")
    assert found.code == 2
    assert "[bad_option]" in found.err


def test_sound_from_python() -> None:
    answer = sw.memory_answer(LISTENS, context=1000, audio=[10, 3.0])
    assert answer.scenario.audio_tokens == 325
    assert sw.memory(LISTENS, context=1000, audio=[10, 3]).value == answer.line.value
    with pytest.raises(UsageError):
        sw.memory_answer(LISTENS, audio=[-1])


@pytest.mark.parametrize("form", ["md", "csv"])
def test_formulas_have_no_place_in_some_forms(run: Callable, form: str) -> None:
    found = run("memory", "gpt2", "--explain", "--format", form)
    assert (found.code, found.out, "bad_option" in found.err) == (2, "", True)


def test_a_curve_holds_the_answer_and_one_line_for_each_cache_format(run: Callable) -> None:
    document = memory(run, "llama-3.1-8b", "-q", "q4_k_m", "--on", "rtx-4090", "-c", "10000", "--curve")
    curve = document["curve"]
    (fit,) = document["fits"]
    assert curve["context"] == 10_000
    assert curve["devices"] == [{"device": "rtx-4090-24gb", "usable": fit["usable"]}]
    assert [one["kv_cache_dtype"] for one in curve["formats"]] == ["fp16", "q8_0", "q4_0"]
    (asked,) = [point for point in curve["formats"][0]["points"] if point["context"] == 10_000]
    (held,) = document["per_device"]
    assert asked["needed"] == fit["needed"] == held["total"]
    assert asked["parts"] == {name: held[name] for name in ("weights", "cache", "buffers", "overhead")}
    (at_128k,) = [point for point in curve["formats"][0]["points"] if point["context"] == 131_072]
    assert at_128k["parts"]["cache"] == 16 * GIB


def test_a_curve_is_data_and_no_table(run: Callable) -> None:
    found = run("memory", "llama-3.1-8b", "--curve")
    assert found.code == 2
    assert "--curve has no table form" in found.err
