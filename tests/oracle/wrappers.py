"""Recipes of the wrappers: a language model and a tower, each in a section of its own."""

from . import vision
from .choices import FLAG, Draw, Recipe, Table, any_of, either, maybe, of, section
from .dense import BASE, HEAD, KV, SWITCHED
from .dense import RECIPES as DENSE
from .experts import ACTIVE, EXPERTS, FIRST_DENSE, STEPS, WIDTH
from .experts import RECIPES as SPARSE
from .latent import RECIPES as LATENT
from .state_space import RECIPES as STATE_SPACE

QWEN_TEXT: Recipe = (BASE, KV, SWITCHED)
TEXTS: dict[str, Recipe] = {
    "glm4v_text": (BASE, KV),
    "glm_ocr_text": (BASE, KV, HEAD),
    "glm4v_moe_text": (
        BASE,
        KV,
        HEAD,
        {**ACTIVE, **WIDTH, "n_routed_experts": EXPERTS, "n_shared_experts": of(1, 2)},
        FIRST_DENSE,
    ),
    "paddleocr_vl_text": (BASE, KV, HEAD, {"use_bias": maybe(FLAG)}),
    "qwen2_vl_text": QWEN_TEXT,
    "qwen2_5_vl_text": QWEN_TEXT,
    "qwen3_vl_text": (BASE, KV, HEAD, {"attention_bias": maybe(FLAG)}),
    "qwen3_vl_moe_text": (
        BASE,
        KV,
        HEAD,
        {**ACTIVE, **WIDTH, "num_experts": EXPERTS, "attention_bias": maybe(FLAG)},
        STEPS,
    ),
}
"""Language models that no class builds by themselves."""

LANGUAGE = {**DENSE, **SPARSE, **LATENT, **STATE_SPACE, **TEXTS}


def text(*types: str) -> Table:
    """A language model of one of these types."""
    return {"text_config": any_of(*(section(each, LANGUAGE[each]) for each in types))}


def tower(*types: str) -> Table:
    return {"vision_config": any_of(*(section(each, vision.RECIPES[each]) for each in types))}


def own(name: str) -> Recipe:
    """Sections that are always of the wrapper's own types, whether they say so or not."""
    language, sight = f"{name}_text", f"{name}_vision"
    return (
        TIE,
        {"text_config": section(language, LANGUAGE[language], named=0.7)},
        {"vision_config": section(sight, vision.RECIPES[sight], named=0.7)},
    )


def flat(name: str) -> Recipe:
    """Older files have the fields of the language model at the top."""
    sight = f"{name}_vision"
    return (
        either({"text_config": section(f"{name}_text", LANGUAGE[f"{name}_text"]), **TIE}, {**BASE, **KV}),
        {"vision_config": section(name, vision.RECIPES[sight])},
    )


def inner_hidden(*, other: int | None = None) -> Draw:
    """The hidden size of the language model, or another width."""
    return lambda random, fields: random.choice(
        [fields["text_config"]["hidden_size"], *([other] if other else [])]
    )


TIE = {"tie_word_embeddings": maybe(FLAG)}
ANY_TEXT = text("llama", "qwen2", "mistral", "qwen3", "gemma", "cohere2", "olmo2", "phi3", "mixtral")
ANY_TOWER = tower("clip_vision_model", "siglip_vision_model", "pixtral")
FEATURES = either(
    {},
    {"vision_feature_layer": of(-1, -2)},
    {"vision_feature_layer": of([-1, -2]), "vision_feature_select_strategy": of("default")},
)
BIASED = {"multimodal_projector_bias": maybe(FLAG)}
LLAVA: Recipe = (TIE, ANY_TEXT, ANY_TOWER, FEATURES, BIASED)
GEMMA3: Recipe = (TIE, text("gemma3_text"), tower("siglip_vision_model"))
GOT: Recipe = (TIE, text("qwen2"), tower("got_ocr2_vision"))
JOINED = {"downsample_ratio": of(0.25, 0.5, 1.0)}
SCALE = {"scale_factor": of(2, 3)}

