"""Which models become GGUF tensors, and what is refused."""

from typing import Any

import pytest

from sizewise.architecture import Model
from sizewise.errors import InputError
from sizewise.gguf.conversion import gguf_shape
from sizewise.sources.config_json import from_config

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 512,
    "intermediate_size": 1024,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "tie_word_embeddings": False,
}
MIXTRAL = {**LLAMA, "model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2}
QWEN = {**LLAMA, "model_type": "qwen3", "head_dim": 64}


def model(config: dict[str, Any]) -> Model:
    return from_config(config, name="test", origin="test")


def parameters(found: Model) -> int:
    return sum(weight.elements * copies for weight, copies in found.architecture.weights())


@pytest.mark.parametrize("config", [LLAMA, MIXTRAL, QWEN, {**LLAMA, "tie_word_embeddings": True}])
def test_elements_are_the_parameters(config: dict[str, Any]) -> None:
    found = model(config)
    assert sum(tensor.elements for tensor in gguf_shape(found).tensors) == parameters(found)


def test_a_table_of_rotary_factors_is_no_parameter() -> None:
    found = model({**LLAMA, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}})
    tensors = {tensor.name: tensor for tensor in gguf_shape(found).tensors}
    assert tensors["rope_freqs.weight"].dims == (32,)
    assert sum(tensor.elements for tensor in tensors.values()) == parameters(found) + 32


def test_listed_rotary_factors_are_two_tables() -> None:
    scaling = {"type": "longrope", "long_factor": [1.0] * 32, "short_factor": [1.0] * 32}
    shape = gguf_shape(model({**LLAMA, "model_type": "phi3", "rope_scaling": scaling, "pad_token_id": 0}))
    found = {tensor.name: tensor.dims for tensor in shape.tensors if tensor.base.startswith("rope")}
    assert found == {"rope_factors_long.weight": (32,), "rope_factors_short.weight": (32,)}


def test_names_are_given_once() -> None:
    shape = gguf_shape(model(MIXTRAL))
    assert len({tensor.name for tensor in shape.tensors}) == len(shape.tensors)


def test_experts_without_a_layer_still_count() -> None:
    dense = {"first_k_dense_replace": 2, "num_hidden_layers": 2, "n_routed_experts": 8}
    config = {"model_type": "deepseek_v3", "q_lora_rank": 64, **dense}
    assert gguf_shape(model(config)).experts == 8


@pytest.mark.parametrize(
    "config",
    [
        {**LLAMA, "model_type": "gptj"},
        {**LLAMA, "num_hidden_layers": 513},
        {**MIXTRAL, "num_local_experts": 1025},
        {**LLAMA, "model_type": "cohere2", "tie_word_embeddings": False},
    ],
)
def test_refused(config: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        gguf_shape(model(config))
    assert refused.value.code == "unsupported_architecture"
