"""Wrappers: which file becomes which model, whose flags count, and what is refused.

Tensors of every type are checked against the transformers classes in ``tests/golden`` and
``tests/oracle``; here stand the rules around them.
"""

from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.plans.images import FixedTokens, MergedPatches, PatchRows
from sizewise.plans.tiles import CanvasTiles, PaddedTiles

TEXT = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 40,
    "vocab_size": 100,
}
VISION = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 20,
    "image_size": 28,
    "patch_size": 14,
}
QWEN_VISION = {
    "depth": 2,
    "hidden_size": 16,
    "num_heads": 2,
    "intermediate_size": 20,
    "out_hidden_size": 32,
    "patch_size": 14,
}


def build(model_type: str, **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def llava(**fields: Any) -> Architecture:
    return build("llava", **{"text_config": TEXT, "vision_config": VISION, **fields})


def code(model_type: str, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        build(model_type, **fields)
    return raised.value.code, raised.value.message


def names(architecture: Architecture) -> set[str]:
    return {name for name, _ in architecture.tensors()}


def by_role(architecture: Architecture) -> dict[str, int]:
    counts: dict[str, int] = {}
    for weight, copies in architecture.weights():
        counts[weight.role] = counts.get(weight.role, 0) + weight.elements * copies
    return counts


def test_weights_of_a_tower_and_its_projector_count_under_their_own_roles() -> None:
    architecture = llava()
    roles = by_role(architecture)
    projector = 16 * 32 + 32 + 32 * 32 + 32
    layer = 4 * (16 * 16 + 16) + (16 * 20 + 20) + (20 * 16 + 16) + 4 * 16
    assert roles["projector"] == projector
    assert roles["vision"] == 16 + 3 * 14 * 14 * 16 + 5 * 16 + 4 * 16 + 2 * layer
    assert architecture.depth == 2
    assert architecture.hidden == 32


def test_a_token_of_text_passes_through_no_tower() -> None:
    alone = build("llama", **TEXT, tie_word_embeddings=False)
    inside = llava()
    assert list(inside.operations()) == list(alone.operations())
    assert list(inside.kept()) == list(alone.kept())


@pytest.mark.parametrize("field", ["text_config", "vision_config"])
@pytest.mark.parametrize("value", [None, "llama", 3])
def test_without_a_section_sizes_are_not_known(field: str, value: Any) -> None:
    fields = {"text_config": TEXT, "vision_config": VISION, field: value}
    kind, message = code("llava", **fields)
    assert kind == "bad_config"
    assert field in message


def test_a_class_with_a_tower_of_its_own_takes_its_defaults_with_a_notice() -> None:
    config = Config({"text_config": TEXT}, "llama4")
    architecture = describe(config)
    assert "vision_model.class_embedding" in names(architecture)
    assert [notice.code for notice in config.notices] == ["incomplete"]


def test_older_files_have_the_text_model_at_the_top() -> None:
    nested = build("qwen2_5_vl", text_config=TEXT, vision_config=QWEN_VISION)
    flat = build("qwen2_5_vl", **TEXT, vision_config={**QWEN_VISION, "model_type": "qwen2_5_vl"})
    assert names(flat) == names(nested)
    assert by_role(flat) == by_role(nested)


def test_the_type_in_a_section_does_not_count_where_the_class_fixes_it() -> None:
    said = build(
        "qwen2_5_vl",
        text_config={**TEXT, "model_type": "llama"},
        vision_config={**QWEN_VISION, "model_type": "qwen2_5_vl"},
    )
    assert by_role(said) == by_role(build("qwen2_5_vl", text_config=TEXT, vision_config=QWEN_VISION))


def tied(model_type: str, own: bool | None, text: bool | None, vision: dict[str, Any]) -> bool:
    fields: dict[str, Any] = {"text_config": dict(TEXT), "vision_config": vision}
    if own is not None:
        fields["tie_word_embeddings"] = own
    if text is not None:
        fields["text_config"]["tie_word_embeddings"] = text
    architecture = build(model_type, **fields)
    heads = {"lm_head.weight", "language_model.lm_head.weight"}
    assert architecture.tied == (not heads & names(architecture))
    return architecture.tied


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("text", [True, False])
def test_one_tie_flag_counts(own: bool, text: bool) -> None:
    assert tied("llava", own, text, VISION) == (own or text)
    assert tied("qwen2_vl", own, text, {"depth": 1}) == (own or text)
    assert tied("llava_next", own, text, VISION) == own
    assert tied("gemma3", own, text, VISION) == own
    assert tied("qwen3_vl", own, text, QWEN_VISION) == own
    assert tied("llama4", own, text, VISION) == text


def test_without_a_flag_the_default_of_the_class_counts() -> None:
    assert tied("gemma3", None, None, VISION)
    assert tied("mistral3", None, None, VISION)
    assert not tied("qwen3_vl", None, True, QWEN_VISION)


def test_the_text_model_alone_is_a_class_of_its_own() -> None:
    architecture = build(
        "qwen3_5", text_config=TEXT, vision_config=QWEN_VISION, architectures=["Qwen3_5ForCausalLM"]
    )
    assert architecture.model_class == "Qwen3_5ForCausalLM"
    assert not architecture.towers
    assert "model.embed_tokens.weight" in names(architecture)


def test_another_class_is_refused() -> None:
    kind, message = code(
        "gemma3",
        text_config=TEXT,
        vision_config=VISION,
        architectures=["Gemma3ForSequenceClassification"],
    )
    assert kind == "unsupported_architecture"
    assert "Gemma3ForSequenceClassification" in message


def test_the_class_that_the_text_section_names_does_not_count() -> None:
    architecture = llava(text_config={**TEXT, "architectures": ["LlamaForSequenceClassification"]})
    assert architecture.model_class == "LlavaForConditionalGeneration"


@pytest.mark.parametrize(
    ("model_type", "changes", "part"),
    [
        ("llava", {"text_config": {"model_type": "gpt2"}}, "GPT2LMHeadModel"),
        ("llava", {"text_config": {"model_type": "t5"}}, "T5"),
        ("llava", {"vision_config": {**VISION, "model_type": "dinov2"}}, "dinov2"),
        ("glm46v", {"vision_config": {**VISION, "model_type": "clip_vision_model"}}, "vision_config"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(model_type: str, changes: dict[str, Any], part: str) -> None:
    kind, message = code(model_type, **{"text_config": TEXT, "vision_config": VISION, **changes})
    assert kind == "unsupported_architecture"
    assert part in message


def test_a_wrapper_inside_a_wrapper_is_refused() -> None:
    inner = {"model_type": "llava", "text_config": TEXT, "vision_config": VISION}
    assert code("llava", text_config=inner, vision_config=VISION)[0] == "unsupported_architecture"


def test_a_patch_larger_than_the_picture_is_refused() -> None:
    assert code("llava", text_config=TEXT, vision_config={**VISION, "image_size": 7})[0] == "bad_config"


def test_notices_of_the_inner_files_reach_the_answer() -> None:
    config = Config(
        {
            "text_config": {**TEXT, "num_key_value_heads": 3, "head_dim": 8},
            "vision_config": VISION,
        },
        "llava",
    )
    describe(config)
    assert [notice.code for notice in config.notices] == ["inconsistent"]


def test_the_rule_for_pictures_comes_from_the_file() -> None:
    assert llava().images == FixedTokens(count=4)
    assert llava(vision_feature_select_strategy="full").images == FixedTokens(count=5)
    assert llava(vision_config={**VISION, "model_type": "pixtral"}).images == PatchRows(
        patch=14, merge=1, longest=28, marks=True
    )
    assert llava(vision_config={**VISION, "model_type": "siglip_vision_model"}).images is None
    qwen = build("qwen2_5_vl", text_config=TEXT, vision_config=QWEN_VISION)
    assert qwen.images == MergedPatches(patch=14, merge=2)
    llama4 = build("llama4", text_config=TEXT, vision_config={**VISION, "image_size": 336})
    assert llama4.images == CanvasTiles(side=336, per_tile=144)


def test_resolutions_of_tiles_come_from_the_file() -> None:
    listed = build("llava_next", text_config=TEXT, vision_config=VISION, image_grid_pinpoints=[[28, 56]])
    assert listed.images == PaddedTiles(side=28, tower=2, base=4, sizes=((28, 56),))
    for broken in ([[28]], [[28, "a"]], [7], [[14, 56]]):
        fields = {"text_config": TEXT, "vision_config": VISION, "image_grid_pinpoints": broken}
        assert build("llava_next", **fields).images is None


def test_text_models_alone_have_no_pictures() -> None:
    assert build("llama", **TEXT).images is None
    assert build("gemma4", text_config=TEXT, vision_config=None).images is None
