"""The longest sequence of a model: that of its row, else of its configuration; unknown ones are named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

import sizewise as sw
from sizewise.catalog.models import Preset, find_preset, presets
from sizewise.errors import UsageError
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.context_curve import ContextCurves, context_curves, context_samples
from sizewise.planning.context_limit import context_limit, holds, last_position, without_limit
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.memory import answer_memory
from sizewise.units import GIB


def row(name: str) -> Preset:
    found = find_preset(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "limit"), [("qwen2.5-vl-3b-instruct", 32_768), ("mpt-7b", 2_048), ("mamba-130m-hf", None)]
)
def test_a_row_without_a_context_has_that_of_its_configuration(name: str, limit: int | None) -> None:
    assert row(name).context is None
    assert context_limit(row(name)) == limit


def test_it_is_what_the_model_says_of_itself() -> None:
    assert all(context_limit(preset) == sw.load(preset.id).context for preset in presets())


def test_a_model_holds_what_it_was_made_for() -> None:
    assert holds(row("mpt-7b"), 2_048)
    assert not holds(row("mpt-7b"), 2_049)
    assert holds(row("mpt-7b"), None)
    assert holds(row("mamba-130m-hf"), 10**9)


def test_models_without_a_limit_are_named_once_where_a_context_is() -> None:
    found = (row("mamba-130m-hf"), row("mpt-7b"), row("mamba-130m-hf"))
    (said,) = without_limit(found, 10**6)
    assert said.message.count("mamba-130m-hf") == 1
    assert "mpt" not in said.message
    assert not list(without_limit(found, None))


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("gpt2", 1_024),
        ("opt-125m", 2_048),
        ("gpt-neo-125m", 2_048),
        ("starcoder", 8_192),
        ("bert-base-uncased", 512),
        ("llama-3.1-8b", None),
        ("t5-small", None),
        ("mpt-7b", None),
    ],
)
def test_positions_end_where_a_table_of_them_does(name: str, last: int | None) -> None:
    assert last_position(sw.load(name)) == last


@pytest.mark.parametrize("model_type", ["led", "bart"])
def test_a_table_of_the_longer_half_ends_nothing(model_type: str) -> None:
    found = sw.load({"model_type": model_type})
    assert (last_position(found) is None) == (model_type == "led")


@pytest.mark.parametrize("runtime", ["vllm", "sglang", "llama.cpp", "transformers", "mlx", "ideal"])
def test_no_engine_goes_beyond_the_last_position(runtime: str) -> None:
    answer = sw.memory_answer("gpt2", on="rtx-4090", runtime=runtime)
    assert (answer.scenario.context, answer.largest_context) == (1_024, 1_024)
    with pytest.raises(UsageError, match="1,024 positions, so that 1,025 tokens cannot run"):
        sw.memory_answer("gpt2", on="rtx-4090", runtime=runtime, context=1_025)


@pytest.mark.parametrize("find", [context_curves, context_samples])
def test_curves_end_at_the_last_position(find: Callable[[MemoryAnswer], ContextCurves]) -> None:
    found = find(sw.memory_answer("gpt2", on="rtx-4090"))
    for curve in found.curves:
        assert max(point.context for point in curve.points) == 1_024
        assert curve.reaches == ()


def test_pictures_and_the_usual_text_share_the_positions() -> None:
    model = sw.load({"model_type": "blip-2", "text_config": {"model_type": "opt"}})
    scenario, _ = scenario_for(model, Asked(images=1))
    assert (scenario.context, scenario.image_tokens > 0) == (2_048, True)


def test_the_largest_model_of_a_context_has_positions_for_it() -> None:
    room = Asked(memory_bytes=49 * GIB // 4, quant="int4", runtime="ideal", largest_model=True)
    asked = {
        context: replace(room, context=context, sequences=2**18 // context) for context in (2**13, 2**14)
    }
    named = [answer_memory(sw.load("qwen2.5-0.5b"), one).largest_model for one in asked.values()]
    assert named[0] == "bigcode/starcoder"
    assert named[1] not in (None, "bigcode/starcoder")


def test_a_usual_prompt_is_as_long_as_positions_leave_room() -> None:
    answer = sw.speed_answer("gpt2", on="h100-sxm")
    assert (answer.asked.prompt, answer.asked.answer) == (768, 256)
    assert "prompt_shortened" in [notice.code for notice in answer.notices]
    with pytest.raises(UsageError, match=r"--input and --output: .* 1,256 tokens cannot run"):
        sw.speed_answer("gpt2", on="h100-sxm", input=1_000)
    with pytest.raises(UsageError, match="--input and --output"):
        sw.speed_answer("gpt2", on="h100-sxm", output=1_024)
