"""From the configurations of a wrapper to its rule for the tokens of a picture.

Sizes come from the file; where only a processor knows them, the default of the processor's class holds.
Source: the processor files of transformers 5.23.
"""

from collections.abc import Sequence
from typing import Any

from sizewise.architecture import MediaTokens
from sizewise.plans.images import (
    GLM_LEAST,
    GLM_MOST,
    FixedTokens,
    MergedPatches,
    PatchRows,
)
from sizewise.plans.tiles import PaddedTiles
from sizewise.plans.towers import square_patches
from sizewise.plans.wrappers import Images, Inside

ANY_SIZES = ((336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008))
"""Resolutions of LLaVA-NeXT without ``image_grid_pinpoints``, as (height, width)."""
ONE_VISION_SIDES = tuple(range(384, 2305, 384))
ONE_VISION_SIZES = tuple((height, width) for height in ONE_VISION_SIDES for width in ONE_VISION_SIDES)
"""Resolutions of LLaVA-OneVision without ``image_grid_pinpoints``."""
LIMIT = "anyres_max_"


def merged_patches(inside: Inside) -> MediaTokens:
    """Return the rule of Qwen-VL: native resolution, squares of ``spatial_merge_size`` patches."""
    vision = inside.vision
    return MergedPatches(patch=vision.size("patch_size"), merge=vision.size("spatial_merge_size"))


def merged_frames(inside: Inside) -> MediaTokens:
    """Return the rule of GLM-V: as Qwen-VL's, its limits over the frames of a patch."""
    vision = inside.vision
    return MergedPatches(
        patch=vision.size("patch_size"),
        merge=vision.size("spatial_merge_size"),
        least=GLM_LEAST,
        most=GLM_MOST,
        frames=vision.size("temporal_patch_size"),
        enlarges=True,
    )


def patch_rows(*, marks: bool, merged: bool = True) -> Images:
    """Return a builder of Pixtral's rule; the longest side is the ``image_size`` of the tower."""

    def rule(inside: Inside) -> MediaTokens:
        return PatchRows(
            patch=inside.vision.size("patch_size"),
            merge=inside.config.size("spatial_merge_size") if merged else 1,
            longest=inside.vision.size("image_size"),
            marks=marks,
        )

    return rule


def all_patches(inside: Inside) -> MediaTokens:
    """Return the rule of a tower of one size: a token for each of its patches."""
    return FixedTokens(count=square_patches(inside.vision))


def selected_patches(inside: Inside) -> MediaTokens | None:
    """Return LLaVA's rule: the patches, and with ``vision_feature_select_strategy`` full the class token.

    A Pixtral tower has its own rule; of other towers than CLIP nothing is known.
    """
    if inside.vision.model_type == "pixtral":
        return patch_rows(marks=True, merged=False)(inside)
    if inside.vision.model_type != "clip_vision_model":
        return None
    class_tokens = {"default": 0, "full": 1}.get(inside.config.text("vision_feature_select_strategy") or "")
    if class_tokens is None:
        return None
    return FixedTokens(count=square_patches(inside.vision) + class_tokens)


def any_resolution(inside: Inside) -> MediaTokens | None:
    """Return LLaVA-NeXT's rule over ``image_grid_pinpoints`` for a CLIP tower."""
    if inside.vision.model_type != "clip_vision_model":
        return None
    base = selected_patches(inside)
    sizes = _sizes(inside, ANY_SIZES)
    return _padded(inside, base.tokens(1, 1), sizes, None) if base and sizes else None


def limited_resolution(inside: Inside) -> MediaTokens | None:
    """Return LLaVA-OneVision's rule for a SigLIP tower; ``vision_aspect_ratio`` names the limit."""
    aspect = inside.config.text("vision_aspect_ratio") or f"{LIMIT}9"
    most = aspect.removeprefix(LIMIT)
    full = inside.config.text("vision_feature_select_strategy") == "full"
    sizes = _sizes(inside, ONE_VISION_SIZES)
    known = inside.vision.model_type == "siglip_vision_model" and full and sizes and most.isascii()
    if not known or not most.isdigit() or not 1 <= len(most) <= 4 or int(most) == 0:
        return None
    return _padded(inside, square_patches(inside.vision), sizes, int(most))


def _padded(
    inside: Inside, base: int, sizes: tuple[tuple[int, int], ...], most: int | None
) -> PaddedTiles | None:
    side = inside.vision.size("image_size")
    if any(min(size) < side for size in sizes):
        return None
    tower = side // inside.vision.size("patch_size")
    return PaddedTiles(side=side, tower=tower, base=base, sizes=sizes, most=most)


def _sizes(inside: Inside, default: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Read ``image_grid_pinpoints``; nothing where they are not pairs of positive numbers."""
    listed = inside.config.entries("image_grid_pinpoints")
    if listed is None:
        return default
    return tuple((size[0], size[1]) for size in listed) if all(map(_is_size, listed)) else ()


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, Sequence) and len(value) == 2 and all(isinstance(n, int) and n > 0 for n in value)
    )
