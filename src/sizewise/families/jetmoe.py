"""JetMoE: experts in attention as in the feed-forward layer, two RMS norms.

Source: the configuration and modelling files of transformers 5.23; Shen et al. 2024, arXiv:2404.07413.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.attention_experts import AttentionExperts
from sizewise.components.experts import ExpertNames, Experts
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import causal_model

MODEL_TYPES = {"jetmoe": "JetMoeForCausalLM"}

EXPERT_NAMES = ExpertNames(first="input_linear.weight", down="output_linear.weight")


def _active(config: Config, experts: int) -> int:
    """Return the experts that a token uses; more than there are is an error, as in the class."""
    active = config.size("num_experts_per_tok")
    if active > experts:
        raise InputError("inconsistent", f"jetmoe config: num_experts_per_tok {active} of {experts} experts")
    return active


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a JetMoE configuration."""
    hidden, experts = config.size("hidden_size"), config.size("num_local_experts")
    active = _active(config, experts)
    attention = AttentionExperts(
        hidden=hidden,
        kv_heads=config.size("num_key_value_heads"),
        head_size=config.size("kv_channels"),
        experts=experts,
        active=active,
    )
    feed_forward = Experts(
        hidden=hidden,
        width=config.size("intermediate_size"),
        experts=experts,
        active=active,
        names=EXPERT_NAMES,
    )
    norm = Norm(width=hidden)
    parts = (
        Part(name="mlp", component=LearnedTensor(name="bias", shape=(hidden,), role="expert")),
        Part(name="mlp", component=feed_forward),
        Part(name="mlp.router.layer", component=Router(hidden=hidden, experts=experts)),
        Part(name="input_layernorm", component=norm),
        Part(name="post_attention_layernorm", component=norm),
        Part(name="self_attention", component=attention),
    )
    layers = stack("model.layers", ["alike"] * config.layers(), lambda _: parts)
    return causal_model(config, MODEL_TYPES[config.model_type], layers)
