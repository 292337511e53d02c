"""What the further text decoders refuse, and what they add up to, by hand."""

from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.operations import TokenCache

LATENT = {"num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100}


def build(model_type: str, **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def total(architecture: Architecture) -> int:
    return sum(weight.elements * copies for weight, copies in architecture.weights())


@pytest.mark.parametrize(
    ("model_type", "fields", "code", "part"),
    [
        ("iquestcoder", {"clip_qkv": 8.0}, "unsupported_architecture", "clip_qkv"),
        ("iquestcoder", {"use_sliding_window": True}, "unsupported_architecture", "use_sliding_window"),
        ("iquestcoder", {"hidden_size": 100, "num_attention_heads": 8}, "inconsistent", "divide"),
        ("internlm3", {"qkv_bias": True, "bias": False}, "inconsistent", "differ"),
        ("diffllama", {"num_key_value_heads": 1}, "inconsistent", "halves"),
        ("axk2", {"n_group": 8}, "inconsistent", "together"),
        ("axk2", {"n_group": 3, "topk_group": 1}, "inconsistent", "groups"),
        ("zaya", {"num_experts_per_tok": 2}, "unsupported_architecture", "one expert"),
        ("zaya", {"layer_types": ["hybrid_sliding"] * 40}, "bad_config", "sliding_window"),
        ("hrm_text", {"num_hidden_layers": 16, "num_layers_per_stack": 16}, "inconsistent", "passes"),
        ("hy_v4", {**LATENT, "indexer_types": ["F", "S", "S", "S"]}, "bad_config", "indexer_types"),
        ("mistral_large4_text", {**LATENT, "kv_source_layers": [0, 0, 1, 3]}, "bad_config", "layer 2"),
        ("mistral_large4_text", {**LATENT, "kv_source_layers": [0, 0]}, "inconsistent", "2 entries"),
        ("mistral_large4_text", {**LATENT, "no_rope_layers": [1, 0, 2, 1]}, "bad_config", "no_rope_layers"),
    ],
)
def test_what_the_class_refuses_is_an_error(
    model_type: str, fields: dict[str, Any], code: str, part: str
) -> None:
    with pytest.raises(InputError, match=part) as caught:
        build(model_type, **fields)
    assert caught.value.code == code


def test_an_expert_of_doge_is_a_row_of_two_tables() -> None:
    """E more experts are 2*E*D numbers a layer, and floor(sqrt(E)) keys in two sets of the router."""
    layers, hidden = 32, 1024
    dense, sparse = total(build("doge")), total(build("doge", is_moe=True, num_experts=10_000))
    assert sparse - dense == layers * (2 * 10_000 * hidden + 2 * 100 * hidden)


def test_every_pass_of_a_cycle_keeps_keys_and_values() -> None:
    """16 layers a stack, 2 slow cycles of 3 fast passes and a slow one: 128 passes."""
    kept = list(build("hrm_text").kept())
    assert sum(times for _, times in kept) == 16 * 2 * (3 + 1)
    assert {entry.numbers for entry, _ in kept if isinstance(entry, TokenCache)} == {2 * 12 * 128}


def test_a_borrowed_latent_is_not_kept_but_the_key_of_an_indexer_is() -> None:
    """Layers 0 and 1 keep 512+64 numbers and a key of 128, layer 2 the key, layer 3 nothing."""
    architecture = build(
        "mistral_large4_text",
        **LATENT,
        kv_source_layers=[0, 1, 0, 0],
        no_rope_layers=[1, 1, 1, 1],
        indexer_types=["full", "full", "full", "shared"],
    )
    numbers = [entry.numbers for entry, times in architecture.kept() if isinstance(entry, TokenCache)]
    assert sorted(numbers) == [128, 704, 704]


def test_layers_that_are_alike_are_described_once() -> None:
    assert len(build("bailing_hybrid").body[1].groups) == 3  # type: ignore[union-attr]
