"""Values of the Python verbs that cannot be meant: one typed error, whatever their type."""

from typing import Any

import pytest

import sizewise as sw
from sizewise.scenario import EngineOptions, Layout

WRONG: dict[str, tuple[Any, ...]] = {
    "context": (object(), True, 8192.5, -1, [8192]),
    "sequences": ("x", True, 0, 10**30, None),
    "quant": (5, True, [], b"bf16"),
    "kv_cache_dtype": (5, object()),
    "runtime": (5, None, True),
    "audio": (5, object(), ["x"], [object()], "x"),
    "on": (3, True, []),
    "memory": (object(), True, 1.5, -1, 0, 2**70, []),
    "value_cache_dtype": (5, object(), "nonsense"),
    "engine": (5, [], {"nonsense": 1}, {1: 2}, {"ubatch": 0}, {"ubatch": True}, {"eager": 1}),
    "layout": ("tp", {"tensor": 0}, {"pipeline": None}, {"experts": "yes"}, {"tensors": 2}),
}


@pytest.mark.parametrize(("option", "value"), [(name, value) for name, row in WRONG.items() for value in row])
def test_a_value_of_a_wrong_type_is_a_bad_option(option: str, value: Any) -> None:
    with pytest.raises(sw.UsageError) as caught:
        sw.memory_answer("gpt2", **{option: value})
    assert caught.value.code == "bad_option"


def test_values_that_can_be_meant() -> None:
    written = sw.memory_answer("gpt2", context="512", memory="2GiB", runtime="ideal").line
    assert sw.memory_answer("gpt2", context=512, memory=2 * 2**30, runtime="ideal").line == written


def test_options_of_engines_are_values_or_mappings() -> None:
    given = {"ubatch": 256, "device_layers": 0, "utilization": None, "attention": "eager"}
    options = EngineOptions(ubatch=256, device_layers=0, attention="eager")
    found = sw.memory_answer("gpt2", runtime="llama.cpp", engine=given)
    assert found.scenario.engine == options
    assert sw.memory("gpt2", runtime="llama.cpp", engine=options) == found.line
    shared = sw.memory_answer("gpt2", runtime="vllm", on="h100-sxm:2", layout={"pipeline": 2})
    assert shared.scenario.layout == Layout(pipeline=2)
    packed = sw.memory_answer("gpt2", runtime="llama.cpp", value_cache_dtype="q8_0")
    assert packed.scenario.values.name == "q8_0"
    for wrong in ({"utilization": 1.5}, {"attention": "magic"}, {"cache_on_host": None}):
        with pytest.raises(sw.UsageError, match="bad_option"):
            sw.memory_answer("gpt2", engine=wrong)


@pytest.mark.parametrize("settings", [5, [5], "n_embd=8", {"n_embd": 8}, [None]])
def test_settings_are_texts(settings: Any) -> None:
    with pytest.raises(sw.UsageError, match="bad_option"):
        sw.load("gpt2", settings=settings)


def test_a_model_that_is_loaded_already_takes_no_settings() -> None:
    model = sw.load("gpt2")
    assert sw.load(model) is model
    with pytest.raises(sw.UsageError, match="bad_option"):
        sw.load(model, settings=["n_embd=8"])


@pytest.mark.parametrize(
    "asked", [{"tokens": "x"}, {"past": "x"}, {"past": -1}, {"past": None}, {"scores": 5}, {"sequences": 1.0}]
)
def test_steps_take_whole_numbers(asked: dict[str, Any]) -> None:
    with pytest.raises(sw.UsageError, match="bad_option"):
        sw.step_flops("gpt2", **asked)


def test_fields_of_a_section_are_known_by_its_type() -> None:
    raw = {"model_type": "llava", "text_config": {"hidden_size": 64}, "vision_config": {}}
    with pytest.raises(sw.UsageError, match="typo"):
        sw.load(raw, settings=["text_config.typo=1"])
    with pytest.raises(sw.UsageError, match="num_hidden_layers"):
        sw.load(raw, settings=["text_config.num_hiden_layers=1"])
    deeper = sw.load(raw, settings=["text_config.num_hidden_layers=3"])
    assert deeper.architecture.depth == 3
