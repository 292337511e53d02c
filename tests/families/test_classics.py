"""Encoders, encoder-decoders and early decoders: totals, caches, tables and what is refused.

Totals are those of the transformers 5.23 classes on the meta device for the fields of the published
``config.json`` files.
"""

from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.operations import TokenCache


def build(model_type: str, **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def total(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


def active(architecture: Architecture) -> int:
    return sum(weight.active_elements * layers for weight, layers in architecture.weights())


def names(architecture: Architecture) -> set[str]:
    return {name for name, _ in architecture.tensors()}


def macs(architecture: Architecture) -> int:
    return sum(operation.macs * times for operation, times in architecture.operations())


def kept(architecture: Architecture, *, encoder: bool) -> int:
    """Numbers that a token of one side keeps in all layers."""
    return sum(
        entry.numbers * layers
        for entry, layers in architecture.kept()
        if isinstance(entry, TokenCache) and entry.encoder == encoder
    )


def reaches(architecture: Architecture) -> list[int | None]:
    """The tokens that each layer's self-attention looks at."""
    return [
        operation.reach
        for operation, times in architecture.operations()
        for _ in range(times)
        if operation.kind == "scores" and not operation.encoder_keys
    ]


def refused(model_type: str, **fields: Any) -> str:
    with pytest.raises(InputError) as raised:
        build(model_type, **fields)
    assert raised.value.code == "unsupported_architecture"
    return raised.value.message


def halves(hidden: int, layers: int, heads: int, **fields: Any) -> dict[str, Any]:
    return {
        "d_model": hidden,
        "encoder_layers": layers,
        "decoder_layers": layers,
        "encoder_attention_heads": heads,
        "decoder_attention_heads": heads,
        "encoder_ffn_dim": 4 * hidden,
        "decoder_ffn_dim": 4 * hidden,
        **fields,
    }


BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
XLM_R = {"vocab_size": 250_002, "max_position_embeddings": 514, "type_vocab_size": 1}
CAMEMBERT = {"vocab_size": 32_005, "max_position_embeddings": 514, "type_vocab_size": 1}
DEBERTA_V3 = {
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": "p2c|c2p",
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "position_buckets": 256,
    "max_relative_positions": -1,
}
MODERN_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "intermediate_size": 2624,
}
MT5_BASE = {"d_model": 768, "d_ff": 2048, "num_layers": 12, "num_heads": 12}
NLLB_MOE = {"vocab_size": 256_206, "num_experts": 128, "encoder_sparse_step": 4, "decoder_sparse_step": 4}
V3 = {"vocab_size": 51_866, "num_mel_bins": 128}
MT5_VOCABULARY = 250_112


@pytest.mark.parametrize(
    ("model_type", "model_class", "fields", "expected"),
    [
        pytest.param("xlm-roberta", "XLMRobertaModel", XLM_R, 278_043_648, id="xlm-roberta-base"),
        pytest.param("xlm-roberta", "XLMRobertaModel", LARGE | XLM_R, 559_890_432, id="xlm-roberta-large"),
        pytest.param("camembert", "CamembertModel", CAMEMBERT, 110_621_952, id="camembert-base"),
        pytest.param(
            "electra", "ElectraModel", BASE | {"embedding_size": 768}, 108_891_648, id="electra-base"
        ),
        pytest.param(
            "electra", "ElectraModel", LARGE | {"embedding_size": 1024}, 334_092_288, id="electra-large"
        ),
        pytest.param("mpnet", "MPNetModel", {"max_position_embeddings": 514}, 109_486_464, id="mpnet-base"),
        pytest.param("albert", "AlbertModel", BASE, 11_683_584, id="albert-base-v2"),
        pytest.param("deberta-v2", "DebertaV2Model", BASE | DEBERTA_V3, 183_831_552, id="deberta-v3-base"),
        pytest.param(
            "deberta-v2",
            "DebertaV2Model",
            BASE | DEBERTA_V3 | {"num_hidden_layers": 6},
            141_304_320,
            id="deberta-v3-small",
        ),
        pytest.param("deberta-v2", "DebertaV2Model", LARGE | DEBERTA_V3, 434_012_160, id="deberta-v3-large"),
        pytest.param("modernbert", "ModernBertForMaskedLM", {}, 149_655_232, id="ModernBERT-base"),
        pytest.param("modernbert", "ModernBertForMaskedLM", MODERN_LARGE, 395_881_664, id="ModernBERT-large"),
        pytest.param("nomic_bert", "NomicBertModel", {}, 136_731_648, id="nomic-embed-text-v1.5"),
        pytest.param("whisper", None, {}, 37_760_640, id="whisper-tiny"),
        pytest.param("whisper", None, halves(512, 6, 8), 72_593_920, id="whisper-base"),
        pytest.param("whisper", None, halves(768, 12, 12), 241_734_912, id="whisper-small"),
        pytest.param("whisper", None, halves(1024, 24, 16), 763_857_920, id="whisper-medium"),
        pytest.param("whisper", None, halves(1280, 32, 20), 1_543_304_960, id="whisper-large-v2"),
        pytest.param("whisper", None, halves(1280, 32, 20, **V3), 1_543_490_560, id="whisper-large-v3"),
        pytest.param(
            "whisper",
            None,
            halves(1280, 32, 20, **V3) | {"decoder_layers": 4},
            808_878_080,
            id="whisper-large-v3-turbo",
        ),
        pytest.param("mt5", None, {}, 172_119_424, id="mt5-small"),
        pytest.param("mt5", None, MT5_BASE, 390_315_264, id="mt5-base"),
        pytest.param("mbart", None, {"vocab_size": 250_054}, 610_879_488, id="mbart-large-50"),
        pytest.param(
            "pegasus", None, halves(1024, 16, 16, vocab_size=96_103), 570_797_056, id="pegasus-large"
        ),
        pytest.param(
            "m2m_100", None, halves(1024, 12, 16, vocab_size=128_112), 483_905_536, id="m2m100_418M"
        ),
        pytest.param(
            "m2m_100",
            None,
            halves(1024, 12, 16, vocab_size=256_206),
            615_073_792,
            id="nllb-200-distilled-600M",
        ),
        pytest.param("nllb-moe", None, halves(2048, 24, 16, **NLLB_MOE), 54_500_569_088, id="nllb-moe-54b"),
        pytest.param(
            "blenderbot",
            None,
            halves(1280, 2, 32) | {"decoder_layers": 12},
            364_802_560,
            id="blenderbot-400M-distill",
        ),
        pytest.param(
            "marian", None, halves(512, 6, 8, max_position_embeddings=512), 74_410_496, id="opus-mt-en-de"
        ),
        pytest.param("bigbird_pegasus", None, {}, 576_891_904, id="bigbird-pegasus-large-arxiv"),
        pytest.param("openai-gpt", None, {}, 116_534_784, id="openai-gpt"),
        pytest.param("xglm", None, {}, 564_463_616, id="xglm-564M"),
        pytest.param("biogpt", None, {}, 346_763_264, id="biogpt"),
    ],
)
def test_published_models_have_the_total_of_the_class(
    model_type: str, model_class: str | None, fields: dict[str, Any], expected: int
) -> None:
    named = {} if model_class is None else {"architectures": [model_class]}
    assert total(build(model_type, **fields, **named)) == expected


@pytest.mark.parametrize(
    ("model_type", "model_class"),
    [
        ("xlm-roberta", "XLMRobertaForMaskedLM"),
        ("electra", "ElectraForMaskedLM"),
        ("modernbert", "ModernBertForMaskedLM"),
        ("modernbert-decoder", "ModernBertDecoderForCausalLM"),
        ("bert-generation", "BertGenerationDecoder"),
        ("marian", "MarianMTModel"),
        ("mt5", "MT5ForConditionalGeneration"),
        ("whisper", "WhisperForConditionalGeneration"),
        ("trocr", "TrOCRForCausalLM"),
    ],
)
def test_without_a_named_class_the_usual_one_is_meant(model_type: str, model_class: str) -> None:
    assert build(model_type).model_class == model_class


def test_a_tied_table_is_listed_where_the_class_lists_it() -> None:
    tied, untied = build("xlm-roberta"), build("xlm-roberta", tie_word_embeddings=False)
    table = "roberta.embeddings.word_embeddings.weight"
    assert "lm_head.decoder.weight" in names(tied)
    assert table not in names(tied)
    assert {"lm_head.decoder.weight", table} <= names(untied)


def test_albert_passes_a_stored_layer_as_often_as_it_has_layers() -> None:
    once, twice = (build("albert", **BASE | {"num_hidden_layers": layers}) for layers in (6, 12))
    assert total(once) == total(twice)
    layer = 4 * 768 * 768 + 2 * 768 * 3072
    assert macs(twice) - macs(once) == 6 * layer


def test_an_adapter_is_stored_for_each_language_and_used_for_one() -> None:
    one, two = (build("xmod", languages=languages) for languages in (["en_XX"], ["en_XX", "de_DE"]))
    assert total(two) - total(one) == 12 * (2 * 768 * 384 + 384 + 768)
    assert macs(one) == macs(two)


def test_modernbert_looks_at_all_tokens_in_every_third_layer() -> None:
    assert reaches(build("modernbert"))[:1] == [None]
    assert sorted(filter(None, reaches(build("modernbert")))) == [129] * 14
    assert not kept(build("modernbert"), encoder=False)
    windows = [
        entry.window for entry, _ in build("modernbert-decoder").kept() if isinstance(entry, TokenCache)
    ]
    assert set(windows) == {None, 64}


def test_sparse_encoders_look_at_few_tokens() -> None:
    assert set(reaches(build("big_bird"))) == {(5 + 3) * 64}
    assert set(reaches(build("big_bird", attention_type="original_full"))) == {None}
    assert set(reaches(build("led"))) == {513, None}
    assert set(reaches(build("longt5"))) == {384, None}


def test_encoder_decoders_keep_keys_of_both_sides() -> None:
    for model_type, numbers in (("whisper", 4 * 2 * 384), ("mbart", 12 * 2 * 1024), ("mt5", 8 * 2 * 384)):
        architecture = build(model_type)
        assert kept(architecture, encoder=False) == kept(architecture, encoder=True) == numbers
    assert not kept(build("openai-gpt"), encoder=False)


def test_a_token_of_a_sparse_encoder_decoder_uses_few_experts() -> None:
    switch = build("switch_transformers")
    assert total(switch) - active(switch) == 6 * 7 * 2 * 768 * 2048
    nllb = build("nllb-moe", **halves(2048, 24, 16, **NLLB_MOE))
    assert total(nllb) - active(nllb) == 12 * 126 * (2 * 2048 * 8192 + 2048 + 8192)


def test_a_head_that_a_file_says_to_be_untied_is_noted() -> None:
    config = Config({"tie_word_embeddings": False}, "mt5")
    describe(config)
    assert any(f"{512 * MT5_VOCABULARY:,}" in notice.message for notice in config.notices)


def test_what_a_class_derives_from_the_depth_it_derives_before_the_alias() -> None:
    assert build("t5", num_hidden_layers=2).depth == 2 + 6
    assert build("t5", num_layers=2).depth == 2 + 2


@pytest.mark.parametrize(
    ("model_type", "fields", "named"),
    [
        ("xlm-roberta", {"position_embedding_type": "rotary"}, "position_embedding_type"),
        ("bert", {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ("deberta-v2", {"legacy": False}, "legacy"),
        ("deberta-v2", {"pooler_hidden_size": 64}, "pooler_hidden_size"),
        ("nomic_bert", {"n_embd": 512}, "n_embd"),
        ("nomic_bert", {"num_experts": 8}, "num_experts"),
        ("mvp", {"use_prompt": True}, "use_prompt"),
        ("marian", {"share_encoder_decoder_embeddings": False}, "share_encoder_decoder_embeddings"),
        ("marian", {"decoder_vocab_size": 7}, "decoder_vocab_size"),
        ("trocr", {"cross_attention_hidden_size": 768}, "cross_attention_hidden_size"),
        ("xglm", {"add_cross_attention": True}, "add_cross_attention"),
        ("electra", {"architectures": ["ElectraForMultipleChoice"]}, "ElectraForMultipleChoice"),
    ],
)
def test_modes_that_are_not_modelled_are_refused(model_type: str, fields: dict[str, Any], named: str) -> None:
    assert named in refused(model_type, **fields)


def test_names_of_older_files_pass_where_they_say_the_same() -> None:
    older = {"n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": 3072}
    assert total(build("nomic_bert", **older)) == total(build("nomic_bert"))


@pytest.mark.parametrize(
    ("fields", "parallel"),
    [
        ({"new_decoder_architecture": True}, True),
        ({"new_decoder_architecture": True, "num_ln_in_parallel_attn": 1}, True),
        ({"parallel_attn": True}, True),
        ({"parallel_attn": False}, False),
    ],
)
def test_falcon_says_whether_its_parts_stand_side_by_side(fields: dict[str, Any], parallel: bool) -> None:
    assert describe(Config(fields, "falcon")).parallel is parallel


@pytest.mark.parametrize(
    ("model_type", "tables"), [("whisper", 1), ("marian", 2), ("pegasus", 2), ("bart", 0)]
)
def test_sines_are_stored_and_never_trained(model_type: str, tables: int) -> None:
    frozen = [name for name, weight in describe(Config({}, model_type)).tensors() if weight.frozen]
    assert len(frozen) == tables
    assert all(name.endswith("embed_positions.weight") for name in frozen)
