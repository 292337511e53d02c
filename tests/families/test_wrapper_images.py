"""Tokens of a picture: the rules against the processors of transformers 5.23.

Expected counts are what ``_get_num_multimodal_tokens`` of each processor class returns with the default
image processor (patch sizes and tiles as in the rule); for Llama 4, which has no such method, the tokens
of ``_prompt_split_image``. None: the class refuses the picture.
"""

import pytest

from sizewise.architecture import MediaTokens
from sizewise.errors import UsageError
from sizewise.plans.image_rules import ANY_SIZES, ONE_VISION_SIZES
from sizewise.plans.images import (
    GLM_LEAST,
    GLM_MOST,
    FixedTokens,
    LinedPatches,
    MergedPatches,
    MoonPatches,
    PatchRows,
    PooledPatches,
)
from sizewise.plans.tiles import (
    CanvasTiles,
    LeastScaleTiles,
    NearestRatioTiles,
    PaddedTiles,
    SplitTiles,
)

PICTURES = (
    (1, 1),
    (30, 50),
    (224, 224),
    (640, 480),
    (480, 640),
    (1024, 1024),
    (1280, 720),
    (1920, 1080),
    (336, 2016),
    (3000, 2000),
    (4000, 500),
    (673, 671),
)
"""As (width, height)."""

GLM = MergedPatches(patch=14, merge=2, least=GLM_LEAST, most=GLM_MOST, frames=2, enlarges=True)
NEXT = PaddedTiles(side=336, tower=24, base=576, sizes=ANY_SIZES)
ONE_VISION = PaddedTiles(side=384, tower=27, base=729, sizes=ONE_VISION_SIZES, most=9)

RULES: dict[str, tuple[MediaTokens, list[int]]] = {
    "qwen2_vl": (
        MergedPatches(patch=14, merge=2),
        [4, 6, 64, 391, 391, 1225, 1196, 1222, 864, 1247, 1212, 576],
    ),
    "qwen3_vl": (
        MergedPatches(patch=16, merge=2),
        [4, 6, 49, 300, 300, 961, 880, 943, 630, 950, 968, 441],
    ),
    "video_llama_3": (
        MergedPatches(patch=14, merge=1),
        [16, 24, 256, 1564, 1564, 5041, 4641, 5035, 3456, 5046, 5050, 2304],
    ),
    "glm4v": (GLM, [9, 12, 64, 391, 391, 1369, 1196, 2691, 864, 7420, 2574, 576]),
    "mistral3": (
        PatchRows(patch=14, merge=2, longest=1540, marks=True),
        [2, 6, 72, 432, 437, 1406, 1222, 1736, 605, 2072, 392, 624],
    ),
    "pixtral": (
        PatchRows(patch=16, merge=1, longest=1024, marks=True),
        [2, 12, 210, 1230, 1240, 4160, 2340, 2340, 768, 2795, 520, 1848],
    ),
    "lighton_ocr": (
        PatchRows(patch=14, merge=2, longest=1540, marks=False),
        [0, 2, 64, 391, 391, 1369, 1196, 1705, 495, 2035, 385, 576],
    ),
    "kimi_k25": (
        MoonPatches(patch=14, merge=2),
        [1, 4, 64, 414, 414, 1369, 1196, 2691, 864, 4187, 2574, 600],
    ),
    "hunyuan_vl": (
        MergedPatches(patch=16, merge=2, least=512 * 512, most=2048 * 2048, lined=True),
        [274, 296, 274, 317, 322, 1058, 904, 2076, 695, 4110, 2018, 464],
    ),
    "ernie4_5_vl_moe": (
        MergedPatches(patch=14, merge=2, most=28 * 28 * 6177),
        [4, 6, 64, 391, 391, 1369, 1196, 2691, 864, 6144, 2574, 576],
    ),
    "fuyu": (
        LinedPatches(patch=30),
        [2, 4, 72, 368, 374, 1260, 1056, 2340, 252, 1980, 520, 552],
    ),
    "gemma4": (
        PooledPatches(patch=16, pool=3, most=280),
        [256, 252, 256, 266, 266, 256, 264, 264, 240, 260, 235, 256],
    ),
    "gemma3": (FixedTokens(count=256), [256] * 12),
    "internvl": (
        NearestRatioTiles(side=448, per_tile=256, marks=2),
        [258, 1794, 258, 3330, 3330, 2562, 2306, 2306, 1794, 1794, 2306, 1282],
    ),
    "aya_vision": (
        NearestRatioTiles(side=364, per_tile=169, marks=2, tile_marks=1),
        [172, 1192, 172, 2212, 2212, 1702, 1532, 1532, 1192, 1192, 1532, 852],
    ),
    "cohere2_vision": (
        LeastScaleTiles(side=512, per_tile=256),
        [259, 259, 259, 773, 773, 1287, 1801, 3343, 1287, 3343, 2315, 1287],
    ),
    "llava_next": (NEXT, [1176, 936, 1176, 2340, 2352, 2928, 1948, 1948, 1512, 2144, 1306, 2928]),
    "llava_onevision": (
        ONE_VISION,
        [1485, 1215, 1485, 2929, 2943, 7371, 5967, 7269, 5265, 7329, 4152, 3699],
    ),
    "idefics3": (
        SplitTiles(side=364, per_tile=169),
        [2912, 2228, 2912, 2227, 2228, 2912, 2227, 2227, 860, 2227, 857, 2912],
    ),
    "llama4": (
        CanvasTiles(side=336, per_tile=144),
        [147, 147, 147, 727, 727, 2467, 1887, 2322, 1017, 2322, 1307, 1017],
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_picture_becomes_as_many_tokens_as_the_processor_says(name: str) -> None:
    rule, expected = RULES[name]
    assert [rule.tokens(width, height) for width, height in PICTURES] == expected


@pytest.mark.parametrize("rule", [MergedPatches(patch=14, merge=2), GLM])
def test_a_picture_that_the_class_refuses_is_refused(rule: MediaTokens) -> None:
    with pytest.raises(UsageError) as raised:
        rule.tokens(10_000, 40)
    assert raised.value.code == "bad_option"
