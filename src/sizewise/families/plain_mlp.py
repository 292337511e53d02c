"""Decoders with Llama's attention and a plain feed-forward layer: up, activation, down.

Source: the modelling files of transformers 5.23.
"""

from dataclasses import replace
from functools import partial

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import Skeleton, equal_heads, heads
from sizewise.plans.windows import Windows, every_layer

LAYER_NORM = Skeleton(norm="layer")
BIASED = AttentionPlan(qkv_bias="attention_bias", out_bias="attention_bias")

MODEL_TYPES: dict[str, DecoderPlan] = {
    "arcee": DecoderPlan(
        model_class="ArceeForCausalLM",
        attention=BIASED,
        feed_forward=FeedForwardPlan(gated=False, bias="mlp_bias"),
    ),
    "apertus": DecoderPlan(
        model_class="ApertusForCausalLM",
        attention=AttentionPlan(qkv_bias="attention_bias", out_bias="attention_bias", head_norm="per_head"),
        feed_forward=FeedForwardPlan(gated=False, learned_activation=True),
        norms=("attention_layernorm", "feedforward_layernorm"),
    ),
    "nemotron": DecoderPlan(
        model_class="NemotronForCausalLM",
        attention=AttentionPlan(
            heads=partial(heads, kv_required=True), qkv_bias="attention_bias", out_bias="attention_bias"
        ),
        feed_forward=FeedForwardPlan(gated=False, bias="mlp_bias"),
        skeleton=LAYER_NORM,
    ),
    "jais2": DecoderPlan(
        model_class="Jais2ForCausalLM",
        attention=BIASED,
        feed_forward=FeedForwardPlan(gated=False, bias="mlp_bias"),
        skeleton=LAYER_NORM,
    ),
    "nanochat": DecoderPlan(
        model_class="NanoChatForCausalLM",
        attention=BIASED,
        feed_forward=FeedForwardPlan(gated=False, names=FeedForwardNames(up="fc1", down="fc2")),
        skeleton=Skeleton(norm="none"),
    ),
    "persimmon": DecoderPlan(
        model_class="PersimmonForCausalLM",
        attention=AttentionPlan(
            heads=equal_heads,
            qkv_bias=True,
            out_bias=True,
            head_norm="per_head_layer_norm",
            head_norm_if="qk_layernorm",
            names=AttentionNames(
                fused="query_key_value", output="dense", query_norm="q_layernorm", key_norm="k_layernorm"
            ),
        ),
        feed_forward=FeedForwardPlan(
            gated=False, bias=True, names=FeedForwardNames(up="dense_h_to_4h", down="dense_4h_to_h")
        ),
        skeleton=Skeleton(final_norm="model.final_layernorm", norm="layer"),
    ),
    "starcoder2": DecoderPlan(
        model_class="Starcoder2ForCausalLM",
        attention=AttentionPlan(
            heads=partial(heads, kv_required=True),
            qkv_bias="use_bias",
            out_bias="use_bias",
            windows=Windows(rule=every_layer),
        ),
        feed_forward=FeedForwardPlan(
            gated=False, bias="use_bias", names=FeedForwardNames(up="c_fc", down="c_proj")
        ),
        skeleton=LAYER_NORM,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    plan = MODEL_TYPES[config.model_type]
    if plan.feed_forward.learned_activation and config.text("hidden_act") not in (None, "xielu"):
        plan = replace(plan, feed_forward=replace(plan.feed_forward, learned_activation=False))
    return decoder(config, plan)
