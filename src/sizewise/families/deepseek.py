"""DeepSeek and the decoders that follow its plan: latent attention, then experts or one MLP.

What differs between the types (which layers are sparse, which own an indexer, biases) is the table
below; the arithmetic is in the components.
Source: the configuration and modelling files of transformers 5.23.
"""

from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.latent_attention import LatentAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.beside import Prediction, with_corrections, with_predictions
from sizewise.plans.experts import (
    ExpertStyle,
    SparseRule,
    after_first_dense,
    expert_parts,
    listed_or_after_first,
    listed_or_after_first_dense,
    listed_or_every_few,
    no_layer,
)
from sizewise.plans.fields import causal_model, flag
from sizewise.plans.indexers import INDEXED, IndexerRule, every_indexer, indexer, shared_indexers

EXPERTS = ExpertStyle(
    experts="n_routed_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
)
EXPERTS_OF_V2 = replace(EXPERTS, active_may_be_null=True)
EXPERTS_OF_INDEXED = replace(EXPERTS, experts_override="num_experts")

PREDICTION = Prediction(corrected=True)
PREDICTION_WITH_COPIES = replace(PREDICTION, copies=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Where a type differs from the plan; a string of a flag names the config field that decides."""

    model_class: str
    sparse: SparseRule = no_layer
    experts: ExpertStyle = EXPERTS
    mlp_bias: str | bool = False
    indexers: IndexerRule | None = None
    norm_after_experts: bool = False
    """The output of an expert layer is normed."""
    corrected: bool = True
    """Routers have a correction bias, a buffer."""
    prediction: Prediction | None = None
    query_rank_required: bool = False
    value_size_may_be_null: bool = False
    """A null ``v_head_dim`` means hidden / heads."""


MODEL_TYPES: dict[str, Style] = {
    "deepseek_v3": Style(
        model_class="DeepseekV3ForCausalLM", sparse=after_first_dense, prediction=PREDICTION_WITH_COPIES
    ),
    "deepseek_v2": Style(
        model_class="DeepseekV2ForCausalLM",
        sparse=after_first_dense,
        experts=EXPERTS_OF_V2,
        corrected=False,
        mlp_bias="mlp_bias",
    ),
    "glm4_moe_lite": Style(model_class="Glm4MoeLiteForCausalLM", sparse=listed_or_after_first),
    "deepseek_v32": Style(
        model_class="DeepseekV32ForCausalLM",
        sparse=listed_or_after_first_dense,
        experts=EXPERTS_OF_INDEXED,
        indexers=every_indexer,
        prediction=PREDICTION_WITH_COPIES,
    ),
    "glm_moe_dsa": Style(
        model_class="GlmMoeDsaForCausalLM",
        sparse=listed_or_after_first_dense,
        experts=EXPERTS_OF_INDEXED,
        indexers=shared_indexers,
        prediction=PREDICTION,
    ),
    "axk1": Style(
        model_class="AXK1ForCausalLM",
        sparse=listed_or_every_few,
        query_rank_required=True,
        norm_after_experts=True,
    ),
    "mistral4": Style(model_class="Mistral4ForCausalLM", sparse=after_first_dense, corrected=False),
    "minicpm3": Style(model_class="MiniCPM3ForCausalLM", mlp_bias="mlp_bias", value_size_may_be_null=True),
    "youtu": Style(model_class="YoutuForCausalLM"),
}


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    style = MODEL_TYPES[config.model_type]
    hidden, layers = config.size("hidden_size"), config.layers()
    indexers = _indexers(config, style, layers)
    sparse = style.sparse(config, layers)
    feed_forwards = {is_sparse: _feed_forward(config, style, is_sparse) for is_sparse in set(sparse)}
    norm = Norm(width=hidden)

    def layer(owns_indexer: bool, is_sparse: bool) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=_attention(config, style, owns_indexer)),
            *feed_forwards[is_sparse],
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    kinds = list(zip(indexers, sparse, strict=True))
    body = stack("model.layers", kinds, lambda index: layer(*kinds[index]))
    found = causal_model(config, style.model_class, body)
    if style.corrected:
        found = with_corrections(found)
    if style.prediction and any(sparse):
        found = with_predictions(config, found, style.prediction, layer(style.indexers is not None, True))
    return found


def _indexers(config: Config, style: Style, layers: int) -> list[bool]:
    """Tell which layers own an indexer."""
    if style.indexers is None:
        return [False] * layers
    config.per_layer("layer_types", layers, INDEXED)
    return style.indexers(config, layers)


def _attention(config: Config, style: Style, owns_indexer: bool) -> LatentAttention:
    hidden, count = config.size("hidden_size"), config.size("num_attention_heads")
    values = config.optional_size("v_head_dim") if style.value_size_may_be_null else config.size("v_head_dim")
    indexed = style.indexers is not None
    required = indexed or style.query_rank_required
    return LatentAttention(
        hidden=hidden,
        heads=count,
        query_rank=config.size("q_lora_rank") if required else config.optional_size("q_lora_rank"),
        latent_rank=config.size("kv_lora_rank"),
        plain_size=config.size("qk_nope_head_dim"),
        rotary_size=config.size("qk_rope_head_dim"),
        value_size=values or max(hidden // count, 1),
        bias=config.flag("attention_bias"),
        indexer=indexer(config) if owns_indexer else None,
        selected=config.size("index_topk") if indexed else None,
    )


def _feed_forward(config: Config, style: Style, is_sparse: bool) -> tuple[Part, ...]:
    bias = flag(config, style.mlp_bias)
    if is_sparse:
        after = Part(name="mlp.post_mlp_layernorm", component=Norm(width=config.size("hidden_size")))
        experts = expert_parts(config, style.experts, "mlp", shared_bias=bias)
        return (*experts, after) if style.norm_after_experts else experts
    dense = FeedForward(hidden=config.size("hidden_size"), width=config.size("intermediate_size"), bias=bias)
    return (Part(name="mlp", component=dense),)
