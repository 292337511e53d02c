"""DBRX: fused attention, LayerNorms without bias, experts in flat tensors; it never ties its head.

Source: the configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.flat_experts import FlatExperts
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.experts import active_experts
from sizewise.plans.fields import Skeleton, causal_model, equal_heads

MODEL_TYPES = {"dbrx": "DbrxForCausalLM"}

SKELETON = Skeleton(
    embedding="transformer.wte",
    layers="transformer.blocks",
    final_norm="transformer.norm_f",
    norm="layer_no_bias",
    tied=False,
)
DEFAULTS = {"kv_n_heads": 1, "ffn_hidden_size": 3584, "moe_num_experts": 4, "moe_top_k": 1}
"""What the sections ``attn_config`` and ``ffn_config`` declare."""


def _section(config: Config, name: str) -> Config:
    """Return a section with its defaults; one that is missing has nothing but these."""
    fields = config.section(name, f"dbrx_{name}") if config.has_section(name) else None
    given = {field: fields.raw(field) for field in DEFAULTS if fields.present(field)} if fields else {}
    return config.read_as(f"dbrx_{name}", {**DEFAULTS, **given})


def _attention(config: Config) -> GroupedQueryAttention:
    counts = equal_heads(config, key_value=_section(config, "attn_config").size("kv_n_heads"))
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        names=AttentionNames(fused="Wqkv", output="out_proj"),
    )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a DBRX configuration, which the class wants untied."""
    if config.flag("tie_word_embeddings"):
        raise config.bad("tie_word_embeddings", "is true; the class does not tie its head")
    hidden, fields = config.size("hidden_size"), _section(config, "ffn_config")
    count, norm = fields.size("moe_num_experts"), Norm(width=hidden, kind="layer_no_bias")
    experts = FlatExperts(
        hidden=hidden,
        width=fields.size("ffn_hidden_size"),
        experts=count,
        active=active_experts(fields, "moe_top_k", count),
    )
    parts = (
        Part(name="norm_attn_norm.norm_1", component=norm),
        Part(name="norm_attn_norm.attn", component=_attention(config)),
        Part(name="norm_attn_norm.norm_2", component=norm),
        Part(name="ffn.router.layer", component=Router(hidden=hidden, experts=count)),
        Part(name="ffn.experts.mlp", component=experts),
    )
    layers = stack(SKELETON.layers, ["alike"] * config.layers(), lambda _: parts)
    return causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=SKELETON)
