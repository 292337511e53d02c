"""LFM2-VL, PaddleOCR-VL, VideoLLaMA 3 and Ovis 2: towers of the SigLIP kind with projectors of their own.

Source: the modelling files of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Part, Tower
from sizewise.components.embeddings import Head
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.images import MergedPatches
from sizewise.plans.projectors import with_projector
from sizewise.plans.tower_parts import dense, norm, table
from sizewise.plans.towers import (
    SIGLIP_LAYER,
    Body,
    patch_kernel,
    plain_siglip,
    square_patches,
    vision_tower,
)
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, either_tie, own_tie, wrapper


def liquid(inside: Inside) -> tuple[Tower, ...]:
    """Return LFM2-VL's tower, a norm where it is asked for, and two layers of projection."""
    config, name = inside.config, "model.multi_modal_projector"
    joined = inside.vision.size("hidden_size") * config.size("downsample_factor") ** 2
    width, bias = config.size("projector_hidden_size"), config.flag("projector_bias")
    normed = (norm(f"{name}.layer_norm", joined),) if config.flag("projector_use_layernorm") else ()
    return with_projector(
        vision_tower(inside.vision, "model.vision_tower"),
        *normed,
        dense(f"{name}.linear_1", joined, width, bias=bias),
        dense(f"{name}.linear_2", width, inside.text.hidden, bias=bias),
    )


def older_tie(config: Config, text: Config) -> bool:
    """Follow the wrapper's own flag; the old name ``tie_embedding`` wins."""
    return config.flag("tie_embedding") if config.given("tie_embedding") else own_tie(config, text)


def flat_means_tied(config: Config, text: Config) -> bool:
    """Tie where one of the flags says so; without a text section always.

    The class reads the text model's fields from the top then, but not its tie flag, whose default ties.
    """
    return not config.has_section("text_config") or either_tie(config, text)


def paddle(inside: Inside) -> tuple[Tower, ...]:
    """Return PaddleOCR-VL's tower and its projector over merged patches."""
    features = inside.vision.size("hidden_size")
    joined = features * inside.vision.size("spatial_merge_size") ** 2
    return with_projector(
        plain_siglip(inside.vision, "model.visual.vision_model"),
        norm("model.projector.pre_norm", features),
        dense("model.projector.linear_1", joined, joined),
        dense("model.projector.linear_2", joined, inside.text.hidden),
    )


def rotary(inside: Inside) -> tuple[Tower, ...]:
    """Return VideoLLaMA 3's tower, whose positions are rotary, and its two layers of projection."""
    config, name = inside.vision, "model.vision_model"
    features, hidden = config.size("hidden_size"), inside.text.hidden
    body: Body = (
        patch_kernel(config, f"{name}.embeddings.patch_embedding", bias=True),
        encoder(f"{name}.encoder.layers", vision_sizes(config), SIGLIP_LAYER),
        norm(f"{name}.post_layernorm", features),
    )
    return with_projector(
        body,
        dense("model.projector.readout.0", features, hidden),
        dense("model.projector.readout.2", hidden, hidden),
    )


def single_patches(inside: Inside) -> MergedPatches:
    """Return the rule of VideoLLaMA 3 for pictures: native resolution, nothing merged."""
    return MergedPatches(patch=inside.vision.size("patch_size"), merge=1)


def visual_words(inside: Inside) -> tuple[Tower, ...]:
    """Return Ovis 2's tower, its head over visual words, and the table of their embeddings."""
    config, name = inside.vision, "model.vision_tower"
    words = config.size("vocab_size")
    scored = words - config.count("num_visual_indicator_tokens")
    if scored < 1:
        raise config.bad("num_visual_indicator_tokens", f"leaves none of {words} visual words")
    joined = config.size("hidden_size") * config.size("hidden_stride") ** 2
    return with_projector(
        ovis_vit(config, f"{name}.transformer"),
        dense(f"{name}.head_linear", joined, scored, bias=False),
        norm(f"{name}.head_norm", scored),
        table("model.visual_embeddings_table", words, inside.config.size("hidden_size")),
    )


def ovis_vit(config: Config, name: str) -> Body:
    """Return Ovis 2's encoder: learned positions, RMS norms, gated feed-forward layers."""
    hidden, bias = config.size("hidden_size"), config.flag("qkv_bias")
    plan = VisionLayerPlan(
        attention="attention",
        qkv_bias=bias,
        out_bias=bias,
        mlp="ffn",
        mlp_names=FeedForwardNames(),
        gated=True,
        mlp_bias=config.flag("mlp_bias"),
        norms=("rms_norm1", "rms_norm2"),
        norm="rms",
    )
    return (
        patch_kernel(config, f"{name}.embeddings.patch_embedding", bias=True),
        table(f"{name}.embeddings.position_embedding", square_patches(config), hidden),
        norm(f"{name}.embeddings.rms_norm", hidden, "rms"),
        encoder(f"{name}.encoder.layers", vision_sizes(config), plan),
        norm(f"{name}.rms_norm", hidden, "rms"),
    )


MODEL_TYPES: dict[str, WrapperPlan] = {
    "lfm2_vl": WrapperPlan(
        model_class="Lfm2VlForConditionalGeneration",
        text=Inner(field="text_config", model_type="lfm2"),
        vision=Inner(field="vision_config", model_type="siglip2_vision_model"),
        towers=liquid,
        tie=older_tie,
    ),
    "paddleocr_vl": WrapperPlan(
        model_class="PaddleOCRVLForConditionalGeneration",
        text=Inner(field="text_config", model_type="paddleocr_vl_text", fixed=True),
        vision=Inner(field="vision_config", model_type="paddleocr_vl_vision", fixed=True),
        towers=paddle,
        tie=flat_means_tied,
        flat_text=True,
    ),
    "video_llama_3": WrapperPlan(
        model_class="VideoLlama3ForConditionalGeneration",
        text=Inner(field="text_config", model_type="qwen2"),
        vision=Inner(field="vision_config", model_type="video_llama_3_vision", fixed=True),
        towers=rotary,
        images=single_patches,
        tie=either_tie,
    ),
    "ovis2": WrapperPlan(
        model_class="Ovis2ForConditionalGeneration",
        text=Inner(field="text_config", model_type="qwen2"),
        vision=Inner(field="vision_config", model_type="ovis2_vision", fixed=True),
        towers=visual_words,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    found = wrapper(config, MODEL_TYPES[config.model_type], resolve)
    return _outer_head(config, found) if config.model_type == "ovis2" and not found.tied else found


def _outer_head(config: Config, found: Architecture) -> Architecture:
    """Return Ovis 2 with the head of its class: as wide and long as the outer file says, not the text's."""
    hidden, vocabulary = config.size("hidden_size"), config.size("vocab_size")
    head = Head(hidden=hidden, vocabulary=vocabulary, tied=False)
    if (hidden, vocabulary) != (found.hidden, found.vocabulary):
        config.notice(
            "inconsistent", "hidden_size or vocab_size differs from text_config's; the head has the former"
        )
    return replace(found, body=(*found.body[:-1], Part(name="lm_head", component=head)))
