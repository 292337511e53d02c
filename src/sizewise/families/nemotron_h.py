"""Nemotron-H: one block and one norm per layer — Mamba-2, attention, feed-forward or experts.

The list of blocks gives the depth. Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.mamba2 import Mamba2
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.configuration import LAYER_LIMIT, Config
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import active_experts, expert_groups
from sizewise.plans.fields import Skeleton, causal_model, heads
from sizewise.tensors import Role

MODEL_TYPES = {"nemotron_h": "NemotronHForCausalLM"}

BLOCKS = {
    "mamba": "mamba",
    "linear_attention": "mamba",
    "attention": "attention",
    "full_attention": "attention",
    "mlp": "mlp",
    "moe": "moe",
}
LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
DEFAULT_BLOCKS = ["mamba", "moe", "attention", "mlp"]

SKELETON = Skeleton(embedding="model.embeddings", final_norm="model.norm_f", tied=False)


def _blocks(config: Config) -> list[str]:
    """Return the block of every layer: the list, else the letters, else the default of the class."""
    listed = config.entries("layers_block_type")
    if listed is not None:
        blocks = config.per_layer("layers_block_type", len(listed), BLOCKS) or []
    else:
        blocks = _lettered(config) or DEFAULT_BLOCKS
    if not blocks:
        raise config.bad("layers_block_type", "is empty; it gives the blocks of the layers")
    if config.given("num_hidden_layers") and config.layers() != len(blocks):
        config.notice(
            "inconsistent",
            f"num_hidden_layers is {config.layers()}, but {len(blocks)} blocks are listed; the list counts",
        )
    return blocks


def _lettered(config: Config) -> list[str] | None:
    """Read ``hybrid_override_pattern``, a letter per layer."""
    letters = config.text("hybrid_override_pattern")
    if letters is None:
        return None
    unknown = set(letters) - set(LETTERS)
    if unknown or not 1 <= len(letters) <= LAYER_LIMIT:
        why = f"holds {min(unknown)!r}; known are" if unknown else "needs one letter per layer of"
        raise config.bad("hybrid_override_pattern", f"{why} {' '.join(LETTERS)}")
    return [LETTERS[letter] for letter in letters]


def _renamed(config: Config, old: str, new: str) -> str:
    """Return the old name where the file uses it: the class lets it win."""
    return old if config.given(old) else new


def _mamba(config: Config) -> tuple[Part, ...]:
    bias = config.flag("use_bias")
    mixer = Mamba2(
        hidden=config.size("hidden_size"),
        heads=config.size("mamba_num_heads"),
        head_size=config.size("mamba_head_dim"),
        state=config.size("ssm_state_size"),
        groups=config.size(_renamed(config, "mamba_n_groups", "n_groups")),
        kernel=config.size(_renamed(config, "mamba_d_conv", "conv_kernel")),
        in_bias=bias,
        out_bias=bias,
        conv_bias=config.flag(_renamed(config, "mamba_conv_bias", "use_conv_bias")),
    )
    return (Part(name="mixer", component=mixer),)


def _attention(config: Config) -> tuple[Part, ...]:
    """Return attention, which has no biases whatever ``attention_bias`` says."""
    counts = heads(config, kv_required=True, size_required=True)
    mixer = GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
    )
    return (Part(name="mixer", component=mixer),)


def _plain(config: Config, width: int, role: Role) -> FeedForward:
    """Return an (up, down) layer of that width."""
    return FeedForward(
        hidden=config.size("hidden_size"),
        width=width,
        gated=False,
        bias=config.flag("mlp_bias"),
        role=role,
    )


def _dense(config: Config) -> tuple[Part, ...]:
    layer = _plain(config, config.size("intermediate_size"), "feed_forward")
    return (Part(name="mixer", component=layer),)


def _sparse(config: Config) -> tuple[Part, ...]:
    """Return router, plain experts (behind a narrower latent where there is one) and shared expert."""
    hidden, count = config.size("hidden_size"), config.size("n_routed_experts")
    latent, bias = config.optional_size("moe_latent_size"), config.flag("mlp_bias")
    experts = Experts(
        hidden=latent or hidden,
        width=config.size("moe_intermediate_size"),
        experts=count,
        active=active_experts(config, "num_experts_per_tok", count),
        gated=False,
    )
    groups, used = expert_groups(config)
    router = Router(hidden=hidden, experts=count, groups=groups, groups_used=used)
    shared = config.count("moe_shared_expert_intermediate_size") or config.size("intermediate_size")
    parts = [
        Part(name="mixer.gate", component=router),
        Part(name="mixer.experts", component=experts),
        Part(name="mixer.shared_experts", component=_plain(config, shared, "shared_expert")),
    ]
    if latent:
        narrow = Linear(inputs=hidden, outputs=latent, role="feed_forward", bias=bias)
        widen = Linear(inputs=latent, outputs=hidden, role="feed_forward", bias=bias)
        parts.append(Part(name="mixer.fc1_latent_proj", component=narrow))
        parts.append(Part(name="mixer.fc2_latent_proj", component=widen))
    return tuple(parts)


BUILDERS = {"mamba": _mamba, "attention": _attention, "mlp": _dense, "moe": _sparse}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of a Nemotron-H configuration; it never ties its head."""
    blocks = _blocks(config)
    norm = Part(name="norm", component=Norm(width=config.size("hidden_size")))
    layers = stack("model.layers", blocks, lambda index: (norm, *BUILDERS[blocks[index]](config)))
    return with_corrections(causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=SKELETON))
