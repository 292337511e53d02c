"""Where the bytes of a run are: device by device, for every engine."""

import pytest

from sizewise.api import load, memory_answer
from sizewise.catalog.ggml import find_file_type
from sizewise.errors import UsageError
from sizewise.footprint.file_types import file_type_bytes
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.defaults import Asked
from sizewise.planning.memory import answer_memory
from sizewise.scenario import EngineOptions, Layout

PARTS = ("weights", "cache", "buffers", "overhead")


def answer(name: str, **asked: object) -> MemoryAnswer:
    return answer_memory(load(name), Asked(**asked))  # type: ignore[arg-type]


def summed(found: MemoryAnswer, name: str) -> int:
    return sum(int(share.line.part(name).value) for share in found.shares)


def test_a_file_type_has_the_bytes_of_the_quantizer() -> None:
    model, file_type = load("llama-3.1-8b"), find_file_type("q4_k_m")
    assert file_type is not None
    assert answer("llama-3.1-8b", quant="q4_k_m").line.part("weights").value == 4_912_898_304
    assert file_type_bytes(model, file_type).value == 4_912_898_304


def test_llama_cpp_keeps_the_token_table_on_the_host() -> None:
    found = answer("llama-3.1-8b", quant="f16", on="rtx-4090")
    table = 128_256 * 4096 * 2
    logits = 128_256 * 4
    assert found.host == table + logits
    assert summed(found, "weights") == found.line.part("weights").value - table


def test_a_tied_table_lies_on_the_device_as_well() -> None:
    found = answer("qwen2.5-0.5b", quant="q8_0", on="rtx-4090")
    assert summed(found, "weights") == found.line.part("weights").value
    assert found.host > 100_000_000


@pytest.mark.parametrize("layers", [0, 1, 17, 33, 999])
def test_layers_on_the_host_are_not_on_the_device(layers: int) -> None:
    options = EngineOptions(device_layers=layers)
    found = answer("llama-3.1-8b", quant="q4_k_m", on="rtx-4090", engine=options)
    whole = found.line.part("weights").value
    assert summed(found, "weights") + found.host > whole
    assert (summed(found, "weights") == 0) is (layers == 0)
    assert found.line.part("cache").value == 8192 * 32 * 2 * 1024 * 2


def test_unequal_cards_hold_whole_layers_in_proportion() -> None:
    found = answer("llama-3.1-8b", quant="q4_k_m", on="rtx-3090,rtx-3060-12gb")
    first, second = (share.line for share in found.shares)
    assert first.part("cache").value + second.part("cache").value == 8192 * 32 * 2 * 1024 * 2
    assert first.part("cache").value % (8192 * 2 * 1024 * 2) == 0
    assert first.part("weights").value > second.part("weights").value


def test_experts_on_the_host_leave_attention_and_cache_on_the_device() -> None:
    plain = answer("qwen3-30b-a3b", quant="q4_k_m", on="rtx-3060-12gb")
    options = EngineOptions(host_expert_layers=48)
    moved = answer("qwen3-30b-a3b", quant="q4_k_m", on="rtx-3060-12gb", engine=options)
    assert summed(plain, "cache") == summed(moved, "cache")
    assert summed(moved, "weights") < 0.1 * summed(plain, "weights")
    assert summed(moved, "weights") + moved.host == summed(plain, "weights") + plain.host


def test_ranks_hold_at_least_the_model_and_one_kv_head_each() -> None:
    found = answer("llama-3.1-70b", runtime="vllm", on="h100-sxm:16", layout=Layout(tensor=16))
    assert summed(found, "weights") >= found.line.part("weights").value
    assert (
        summed(found, "cache") == 2 * memory_answer("llama-3.1-70b", runtime="vllm").line.part("cache").value
    )


def test_stages_hold_the_model_between_them() -> None:
    found = answer("llama-3.1-70b", runtime="transformers", on="h100-sxm:3")
    for name in ("weights", "cache"):
        assert summed(found, name) == found.line.part(name).value


def test_offloaded_layers_are_on_the_host_and_have_room_on_the_device() -> None:
    plain = answer("llama-3.1-8b", on="rtx-3060-12gb")
    moved = answer("llama-3.1-8b", on="rtx-3060-12gb", engine=EngineOptions(offload=True))
    assert summed(moved, "weights") + moved.host == plain.line.part("weights").value
    assert summed(moved, "cache") == summed(plain, "cache")
    assert summed(moved, "buffers") > summed(plain, "buffers")


def test_host_and_device_of_shared_memory_count_together() -> None:
    found = answer("llama-3.1-8b", quant="q4_k_m", on="m4-max-64gb")
    assert found.fits[0].needed == summed(found, "weights") + found.host + sum(
        summed(found, name) for name in PARTS[1:]
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"quant": "q4_k_m", "runtime": "vllm"}, "file type"),
        ({"quant": "awq", "runtime": "llama.cpp"}, "file type"),
        ({"on": "h100-sxm:8", "runtime": "vllm", "layout": Layout(tensor=3)}, "devices"),
        ({"on": "h100-sxm:3", "runtime": "vllm", "layout": Layout(tensor=3)}, "possible"),
        ({"engine": EngineOptions(offload=True)}, "device"),
    ],
)
def test_what_is_not_possible_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        answer("llama-3.1-8b", **asked)


@pytest.mark.parametrize("runtime", ["ideal", "transformers", "vllm", "sglang", "llama.cpp"])
def test_the_largest_context_is_the_largest(runtime: str) -> None:
    found = answer("llama-3.1-8b", runtime=runtime, on="a100-sxm-80gb", quant="fp16")
    assert found.largest_context is not None
    for context, fits in ((found.largest_context, True), (found.largest_context + 256, False)):
        assert (
            answer("llama-3.1-8b", runtime=runtime, on="a100-sxm-80gb", quant="fp16", context=context).all_fit
            is fits
        )
