"""Bytes of LoRA adapters against peft 0.21.2, which made them for models on the meta device (2026-11-22)."""

from collections.abc import Mapping

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import UsageError
from sizewise.families import describe
from sizewise.footprint.adapters import ALL_LINEAR, lora_bytes

SMALL = {
    "hidden_size": 256,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "intermediate_size": 512,
    "num_hidden_layers": 3,
    "vocab_size": 1000,
}
EXPERTS = {"num_experts": 8, "moe_intermediate_size": 64}

PEFT = [
    ("llama", {}, ["q_proj", "v_proj"], 9984),
    ("llama", {}, [ALL_LINEAR], 47616),
    ("llama", {}, ["embed_tokens", "lm_head", "q_proj"], 16192),
    ("qwen3", {}, [ALL_LINEAR], 47616),
    ("gemma3_text", {}, [ALL_LINEAR], 47616),
    ("phi3", {}, ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"], 38400),
    ("gpt2", {}, ["c_attn", "c_proj"], 33792),
    ("gpt2", {}, ["attn.c_proj"], 6144),
    ("opt", {"ffn_dim": 512, "word_embed_proj_dim": 256}, [ALL_LINEAR], 43008),
    ("falcon", {"new_decoder_architecture": False, "head_dim": None}, ["query_key_value", "dense"], 13056),
    ("mixtral", {}, ["q_proj", "k_proj", "v_proj", "o_proj"], 19968),
    ("mixtral", {}, ["w1", "w2", "w3"], 319488),
    ("qwen3_moe", EXPERTS, ["gate_proj", "up_proj", "down_proj"], 104448),
    ("qwen3_moe", EXPERTS, ["down_proj"], 30720),
]


def architecture(model_type: str, changes: Mapping[str, object]) -> Architecture:
    fields = {**SMALL, **changes}
    if model_type == "gpt2":
        fields = {"n_embd": 256, "n_head": 8, "n_layer": 3, "vocab_size": 1000}
    return describe(Config({name: value for name, value in fields.items() if value is not None}, model_type))


@pytest.mark.parametrize(("model_type", "changes", "targets", "elements"), PEFT)
def test_the_elements_are_those_of_peft(
    model_type: str, changes: dict[str, object], targets: list[str], elements: int
) -> None:
    model = architecture(model_type, changes)
    assert lora_bytes(model, 4, targets, number_bytes=1).value == elements
    line = lora_bytes(model, 8, targets, count=3, number_bytes=2)
    assert line.value == 12 * elements
    for part in line.parts:
        assert eval(part.formula, dict(part.inputs)) == part.value


def test_gate_alone_is_no_matrix_of_a_fused_stack() -> None:
    with pytest.raises(UsageError, match="gate_proj"):
        lora_bytes(architecture("qwen3_moe", EXPERTS), 4, ["gate_proj"])


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean q_proj"):
        lora_bytes(architecture("llama", {}), 4, ["q_prj"])
