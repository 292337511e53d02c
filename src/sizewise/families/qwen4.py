"""Qwen4-Exp: gated delta nets and indexed attention in turns, residual streams, hashed n-grams, experts.

Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Mapping
from dataclasses import replace

from sizewise.architecture import Architecture, Part, Tower, stack
from sizewise.components.gated_residual import GatedResidual
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.hashed_ngrams import HashedNgrams, primes_from
from sizewise.components.key_indexer import KeyIndexer, KeyIndexerNames
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.delta_nets import delta_net
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import Skeleton, causal_model, heads
from sizewise.plans.image_rules import merged_patches
from sizewise.plans.qwen_towers import qwen3_vit
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

LINEAR, INDEXED = "linear_attention", "indexed_attention"
LAYER_KINDS = {LINEAR: LINEAR, INDEXED: INDEXED, "full_attention": INDEXED}
DEFAULT_INTERVAL = 4
"""Every how many layers attention stands where the file says nothing."""
MOST_HASHES = 4096
"""More hashes than that, of all layers together, are refused: each needs a prime to be found."""
EXPERTS = ExpertStyle(
    experts="num_experts",
    width="moe_intermediate_size",
    shared_width="shared_expert_intermediate_size",
    shared="shared_expert",
    shared_gate="shared_expert_gate",
)
INDEXER_NAMES = KeyIndexerNames(fused="index_qk_proj", query_norm="q_layernorm", key_norm="k_layernorm")


def visual(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower, which is Qwen3-VL's without mergers of inner layers."""
    return (Tower(role="vision", body=qwen3_vit(inside.vision, "model.visual", deep=False)),)


WRAPPER = WrapperPlan(
    model_class="Qwen4ExpForConditionalGeneration",
    text=Inner(field="text_config", model_type="qwen4_exp_text", only=True),
    vision=Inner(field="vision_config", model_type="qwen4_exp_vision", only=True),
    towers=visual,
    images=merged_patches,
    text_class="Qwen4ExpForCausalLM",
)

MODEL_TYPES: dict[str, str] = {"qwen4_exp_text": "Qwen4ExpForCausalLM", "qwen4_exp": WRAPPER.model_class}


def _mixers(config: Config) -> list[str]:
    """Return the mixer of every layer: ``layer_types``, else attention at every interval's end."""
    layers = config.layers()
    present = config.present("full_attention_interval")
    interval = config.size("full_attention_interval") if present else DEFAULT_INTERVAL
    return config.per_layer("layer_types", layers, LAYER_KINDS) or [
        LINEAR if (index + 1) % interval else INDEXED for index in range(layers)
    ]


def _delta_net(config: Config) -> tuple[Part, ...]:
    return (delta_net(config, fused=False),)


def _attention(config: Config) -> tuple[Part, ...]:
    """Return the attention and its indexer, which leaves blocks of tokens and the incomplete last one."""
    counts = heads(config, kv_required=True, size_required=True)
    hidden, bias = config.size("hidden_size"), config.flag("attention_bias")
    ratio, size = config.size("indexer_compress_ratio"), config.size("indexer_head_dim")
    if config.size("indexer_kv_heads") != 1:
        raise config.bad("indexer_kv_heads", "is not 1, the only number that the class takes")
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
        head_norm="per_head",
        gated=True,
        reach=config.size("indexer_budget") + ratio - 1,
        index_size=size,
    )
    indexer = KeyIndexer(
        hidden=hidden,
        heads=config.size("indexer_n_heads"),
        head_size=size,
        pooled=ratio,
        names=INDEXER_NAMES,
    )
    return Part(name="self_attn", component=attention), Part(name="self_attn.indexer", component=indexer)


MIXERS = {LINEAR: _delta_net, INDEXED: _attention}


def _ngrams(config: Config, mixers: list[str]) -> dict[int, HashedNgrams]:
    """Return the n-grams of each layer that has some; ``ple_layer_ids`` count layers from one."""
    layers = sorted(config.indices("ple_layer_ids") or ())
    if not layers:
        return {}
    if any(not 1 <= layer <= len(mixers) or mixers[layer - 1] != LINEAR for layer in layers):
        raise config.bad("ple_layer_ids", "names something else than layers of linear attention")
    hashes = (config.size("ngram_size") - 1) * config.size("heads_per_ngram")
    embedded = config.optional_size("ple_embed_dim") or config.size("hidden_size")
    if hashes == 0 or embedded % hashes:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: {hashes} hashes do not divide ple_embed_dim {embedded}",
        )
    if hashes * len(layers) > MOST_HASHES:
        raise config.bad("heads_per_ngram", f"makes over {MOST_HASHES:,} hashes")
    primes = primes_from(config.count("ngram_vocab_size_base"), hashes * len(layers))
    step = config.size("make_ngram_vocab_size_divisible_by")
    return {
        layer - 1: HashedNgrams(
            hidden=config.size("hidden_size"),
            streams=config.size("hc_count"),
            rows=-(-sum(primes[place * hashes : (place + 1) * hashes]) // step) * step,
            heads=hashes,
            embedded=embedded,
            kernel=config.size("ple_conv_kernel_size"),
            dilation=config.size("ngram_size"),
        )
        for place, layer in enumerate(layers)
    }


def language_model(config: Config) -> Architecture:
    """Return the architecture of the language model; a gate joins the streams in place of a norm."""
    mixers = _mixers(config)
    ngrams = _ngrams(config, mixers)
    residual = GatedResidual(
        hidden=config.size("hidden_size"), streams=config.size("hc_count"), rank=config.size("hc_lowrank")
    )
    parts = {kind: MIXERS[kind](config) for kind in dict.fromkeys(mixers)}
    feed_forward = expert_parts(config, EXPERTS, "mlp")

    def layer(index: int) -> tuple[Part, ...]:
        return (
            *([Part(name="ple", component=ngrams[index])] if index in ngrams else []),
            Part(name="attn_hyper_connection", component=residual),
            *parts[mixers[index]],
            Part(name="mlp_hyper_connection", component=residual),
            *feed_forward,
        )

    kinds = [(mixer, ngrams.get(index)) for index, mixer in enumerate(mixers)]
    found = causal_model(
        config,
        MODEL_TYPES["qwen4_exp_text"],
        stack("model.layers", kinds, layer),
        skeleton=Skeleton(final_norm=""),
    )
    joined = Part(name="model.hyper_connection_mixer", component=replace(residual, spreads=False))
    return replace(found, body=(*found.body[:-1], joined, found.body[-1]))


def _wrapper_plan(config: Config) -> WrapperPlan:
    """Return the plan; older files name the wrapper's own type in the tower's section."""
    vision = config.raw("vision_config")
    older = isinstance(vision, Mapping) and vision.get("model_type") == config.model_type
    return replace(WRAPPER, vision=replace(WRAPPER.vision, fixed=True, only=False)) if older else WRAPPER


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    if config.model_type == "qwen4_exp":
        return wrapper(config, _wrapper_plan(config), resolve)
    return language_model(config)
