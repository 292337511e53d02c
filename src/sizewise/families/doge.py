"""Doge: attention whose mask is computed from the values, scaled residuals, one MLP or also tiny experts.

Source: Shi et al. 2024, arXiv:2412.11834; configuration and modelling files of transformers 5.23.
"""

from collections.abc import Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.retrieval_experts import RetrievalExperts
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.experts import active_experts
from sizewise.plans.fields import heads
from sizewise.plans.windows import Windows, every_layer


def mask_and_residuals(config: Config) -> Sequence[Part]:
    """Return what makes the mask, the scales of the residuals and, with ``is_moe``, the experts."""
    hidden, counts = config.size("hidden_size"), heads(config)
    mask = Linear(
        inputs=counts.key_value * counts.size,
        outputs=counts.key_value,
        role="attention",
        bias=config.flag("attention_bias"),
    )
    decay = LearnedTensor(name="A", shape=(counts.key_value,), role="attention")
    residuals = ("input_residual", "post_attention_residual")
    return (
        Part(name="self_attn.dt_proj", component=mask),
        Part(name="self_attn", component=decay),
        *(
            Part(name="", component=LearnedTensor(name=name, shape=(hidden,), role="norm"))
            for name in residuals
        ),
        *(_experts(config) if config.flag("is_moe") else ()),
    )


def _experts(config: Config) -> Sequence[Part]:
    experts = config.size("num_experts")
    found = RetrievalExperts(
        hidden=config.size("hidden_size"),
        experts=experts,
        active=active_experts(config, "num_experts_per_tok", experts),
    )
    return (Part(name="mlp", component=found),)


MODEL_TYPES: dict[str, DecoderPlan] = {
    "doge": DecoderPlan(
        model_class="DogeForCausalLM",
        attention=AttentionPlan(
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            head_norm="per_head",
            windows=Windows(rule=every_layer),
        ),
        feed_forward=FeedForwardPlan(bias="mlp_bias"),
        further=mask_and_residuals,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of a Doge configuration."""
    return decoder(config, MODEL_TYPES[config.model_type])
