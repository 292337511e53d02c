"""State-space and hybrid models: published totals, what each layer keeps, layer rules and bad configs.

Totals of ``published_state_space.jsonl``: parameters of the transformers 5.23 class, equal to the tensor
elements that the hub lists for the published checkpoint (2026-11; Qwen3-Next less its
multi-token-prediction layer). ``active`` leaves out the experts that a token does not use.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture, Stack
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.operations import SequenceState, TokenCache

PUBLISHED = [
    json.loads(line)
    for line in (Path(__file__).parent / "published_state_space.jsonl").read_text().splitlines()
]
TYPES = (
    "mamba",
    "falcon_mamba",
    "mamba2",
    "bamba",
    "jamba",
    "granitemoehybrid",
    "falcon_h1",
    "nemotron_h",
    "qwen3_next",
    "qwen3_5_text",
    "qwen3_5_moe_text",
    "lfm2",
    "rwkv",
)


def build(model_type: str, /, **raw: Any) -> Architecture:
    return describe(Config(raw, model_type))


def total(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


def modules(architecture: Architecture, *names: str) -> list[str]:
    """Return which of the modules each layer has, joined by "+" in the order of the layer."""
    stack = next(item for item in architecture.body if isinstance(item, Stack))
    found = {
        layer: "+".join(part.name for part in group.block.parts if part.name in names)
        for group in stack.groups
        for layer in group.layers
    }
    return [found[layer] for layer in range(stack.depth)]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["id"])
def test_totals_are_the_published_ones(row: dict[str, Any]) -> None:
    architecture = build(row["model_type"], **row["config"])
    assert total(architecture) == row["parameters"]
    active = sum(weight.active_elements * layers for weight, layers in architecture.weights())
    assert active == row["active"]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["id"])
def test_layers_keep_what_their_mixer_needs(row: dict[str, Any]) -> None:
    kept = list(build(row["model_type"], **row["config"]).kept())
    attention = sum(layers for entry, layers in kept if isinstance(entry, TokenCache))
    states = sum(layers for entry, layers in kept if isinstance(entry, SequenceState))
    kinds = row["layer_types"]
    assert attention == kinds.get("full_attention", 0)
    assert states == kinds.get("linear_attention", 0) + kinds.get("conv", 0)


STATES: list[tuple[str, dict[str, Any], SequenceState]] = [
    ("mamba", {}, SequenceState(channels=1536, kernel=4, recurrent=1536 * 16)),
    ("mamba", {"intermediate_size": 100}, SequenceState(channels=100, kernel=4, recurrent=1600)),
    ("mamba2", {}, SequenceState(channels=8192 + 2 * 8 * 128, kernel=4, recurrent=128 * 64 * 128)),
    ("jamba", {}, SequenceState(channels=8192, kernel=4, recurrent=8192 * 16)),
    ("nemotron_h", {}, SequenceState(channels=8192 + 2048, kernel=4, recurrent=128 * 64 * 128)),
    (
        "nemotron_h",
        {"mamba_n_groups": 2, "mamba_d_conv": 3},
        SequenceState(channels=8192 + 512, kernel=3, recurrent=128 * 64 * 128),
    ),
    ("falcon_h1", {}, SequenceState(channels=1024 + 512, kernel=4, recurrent=1024 * 256)),
    ("falcon_h1", {"mamba_d_ssm": None}, SequenceState(channels=8704, kernel=4, recurrent=8192 * 256)),
    ("qwen3_next", {}, SequenceState(channels=8192, kernel=4, recurrent=32 * 128 * 128)),
    ("lfm2", {"full_attn_idxs": [0]}, SequenceState(channels=2560, kernel=3)),
]


@pytest.mark.parametrize(("model_type", "raw", "state"), STATES)
def test_states_have_the_numbers_of_the_class(
    model_type: str, raw: dict[str, Any], state: SequenceState
) -> None:
    assert state in {entry for entry, _ in build(model_type, **raw).kept()}


def test_rwkv_keeps_two_tokens_and_the_recurrence() -> None:
    entries = [entry for entry, _ in build("rwkv", hidden_size=64, num_hidden_layers=2).kept()]
    states = [entry for entry in entries if isinstance(entry, SequenceState)]
    assert sum(entry.shift for entry in states) == 2 * 2 * 64  # two groups: the first layer and the rest
    assert sum(entry.recurrent for entry in states) == 2 * 3 * 64


def test_falcon_h1_keeps_keys_values_and_a_state_in_every_layer() -> None:
    kept = list(build("falcon_h1", num_hidden_layers=7).kept())
    assert {(type(entry), layers) for entry, layers in kept} == {(TokenCache, 7), (SequenceState, 7)}


S, A = "mamba", "self_attn"
RULES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("bamba", {"num_hidden_layers": 3}, [S, S, S]),
    ("bamba", {"num_hidden_layers": 3, "attn_layer_indices": []}, [S, S, S]),
    ("bamba", {"num_hidden_layers": 3, "attn_layer_indices": [1, 9]}, [S, A, S]),
    ("granitemoehybrid", {"num_hidden_layers": 2, "layer_types": None}, [S, S]),
    ("granitemoehybrid", {"num_hidden_layers": 2, "layer_types": ["mamba", "attention"]}, [S, A]),
    (
        "granitemoehybrid",
        {"num_hidden_layers": 2, "layers_block_type": ["full_attention", "linear_attention"]},
        [A, S],
    ),
    (
        "jamba",
        {"num_hidden_layers": 4, "attn_layer_period": 3, "attn_layer_offset": 1, "num_experts": 1},
        [S, A, S, S],
    ),
    ("falcon_h1", {"num_hidden_layers": 2}, ["mamba+self_attn", "mamba+self_attn"]),
]


@pytest.mark.parametrize(("model_type", "raw", "mixers"), RULES)
def test_mixers_stand_where_the_rule_of_the_type_says(
    model_type: str, raw: dict[str, Any], mixers: list[str]
) -> None:
    assert modules(build(model_type, **raw), S, A) == mixers


@pytest.mark.parametrize(
    ("raw", "attention"),
    [
        ({}, [3, 7]),
        ({"full_attention_interval": 3}, [2, 5]),
        ({"full_attention_interval": 2, "layer_types": None}, [1, 3, 5, 7]),
        ({"layer_types": ["full_attention"] + ["linear_attention"] * 7}, [0]),
    ],
)
@pytest.mark.parametrize("model_type", ["qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"])
def test_attention_ends_every_interval(model_type: str, raw: dict[str, Any], attention: list[int]) -> None:
    found = modules(build(model_type, num_hidden_layers=8, **raw), A)
    assert [layer for layer, name in enumerate(found) if name] == attention


def test_experts_of_qwen3_next_follow_step_and_dense_layers() -> None:
    raw = {"num_hidden_layers": 6, "decoder_sparse_step": 2, "mlp_only_layers": [3]}
    found = modules(build("qwen3_next", **raw), "mlp", "mlp.experts")
    assert found == ["mlp", "mlp.experts", "mlp", "mlp", "mlp", "mlp.experts"]
    assert set(modules(build("qwen3_next", num_experts=0), "mlp")) == {"mlp"}


def test_experts_of_jamba_need_more_than_one_and_take_the_alias() -> None:
    dense = modules(build("jamba", num_local_experts=1), "feed_forward")
    assert set(dense) == {"feed_forward"}
    found = modules(build("jamba", num_hidden_layers=4), "feed_forward", "feed_forward.experts")
    assert found == ["feed_forward", "feed_forward.experts"] * 2


@pytest.mark.parametrize(
    ("raw", "attention"),
    [
        ({}, [0, 1, 2, 3]),
        ({"full_attn_idxs": []}, []),
        ({"full_attn_idxs": [1]}, [1]),
        ({"full_attn_idxs": [1], "layer_types": ["full_attention", "conv", "conv", "conv"]}, [0]),
    ],
)
def test_lfm2_attends_at_its_indices_and_everywhere_without_them(
    raw: dict[str, Any], attention: list[int]
) -> None:
    found = modules(build("lfm2", num_hidden_layers=4, **raw), A)
    assert [layer for layer, name in enumerate(found) if name] == attention


@pytest.mark.parametrize(
    ("raw", "width"),
    [
        ({"intermediate_size": 12288}, 8192),
        ({"intermediate_size": 7, "block_ff_dim": 12288}, 8192),
        ({"intermediate_size": 1000, "block_multiple_of": 10, "block_ffn_dim_multiplier": 1.3}, 870),
        ({"intermediate_size": 1000, "block_ffn_dim_multiplier": None}, 666),
        ({"intermediate_size": 1000, "block_auto_adjust_ff_dim": False}, 1000),
    ],
)
def test_lfm2_adjusts_the_feed_forward_width(raw: dict[str, Any], width: int) -> None:
    shapes = {name: weight.shape for name, weight in build("lfm2", num_hidden_layers=1, **raw).tensors()}
    assert shapes["model.layers.0.feed_forward.w1.weight"] == (width, 2560)


def test_lfm2_ties_by_the_old_name_first() -> None:
    assert build("lfm2").tied
    assert not build("lfm2", tie_word_embeddings=True, tie_embedding=False).tied


@pytest.mark.parametrize(
    "raw",
    [
        {"hybrid_override_pattern": "M*-E"},
        {"layers_block_type": ["mamba", "attention", "mlp", "moe"]},
        {"layer_types": ["linear_attention", "full_attention", "mlp", "moe"]},
        {"layers_block_type": ["mamba", "attention", "mlp", "moe"], "hybrid_override_pattern": "MM"},
    ],
)
def test_nemotron_h_reads_letters_and_lists_alike(raw: dict[str, Any]) -> None:
    names = {name for name, _ in build("nemotron_h", **raw).tensors()}
    assert "model.layers.0.mixer.A_log" in names
    assert "model.layers.1.mixer.q_proj.weight" in names
    assert "model.layers.2.mixer.up_proj.weight" in names
    assert "model.layers.3.mixer.experts.up_proj" in names
    assert not any(name.startswith("model.layers.4.") for name in names)


def test_nemotron_h_takes_its_depth_from_the_list_and_says_so() -> None:
    config = Config({"hybrid_override_pattern": "MM*", "num_hidden_layers": 52}, "nemotron_h")
    assert describe(config).depth == 3
    assert [notice.code for notice in config.notices] == ["inconsistent", "class_defaults"]


def test_nemotron_h_never_ties_and_narrows_experts_to_the_latent() -> None:
    architecture = build(
        "nemotron_h", hybrid_override_pattern="E", tie_word_embeddings=True, moe_latent_size=1024
    )
    shapes = {name: weight.shape for name, weight in architecture.tensors()}
    assert shapes["lm_head.weight"] == (131072, 4096)
    assert shapes["model.layers.0.mixer.experts.up_proj"] == (8, 7688, 1024)
    assert shapes["model.layers.0.mixer.fc2_latent_proj.weight"] == (4096, 1024)


ERRORS: list[tuple[str, dict[str, Any], str, str]] = [
    ("mamba", {"hidden_size": None}, "bad_config", "hidden_size"),
    ("mamba", {"state_size": 0}, "bad_config", "state_size"),
    ("mamba", {"time_step_rank": "wide"}, "bad_config", "time_step_rank"),
    ("mamba", {"time_step_rank": None}, "bad_config", "time_step_rank"),
    ("mamba2", {"num_heads": 7}, "inconsistent", "num_heads * head_dim"),
    ("bamba", {"mamba_d_head": 3}, "inconsistent", "mamba_n_heads"),
    ("bamba", {"attn_layer_indices": "1"}, "bad_config", "attn_layer_indices"),
    ("falcon_h1", {"mamba_d_ssm": 1000}, "inconsistent", "mamba_n_heads"),
    ("jamba", {"attn_layer_offset": 8}, "inconsistent", "attn_layer_offset"),
    ("jamba", {"expert_layer_period": 0}, "bad_config", "expert_layer_period"),
    ("jamba", {"num_key_value_heads": None}, "bad_config", "num_key_value_heads"),
    ("granitemoehybrid", {"num_local_experts": None}, "bad_config", "num_local_experts"),
    ("granitemoehybrid", {"layer_types": ["mamba"]}, "inconsistent", "layer_types"),
    ("granitemoehybrid", {"layer_types": ["multi"] * 32}, "bad_config", "layer_types"),
    ("nemotron_h", {"layers_block_type": []}, "bad_config", "layers_block_type"),
    ("nemotron_h", {"layers_block_type": ["M"]}, "bad_config", "layers_block_type"),
    ("nemotron_h", {"hybrid_override_pattern": "MX"}, "bad_config", "hybrid_override_pattern"),
    ("nemotron_h", {"hybrid_override_pattern": ""}, "bad_config", "hybrid_override_pattern"),
    ("nemotron_h", {"hybrid_override_pattern": ["M"]}, "bad_config", "hybrid_override_pattern"),
    ("nemotron_h", {"head_dim": None}, "bad_config", "head_dim"),
    ("qwen3_next", {"layer_types": ["linear_attention"]}, "inconsistent", "layer_types"),
    ("qwen3_next", {"full_attention_interval": 0}, "bad_config", "full_attention_interval"),
    ("qwen3_next", {"num_experts": None}, "bad_config", "num_experts"),
    ("qwen3_next", {"num_key_value_heads": 17}, "bad_config", "num_key_value_heads"),
    ("qwen3_5_moe_text", {"num_experts": 0}, "bad_config", "num_experts"),
    ("lfm2", {"layer_types": ["conv"] * 31}, "inconsistent", "layer_types"),
    ("lfm2", {"block_multiple_of": 0}, "bad_config", "block_multiple_of"),
    ("lfm2", {"full_attn_idxs": [True]}, "bad_config", "full_attn_idxs"),
    ("rwkv", {"attention_hidden_size": "64"}, "bad_config", "attention_hidden_size"),
]


@pytest.mark.parametrize(("model_type", "raw", "code", "field"), ERRORS)
def test_what_cannot_be_meant_is_an_error_that_names_the_field(
    model_type: str, raw: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InputError) as caught:
        build(model_type, **raw)
    assert caught.value.code == code
    assert field in caught.value.message


NULLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("mamba", {"intermediate_size": None}, {}),
    ("bamba", {"num_key_value_heads": None, "attn_layer_indices": [0]}, {"num_key_value_heads": 32}),
    ("granitemoehybrid", {"num_key_value_heads": None}, {"num_key_value_heads": 32}),
    ("nemotron_h", {"moe_latent_size": None, "layers_block_type": None}, {}),
    ("qwen3_next", {"mlp_only_layers": None, "layer_types": None}, {"mlp_only_layers": []}),
    ("rwkv", {"attention_hidden_size": None, "intermediate_size": None}, {"intermediate_size": 16384}),
]


@pytest.mark.parametrize(("model_type", "raw", "meant"), NULLS)
def test_a_null_with_a_rule_means_what_the_rule_says(
    model_type: str, raw: dict[str, Any], meant: dict[str, Any]
) -> None:
    if "attn_layer_indices" in raw:
        meant = {**meant, "attn_layer_indices": raw["attn_layer_indices"]}
    assert total(build(model_type, **raw)) == total(build(model_type, **meant))


@pytest.mark.parametrize("model_type", TYPES)
def test_products_multiply_with_every_active_matrix_once(model_type: str) -> None:
    architecture = build(model_type)
    matrices = sum(w.active_elements * n for w, n in architecture.weights() if w.kind == "matrix")
    tied = architecture.hidden * architecture.vocabulary if architecture.tied else 0
    products = sum(o.macs * n for o, n in architecture.operations() if o.kind == "product")
    assert products == matrices + tied


@pytest.mark.parametrize("model_type", TYPES)
def test_convolutions_and_scans_follow_kernels_and_states(model_type: str) -> None:
    architecture = build(model_type)
    kernels = sum(w.elements * n for w, n in architecture.weights() if w.kind == "kernel")
    convolved = sum(o.macs * n for o, n in architecture.operations() if o.kind == "convolution")
    assert convolved == kernels
    states = sum(e.recurrent * n for e, n in architecture.kept() if isinstance(e, SequenceState))
    scanned = sum(o.macs * n for o, n in architecture.operations() if o.kind == "scan")
    assert 2 * states <= scanned <= 5 * states
