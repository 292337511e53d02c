"""GPT-2 and the decoders that follow it: learned positions, biases everywhere, a plain MLP of 4*D.

GPT-2 stores its matrices [in, out], the others [out, in]; GPT-BigCode may have one key/value head.
Source: Radford et al. 2019; the modelling files of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.beside import causal_masks
from sizewise.plans.decoder import (
    AttentionPlan,
    DecoderPlan,
    FeedForwardPlan,
    decoder,
    learned_positions,
    width_or_four_times_hidden,
)
from sizewise.plans.fields import Heads, Skeleton, equal_heads


def multi_query_heads(config: Config) -> Heads:
    """Read the head count; with ``multi_query`` all share one key/value head."""
    return equal_heads(config, key_value=1 if config.flag("multi_query") else None)


def plan(model_class: str, attention: AttentionPlan, *, transposed: bool = False) -> DecoderPlan:
    """Return the plan that the types share."""
    return DecoderPlan(
        model_class=model_class,
        attention=attention,
        feed_forward=FeedForwardPlan(
            width=width_or_four_times_hidden("n_inner"),
            gated=False,
            bias=True,
            names=FeedForwardNames(up="c_fc", down="c_proj", transposed=transposed),
        ),
        norms=("ln_1", "ln_2"),
        skeleton=Skeleton(
            embedding="transformer.wte", layers="transformer.h", final_norm="transformer.ln_f", norm="layer"
        ),
        before=learned_positions("transformer.wpe"),
    )


GPT2 = plan(
    "GPT2LMHeadModel",
    AttentionPlan(
        part="attn",
        heads=equal_heads,
        qkv_bias=True,
        out_bias=True,
        names=AttentionNames(fused="c_attn", output="c_proj", transposed=True),
    ),
    transposed=True,
)

MODEL_TYPES: dict[str, DecoderPlan] = {
    "gpt2": GPT2,
    "gpt-sw3": GPT2,
    "gpt_bigcode": plan(
        "GPTBigCodeForCausalLM",
        AttentionPlan(
            part="attn",
            heads=multi_query_heads,
            qkv_bias=True,
            out_bias=True,
            names=AttentionNames(fused="c_attn", output="c_proj"),
        ),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types.

    Raises InputError (unsupported_architecture) for a decoder with cross-attention.
    """
    if config.flag("add_cross_attention"):
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: add_cross_attention is true; only the decoder alone is modelled",
        )
    found = decoder(config, MODEL_TYPES[config.model_type])
    if config.model_type == "gpt_bigcode":
        return found
    masks = causal_masks(found.depth, config.size("max_position_embeddings"))
    return replace(found, beside=(masks,))
