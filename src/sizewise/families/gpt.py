"""The first generative transformers: OpenAI GPT (norms after its blocks) and CTRL (sines for positions).

The class of OpenAI GPT keeps no keys and values.

Source: Radford et al. 2018; Keskar et al. 2019, arXiv:1909.05858; the modelling files of transformers 5.23.
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
    four_times_hidden,
    learned_positions,
    width_field,
)
from sizewise.plans.fields import Skeleton, equal_heads

MODEL_TYPES: dict[str, DecoderPlan] = {
    "openai-gpt": DecoderPlan(
        model_class="OpenAIGPTLMHeadModel",
        attention=AttentionPlan(
            part="attn",
            heads=equal_heads,
            qkv_bias=True,
            out_bias=True,
            cached=False,
            names=AttentionNames(fused="c_attn", output="c_proj", transposed=True),
        ),
        feed_forward=FeedForwardPlan(
            width=four_times_hidden,
            gated=False,
            bias=True,
            names=FeedForwardNames(up="c_fc", down="c_proj", transposed=True),
        ),
        norms=("ln_1", "ln_2"),
        skeleton=Skeleton(
            embedding="transformer.tokens_embed", layers="transformer.h", final_norm="", norm="layer"
        ),
        before=learned_positions("transformer.positions_embed"),
    ),
    "ctrl": DecoderPlan(
        model_class="CTRLLMHeadModel",
        attention=AttentionPlan(
            part="multi_head_attention",
            heads=equal_heads,
            qkv_bias=True,
            out_bias=True,
            names=AttentionNames(query="Wq", key="Wk", value="Wv", output="dense"),
        ),
        feed_forward=FeedForwardPlan(
            part="ffn",
            width=width_field("dff"),
            gated=False,
            bias=True,
            names=FeedForwardNames(up="0", down="2"),
        ),
        norms=("layernorm1", "layernorm2"),
        skeleton=Skeleton(
            embedding="transformer.w",
            layers="transformer.h",
            final_norm="transformer.layernorm",
            norm="layer",
            head_bias=True,
        ),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
