"""LongCat-Flash: layers with two latent attentions and two MLPs, and experts across; some do nothing.

Source: the configuration and modelling files of transformers 5.23; Meituan 2025, arXiv:2509.01322.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.latent_attention import LatentAttention
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import active_experts
from sizewise.plans.fields import causal_model

MODEL_TYPES = {"longcat_flash": "LongcatFlashForCausalLM"}

HALVES = (0, 1)


def _depth(config: Config) -> int:
    """Return the number of layers; ``num_hidden_layers`` counts each of them twice and wins."""
    if config.given("num_hidden_layers"):
        return max(config.layers() // len(HALVES), 1)
    return config.layers("num_layers")


def _attention(config: Config) -> LatentAttention:
    plain, rotary = config.size("qk_nope_head_dim"), config.size("qk_rope_head_dim")
    if config.given("qk_head_dim") and config.size("qk_head_dim") != plain + rotary:
        raise InputError("inconsistent", "longcat_flash config: qk_head_dim is not the sum of its two parts")
    return LatentAttention(
        hidden=config.size("hidden_size"),
        heads=config.size("num_attention_heads"),
        query_rank=config.size("q_lora_rank"),
        latent_rank=config.size("kv_lora_rank"),
        plain_size=plain,
        rotary_size=rotary,
        value_size=config.size("v_head_dim"),
        bias=config.flag("attention_bias"),
    )


def _expert_parts(config: Config) -> tuple[Part, ...]:
    """Return router and experts: a token's choice may fall on some that pass it on unchanged."""
    hidden, count = config.size("hidden_size"), config.size("n_routed_experts")
    idle = config.optional_count("zero_expert_num") or 0
    if idle:
        config.notice(
            "inconsistent",
            f"{idle} of {count + idle} experts do nothing; active counts are the largest possible",
        )
    experts = Experts(
        hidden=hidden,
        width=config.size("moe_intermediate_size"),
        experts=count,
        active=active_experts(config, "num_experts_per_tok", count),
        idle=idle,
    )
    router = Router(hidden=hidden, experts=count + idle, bias=config.flag("router_bias"))
    return (
        Part(name="mlp.experts", component=experts),
        Part(name="mlp.router.classifier", component=router),
    )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a LongCat-Flash configuration."""
    hidden = config.size("hidden_size")
    norm, dense = Norm(width=hidden), FeedForward(hidden=hidden, width=config.size("intermediate_size"))
    halves = (
        ("self_attn", _attention(config)),
        ("mlps", dense),
        ("input_layernorm", norm),
        ("post_attention_layernorm", norm),
    )
    parts = (
        *_expert_parts(config),
        *(Part(name=f"{name}.{half}", component=component) for name, component in halves for half in HALVES),
    )
    layers = stack("model.layers", ["alike"] * _depth(config), lambda _: parts)
    return with_corrections(causal_model(config, MODEL_TYPES[config.model_type], layers))
