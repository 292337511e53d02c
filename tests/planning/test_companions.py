"""What runs beside a model: drafts, prediction layers, projectors, adapters."""

from sizewise.api import load
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.defaults import Asked
from sizewise.planning.memory import answer_memory
from sizewise.scenario import EngineOptions


def answer(name: str, **asked: object) -> MemoryAnswer:
    return answer_memory(load(name), Asked(**asked))  # type: ignore[arg-type]


def grown(name: str, part: str, before: MemoryAnswer, after: MemoryAnswer) -> int:
    assert after.line.part(part).value == sum(int(one.value) for one in after.line.part(part).parts)
    return int(after.line.part(part).value - before.line.part(part).value)


def test_a_draft_model_adds_its_weights_and_its_cache() -> None:
    draft = load("llama-3.2-1b")
    plain = answer("llama-3.1-70b", quant="q4_k_m", context=8192)
    both = answer("llama-3.1-70b", quant="q4_k_m", context=8192, draft=draft)
    alone = answer("llama-3.2-1b", quant="q4_k_m", context=8192)
    for part in ("weights", "cache"):
        assert grown("draft", part, plain, both) == alone.line.part(part).value


def test_prediction_layers_of_deepseek_v3_are_those_that_its_files_hold() -> None:
    plain, both = (answer("deepseek-v3", runtime="ideal", prediction=wanted) for wanted in (False, True))
    assert 11e9 < grown("mtp", "weights", plain, both) < 16e9


def test_adapters_count_rank_times_inputs_and_outputs() -> None:
    options = EngineOptions(adapters=4, adapter_rank=16)
    plain = answer("llama-3.1-8b", runtime="transformers")
    both = answer("llama-3.1-8b", runtime="transformers", engine=options)
    widths = 32 * (4 * 4096 + 2 * (4096 + 1024) + 3 * (4096 + 14336))
    assert grown("adapters", "weights", plain, both) == 4 * 16 * widths * 2


def test_the_projector_of_llama_cpp_is_a_file_of_its_own() -> None:
    plain = answer("gemma-3-4b-it", quant="q4_k_m", context=4096)
    both = answer("gemma-3-4b-it", quant="q4_k_m", context=4096, images=1)
    towers = sum(
        int(weight.elements) * copies
        for weight, copies in load("gemma-3-4b-it").architecture.weights()
        if weight.role in ("vision", "projector")
    )
    assert grown("towers", "weights", plain, both) == 2 * towers
