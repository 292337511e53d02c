"""Granite Vision 4: window Q-Formers between a tower and several layers of the language model.

Shapes: D hidden of the tower; queries are [1, q^2, D], positions of a window [1, w^2, D].
Source: Granite Vision team 2025, arXiv:2502.09927; the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.q_former import q_former
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import Body, vision_tower
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, inner_section, wrapper

FORMER = Inner(field="qformer_config", model_type="blip_2_qformer", only=True)
HEAD_SIZE = 64
"""Features of a head of the Q-Former, whatever its configuration says."""
CORNERS = 4
"""Projectors that each take one patch of a square of four."""
MOST_PAIRS = 1000
TEXT = DecoderPlan(
    model_class="Granite4VisionTextModel",
    attention=AttentionPlan(qkv_bias="attention_bias", out_bias="attention_bias"),
    feed_forward=FeedForwardPlan(bias="mlp_bias"),
)


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and its projectors: one per pair of layers, four for the corners of a square."""
    pairs = inside.config.entries("deepstack_layer_map")
    if pairs is None or len(pairs) > MOST_PAIRS:
        raise inside.config.bad(
            "deepstack_layer_map", f"is not a list of at most {MOST_PAIRS} pairs of layers"
        )
    names = [f"model.layerwise_projectors.{index}" for index in range(len(pairs))]
    names += [f"model.spatial_projectors.{index}" for index in range(CORNERS)]
    newline = learned("model.image_newline", inside.text.hidden, role="projector")
    projectors = (part for name in names for part in window_former(inside, name))
    body = vision_tower(inside.vision, "model.vision_tower")
    return Tower(role="vision", body=body), Tower(role="projector", body=(newline, *projectors))


def window_former(inside: Inside, name: str) -> Body:
    """Return a projector: a norm, queries and positions of a window, the Q-Former, and a matrix."""
    width = inside.vision.size("hidden_size")
    heads = width // HEAD_SIZE
    if heads == 0 or width % heads:
        raise inside.vision.bad("hidden_size", f"is not divided by its {heads} heads of the Q-Former")
    query, window = _sides(inside.config)
    config = inner_section(inside.config, FORMER)
    reads = config.flag("use_qformer_text_input")
    return (
        norm(f"{name}.norm", width),
        learned(f"{name}.query", 1, query**2, width, role="projector"),
        learned(f"{name}.image_positions", 1, window**2, width),
        norm(f"{name}.qformer.layernorm", width),
        *q_former(config, f"{name}.qformer", hidden=width, patch_width=width, reads_text=reads),
        dense(f"{name}.out_linear", width, inside.text.hidden),
    )


def _sides(config: Config) -> tuple[int, int]:
    """Read ``downsample_rate``: the sides of queries and window, as in "4/8"."""
    sides = (config.text("downsample_rate") or "").split("/")
    if len(sides) != 2 or not all(side.isascii() and side.isdigit() and len(side) <= 4 for side in sides):
        raise config.bad("downsample_rate", 'is not two whole numbers as in "4/8"')
    return int(sides[0]), int(sides[1])


MODEL_TYPES: dict[str, WrapperPlan | DecoderPlan] = {
    "granite4_vision": WrapperPlan(
        model_class="Granite4VisionForConditionalGeneration",
        text=Inner(field="text_config", model_type="granite4_vision_text", fixed=True),
        vision=Inner(field="vision_config", model_type="clip_vision_model"),
        towers=towers,
    ),
    "granite4_vision_text": TEXT,
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    plan = MODEL_TYPES[config.model_type]
    return decoder(config, plan) if isinstance(plan, DecoderPlan) else wrapper(config, plan, resolve)
