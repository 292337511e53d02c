"""Encoders and encoder-decoders: totals of every class, caches of both sides, heads and labels.

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


def names(architecture: Architecture) -> set[str]:
    return {name for name, _ in architecture.tensors()}


def caches(architecture: Architecture) -> dict[int, TokenCache]:
    """The self-attention cache of each layer."""
    return {
        layer: kept
        for place in architecture.placed()
        for kept in place.component.kept()
        for layer in place.layers
        if isinstance(kept, TokenCache) and not kept.encoder
    }


def code(model_type: str, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        build(model_type, **fields)
    return raised.value.code, raised.value.message


BERT_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}


ROBERTA = {"max_position_embeddings": 514, "type_vocab_size": 1}


T5_BASE = {"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12}


T5_LARGE = {"d_model": 1024, "d_ff": 4096, "num_layers": 24, "num_heads": 16}


BART_BASE = {
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
}


@pytest.mark.parametrize(
    ("model_type", "model_class", "fields", "expected"),
    [
        ("distilbert", "DistilBertModel", {}, 66_362_880),
        ("distilbert", "DistilBertForMaskedLM", {}, 66_985_530),
        ("distilbert", "DistilBertForSequenceClassification", {}, 66_955_010),
        ("distilbert", "DistilBertForTokenClassification", {}, 66_364_418),
        ("distilbert", "DistilBertForQuestionAnswering", {}, 66_364_418),
        ("bert", "BertModel", {}, 109_482_240),
        ("bert", "BertForMaskedLM", {}, 109_514_298),
        ("bert", "BertLMHeadModel", {}, 109_514_298),
        ("bert", "BertForPreTraining", {}, 110_106_428),
        ("bert", "BertForSequenceClassification", {}, 109_483_778),
        ("bert", "BertForQuestionAnswering", {}, 108_893_186),
        ("bert", "BertModel", BERT_LARGE, 335_141_888),
        ("bert", "BertForMaskedLM", BERT_LARGE, 335_174_458),
        ("bert", "BertForPreTraining", BERT_LARGE, 336_226_108),
        ("bert", "BertForSequenceClassification", BERT_LARGE, 335_143_938),
        ("bert", "BertForQuestionAnswering", BERT_LARGE, 334_094_338),
        ("roberta", "RobertaModel", ROBERTA, 124_645_632),
        ("roberta", "RobertaForMaskedLM", ROBERTA, 124_697_433),
        ("roberta", "RobertaForCausalLM", ROBERTA, 124_697_433),
        ("roberta", "RobertaForSequenceClassification", ROBERTA, 124_647_170),
        ("roberta", "RobertaModel", {**BERT_LARGE, **ROBERTA}, 355_359_744),
        ("roberta", "RobertaForMaskedLM", {**BERT_LARGE, **ROBERTA}, 355_412_057),
        ("t5", "T5ForConditionalGeneration", {}, 60_506_624),
        ("t5", "T5EncoderModel", {}, 35_330_816),
        ("t5", "T5Model", T5_BASE, 222_903_552),
        ("t5", "T5EncoderModel", T5_BASE, 109_628_544),
        ("t5", "T5ForConditionalGeneration", T5_LARGE, 737_668_096),
        ("t5", "T5EncoderModel", T5_LARGE, 334_939_648),
        ("bart", "BartModel", BART_BASE, 139_420_416),
        ("bart", "BartForConditionalGeneration", BART_BASE, 139_420_416),
        ("bart", "BartForCausalLM", BART_BASE, 96_103_680),
    ],
)
def test_the_named_class_decides_what_is_counted(
    model_type: str, model_class: str, fields: dict[str, Any], expected: int
) -> None:
    architecture = build(model_type, **fields, architectures=[model_class])
    assert total(architecture) == expected
    assert architecture.model_class == model_class


@pytest.mark.parametrize(
    ("model_type", "model_class"),
    [
        ("bert", "BertForMaskedLM"),
        ("roberta", "RobertaForMaskedLM"),
        ("distilbert", "DistilBertForMaskedLM"),
        ("t5", "T5ForConditionalGeneration"),
        ("bart", "BartForConditionalGeneration"),
    ],
)
@pytest.mark.parametrize("absent", [{}, {"architectures": None}, {"architectures": []}])
def test_without_a_named_class_the_usual_one_is_meant(
    model_type: str, model_class: str, absent: dict[str, Any]
) -> None:
    assert build(model_type, **absent).model_class == model_class


def test_a_decoder_that_is_no_encoder_decoder_is_the_causal_bart() -> None:
    alone = build("bart", **BART_BASE, is_decoder=True, is_encoder_decoder=False)
    assert alone.model_class == "BartForCausalLM"
    assert not any("encoder." in name for name in names(alone))


def test_an_unknown_class_lists_the_known_ones() -> None:
    found, message = code("bert", architectures=["BertForPoetry"])
    assert found == "unsupported_architecture"
    assert "BertForPoetry" in message
    assert "BertForMaskedLM" in message
    assert code("bert", architectures="BertModel")[0] == "bad_config"
    assert code("t5", architectures=[3])[0] == "unsupported_architecture"


@pytest.mark.parametrize(
    ("fields", "labels"),
    [({}, 2), ({"num_labels": 5}, 5), ({"id2label": {"0": "a", "1": "b", "2": "c"}}, 3)],
)
def test_a_classifier_has_a_row_per_label(fields: dict[str, Any], labels: int) -> None:
    base = total(build("bert", architectures=["BertModel"]))
    classifier = build("bert", architectures=["BertForSequenceClassification"], **fields)
    assert total(classifier) == base + labels * 769
    assert (
        build("bart", architectures=["BartForSequenceClassification"]).body[-1]
        == (build("bart", architectures=["BartForSequenceClassification"], num_labels=3).body[-1])
    )


def test_encoders_keep_nothing_and_decoders_keep_keys_of_both_sides() -> None:
    assert not list(build("bert").kept())
    assert not list(build("distilbert").kept())
    assert len(caches(build("bert", is_decoder=True))) == 12
    for model_type in ("t5", "bart"):
        kept = [
            (entry, layers) for entry, layers in build(model_type).kept() if isinstance(entry, TokenCache)
        ]
        depth = sum(layers for entry, layers in kept if not entry.encoder)
        assert depth == sum(layers for entry, layers in kept if entry.encoder)
        assert depth == (6 if model_type == "t5" else 12)


def test_cross_attention_scores_the_encoders_keys() -> None:
    operations = [operation for operation, _ in build("t5").operations() if operation.kind == "scores"]
    assert sorted(operation.encoder_keys for operation in operations) == [False] * 4 + [True] * 2


def test_sinusoidal_positions_are_parameters_of_the_class() -> None:
    learned, fixed = build("distilbert"), build("distilbert", sinusoidal_pos_embds=True)
    assert total(learned) == total(fixed)
    assert not any(weight.frozen for weight, _ in fixed.weights())


def test_bert_with_cross_attention_has_it_in_every_layer() -> None:
    plain = build("bert", is_decoder=True)
    crossed = build("bert", is_decoder=True, add_cross_attention=True)
    assert total(crossed) - total(plain) == 12 * (4 * (768 * 768 + 768) + 2 * 768)
    assert "bert.encoder.layer.0.crossattention.output.LayerNorm.bias" in names(crossed)
