"""Dense decoders: published totals, nulls, errors, orientation, contexts and the FLOPs of a token.

Totals are those of the transformers 5.23 class on the meta device for the fields of the published
``config.json``, equal to the published count where the model card gives one.
"""

from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe, known_types


def build(model_type: str, **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def total(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


def code(model_type: str, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        build(model_type, **fields)
    return raised.value.code, raised.value.message


LLAMA = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "vocab_size": 100,
}


GPT2_XL = {"n_embd": 1600, "n_layer": 48, "n_head": 25}


GPT_J = {"n_embd": 4096, "n_layer": 28, "n_head": 16}


@pytest.mark.parametrize(
    ("model_type", "fields", "expected"),
    [
        ("gpt2", {}, 124_439_808),
        ("gpt2", GPT2_XL, 1_557_611_200),
        ("gptj", GPT_J, 6_050_882_784),
        ("gpt_neo", {"hidden_size": 768, "num_heads": 12, "num_layers": 12}, 125_198_592),
        ("opt", {"word_embed_proj_dim": 768}, 125_239_296),
        (
            "opt",
            {
                "hidden_size": 1024,
                "num_hidden_layers": 24,
                "num_attention_heads": 16,
                "ffn_dim": 4096,
                "word_embed_proj_dim": 512,
                "do_layer_norm_before": False,
            },
            331_196_416,
        ),
        ("falcon", {}, 6_921_720_704),
        (
            "bloom",
            {"n_embed": 1024, "n_layer": 24, "num_attention_heads": 16, "hidden_size": 64},
            559_214_592,
        ),
        ("mpt", {"d_model": 4096, "n_heads": 32, "n_layers": 32, "vocab_size": 50432}, 6_649_286_656),
        ("starcoder2", {}, 3_030_371_328),
    ],
)
def test_published_totals(model_type: str, fields: dict[str, Any], expected: int) -> None:
    assert total(build(model_type, **fields)) == expected


def test_conv1d_matrices_are_stored_transposed() -> None:
    tensors = dict(build("gpt2", n_embd=64, n_head=4, n_inner=100, n_layer=1).tensors())
    assert tensors["transformer.h.0.attn.c_attn.weight"].shape == (64, 192)
    assert tensors["transformer.h.0.mlp.c_proj.weight"].shape == (100, 64)
    assert tensors["transformer.h.0.mlp.c_proj.weight"].columns == 100
    other = dict(build("gpt_bigcode", n_embd=64, n_head=4, n_layer=1).tensors())
    assert other["transformer.h.0.attn.c_attn.weight"].shape == (64 + 2 * 16, 64)


SLIDES, FULL = "sliding_attention", "full_attention"


@pytest.mark.parametrize(
    ("model_type", "field", "same_as"),
    [
        ("llama", "num_key_value_heads", 4),
        ("llama", "head_dim", 16),
        ("qwen3", "head_dim", 16),
        ("qwen2", "num_key_value_heads", 4),
        ("mistral", "num_key_value_heads", 4),
        ("nemotron", "head_dim", 16),
        ("falcon", "ffn_hidden_size", 256),
        ("gpt2", "n_inner", 256),
        ("gpt_neo", "intermediate_size", 256),
        ("opt", "word_embed_proj_dim", 64),
        ("t5", "num_decoder_layers", 2),
    ],
)
def test_a_null_with_a_rule_means_what_the_rule_says(model_type: str, field: str, same_as: int) -> None:
    fields = {**LLAMA, "num_layers": 2}
    if model_type == "gpt_neo":
        fields["num_heads"] = 4
    null = build(model_type, **{**fields, field: None})
    assert total(null) == total(build(model_type, **{**fields, field: same_as}))


@pytest.mark.parametrize(
    ("model_type", "fields", "named"),
    [
        ("nemotron", {"num_key_value_heads": None}, "num_key_value_heads"),
        ("ministral", {}, "head_dim"),
        ("ministral", {"head_dim": None}, "head_dim"),
        ("hunyuan_v1_dense", {}, "head_dim"),
        ("gemma", {"num_key_value_heads": None}, "num_key_value_heads"),
        ("glm", {"num_key_value_heads": None}, "num_key_value_heads"),
        ("starcoder2", {"num_key_value_heads": None}, "num_key_value_heads"),
        ("llama", {"hidden_size": None}, "hidden_size"),
        ("llama", {"num_hidden_layers": None}, "num_hidden_layers"),
        ("llama", {"vocab_size": None}, "vocab_size"),
        ("llama", {"intermediate_size": None}, "intermediate_size"),
        ("llama", {"hidden_size": 0}, "hidden_size"),
        ("llama", {"hidden_size": "64"}, "hidden_size"),
        ("llama", {"hidden_size": 64.0}, "hidden_size"),
        ("llama", {"hidden_size": True}, "hidden_size"),
        ("llama", {"num_attention_heads": 0}, "num_attention_heads"),
        ("llama", {"num_hidden_layers": 100_001}, "num_hidden_layers"),
        ("llama", {"num_key_value_heads": 8}, "num_key_value_heads"),
        ("llama", {"attention_bias": "yes"}, "attention_bias"),
        ("gemma2", {"sliding_window": "wide"}, "sliding_window"),
        ("gemma2", {"layer_types": [FULL, "odd_attention"]}, "layer_types"),
        ("exaone4", {"sliding_window_pattern": "LLX"}, "sliding_window_pattern"),
        ("exaone4", {"sliding_window_pattern": ""}, "sliding_window_pattern"),
        ("cohere2", {"sliding_window_pattern": -1}, "sliding_window_pattern"),
        ("t5", {"feed_forward_proj": "gated-very-gelu"}, "feed_forward_proj"),
        ("t5", {"feed_forward_proj": None}, "feed_forward_proj"),
        ("falcon", {"new_decoder_architecture": True, "num_kv_heads": 8}, "num_kv_heads"),
        ("stablelm", {"num_attention_heads": 2**20}, "num_attention_heads"),
    ],
)
def test_a_bad_field_is_named(model_type: str, fields: dict[str, Any], named: str) -> None:
    found, message = code(model_type, **{**LLAMA, **fields})
    assert found == "bad_config"
    assert named in message


@pytest.mark.parametrize(
    ("model_type", "fields"),
    [
        ("gemma2", {"layer_types": [FULL]}),
        ("qwen2", {"layer_types": [FULL] * 3}),
        ("smollm3", {"sliding_window": 4, "use_sliding_window": True, "no_rope_layers": [1]}),
        ("gpt2", {"hidden_size": 65}),
        ("gpt_neox", {"hidden_size": 65}),
        ("helium", {"head_dim": 8}),
    ],
)
def test_fields_that_contradict_each_other(model_type: str, fields: dict[str, Any]) -> None:
    assert code(model_type, **{**LLAMA, **fields})[0] == "inconsistent"


def test_more_default_kv_heads_than_heads_are_counted_and_noted() -> None:
    """qwen2 declares 32 key/value heads; a file with 4 heads that forgets them builds 32."""
    fields = {**LLAMA, "num_key_value_heads": 32}
    config = Config({name: value for name, value in fields.items() if name != "num_key_value_heads"}, "qwen2")
    assert total(describe(config)) == total(build("qwen2", **fields))
    assert [notice.code for notice in config.notices] == ["inconsistent"]


def test_heads_that_do_not_divide_are_noted() -> None:
    config = Config({**LLAMA, "num_attention_heads": 7, "num_key_value_heads": 7}, "llama")
    describe(config)
    assert [notice.code for notice in config.notices] == ["inconsistent"]


def test_a_decoder_with_cross_attention_is_not_guessed() -> None:
    assert code("gpt2", add_cross_attention=True)[0] == "unsupported_architecture"


@pytest.mark.parametrize(
    ("model_type", "fields", "context"),
    [
        ("bert", {}, 512),
        ("roberta", {}, 510),
        ("roberta", {"max_position_embeddings": 514, "pad_token_id": 0}, 513),
        ("gpt2", {}, 1024),
        ("mpt", {}, 2048),
        ("cohere", {"model_max_length": 131_072}, 131_072),
        ("bloom", {"seq_length": 2048}, 2048),
        ("bloom", {}, None),
        ("t5", {"n_positions": 512}, 512),
        ("t5", {}, None),
    ],
)
def test_the_context_is_the_one_the_file_names(
    model_type: str, fields: dict[str, Any], context: int | None
) -> None:
    assert build(model_type, **fields).context == context


FAMILIES = """llama gemma olmo glm cohere phi plain_mlp stablelm gpt2 gpt_neo gptj gpt_neox bloom mpt falcon
opt bert t5 bart"""


SPARSE = {"nllb-moe", "switch_transformers"}
DENSE = sorted(
    model_type
    for model_type, family in known_types().items()
    if family in FAMILIES.split() and model_type not in SPARSE
)


@pytest.mark.parametrize("model_type", DENSE)
def test_a_token_costs_one_multiply_add_per_matrix_element(model_type: str) -> None:
    """All matrices are used once per token; a tied head is used though it is not stored."""
    fields = {"head_dim": 128, "num_key_value_heads": 4} if model_type in ("ministral", "nemotron") else {}
    if model_type == "hunyuan_v1_dense":
        fields = {"head_dim": 128}
    if model_type == "electra":
        fields = {"embedding_size": 256}
    architecture = build(model_type, **fields)
    macs = sum(operation.macs * layers for operation, layers in architecture.operations())
    matrices = sum(
        weight.elements * layers for weight, layers in architecture.weights() if weight.kind == "matrix"
    )
    width = architecture.hidden
    assert macs == matrices + (architecture.vocabulary * width if architecture.tied else 0)


@pytest.mark.parametrize("model_type", ["gpt2", "gpt_neo", "opt", "bert", "roberta", "distilbert", "bart"])
def test_learned_positions_have_their_role(model_type: str) -> None:
    architecture = build(model_type)
    table = [weight for weight, _ in architecture.weights() if weight.role == "position"]
    assert table
    assert all(weight.kind == "table" for weight in table)
    assert all(weight.columns == architecture.hidden for weight in table)


def test_a_file_cannot_ask_for_more_work_than_its_own_length() -> None:
    """Counting 100,000 layers takes no longer than counting the kinds of layers there are."""
    architecture = build("gemma3_text", **{**LLAMA, "num_hidden_layers": 100_000})
    assert len(list(architecture.placed())) == 2 * 6 + 3
    assert architecture.depth == 100_000
