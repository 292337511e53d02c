"""Jamba: Mamba-1 with attention every few layers, dense and expert feed-forward layers in turns.

Source: the modelling file of transformers 5.23; Lieber et al. 2024, arXiv:2403.19887.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.mamba import Mamba, default_step_rank
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import Skeleton, causal_model, heads

MODEL_TYPES = {"jamba": "JambaForCausalLM"}

EXPERTS = ExpertStyle(experts="num_experts", router="router")


def _periodic(config: Config, what: str) -> list[bool]:
    """Tell for each layer whether it is ``what``: the offset-th of every period.

    Raises InputError (inconsistent) for an offset that no layer of a period has.
    """
    period, offset = config.size(f"{what}_layer_period"), config.count(f"{what}_layer_offset")
    if offset >= period:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: {what}_layer_offset {offset} must be below "
            f"{what}_layer_period {period}",
        )
    return [index % period == offset for index in range(config.layers())]


def _mamba(config: Config) -> Part:
    hidden = config.size("hidden_size")
    mixer = Mamba(
        hidden=hidden,
        inner=config.size("mamba_expand") * hidden,
        state=config.size("mamba_d_state"),
        step_rank=config.size_or_auto("mamba_dt_rank") or default_step_rank(hidden),
        kernel=config.size("mamba_d_conv"),
        bias=config.flag("mamba_proj_bias"),
        conv_bias=config.flag("mamba_conv_bias"),
        step_norms=True,
    )
    return Part(name="mamba", component=mixer)


def _attention(config: Config) -> Part:
    counts = heads(config, kv_required=True)
    mixer = GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
    )
    return Part(name="self_attn", component=mixer)


def _dense(config: Config) -> tuple[Part, ...]:
    layer = FeedForward(hidden=config.size("hidden_size"), width=config.size("intermediate_size"))
    return (Part(name="feed_forward", component=layer),)


def _sparse(config: Config) -> tuple[Part, ...]:
    """Return router and experts; every expert is as wide as a dense layer."""
    return expert_parts(config, EXPERTS, "feed_forward")


MIXERS = {False: _mamba, True: _attention}
FEED_FORWARDS = {False: _dense, True: _sparse}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of a Jamba configuration; one expert or none means dense layers."""
    attends, routes = _periodic(config, "attn"), _periodic(config, "expert")
    if config.count("num_experts") <= 1:
        routes = [False] * len(routes)
    norm = Norm(width=config.size("hidden_size"))
    mixers = {kind: MIXERS[kind](config) for kind in set(attends)}
    feed_forward = {kind: FEED_FORWARDS[kind](config) for kind in set(routes)}

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="input_layernorm", component=norm),
            mixers[attends[index]],
            Part(name="pre_ff_layernorm", component=norm),
            *feed_forward[routes[index]],
        )

    layers = stack("model.layers", list(zip(attends, routes, strict=True)), layer)
    skeleton = Skeleton(final_norm="model.final_layernorm")
    return causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=skeleton)
