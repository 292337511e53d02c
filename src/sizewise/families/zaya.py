"""ZAYA: convolved attention, scaled residuals, and experts whose router is an MLP fed by the one before.

Source: configuration and modelling files of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Beside, Component, Part, stack
from sizewise.components.convolved_attention import ConvolvedAttention
from sizewise.components.experts import Experts
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.beside import CORRECTIONS
from sizewise.plans.fields import Skeleton, causal_model, heads

MODEL_TYPES = {"zaya": "ZayaForCausalLM"}

LAYER_KINDS = {kind: kind for kind in ("hybrid", "hybrid_sliding")}
SCALES = ("hidden_states_scale", "hidden_states_bias", "residual_scale", "residual_bias")
SKIPPED = 1
"""Choices of the router that leave a token as it is."""


def _windows(config: Config, layers: int) -> list[int | None]:
    """Return for each layer the number of tokens it sees, None for all of them."""
    kinds = config.per_layer("layer_types", layers, LAYER_KINDS) or ["hybrid"] * layers
    return [config.size("sliding_window") if kind == "hybrid_sliding" else None for kind in kinds]


def _attention(config: Config, window: int | None) -> Part:
    counts = heads(config, kv_required=True, size_required=True)
    if counts.query % counts.key_value:
        raise InputError(
            "inconsistent",
            f"zaya config: {counts.key_value} key/value heads do not divide {counts.query} heads",
        )
    mixer = ConvolvedAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        channel_kernel=config.size("cca_time0"),
        head_kernel=config.size("cca_time1"),
        bias=config.flag("attention_bias"),
        window=window,
    )
    return Part(name="self_attn", component=mixer)


def _router(config: Config, *, first: bool) -> tuple[Part, ...]:
    """Return the router; all but the first add the scaled state of the one before."""
    width, experts = config.size("router_hidden_size"), config.size("num_experts")
    square = Linear(inputs=width, outputs=width, role="router", bias=True)
    components: dict[str, Component] = {
        "down_proj": Linear(inputs=config.size("hidden_size"), outputs=width, role="router", bias=True),
        "router_mlp.norm": Norm(width=width),
        "router_mlp.fc1": square,
        "router_mlp.fc2": square,
        "router_mlp.out_proj": Linear(inputs=width, outputs=experts + SKIPPED, role="router"),
    }
    parts = tuple(Part(name=f"mlp.gate.{name}", component=found) for name, found in components.items())
    scale = LearnedTensor(name="router_states_scale", shape=(width,), role="router")
    return parts if first else (*parts, Part(name="mlp.gate", component=scale))


def _experts(config: Config) -> Part:
    """Return the experts; raises InputError (unsupported_architecture) for more than one per token."""
    if config.size("num_experts_per_tok") != 1:
        raise InputError("unsupported_architecture", "zaya config: the class knows one expert per token only")
    routed = Experts(
        hidden=config.size("hidden_size"),
        width=config.size("moe_intermediate_size"),
        experts=config.size("num_experts"),
        active=1,
    )
    return Part(name="mlp.experts", component=routed)


def _scaling(name: str, tensors: tuple[str, ...], hidden: int) -> tuple[Part, ...]:
    """Return scales and biases [D] of a residual."""
    found = (LearnedTensor(name=tensor, shape=(hidden,), role="norm") for tensor in tensors)
    return tuple(Part(name=name, component=tensor) for tensor in found)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a ZAYA configuration."""
    hidden, layers = config.size("hidden_size"), config.layers()
    windows = _windows(config, layers)
    norm = Norm(width=hidden)
    config.notice(
        "inconsistent",
        "the router may leave a token without an expert; active counts are the largest possible",
    )

    def layer(index: int) -> tuple[Part, ...]:
        return (
            _attention(config, windows[index]),
            *_router(config, first=index == 0),
            _experts(config),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
            *_scaling("post_attention_residual_scale", SCALES, hidden),
            *_scaling("post_mlp_residual_scale", SCALES, hidden),
        )

    kinds = [(window, index == 0) for index, window in enumerate(windows)]
    found = causal_model(
        config,
        MODEL_TYPES[config.model_type],
        stack("model.layers", kinds, layer),
        skeleton=Skeleton(head_bias=config.flag("lm_head_bias")),
        extra=_scaling("model", ("input_hidden_states_scale", "input_hidden_states_bias"), hidden),
    )
    corrections = Beside(name=CORRECTIONS, elements=layers * (config.size("num_experts") + SKIPPED))
    return replace(found, beside=(corrections,))
