"""HRM-Text: a slow and a fast stack of layers, through which a token passes in nested cycles.

Every pass keeps keys and values of its own. Norms have no weights.
Source: configuration and modelling files of transformers 5.23; Wang et al. 2025, arXiv:2506.21734.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.configuration import LAYER_LIMIT, Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model

MODEL_TYPES = {"hrm_text": "HrmTextForCausalLM"}


def _depth(config: Config, cycles: int) -> int:
    """Return the layers of a stack; files that the class wrote count the passes in ``num_hidden_layers``.

    Raises InputError (inconsistent) where such a file has another number of passes.
    """
    if not config.given("num_layers_per_stack"):
        return config.layers()
    depth = config.layers("num_layers_per_stack")
    passes = config.size("num_hidden_layers")
    if passes != depth * cycles:
        raise InputError(
            "inconsistent",
            f"hrm_text config: {depth} layers per stack in {cycles} passes are not {passes} "
            "num_hidden_layers; leave num_layers_per_stack out",
        )
    return depth


def _attention(config: Config) -> GroupedQueryAttention:
    heads, hidden = config.size("num_attention_heads"), config.size("hidden_size")
    if hidden % heads:
        raise InputError("inconsistent", f"hrm_text config: {heads} heads do not divide hidden size {hidden}")
    return GroupedQueryAttention(
        hidden=hidden,
        query_heads=heads,
        kv_heads=heads,
        head_size=config.size("head_dim"),
        qkv_bias=config.flag("attention_bias"),
        out_bias=config.flag("attention_bias"),
    )


def _stack(config: Config, name: str, depth: int, uses: int) -> Stack:
    """Return a stack that a token passes through ``uses`` times."""
    attention = _attention(config)
    gate = Linear(
        inputs=attention.hidden, outputs=attention.queries, role="attention", bias=attention.qkv_bias
    )
    dense = FeedForward(
        hidden=attention.hidden, width=config.size("intermediate_size"), bias=config.flag("mlp_bias")
    )
    parts = (
        Part(name="self_attn", component=attention, uses=uses),
        Part(name="self_attn.gate_proj", component=gate, uses=uses),
        Part(name="mlp", component=dense, uses=uses),
    )
    return stack(f"model.{name}.layers", [None] * depth, lambda _index: parts)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of an HRM-Text configuration."""
    slow = config.size("H_cycles", high=LAYER_LIMIT)
    fast = slow * config.size("L_cycles", high=LAYER_LIMIT)
    depth = _depth(config, slow + fast)
    start = LearnedTensor(name="z_L_init", shape=(config.size("hidden_size"),), role="other", frozen=True)
    found = causal_model(
        config,
        MODEL_TYPES[config.model_type],
        _stack(config, "L_module", depth, fast),
        skeleton=Skeleton(final_norm=""),
        extra=(Part(name="model", component=start),),
    )
    head = found.body[-1]
    return replace(found, body=(*found.body[:-1], _stack(config, "H_module", depth, slow), head))
