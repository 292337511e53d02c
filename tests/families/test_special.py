"""Architectures with mechanisms of their own: totals of the classes, shared parts, caches and refusals.

Totals: parameters that transformers 5.23.0 builds on the meta device from class defaults (2026-11-22).
"""

from collections import Counter
from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.operations import TokenCache
from sizewise.runtimes import CacheRequest
from sizewise.runtimes.transformers import Transformers

CLASS_DEFAULTS = {
    "afmoe": 19_232_600_000,
    "axk1": 518_983_052_288,
    "bitnet": 2_741_155_840,
    "cohere2_moe": 190_004_928_512,
    "deepseek_v4": 284_325_869_015,
    "exaone_moe": 28_550_639_616,
    "flex_olmo": 33_270_665_216,
    "gemma3n_text": 6_835_235_568,
    "gemma4_text": 5_077_177_856,
    "gpt_neox_japanese": 2_598_837_760,
    "granite_swa": 2_144_463_840,
    "granitemoe_swa": 37_039_117_312,
    "granitemoeshared": 37_039_116_288,
    "hy_v3": 295_033_528_320,
    "hyperclovax": 6_738_677_760,
    "jais2": 8_090_401_280,
    "jetmoe": 4_293_888_000,
    "kimi_linear": 49_133_074_464,
    "laguna": 33_189_975_808,
    "longcat_flash": 741_053_585_408,
    "mellum": 12_149_923_072,
    "mimo_v2_flash": 308_778_768_832,
    "minimax": 47_373_946_880,
    "nanochat": 256_573_440,
    "olmo_hybrid": 7_430_870_688,
    "recurrent_gemma": 2_010_263_040,
    "solar_open": 102_651_793_408,
    "xlstm": 6_865_424_896,
    "zamba": 7_232_490_496,
    "zamba2": 2_481_848_336,
}
GIVEN = {
    "hunyuan_v1_moe": ({"head_dim": 128, "num_experts": 16}, 78_118_129_664),
    "dbrx": ({"attn_config": {}}, 2_459_207_680),
}
"""Types whose class cannot be built from its defaults alone."""

ZAMBA2 = {
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid"],
    "adapter_rank": 8,
}
ZAMBA = {"num_hidden_layers": 4, "layers_block_type": ["hybrid", "mamba", "hybrid", "hybrid"]}
GEMMA4 = {"num_hidden_layers": 6, "head_dim": 64}


