"""Files that say what their class derives, or that the class reads in another way than it looks.

The totals are those of the transformers 5.23 class on the meta device, but for Mistral Small 3.1, whose
total is that of its published checkpoint.
"""

from typing import Any

import pytest

from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe

MISTRAL_SMALL = {
    "text_config": {
        "model_type": "mistral",
        "hidden_size": 5120,
        "intermediate_size": 32768,
        "num_hidden_layers": 40,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 131072,
    },
    "vision_config": {
        "model_type": "pixtral",
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "head_dim": 64,
        "patch_size": 14,
        "image_size": 1540,
    },
}
PUBLISHED = 24_011_361_280
TABLE = 131_072 * 5_120

QWEN_TEXT = {
    "hidden_size": 64,
    "intermediate_size": 99,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "head_dim": 32,
}
QWEN2_5_VISION = {
    "depth": 1,
    "hidden_size": 32,
    "num_heads": 2,
    "intermediate_size": 33,
    "out_hidden_size": 64,
    "patch_size": 14,
}
QWEN2_VISION = {"depth": 1, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "mlp_ratio": 2}
MT5 = {
    "hidden_size": 32,
    "num_heads": 5,
    "head_dim": 8,
    "num_hidden_layers": 1,
    "d_ff": 136,
    "vocab_size": 392,
    "relative_attention_num_buckets": 4,
    "feed_forward_proj": "relu",
}
ZAMBA2 = {
    "num_attention_heads": 4,
    "hidden_size": 48,
    "num_hidden_layers": 6,
    "vocab_size": 517,
    "num_key_value_heads": 4,
    "n_mamba_heads": 4,
    "mamba_d_state": 8,
    "add_bias_linear": True,
    "num_mem_blocks": 2,
    "adapter_rank": 6,
    "layers_block_type": ["hybrid", "mamba", "hybrid", "mamba", "mamba", "mamba"],
}
GRIFFIN = {
    "num_attention_heads": 4,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "vocab_size": 816,
    "intermediate_size": 199,
    "num_key_value_heads": 2,
    "lru_width": 16,
    "block_types": ["attention", "recurrent"],
}
OVIS2 = {
    "tie_word_embeddings": False,
    "text_config": {
        "model_type": "qwen2",
        "num_attention_heads": 8,
        "hidden_size": 128,
        "num_hidden_layers": 7,
        "vocab_size": 479,
        "intermediate_size": 110,
        "head_dim": 10,
    },
    "vision_config": {
        "num_attention_heads": 2,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "intermediate_size": 78,
        "patch_size": 14,
        "image_size": 43,
        "vocab_size": 100,
        "num_visual_indicator_tokens": 5,
        "qkv_bias": False,
    },
}
APERTUS = {
    "num_attention_heads": 4,
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "vocab_size": 556,
    "intermediate_size": 185,
    "tie_word_embeddings": True,
    "num_key_value_heads": 1,
    "head_dim": 4,
}
BERT = {
    "hidden_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "intermediate_size": 60,
    "vocab_size": 99,
    "architectures": ["BertForSequenceClassification"],
}
LLAMA = {
    "hidden_size": 64,
    "intermediate_size": 99,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "vocab_size": 100,
}
MPT = {"d_model": 64, "n_heads": 4, "n_layers": 2, "vocab_size": 100}


def read(model_type: str, **fields: Any) -> tuple[int, Config]:
    config = Config(fields, model_type)
    return sum(weight.elements * copies for weight, copies in describe(config).weights()), config


def messages(config: Config, code: str) -> list[str]:
    return [notice.message for notice in config.notices if notice.code == code]


@pytest.mark.parametrize(
    ("fields", "untied"),
    [
        ({"transformers_version": "4.50.0.dev0"}, True),
        ({"transformers_version": "5.2.0"}, False),
        ({"transformers_version": 4}, False),
        ({}, False),
    ],
)
def test_files_of_transformers_4_tie_as_their_text_model_says(fields: dict[str, Any], untied: bool) -> None:
    total, config = read("mistral3", **MISTRAL_SMALL, **fields)
    assert total == PUBLISHED - (0 if untied else TABLE)
    (message,) = messages(config, "tie")
    assert f"{TABLE:,}" in message


@pytest.mark.parametrize("flag", [True, False])
def test_the_flag_of_the_wrapper_decides_where_it_is_spelled(flag: bool) -> None:
    fields = {**MISTRAL_SMALL, "transformers_version": "4.50.0", "tie_word_embeddings": flag}
    total, config = read("mistral3", **fields)
    assert total == PUBLISHED - (TABLE if flag else 0)
    assert not messages(config, "tie")


def test_flags_of_a_flat_file_of_transformers_4_count() -> None:
    flat = {**QWEN_TEXT, "tie_word_embeddings": False, "vision_config": {"num_hidden_layers": 1}}
    tied, _ = read("paddleocr_vl", **flat)
    apart, config = read("paddleocr_vl", **flat, transformers_version="4.55.0")
    assert apart - tied == 6_400
    assert "6,400" in messages(config, "tie")[0]


@pytest.mark.parametrize(
    ("model_type", "vision", "total"),
    [("qwen2_vl", QWEN2_VISION, 115_424), ("qwen2_5_vl", QWEN2_5_VISION, 114_402)],
)
def test_qwen_vl_does_not_read_the_head_size(model_type: str, vision: dict[str, Any], total: int) -> None:
    assert read(model_type, text_config=QWEN_TEXT, vision_config=vision)[0] == total
    flat, config = read(model_type, **QWEN_TEXT, vision_config=vision)
    assert flat == total
    assert "head_dim" in messages(config, "ignored")[0]


