"""Layers taken out: which ones, and what is left is a model that its configuration describes."""

import copy
from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

from sizewise.errors import InputError  # noqa: E402 - torch is optional
from sizewise.lab.pruning.sensitivity import layer_sensitivity  # noqa: E402
from sizewise.lab.pruning.stack import layer_stack  # noqa: E402
from sizewise.lab.pruning.surgery import drop_layers  # noqa: E402
from sizewise.lab.saving import check_same_answers  # noqa: E402

from ..tiny import DEEPSEEK, GEMMA3, GPT2, LLAMA, QWEN3, answers, module, windows  # noqa: E402

EVERY = pytest.mark.parametrize(
    "raw", [LLAMA, QWEN3, GEMMA3, GPT2, DEEPSEEK], ids=lambda raw: raw["model_type"]
)


def silenced(made: Any, layers: tuple[int, ...]) -> Any:
    """Return a copy whose layers hand on what they are given: their last products are zero."""
    quiet = copy.deepcopy(made)
    stack = layer_stack(quiet)
    for number in layers:
        for name, weight in stack.layers[number].named_parameters():
            if any(part in name for part in ("o_proj", "down_proj", "c_proj", "experts")):
                weight.data.zero_()
    return quiet


@EVERY
def test_a_layer_that_does_nothing_can_be_taken_out(raw: dict[str, Any]) -> None:
    quiet = silenced(module(raw), (1, 2))
    smaller = drop_layers(quiet, layer_stack(quiet), {1, 2})
    assert len(layer_stack(smaller).layers) == 2
    torch.testing.assert_close(answers(smaller), answers(quiet), rtol=1e-4, atol=1e-4)


@EVERY
def test_the_rest_is_numbered_anew_and_is_what_its_configuration_builds(
    raw: dict[str, Any], tmp_path: Any
) -> None:
    made = module(raw)
    before = {name: weight.clone() for name, weight in made.state_dict().items()}
    smaller = drop_layers(made, layer_stack(made), {0, 2})
    smaller.save_pretrained(tmp_path)
    again = type(made).from_pretrained(tmp_path)
    assert torch.equal(answers(again), answers(smaller))
    numbers = [
        part.layer_idx
        for layer in layer_stack(again).layers
        for part in layer.modules()
        if getattr(part, "layer_idx", None) is not None
    ]
    assert set(numbers) <= {0, 1}
    assert all(torch.equal(before[name], weight) for name, weight in made.state_dict().items())


def test_windows_of_attention_stay_with_their_layers() -> None:
    made = module(QWEN3)
    smaller = drop_layers(made, layer_stack(made), {0})
    assert smaller.config.layer_types == ["sliding_attention", "full_attention", "sliding_attention"]


@pytest.mark.parametrize("raw", [LLAMA, QWEN3], ids=lambda raw: raw["model_type"])
def test_the_cache_of_the_rest_gives_the_same_answers(raw: dict[str, Any]) -> None:
    made = module(raw)
    smaller = drop_layers(made, layer_stack(made), {1})
    prompt = windows().ids[:1]
    with torch.inference_mode():
        half = smaller(input_ids=prompt[:, :8], use_cache=True)
        rest = smaller(input_ids=prompt[:, 8:], past_key_values=half.past_key_values, use_cache=True)
    torch.testing.assert_close(rest.logits[0], answers(smaller)[0, 8:], rtol=1e-4, atol=1e-4)


GEMMA4 = LLAMA | {"model_type": "gemma4_unified_text", "head_dim": 16, "sliding_window": 4}


def test_what_a_layer_has_otherwise_stays_with_it() -> None:
    made = module(GEMMA4)
    smaller = drop_layers(made, layer_stack(made), {1})
    assert smaller.config.layer_types == ["sliding_attention", "sliding_attention", "full_attention"]
    assert list(smaller.config.to_dict()["per_layer_config"]) == ["2"]


def test_a_class_that_makes_other_layers_of_the_rest_is_refused() -> None:
    made = module(GEMMA4)
    with pytest.raises(InputError, match="makes other layers of those that stay") as refused:
        drop_layers(made, layer_stack(made), {1, 2, 3})
    assert refused.value.code == "unsupported_architecture"


def test_random_state_and_tied_weights_survive() -> None:
    made = module(LLAMA)
    state = torch.random.get_rng_state()
    smaller = drop_layers(made, layer_stack(made), {1})
    assert torch.equal(state, torch.random.get_rng_state())
    assert smaller.lm_head.weight.data_ptr() == smaller.model.embed_tokens.weight.data_ptr()


@EVERY
def test_sensitivity_is_what_leaving_a_layer_out_costs(raw: dict[str, Any]) -> None:
    made = silenced(module(raw), (2,))
    found = layer_sensitivity(made, layer_stack(made), windows())
    assert found[2] == pytest.approx(0.0, abs=1e-6)
    assert min(found[:2]) > 1e-6
    assert not any(layer._forward_hooks for layer in layer_stack(made).layers)


def test_what_is_not_what_its_configuration_says_is_not_saved() -> None:
    made = module(LLAMA)
    other = copy.deepcopy(made)
    other.model.layers[0].mlp.up_proj.weight.data.mul_(1.1)
    check_same_answers(made, copy.deepcopy(made))
    with pytest.raises(InputError) as refused:
        check_same_answers(made, other)
    assert refused.value.code == "reload_differs"
