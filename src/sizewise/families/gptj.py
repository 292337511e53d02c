"""GPT-J and CodeGen: attention without biases beside a biased feed-forward layer, after one LayerNorm.

Source: Wang and Komatsuzaki 2021 (GPT-J-6B); the modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import (
    AttentionPlan,
    DecoderPlan,
    FeedForwardPlan,
    decoder,
    width_or_four_times_hidden,
)
from sizewise.plans.fields import Skeleton, equal_heads


def plan(model_class: str, names: AttentionNames) -> DecoderPlan:
    """Return the plan that both share; only CodeGen fuses queries, keys and values."""
    return DecoderPlan(
        model_class=model_class,
        attention=AttentionPlan(part="attn", heads=equal_heads, names=names),
        feed_forward=FeedForwardPlan(
            width=width_or_four_times_hidden("n_inner"),
            gated=False,
            bias=True,
            names=FeedForwardNames(up="fc_in", down="fc_out"),
        ),
        norms=("ln_1",),
        skeleton=Skeleton(
            embedding="transformer.wte",
            layers="transformer.h",
            final_norm="transformer.ln_f",
            norm="layer",
            head_bias=True,
        ),
    )


MODEL_TYPES: dict[str, DecoderPlan] = {
    "gptj": plan("GPTJForCausalLM", AttentionNames(output="out_proj")),
    "codegen": plan("CodeGenForCausalLM", AttentionNames(fused="qkv_proj", output="out_proj")),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
