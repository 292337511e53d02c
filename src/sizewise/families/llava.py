"""LLaVA and the wrappers that follow its plan: a tower, two layers of projection, a language model.

Source: Liu et al. 2023, arXiv:2304.08485 and arXiv:2310.03744; the modelling files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Architecture, Part, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.image_rules import all_patches, any_resolution, limited_resolution, selected_patches
from sizewise.plans.projectors import feature_layers, two_layers, with_projector
from sizewise.plans.tiles import LeastScaleTiles, NearestRatioTiles
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import vision_tower
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, either_tie, wrapper

TOWER, PROJECTOR = "model.vision_tower", "model.multi_modal_projector"
CLIP = Inner(field="vision_config", model_type="clip_vision_model")
SIGLIP = Inner(field="vision_config", model_type="siglip_vision_model")
LLAMA = Inner(field="text_config", model_type="llama")
QWEN2 = Inner(field="text_config", model_type="qwen2")
COHERE2 = Inner(field="text_config", model_type="cohere2")

Projector = Callable[[Inside], tuple[Part, ...]]


def features(inside: Inside) -> int:
    """Count the features of a patch: those of every layer of the tower that is used."""
    return inside.vision.size("hidden_size") * feature_layers(inside.config)


def mlp(inside: Inside) -> tuple[Part, ...]:
    """Return LLaVA's projector; ``multimodal_projector_bias`` says whether it is biased."""
    bias = inside.config.flag("multimodal_projector_bias")
    return two_layers(PROJECTOR, features(inside), inside.text.hidden, bias=bias)


def mlp_with_newline(inside: Inside) -> tuple[Part, ...]:
    """Return LLaVA's projector and the vector that ends a row of tiles."""
    return (*mlp(inside), learned("model.image_newline", inside.text.hidden, role="projector"))


def normed_mlp(inside: Inside) -> tuple[Part, ...]:
    """Return ViP-LLaVA's projector: a norm over the joined features before the two layers."""
    width = features(inside)
    return (
        norm(f"{PROJECTOR}.projector_layernorm", width),
        *two_layers(PROJECTOR, width, inside.text.hidden),
    )


def halving(inside: Inside, width: int) -> tuple[Part, ...]:
    """Return a projector whose first layer of that width is gate and value of the second."""
    joined = inside.vision.size("hidden_size") * inside.config.size("downsample_factor") ** 2
    return (
        dense(f"{PROJECTOR}.linear_1", joined, width),
        dense(f"{PROJECTOR}.linear_2", width // 2, inside.text.hidden),
    )


def aya_projector(inside: Inside) -> tuple[Part, ...]:
    """Return Aya Vision's projector; without ``alignment_intermediate_size`` it is as wide as the text."""
    joined = inside.vision.size("hidden_size") * inside.config.size("downsample_factor") ** 2
    width = inside.config.optional_size("alignment_intermediate_size") or inside.text.hidden
    return norm(f"{PROJECTOR}.layernorm", joined), *halving(inside, width)


def cohere_projector(inside: Inside) -> tuple[Part, ...]:
    """Return Command A Vision's projector."""
    return halving(inside, inside.config.size("alignment_intermediate_size"))


def aligner(inside: Inside) -> tuple[Part, ...]:
    """Return the projector of DeepSeek-VL."""
    features, hidden = inside.vision.size("hidden_size"), inside.text.hidden
    return (
        dense("model.aligner.linear1", features, hidden),
        dense("model.aligner.linear2", hidden, hidden),
    )


def one_tower(projector: Projector, name: str = TOWER) -> Callable[[Inside], tuple[Tower, ...]]:
    """Return a builder of the tower that the file names, and its projector."""

    def towers(inside: Inside) -> tuple[Tower, ...]:
        return with_projector(vision_tower(inside.vision, name), *projector(inside))

    return towers


def video_and_image_towers(inside: Inside) -> tuple[Tower, ...]:
    """Return Video-LLaVA's two towers of one shape, and its projector."""
    both = [vision_tower(inside.vision, f"model.{kind}_tower") for kind in ("video", "image")]
    return with_projector((*both[0], *both[1]), *mlp(inside))


def joined_patches(inside: Inside) -> int:
    """Count the tokens of a tile: ``downsample_factor`` squared patches each."""
    side = inside.vision.size("image_size") // inside.vision.size("patch_size")
    return (side // inside.config.size("downsample_factor")) ** 2


def nearest_tiles(inside: Inside) -> NearestRatioTiles:
    """Return Aya Vision's rule: a mark before every tile, two around the picture."""
    side = inside.vision.size("image_size")
    return NearestRatioTiles(side=side, per_tile=joined_patches(inside), marks=2, tile_marks=1)


def least_tiles(inside: Inside) -> LeastScaleTiles:
    """Return Command A Vision's rule."""
    return LeastScaleTiles(side=inside.vision.size("image_size"), per_tile=joined_patches(inside))


MODEL_TYPES: dict[str, WrapperPlan] = {
    "llava": WrapperPlan(
        model_class="LlavaForConditionalGeneration",
        text=LLAMA,
        vision=CLIP,
        towers=one_tower(mlp),
        images=selected_patches,
        tie=either_tie,
    ),
    "llava_next": WrapperPlan(
        model_class="LlavaNextForConditionalGeneration",
        text=LLAMA,
        vision=CLIP,
        towers=one_tower(mlp_with_newline),
        images=any_resolution,
    ),
    "llava_next_video": WrapperPlan(
        model_class="LlavaNextVideoForConditionalGeneration",
        text=LLAMA,
        vision=CLIP,
        towers=one_tower(mlp_with_newline),
        images=any_resolution,
        tie=either_tie,
    ),
    "llava_onevision": WrapperPlan(
        model_class="LlavaOnevisionForConditionalGeneration",
        text=QWEN2,
        vision=SIGLIP,
        towers=one_tower(mlp_with_newline),
        images=limited_resolution,
        tie=either_tie,
    ),
    "vipllava": WrapperPlan(
        model_class="VipLlavaForConditionalGeneration", text=LLAMA, vision=CLIP, towers=one_tower(normed_mlp)
    ),
    "video_llava": WrapperPlan(
        model_class="VideoLlavaForConditionalGeneration",
        text=LLAMA,
        vision=CLIP,
        towers=video_and_image_towers,
        images=selected_patches,
    ),
    "aya_vision": WrapperPlan(
        model_class="AyaVisionForConditionalGeneration",
        text=COHERE2,
        vision=SIGLIP,
        towers=one_tower(aya_projector),
        images=nearest_tiles,
    ),
    "cohere2_vision": WrapperPlan(
        model_class="Cohere2VisionForConditionalGeneration",
        text=COHERE2,
        vision=SIGLIP,
        towers=one_tower(cohere_projector),
        images=least_tiles,
    ),
    "deepseek_vl": WrapperPlan(
        model_class="DeepseekVLForConditionalGeneration",
        text=LLAMA,
        vision=SIGLIP,
        towers=one_tower(aligner, "model.vision_model"),
        images=all_patches,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