RECIPES: dict[str, Recipe] = {
    "llava": LLAVA,
    "llava_next": LLAVA,
    "llava_next_video": LLAVA,
    "llava_onevision": LLAVA,
    "vipllava": (TIE, ANY_TEXT, ANY_TOWER, {"vision_feature_layers": maybe(of([-1, -2]))}),
    "video_llava": LLAVA,
    "aya_vision": (
        TIE,
        text("cohere2"),
        tower("siglip_vision_model", "clip_vision_model"),
        {"downsample_factor": of(1, 2), "alignment_intermediate_size": maybe(of(48, 64))},
    ),
    "cohere2_vision": (
        TIE,
        text("cohere2"),
        tower("siglip_vision_model"),
        {"downsample_factor": of(1, 2), "alignment_intermediate_size": of(48, 64)},
    ),
    "deepseek_vl": (TIE, text("llama"), tower("siglip_vision_model")),
    "gemma3": GEMMA3,
    "shieldgemma2": GEMMA3,
    "paligemma": (
        TIE,
        text("gemma", "gemma2"),
        tower("siglip_vision_model"),
        {"projection_dim": inner_hidden(other=40)},
    ),
    "mistral3": (
        TIE,
        text("mistral", "ministral3", "llama"),
        tower("pixtral"),
        {"spatial_merge_size": of(1, 2), "vision_feature_layer": maybe(of(-1, [-1, -2])), **BIASED},
    ),
    "lighton_ocr": (TIE, text("qwen3"), tower("pixtral"), {"spatial_merge_size": of(1, 2)}),
    "internvl": (TIE, text("qwen2", "llama", "qwen3"), tower("internvl_vision"), JOINED),
    "qianfan_ocr": (TIE, text("qwen3"), tower("qianfan_ocr_vision"), JOINED),
    "got_ocr2": GOT,
    "pp_chart2table": GOT,
    "kimi_k25": (
        TIE,
        text("deepseek_v3"),
        tower("kimi_k25_vision"),
        {"projection_hidden_size": lambda random, fields: fields["vision_config"]["hidden_size"]},
    ),
    "llama4": (TIE, text("llama4_text"), tower("llama4_vision_model")),
    "idefics2": (
        TIE,
        text("mistral"),
        tower("idefics2_vision"),
        {
            "perceiver_config": section(
                "idefics2_perceiver",
                (
                    {
                        "resampler_n_latents": of(4, 8),
                        "resampler_depth": of(1, 2),
                        "resampler_n_heads": of(2, 4),
                        "resampler_head_dim": of(8, 10),
                        "num_key_value_heads": of(1, 2),
                        "hidden_size": of(32, 48),
                    },
                ),
            )
        },
    ),
    "idefics3": (TIE, text("llama"), tower("idefics3_vision"), SCALE),
    "smolvlm": (TIE, text("llama"), tower("smolvlm_vision"), SCALE),
    "glm4v": own("glm4v"),
    "glm4v_moe": own("glm4v_moe"),
    "glm_ocr": own("glm_ocr"),
    "glm46v": (TIE, text("glm4v_text"), tower("glm4v_vision")),
    "qwen2_vl": flat("qwen2_vl"),
    "qwen2_5_vl": flat("qwen2_5_vl"),
    "qwen3_vl": own("qwen3_vl"),
    "qwen3_vl_moe": own("qwen3_vl_moe"),
    "qwen3_5": own("qwen3_5"),
    "qwen3_5_moe": own("qwen3_5_moe"),
    "exaone4_5": (TIE, text("exaone4"), tower("exaone4_5_vision")),
    "lfm2_vl": (
        TIE,
        text("lfm2"),
        tower("siglip2_vision_model"),
        {
            "projector_hidden_size": of(32, 48),
            "projector_bias": maybe(FLAG),
            "projector_use_layernorm": maybe(FLAG),
            "downsample_factor": of(1, 2),
        },
    ),
    "paddleocr_vl": (
        {
            **TIE,
            "text_config": section("paddleocr_vl_text", TEXTS["paddleocr_vl_text"]),
            "vision_config": section("paddleocr_vl_vision", vision.RECIPES["paddleocr_vl_vision"]),
        },
    ),
    "video_llama_3": (TIE, text("qwen2"), tower("video_llama_3_vision")),
    "ovis2": (
        TIE,
        text("qwen2"),
        tower("ovis2_vision"),
        {
            "hidden_size": inner_hidden(),
            "vocab_size": lambda random, fields: fields["text_config"]["vocab_size"],
        },
    ),
}