def built(model_type: str, **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def total(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


def cached(architecture: Architecture) -> int:
    """Count the layers that keep keys and values."""
    return sum(layers for entry, layers in architecture.kept() if isinstance(entry, TokenCache))


@pytest.mark.parametrize("model_type", CLASS_DEFAULTS)
def test_class_defaults_have_the_total_of_the_class(model_type: str) -> None:
    assert total(built(model_type)) == CLASS_DEFAULTS[model_type]


@pytest.mark.parametrize("model_type", GIVEN)
def test_few_given_fields_have_the_total_of_the_class(model_type: str) -> None:
    fields, parameters = GIVEN[model_type]
    assert total(built(model_type, **fields)) == parameters


@pytest.mark.parametrize(("model_type", "fields", "uses"), [("zamba", ZAMBA, 3), ("zamba2", ZAMBA2, 2)])
def test_a_shared_block_is_stored_once_and_used_by_every_layer(
    model_type: str, fields: dict[str, Any], uses: int
) -> None:
    shared = built(model_type, **fields)
    apart = built(model_type, **fields, tie_word_embeddings=False)
    queries = Counter(
        name.rpartition(".layers.")[2] for name, _ in shared.tensors() if name.endswith("q_proj.weight")
    )
    assert len(queries) == 1
    assert cached(shared) == cached(apart) == uses
    scores = [times for operation, times in shared.operations() if operation.name == "scores"]
    assert sum(scores) == uses
    work = [sum(o.macs * times for o, times in each.operations()) for each in (shared, apart)]
    assert work[0] == work[1]


def test_layers_that_borrow_keys_store_and_keep_none() -> None:
    own, shared = built("gemma3n_text", num_kv_shared_layers=0), built("gemma3n_text")
    assert (cached(own), cached(shared)) == (35, 20)
    keys = [name for name, _ in shared.tensors() if name.endswith("k_proj.weight")]
    assert len(keys) == 20


def test_tables_of_inputs_per_layer_are_looked_up() -> None:
    roles = {name: weight.role for name, weight in built("gemma3n_text").tensors()}
    assert roles["model.embed_tokens_per_layer.weight"] == "embedding"
    assert roles["model.per_layer_model_projection.weight"] != "embedding"


@pytest.mark.parametrize("tokens", [3, 4, 127, 128, 1000])
def test_compressed_attention_keeps_entries_and_what_waits_for_the_next_one(tokens: int) -> None:
    small = {"num_hidden_layers": 1, "head_dim": 16, "index_head_dim": 8, "sliding_window": 128}
    asked = CacheRequest(context=tokens, sequences=1, cache_bytes=2, state_bytes=2)

    def bytes_of(kind: str) -> int:
        kept = built("deepseek_v4", **small, layer_types=[kind]).kept()
        return int(Transformers().cache(kept, asked).value or 0)

    window = min(tokens, 127) * 16
    assert bytes_of("sliding_attention") == 2 * 2 * window
    heavy = tokens // 128 * 16 + tokens % 128 * 2 * 16
    assert bytes_of("heavily_compressed_attention") == 2 * (window + heavy)
    overlap = 2 * 4 * 24 if tokens >= 4 else 0
    sparse = tokens // 4 * 24 + tokens % 4 * 2 * 2 * 24 + overlap
    assert bytes_of("compressed_sparse_attention") == 2 * (window + sparse)


def test_full_layers_of_gemma_4_have_heads_of_their_own_size() -> None:
    widths = {
        entry.keys for entry, _ in built("gemma4_text", **GEMMA4).kept() if isinstance(entry, TokenCache)
    }
    assert widths == {4 * 64, 4 * 512}
    same = built("gemma4_text", **GEMMA4, per_layer_config={})
    assert {entry.keys for entry, _ in same.kept() if isinstance(entry, TokenCache)} == {4 * 64}


@pytest.mark.parametrize(
    ("model_type", "fields", "code"),
    [
        ("gemma4_text", {"per_layer_config": {"0": {"sliding_window": 8}}}, "unsupported_architecture"),
        ("gemma4_text", {"per_layer_config": {"0": {"head_dim": 8}}}, "inconsistent"),
        ("gemma4_text", {"per_layer_config": {"99": {"head_dim": 8}}}, "bad_config"),
        ("gemma4_text", {"num_kv_shared_layers": 29}, "inconsistent"),
        ("gemma3n_text", {"intermediate_size": [8, 8]}, "bad_config"),
        ("zamba", {"num_hidden_layers": 2}, "bad_config"),
        ("zamba2", {"num_hidden_layers": 12}, "inconsistent"),
        ("zamba2", {"hybrid_layer_ids": [1]}, "inconsistent"),
        ("jetmoe", {"num_experts_per_tok": 9}, "inconsistent"),
        ("recurrent_gemma", {"block_types": []}, "bad_config"),
        ("recurrent_gemma", {"lru_width": 2561}, "inconsistent"),
        ("xlstm", {"embedding_dim": 64}, "inconsistent"),
        ("xlstm", {"weight_mode": "other"}, "bad_config"),
        ("kimi_linear", {"linear_attn_config": {"full_attn_layers": [1], "kda_layers": []}}, "bad_config"),
        ("kimi_linear", {"linear_attn_config": {"head_dim": "8"}}, "bad_config"),
        ("olmo_hybrid", {"layer_types": ["full_attention"] * 32}, "inconsistent"),
        ("lfm2_moe", {}, "bad_config"),
        ("deepseek_v4", {"compress_ratios": [4]}, "inconsistent"),
        ("deepseek_v4", {"compress_ratios": [5] * 43}, "bad_config"),
        ("deepseek_v4", {"o_groups": 7}, "inconsistent"),
        ("hunyuan_v1_moe", {"head_dim": 8, "moe_topk": [1, 2]}, "unsupported_architecture"),
        ("dbrx", {"tie_word_embeddings": True}, "bad_config"),
        ("longcat_flash", {"qk_head_dim": 1}, "inconsistent"),
        ("laguna", {"moe_apply_router_weight_on_input": True}, "unsupported_architecture"),
        ("laguna", {"num_attention_heads_per_layer": [48, 48]}, "bad_config"),
    ],
)
def test_what_the_class_refuses_is_named(model_type: str, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        built(model_type, **fields)
    assert caught.value.code == code
