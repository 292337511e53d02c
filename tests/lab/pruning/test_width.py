"""Narrower models: what did nothing can go, and what is left is what its configuration says."""

from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

from sizewise.errors import InputError, UsageError  # noqa: E402 - torch is optional
from sizewise.lab.pruning.calibration import input_squares  # noqa: E402
from sizewise.lab.pruning.stack import layer_stack, matrices  # noqa: E402
from sizewise.lab.pruning.width import narrowed  # noqa: E402

from ..tiny import GEMMA3, GPT2, LLAMA, QWEN3, answers, module, windows  # noqa: E402


def narrow(made: Any, *axes: Any, share: float = 0.25) -> Any:
    stack = layer_stack(made)
    return narrowed(
        made, stack, axes=axes, share=share, squares=input_squares(made, matrices(stack), windows())
    )


def without_neurons(made: Any) -> None:
    for number, layer in enumerate(made.model.layers):
        layer.mlp.down_proj.weight.data[:, number::4] = 0


def without_a_group(made: Any) -> None:
    wide = made.model.layers[0].self_attn.o_proj.weight.shape[1] // 4
    for number, layer in enumerate(made.model.layers):
        group = number % 4
        layer.self_attn.o_proj.weight.data[:, group * wide : (group + 1) * wide] = 0


def without_channels(made: Any) -> None:
    channels = torch.arange(3, 96, 4)
    made.model.embed_tokens.weight.data[:, channels] = 0
    for layer in made.model.layers:
        layer.self_attn.o_proj.weight.data[channels] = 0
        layer.mlp.down_proj.weight.data[channels] = 0


@pytest.mark.parametrize("raw", [LLAMA, QWEN3, LLAMA | {"tie_word_embeddings": False}])
@pytest.mark.parametrize(
    ("axis", "silence", "fields"),
    [
        ("ffn", without_neurons, {"intermediate_size": 96, "hidden_size": 96, "num_attention_heads": 8}),
        ("heads", without_a_group, {"num_attention_heads": 6, "num_key_value_heads": 3, "hidden_size": 96}),
        ("hidden", without_channels, {"hidden_size": 72, "num_attention_heads": 8, "intermediate_size": 128}),
    ],
)
def test_what_does_nothing_is_what_goes(raw: dict[str, Any], axis: str, silence: Any, fields: Any) -> None:
    made = module(raw)
    silence(made)
    smaller = narrow(made, axis)
    assert fields.items() <= smaller.config.to_dict().items()
    torch.testing.assert_close(answers(smaller), answers(made), rtol=1e-3, atol=1e-3)


def test_all_axes_at_once_make_a_model_that_its_configuration_builds(tmp_path: Any) -> None:
    smaller = narrow(module(QWEN3), "ffn", "heads", "hidden")
    smaller.save_pretrained(tmp_path)
    again = type(smaller).from_pretrained(tmp_path)
    assert torch.equal(answers(again), answers(smaller))
    assert again.config.head_dim == 16
    assert again.model.layers[0].self_attn.q_proj.weight.shape == (6 * 16, 72)


def test_groups_of_heads_stay_whole() -> None:
    smaller = narrow(module(LLAMA), "heads", share=0.5)
    config = smaller.config
    assert (config.num_attention_heads, config.num_key_value_heads) == (4, 2)


def test_multiples_of_eight_stay_multiples() -> None:
    assert narrow(module(LLAMA), "ffn", share=0.2).config.intermediate_size == 104
    odd = module(LLAMA | {"intermediate_size": 50})
    assert narrow(odd, "ffn", share=0.2).config.intermediate_size == 40


def test_an_amount_that_takes_nothing_away_is_refused() -> None:
    with pytest.raises(UsageError, match="of 4 K/V groups of heads takes none away"):
        narrow(module(LLAMA), "heads", share=0.2)


@pytest.mark.parametrize(("raw", "axis"), [(GPT2, "ffn"), (GEMMA3, "hidden")], ids=["gpt2", "gemma3"])
def test_what_is_built_otherwise_is_refused(raw: dict[str, Any], axis: str) -> None:
    with pytest.raises(InputError) as refused:
        narrow(module(raw), axis)
    assert refused.value.code == "unsupported_architecture"


QWEN3_MOE = QWEN3 | {
    "model_type": "qwen3_moe",
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "mlp_only_layers": [1],
}

STABLELM = LLAMA | {
    "model_type": "stablelm",
    "qk_layernorm": True,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
}


@pytest.mark.parametrize(
    ("raw", "axis", "reason"),
    [
        (QWEN3_MOE, "ffn", "layer 0 has no mlp.gate_proj"),
        (QWEN3_MOE, "hidden", "layer 0 has no mlp.gate_proj"),
        (LLAMA | {"model_type": "olmo"}, "hidden", "no plain RMSNorm"),
        (STABLELM, "hidden", "no plain RMSNorm"),
        (LLAMA | {"model_type": "bitnet"}, "heads", "cannot be cut like this: The size of tensor"),
        (LLAMA | {"model_type": "gemma4_unified_text"}, "ffn", "no widths that all layers share"),
    ],
    ids=lambda one: one["model_type"] if isinstance(one, dict) else "",
)
def test_layers_that_lack_what_an_axis_cuts_are_refused(raw: dict[str, Any], axis: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        narrow(module(raw), axis)
    assert refused.value.code == "unsupported_architecture"


def test_heads_are_cut_where_experts_stay() -> None:
    smaller = narrow(module(QWEN3_MOE), "heads")
    assert (smaller.config.num_attention_heads, smaller.config.num_key_value_heads) == (6, 3)


def test_norms_of_single_heads_stay_as_they_are() -> None:
    made = module(LLAMA | {"model_type": "hunyuan_v1_dense", "head_dim": 12})
    smaller = narrow(made, "hidden")
    assert smaller.config.hidden_size == 72
    assert torch.equal(
        smaller.model.layers[0].self_attn.query_layernorm.weight,
        made.model.layers[0].self_attn.query_layernorm.weight,
    )


def test_widths_that_the_class_refuses_are_refused_with_its_reason() -> None:
    with pytest.raises(InputError, match="not a multiple of the number of attention heads"):
        narrow(module(LLAMA | {"hidden_size": 80, "head_dim": 10}), "heads")
