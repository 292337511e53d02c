"""Llama and the decoders that follow its plan: two RMS norms and a gated feed-forward layer per layer.

What differs between the types (biases, head norms, windows) is the table below; the arithmetic is in
the components. Source: the modelling files of transformers 5.23.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sizewise.architecture import Architecture, Part
from sizewise.components.differential_attention import Differential
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.beside import rotary_frequencies
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import Heads, equal_heads, heads
from sizewise.plans.windows import (
    Windows,
    all_but_first_of,
    every_layer,
    from_max_window_layers,
    switched_window_size,
    without_rotation,
)


def split_heads(config: Config) -> Heads:
    """Read heads of size hidden / heads, whatever ``head_dim`` says: the class does not read it.

    Raises InputError (inconsistent) where the heads do not divide the hidden size.
    """
    if config.given("head_dim") and config.raw("head_dim") != equal_heads(config).size:
        config.notice(
            "ignored", "head_dim is not read by the class: heads have hidden_size / num_attention_heads"
        )
    return replace(heads(config), size=equal_heads(config).size)


def square_heads(config: Config) -> Heads:
    """Read heads whose features N*H are as many as the hidden size.

    Raises InputError (inconsistent) elsewhere: the output projection of the class is [D, D].
    """
    counts, hidden = heads(config, kv_required=True), config.size("hidden_size")
    if counts.query * counts.size != hidden:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: {counts.query} heads of {counts.size} do not make up the "
            f"hidden size {hidden}; set head_dim",
        )
    return counts


def sub_norms(config: Config) -> Sequence[Part]:
    """Return the norms before the output projections of attention and feed-forward layer."""
    widths = {"self_attn.attn_sub_norm": "hidden_size", "mlp.ffn_sub_norm": "intermediate_size"}
    return [Part(name=name, component=Norm(width=config.size(size))) for name, size in widths.items()]


def optional_post_norms(config: Config) -> Sequence[Part]:
    """Return a norm after attention and one after the feed-forward layer, where ``use_post_norm`` says so."""
    norm = Norm(width=config.size("hidden_size"))
    names = ("post_norm1", "post_norm2") if config.flag("use_post_norm") else ()
    return [Part(name=name, component=norm) for name in names]


def paired_heads(config: Config) -> Heads:
    """Read heads whose keys and values split into two halves.

    Raises InputError (inconsistent) for an odd number of them: the class refuses that.
    """
    counts = heads(config)
    if counts.key_value % 2:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: {counts.key_value} key/value heads do not split into two halves",
        )
    return counts


def differences(config: Config) -> Sequence[Part]:
    """Return what differential attention has beside its projections."""
    counts = paired_heads(config)
    return [Part(name="self_attn", component=Differential(heads=counts.query, head_size=counts.size))]


def evenly_biased_heads(config: Config) -> Heads:
    """Read the heads of a class that has one choice for all biases.

    Raises InputError (inconsistent) where a file makes two.
    """
    if config.flag("attention_bias") != config.flag("mlp_bias"):
        raise InputError(
            "inconsistent", f"{config.model_type} config: attention_bias and mlp_bias differ; set both alike"
        )
    return dividing_heads(config)


def plain_heads(config: Config) -> Heads:
    """Read the heads of a class that neither clips nor slides.

    Raises InputError (unsupported_architecture) where a file asks for that: the class refuses it.
    """
    for field in ("clip_qkv", "use_sliding_window"):
        if config.raw(field) not in (None, False):
            raise InputError(
                "unsupported_architecture",
                f"{config.model_type} config: the class has no {field}; leave it out",
            )
    return dividing_heads(config)


def dividing_heads(config: Config) -> Heads:
    """Read heads that divide the hidden size, whatever their own size is.

    Raises InputError (inconsistent) elsewhere: the class refuses that.
    """
    counts, hidden = heads(config), config.size("hidden_size")
    if hidden % counts.query:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: {counts.query} heads do not divide hidden size {hidden}",
        )
    return counts


BIASED = AttentionPlan(qkv_bias="attention_bias", out_bias="attention_bias")
BIASED_MLP = FeedForwardPlan(bias="mlp_bias")
ALL_SLIDE = AttentionPlan(windows=Windows(rule=every_layer))
UPPER_SLIDE = Windows(rule=from_max_window_layers, size=switched_window_size)

MODEL_TYPES: dict[str, DecoderPlan] = {
    "llama": DecoderPlan(model_class="LlamaForCausalLM", attention=BIASED, feed_forward=BIASED_MLP),
    "internlm3": DecoderPlan(
        model_class="LlamaForCausalLM",
        attention=replace(BIASED, heads=evenly_biased_heads),
        feed_forward=BIASED_MLP,
    ),
    "iquestcoder": DecoderPlan(
        model_class="LlamaForCausalLM",
        attention=replace(BIASED, heads=plain_heads),
        feed_forward=BIASED_MLP,
    ),
    "diffllama": DecoderPlan(
        model_class="DiffLlamaForCausalLM",
        attention=replace(BIASED, heads=paired_heads),
        further=differences,
    ),
    "mistral": DecoderPlan(model_class="MistralForCausalLM", attention=ALL_SLIDE),
    "ministral3": DecoderPlan(model_class="Ministral3ForCausalLM", attention=ALL_SLIDE),
    "ministral": DecoderPlan(
        model_class="MinistralForCausalLM",
        attention=AttentionPlan(heads=partial(heads, size_required=True), windows=Windows(rule=every_layer)),
    ),
    "cwm": DecoderPlan(
        model_class="CwmForCausalLM",
        attention=AttentionPlan(windows=Windows(rule=all_but_first_of(4))),
        feed_forward=BIASED_MLP,
    ),
    "helium": DecoderPlan(
        model_class="HeliumForCausalLM",
        attention=AttentionPlan(heads=square_heads, qkv_bias="attention_bias"),
        feed_forward=BIASED_MLP,
    ),
    "smollm3": DecoderPlan(
        model_class="SmolLM3ForCausalLM",
        attention=AttentionPlan(
            qkv_bias="attention_bias", out_bias="attention_bias", windows=Windows(rule=without_rotation)
        ),
        feed_forward=BIASED_MLP,
    ),
    "granite": DecoderPlan(model_class="GraniteForCausalLM", attention=BIASED, feed_forward=BIASED_MLP),
    "granite_swa": DecoderPlan(
        model_class="GraniteSWAForCausalLM",
        attention=AttentionPlan(
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            windows=Windows(rule=all_but_first_of(4)),
            sinks=True,
        ),
        feed_forward=BIASED_MLP,
    ),
    "hyperclovax": DecoderPlan(
        model_class="HyperCLOVAXForCausalLM",
        attention=BIASED,
        feed_forward=BIASED_MLP,
        further=optional_post_norms,
    ),
    "bitnet": DecoderPlan(model_class="BitNetForCausalLM", attention=BIASED, further=sub_norms),
    "seed_oss": DecoderPlan(
        model_class="SeedOssForCausalLM",
        attention=AttentionPlan(qkv_bias="attention_bias", out_bias="attention_out_bias"),
        feed_forward=BIASED_MLP,
    ),
    "ernie4_5": DecoderPlan(
        model_class="Ernie4_5ForCausalLM",
        attention=AttentionPlan(qkv_bias="use_bias", out_bias="use_bias"),
        feed_forward=FeedForwardPlan(bias="use_bias"),
    ),
    "paddleocr_vl_text": DecoderPlan(
        model_class="PaddleOCRTextModel",
        attention=AttentionPlan(qkv_bias="use_bias", out_bias="use_bias"),
        feed_forward=FeedForwardPlan(bias="use_bias"),
    ),
    "qwen2": DecoderPlan(
        model_class="Qwen2ForCausalLM", attention=AttentionPlan(qkv_bias=True, windows=UPPER_SLIDE)
    ),
    "qwen2_vl_text": DecoderPlan(
        model_class="Qwen2VLTextModel",
        attention=AttentionPlan(heads=split_heads, qkv_bias=True, windows=UPPER_SLIDE),
    ),
    "qwen2_5_vl_text": DecoderPlan(
        model_class="Qwen2_5_VLTextModel",
        attention=AttentionPlan(heads=split_heads, qkv_bias=True, windows=UPPER_SLIDE),
    ),
    "qwen2_5_omni_text": DecoderPlan(
        model_class="Qwen2_5OmniThinkerTextModel",
        attention=AttentionPlan(qkv_bias=True, windows=UPPER_SLIDE),
    ),
    "qwen3_vl_text": DecoderPlan(
        model_class="Qwen3VLTextModel",
        attention=AttentionPlan(qkv_bias="attention_bias", out_bias="attention_bias", head_norm="per_head"),
    ),
    "qwen3": DecoderPlan(
        model_class="Qwen3ForCausalLM",
        attention=AttentionPlan(
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            head_norm="per_head",
            windows=UPPER_SLIDE,
        ),
    ),
    "hunyuan_v1_dense": DecoderPlan(
        model_class="HunYuanDenseV1ForCausalLM",
        attention=AttentionPlan(
            heads=partial(heads, size_required=True),
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            head_norm="per_head",
            names=AttentionNames(query_norm="query_layernorm", key_norm="key_layernorm"),
        ),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    found = decoder(config, MODEL_TYPES[config.model_type])
    if config.model_type != "llama":
        return found
    size = config.optional_size("head_dim") or found.hidden // config.size("num_attention_heads")
    return replace(found, beside=(rotary_frequencies(found.depth, size),))
