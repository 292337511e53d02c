"""Mixture-of-experts and latent-attention families: published counts, caches, conventions, bad configs.

Published configurations hold the fields of the config.json files that decide a size; totals are those
of the files' tensors or of transformers 5.23 on the meta device, active counts total - Σ(E - k)·expert.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture, Stack
from sizewise.components.experts import Experts
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.operations import TokenCache

KV_TRUTH = Path(__file__).parents[1] / "golden" / "architectures" / "kv_truth.json"


def read(raw: dict[str, Any]) -> tuple[Architecture, Config]:
    config = Config(raw, raw["model_type"])
    return describe(config), config


def total(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


def active(architecture: Architecture) -> int:
    return sum(weight.active_elements * layers for weight, layers in architecture.weights())


MIXTRAL = {
    "model_type": "mixtral",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 32000,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "sliding_window": None,
}
QWEN3_30B = {
    "model_type": "qwen3_moe",
    "hidden_size": 2048,
    "num_hidden_layers": 48,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "intermediate_size": 6144,
    "vocab_size": 151936,
    "head_dim": 128,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
}
QWEN3_235B = QWEN3_30B | {
    "hidden_size": 4096,
    "num_hidden_layers": 94,
    "num_attention_heads": 64,
    "intermediate_size": 12288,
    "moe_intermediate_size": 1536,
}
QWEN2_MOE = {
    "model_type": "qwen2_moe",
    "hidden_size": 2048,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "moe_intermediate_size": 1408,
    "shared_expert_intermediate_size": 5632,
    "num_experts": 60,
    "num_experts_per_tok": 4,
    "use_sliding_window": False,
    "sliding_window": 32768,
    "vocab_size": 151936,
}
PHI_3_5_MOE = {
    "model_type": "phimoe",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 6400,
    "vocab_size": 32064,
    "num_local_experts": 16,
    "num_experts_per_tok": 2,
    "attention_bias": True,
    "lm_head_bias": True,
    "sliding_window": 131072,
}
OLMOE = {
    "model_type": "olmoe",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "intermediate_size": 1024,
    "vocab_size": 50304,
    "num_experts": 64,
    "num_experts_per_tok": 8,
}
GRANITE_3_1_1B = {
    "model_type": "granitemoe",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "intermediate_size": 512,
    "vocab_size": 49155,
    "tie_word_embeddings": True,
    "num_local_experts": 32,
    "num_experts_per_tok": 8,
}
MINIMAX_M2_5 = {
    "model_type": "minimax_m2",
    "hidden_size": 3072,
    "num_hidden_layers": 62,
    "num_attention_heads": 48,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 1536,
    "vocab_size": 200064,
    "num_local_experts": 256,
    "num_experts_per_tok": 8,
}
GPT_OSS_120B = {
    "model_type": "gpt_oss",
    "hidden_size": 2880,
    "num_hidden_layers": 36,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "intermediate_size": 2880,
    "vocab_size": 201088,
    "num_local_experts": 128,
    "num_experts_per_tok": 4,
    "sliding_window": 128,
}
GPT_OSS_20B = GPT_OSS_120B | {"num_hidden_layers": 24, "num_local_experts": 32}
LLAMA_4_SCOUT = {
    "model_type": "llama4_text",
    "hidden_size": 5120,
    "num_hidden_layers": 48,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 8192,
    "intermediate_size_mlp": 16384,
    "vocab_size": 202048,
    "num_local_experts": 16,
    "num_experts_per_tok": 1,
    "interleave_moe_layer_step": 1,
    "attention_chunk_size": 8192,
}
DEEPSEEK_V3 = {
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 129280,
}
KIMI_K2 = DEEPSEEK_V3 | {
    "model_type": "kimi_k2",
    "num_attention_heads": 64,
    "n_routed_experts": 384,
    "first_k_dense_replace": 1,
    "vocab_size": 163840,
}
DEEPSEEK_V3_2 = DEEPSEEK_V3 | {
    "model_type": "deepseek_v32",
    "index_n_heads": 64,
    "index_head_dim": 128,
    "index_topk": 2048,
}
DEEPSEEK_V2_LITE = DEEPSEEK_V3 | {
    "model_type": "deepseek_v2",
    "hidden_size": 2048,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_experts_per_tok": 6,
    "first_k_dense_replace": 1,
    "q_lora_rank": None,
    "vocab_size": 102400,
}
GLM_5 = DEEPSEEK_V3_2 | {
    "model_type": "glm_moe_dsa",
    "hidden_size": 6144,
    "num_hidden_layers": 78,
    "num_attention_heads": 64,
    "intermediate_size": 12288,
    "q_lora_rank": 2048,
    "qk_nope_head_dim": 192,
    "v_head_dim": 256,
    "index_n_heads": 32,
    "vocab_size": 154880,
}

PUBLISHED: list[tuple[str, dict[str, Any], int, int]] = [
    ("Mixtral-8x7B", MIXTRAL, 46_702_792_704, 12_879_925_248),
    ("Phi-3.5-MoE", PHI_3_5_MOE, 41_873_153_344, 6_640_999_744),
    ("Qwen1.5-MoE-A2.7B", QWEN2_MOE, 14_315_784_192, 2_689_173_504),
    ("Qwen3-30B-A3B", QWEN3_30B, 30_532_122_624, 3_353_032_704),
    ("Qwen3-235B-A22B", QWEN3_235B, 235_093_634_560, 22_190_763_520),
    ("OLMoE-1B-7B", OLMOE, 6_919_161_856, 1_282_017_280),
    ("granite-3.1-1b-a400m", GRANITE_3_1_1B, 1_334_628_352, 428_658_688),
    ("MiniMax-M2.5", MINIMAX_M2_5, 228_689_748_992, 11_030_537_216),
    ("gpt-oss-120b", GPT_OSS_120B, 116_829_156_672, 5_711_982_912),
    ("gpt-oss-20b", GPT_OSS_20B, 20_914_757_184, 4_187_440_704),
    ("Llama-4-Scout, text", LLAMA_4_SCOUT, 107_769_861_120, 17_172_894_720),
    ("DeepSeek-V2-Lite", DEEPSEEK_V2_LITE, 15_706_484_224, 2_661_150_208),
    ("DeepSeek-V3", DEEPSEEK_V3, 671_026_404_352, 37_552_282_624),
    ("DeepSeek-V3.2", DEEPSEEK_V3_2, 671_877_929_216, 38_403_807_488),
    ("Kimi-K2", KIMI_K2, 1_026_408_209_408, 32_861_477_888),
    ("GLM-5", GLM_5, 743_911_199_232, 41_784_709_632),
]
PUBLISHED_IDS = [name for name, *_ in PUBLISHED]


@pytest.mark.parametrize(("name", "raw", "stored", "used"), PUBLISHED, ids=PUBLISHED_IDS)
def test_published_models_have_their_total_and_active_parameters(
    name: str, raw: dict[str, Any], stored: int, used: int
) -> None:
    architecture, config = read(raw)
    assert (total(architecture), active(architecture)) == (stored, used), name
    assert config.notices == []


@pytest.mark.parametrize("raw", [raw for _, raw, *_ in PUBLISHED], ids=PUBLISHED_IDS)
def test_products_are_those_of_the_active_matrices_and_the_table_of_a_tied_head(raw: dict[str, Any]) -> None:
    architecture, _ = read(raw)
    products = sum(
        operation.macs * layers
        for operation, layers in architecture.operations()
        if operation.kind == "product"
    )
    matrices = sum(
        weight.active_elements * layers
        for weight, layers in architecture.weights()
        if weight.kind == "matrix"
    )
    tied_head = architecture.vocabulary * architecture.hidden if architecture.tied else 0
    assert products == matrices + tied_head


def caches(raw: dict[str, Any]) -> list[TokenCache]:
    """Return what each layer keeps, in the order of the layers."""
    architecture, _ = read(raw)
    found = {
        layer: entry
        for place in architecture.placed()
        for entry in place.component.kept()
        for layer in place.layers
        if isinstance(entry, TokenCache)
    }
    return [found[layer] for layer in sorted(found)]


def test_latent_attention_keeps_one_latent_per_token_and_layer() -> None:
    entries = caches(DEEPSEEK_V3)
    assert len(entries) == 61
    assert {(entry.numbers, entry.latent, entry.heads) for entry in entries} == {(576, True, 1)}


def test_an_indexer_adds_its_key_only_where_the_layer_owns_one() -> None:
    assert {entry.numbers for entry in caches(DEEPSEEK_V3_2)} == {576 + 128}
    shared = GLM_5 | {"num_hidden_layers": 5, "indexer_types": ["full", "full", "shared", "shared", "full"]}
    assert [entry.index for entry in caches(shared)] == [128, 128, 0, 0, 128]


def test_a_layer_without_indexer_attends_to_the_keys_that_an_earlier_one_selected() -> None:
    raw = GLM_5 | {"num_hidden_layers": 2, "indexer_types": ["full", "shared"]}
    operations = list(read(raw)[0].operations())
    assert [operation.reach for operation, _ in operations if operation.name == "scores"] == [2048, 2048]
    index = [operation for operation, _ in operations if operation.name == "index_scores"]
    assert [(operation.macs_per_key, operation.reach) for operation in index] == [(32 * 128 + 32, None)]


def test_scores_of_latent_attention_cost_expanded_keys_and_values() -> None:
    operations = [operation for operation, _ in read(DEEPSEEK_V3)[0].operations()]
    scores = next(operation for operation in operations if operation.kind == "scores")
    assert scores.macs_per_key == 128 * (128 + 64) + 128 * 128


@pytest.mark.parametrize("case", ["deepseek_v3", "deepseek_v32", "gpt_oss"])
def test_cached_numbers_are_those_that_transformers_keeps(case: str) -> None:
    (row,) = [row for row in json.loads(KV_TRUTH.read_text()) if row["case"] == case]
    tokens, numbers = row["tokens_cached"], 0
    for entry in caches(row["config"] | {"model_type": row["model_type"]}):
        kept = tokens if entry.window is None else min(tokens, entry.window - 1)
        numbers += entry.numbers * kept
    assert numbers * row["batch"] * 2 == row["measured_bytes"]


def sparse_layers(raw: dict[str, Any]) -> list[int]:
    (layers,) = [part for part in read(raw)[0].body if isinstance(part, Stack)]
    return sorted(
        layer
        for group in layers.groups
        if any(isinstance(part.component, Experts) for part in group.block.parts)
        for layer in group.layers
    )


SMALL = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 6,
    "vocab_size": 128,
    "intermediate_size": 48,
    "moe_intermediate_size": 16,
}
SMALL_LATENT = SMALL | {
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "q_lora_rank": 12,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 4,
    "qk_rope_head_dim": 2,
    "v_head_dim": 6,
}
CONVENTIONS: list[tuple[str, dict[str, Any], list[int]]] = [
    ("mixtral", {}, [0, 1, 2, 3, 4, 5]),
    ("qwen3_moe", {"decoder_sparse_step": 2}, [1, 3, 5]),
    ("qwen3_moe", {"decoder_sparse_step": 2, "mlp_only_layers": [1]}, [3, 5]),
    ("qwen3_moe", {"mlp_only_layers": None}, [0, 1, 2, 3, 4, 5]),
    ("qwen2_moe", {"num_experts": 0}, []),
    ("glm4_moe", {"first_k_dense_replace": 4}, [4, 5]),
    ("glm4_moe", {"first_k_dense_replace": 9}, []),
    ("ernie4_5_moe", {}, [1, 2, 3, 4, 5]),
    ("ernie4_5_moe", {"moe_layer_interval": 2, "moe_layer_start_index": 2}, [3, 5]),
    ("ernie4_5_moe", {"moe_layer_end_index": 3}, [1, 2, 3]),
    ("llama4_text", {"interleave_moe_layer_step": 2}, [1, 3, 5]),
    ("llama4_text", {"moe_layers": [0, 4, 9]}, [0, 4]),
    ("llama4_text", {"moe_layers": []}, []),
    ("deepseek_v2", SMALL_LATENT, [0, 1, 2, 3, 4, 5]),
    ("deepseek_v3", SMALL_LATENT, [3, 4, 5]),
    ("glm4_moe_lite", SMALL_LATENT, [1, 2, 3, 4, 5]),
    (
        "glm4_moe_lite",
        SMALL_LATENT | {"mlp_layer_types": ["sparse", "dense", "dense", "dense", "dense", "sparse"]},
        [0, 5],
    ),
    ("deepseek_v32", SMALL_LATENT | {"first_k_dense_replace": 5}, [5]),
    (
        "deepseek_v32",
        SMALL_LATENT | {"mlp_layer_types": ["dense", "sparse", "dense", "dense", "dense", "dense"]},
        [1],
    ),
    ("minicpm3", SMALL_LATENT, []),
]


@pytest.mark.parametrize(("model_type", "fields", "expected"), CONVENTIONS)
def test_each_convention_says_which_layers_have_experts(
    model_type: str, fields: dict[str, Any], expected: list[int]
) -> None:
    assert sparse_layers(SMALL | {"model_type": model_type} | fields) == expected


def windows(raw: dict[str, Any]) -> list[int | None]:
    return [entry.window for entry in caches(raw)]


def test_sliding_windows_follow_the_rule_of_the_type() -> None:
    small = SMALL | {"sliding_window": 16}
    assert windows(small | {"model_type": "mixtral"}) == [16] * 6
    assert windows(small | {"model_type": "mixtral", "sliding_window": 0}) == [None] * 6
    assert windows(small | {"model_type": "gpt_oss"}) == [16, None] * 3
    assert windows(small | {"model_type": "qwen3_moe"}) == [None] * 6
    assert windows(small | {"model_type": "qwen3_moe", "use_sliding_window": True}) == [16] * 6
    below = small | {"model_type": "qwen2_moe", "use_sliding_window": True, "max_window_layers": 3}
    assert windows(below) == [16, None, 16, None, None, None]
    above = {"model_type": "dots1", "n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2}
    assert windows(small | above | {"max_window_layers": 4}) == [None] * 4 + [16, 16]


def test_listed_layer_types_win_over_the_rule() -> None:
    listed = ["full_attention"] * 5 + ["sliding_attention"]
    assert windows(SMALL | {"model_type": "gpt_oss", "sliding_window": 16, "layer_types": listed}) == [
        *[None] * 5,
        16,
    ]


def test_llama4_layers_with_positions_attend_within_chunks() -> None:
    small = SMALL | {"model_type": "llama4_text", "attention_chunk_size": 32}
    assert [entry.chunk for entry in caches(small)] == [32, 32, 32, None, 32, 32]
    marked = small | {"no_rope_layers": [0, 1, 0, 1, 0, 1]}
    assert [entry.chunk for entry in caches(marked)] == [None, 32] * 3
    assert [entry.chunk for entry in caches(small | {"attention_chunk_size": None})] == [None] * 6


def test_a_null_query_rank_means_one_plain_query_projection() -> None:
    names = dict(read(SMALL_LATENT | {"model_type": "deepseek_v3", "q_lora_rank": None})[0].tensors())
    assert names["model.layers.0.self_attn.q_proj.weight"].shape == (4 * 6, 32)
    assert "model.layers.0.self_attn.q_a_proj.weight" not in names


def test_a_null_value_size_of_minicpm3_is_hidden_by_heads() -> None:
    names = dict(read(SMALL_LATENT | {"model_type": "minicpm3", "v_head_dim": None})[0].tensors())
    assert names["model.layers.0.self_attn.o_proj.weight"].shape == (32, 4 * 8)


def test_only_ernie_stores_the_correction_bias_of_its_router() -> None:
    name = "model.layers.1.mlp.gate.moe_statics.e_score_correction_bias"
    weight = dict(read(SMALL | {"model_type": "ernie4_5_moe"})[0].tensors())[name]
    assert (weight.shape, weight.frozen) == ((1, 64), True)
    others = dict(read(DEEPSEEK_V3)[0].tensors())
    assert not any("correction" in other for other in others)


@pytest.mark.parametrize(
    ("fields", "letters"),
    [
        ({}, "FFFFFF"),
        ({"index_topk_freq": 2}, "FFSFSF"),
        ({"index_topk_freq": 3, "index_skip_topk_offset": 1}, "FSSFSS"),
        ({"index_topk_pattern": "FSSFSS"}, "FSSFSS"),
        ({"index_topk_pattern": ["full", "shared"] * 3}, "FSFSFS"),
        ({"indexer_types": ["full"] + ["shared"] * 5, "index_topk_freq": 1}, "FSSSSS"),
    ],
)
def test_layers_share_indexers_as_the_config_says(fields: dict[str, Any], letters: str) -> None:
    raw = SMALL_LATENT | {"model_type": "glm_moe_dsa"} | fields
    assert "".join("F" if entry.index else "S" for entry in caches(raw)) == letters


def test_more_indexer_entries_than_layers_are_cut_with_a_notice() -> None:
    _, config = read(SMALL_LATENT | {"model_type": "glm_moe_dsa", "index_topk_pattern": "FSSFSSF"})
    assert [notice.code for notice in config.notices] == ["inconsistent"]


@pytest.mark.parametrize(("given", "counted"), [(0, 1), (9, 4), (4, 4)])
def test_experts_per_token_outside_of_the_experts_are_flagged(given: int, counted: int) -> None:
    raw = SMALL | {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": given}
    architecture, config = read(raw)
    assert {weight.active_experts for weight, _ in architecture.weights() if weight.role == "expert"} == {
        counted
    }
    assert [notice.code for notice in config.notices] == ([] if given == counted else ["inconsistent"])


def test_missing_experts_per_token_are_flagged_where_the_class_has_no_default() -> None:
    raw = SMALL_LATENT | {"model_type": "deepseek_v2", "num_experts_per_tok": None}
    architecture, config = read(raw)
    assert active(architecture) == total(architecture)
    assert [notice.code for notice in config.notices] == ["inconsistent"]


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"model_type": "dots1", "n_shared_experts": 1}, "bad_config", "n_routed_experts"),
    (
        {"model_type": "dots1", "n_routed_experts": 4, "num_experts_per_tok": 2},
        "bad_config",
        "n_shared_experts",
    ),
    ({"model_type": "mixtral", "num_local_experts": None}, "bad_config", "num_local_experts"),
    ({"model_type": "mixtral", "num_local_experts": 0}, "bad_config", "num_local_experts"),
    ({"model_type": "mixtral", "num_experts_per_tok": None}, "bad_config", "num_experts_per_tok"),
    ({"model_type": "mixtral", "num_experts_per_tok": "2"}, "bad_config", "num_experts_per_tok"),
    ({"model_type": "qwen3_moe", "decoder_sparse_step": 0}, "bad_config", "decoder_sparse_step"),
    ({"model_type": "qwen3_moe", "mlp_only_layers": ["a"]}, "bad_config", "mlp_only_layers"),
    ({"model_type": "qwen3_moe", "num_key_value_heads": None}, "bad_config", "num_key_value_heads"),
    ({"model_type": "qwen2_moe", "shared_expert_intermediate_size": None}, "bad_config", "shared_expert"),
    ({"model_type": "glm4_moe", "first_k_dense_replace": -1}, "bad_config", "first_k_dense_replace"),
    ({"model_type": "ernie4_5_moe", "moe_layer_end_index": -2}, "bad_config", "moe_layer_end_index"),
    ({"model_type": "gpt_oss", "layer_types": ["full_attention"]}, "inconsistent", "layer_types"),
    ({"model_type": "gpt_oss", "layer_types": ["warp"] * 6}, "bad_config", "layer_types"),
    ({"model_type": "llama4_text", "no_rope_layers": [1, 0]}, "inconsistent", "no_rope_layers"),
    ({"model_type": "llama4_text", "no_rope_layers": [1, 0, 2, 1, 1, 1]}, "bad_config", "no_rope_layers"),
    (SMALL_LATENT | {"model_type": "deepseek_v3", "v_head_dim": None}, "bad_config", "v_head_dim"),
    (SMALL_LATENT | {"model_type": "deepseek_v3", "q_lora_rank": 0}, "bad_config", "q_lora_rank"),
    (SMALL_LATENT | {"model_type": "deepseek_v32", "q_lora_rank": None}, "bad_config", "q_lora_rank"),
    (SMALL_LATENT | {"model_type": "deepseek_v32", "layer_types": ["warp"] * 6}, "bad_config", "layer_types"),
    (
        SMALL_LATENT | {"model_type": "glm4_moe_lite", "mlp_layer_types": ["dense"]},
        "inconsistent",
        "mlp_layer",
    ),
    (
        SMALL_LATENT | {"model_type": "glm_moe_dsa", "indexer_types": ["full"]},
        "inconsistent",
        "indexer_types",
    ),
    (
        SMALL_LATENT | {"model_type": "glm_moe_dsa", "index_topk_pattern": "FXFFFF"},
        "bad_config",
        "index_topk",
    ),
    (
        SMALL_LATENT | {"model_type": "glm_moe_dsa", "index_topk_pattern": 4},
        "bad_config",
        "index_topk_pattern",
    ),
]


@pytest.mark.parametrize(("fields", "code", "field"), BAD)
def test_a_field_that_cannot_be_meant_is_an_error_that_names_it(
    fields: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InputError, match=field) as caught:
        read(SMALL | fields)
    assert caught.value.code == code


def test_phimoe_takes_two_experts_whatever_it_is_told() -> None:
    config = Config({**PHI_3_5_MOE, "num_experts_per_tok": 4}, "phimoe")
    components = (place.component for place in describe(config).placed())
    assert {one.active for one in components if isinstance(one, Experts)} == {2}
    assert ["num_experts_per_tok is 4" in notice.message for notice in config.notices] == [True]