@pytest.mark.parametrize(
    ("model_type", "fields", "total"),
    [
        ("zamba2", {**ZAMBA2, "attention_head_dim": 48}, 314_688),
        ("zamba2", {**ZAMBA2, "head_dim": 48}, 314_688),
        ("zamba2", {**ZAMBA2, "attention_hidden_size": 96}, 250_176),
        ("recurrent_gemma", {**GRIFFIN, "head_dim": 32}, 163_186),
        ("mt5", {**MT5, "is_gated_act": True}, 218_024),
        ("mt5", {**MT5, "num_layers": 2}, 64_616),
        ("ovis2", {**OVIS2, "hidden_size": 128, "vocab_size": 480}, 1_171_102),
        ("ovis2", {**OVIS2, "hidden_size": 129, "vocab_size": 479}, 1_171_553),
        ("apertus", {**APERTUS, "hidden_act": "silu"}, 141_152),
        ("apertus", {**APERTUS, "hidden_act": "xielu"}, 141_160),
        ("bert", {**BERT, "num_labels": 5}, 47_585),
        ("bert", {**BERT, "id2label": {"0": "a", "1": "b", "2": "c"}}, 47_487),
        ("bert", {**BERT, "id2label": {"0": "a", "1": "b"}, "num_labels": 5}, 47_585),
    ],
)
def test_what_a_file_says_wins_where_the_class_lets_it(
    model_type: str, fields: dict[str, Any], total: int
) -> None:
    assert read(model_type, **fields)[0] == total


@pytest.mark.parametrize(
    ("model_type", "fields", "code", "named"),
    [
        ("zamba2", {**ZAMBA2, "attention_hidden_size": 97}, "inconsistent", "attention_hidden_size"),
        ("zamba2", {**ZAMBA2, "mamba_headdim": 7}, "inconsistent", "mamba_headdim"),
        ("olmoe", {**LLAMA, "num_experts": 4, "head_dim": 32}, "inconsistent", "heads of 32"),
        ("olmoe", {**LLAMA, "num_experts": 4, "hidden_size": 65}, "inconsistent", "hidden size 65"),
        (
            "t5",
            {"architectures": ["T5EncoderModel"], "is_decoder": True},
            "unsupported_architecture",
            "is_decoder",
        ),
        ("llama", {**LLAMA, "hidden_act": "prelu"}, "unsupported_architecture", "holds parameters"),
        ("llama", {**LLAMA, "hidden_act": "xielu"}, "unsupported_architecture", "holds parameters"),
        ("gpt2", {"activation_function": "prelu"}, "unsupported_architecture", "holds parameters"),
        ("llama", {**LLAMA, "hidden_act": "nope"}, "unsupported_architecture", "is not known"),
        (
            "llava",
            {"text_config": LLAMA, "vision_config": {"hidden_act": "prelu"}},
            "unsupported_architecture",
            "vision_config",
        ),
        ("mpt", {**MPT, "no_bias": False}, "unsupported_architecture", "no_bias"),
        ("mpt", {**MPT, "attn_config": {"qk_ln": True}}, "unsupported_architecture", "qk_ln"),
        ("mpt", {**MPT, "attn_config": {"kv_n_heads": 2}}, "unsupported_architecture", "kv_n_heads"),
        ("mpt", {**MPT, "attn_config": {"alibi": False}}, "unsupported_architecture", "alibi"),
        (
            "mpt",
            {**MPT, "attn_config": {"attn_type": "multiquery_attention"}},
            "unsupported_architecture",
            "attn_type",
        ),
        ("mpt", {**MPT, "ffn_config": {"ffn_type": "mptglu"}}, "unsupported_architecture", "ffn_type"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(
    model_type: str, fields: dict[str, Any], code: str, named: str
) -> None:
    with pytest.raises(InputError) as raised:
        read(model_type, **fields)
    assert raised.value.code == code
    assert named in raised.value.message


def test_usual_settings_of_mpt_are_read() -> None:
    usual = {"attn_type": "multihead_attention", "kv_n_heads": 4, "alibi": True, "qk_ln": False}
    assert read("mpt", **MPT, attn_config=usual, ffn_config={"ffn_type": "mptmlp"})[0] == 105_024


def test_sizes_that_only_the_class_says_are_named() -> None:
    total, config = read("llama", **LLAMA)
    assert not messages(config, "class_defaults")
    assert total == 48_384
    _, config = read("llama", hidden_size=64, num_attention_heads=4, n_layer=16)
    (message,) = messages(config, "class_defaults")
    assert "num_hidden_layers 32, intermediate_size 11,008, vocab_size 32,000" in message
    assert "hidden_size 64" not in message


def test_sparse_sections_of_gemma_3_are_meant_so() -> None:
    _, config = read("gemma3_text", hidden_size=64, num_hidden_layers=2, intermediate_size=80)
    assert not messages(config, "class_defaults")


@pytest.mark.parametrize("named", ["LlamaModel", "LlamaForSequenceClassification"])
def test_another_class_without_a_language_models_head_is_told_what_that_is_worth(named: str) -> None:
    _, config = read("llama", **LLAMA, architectures=[named])
    assert "6,400 parameters are the head" in messages(config, "other_class")[0]


def test_keys_that_json_would_write_as_text() -> None:
    """A configuration as Python has it numbers its labels."""
    named = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, None: 1}}
    assert read("llama", **LLAMA, **named)[0] == read("llama", **LLAMA)[0]
    with pytest.raises(InputError, match="hidden_act"):
        read("llama", **LLAMA, sections={0: {1: {"hidden_act": "no such function"}}})
