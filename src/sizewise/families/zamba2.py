"""Zamba2: Mamba-2 layers, of which some pass through shared transformer blocks with adapters of their own.

The blocks take turns; each is stored once, at the first layer that uses it, together with the adapters
of all its layers. A block sees the hidden state beside the embedding, so it is twice as wide.
Without ``tie_word_embeddings`` the class shares nothing: each layer stores its turn's block and adapters.
Source: the configuration and modelling files of transformers 5.23; arXiv:2411.15242.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.low_rank import LowRank
from sizewise.components.mamba2 import Mamba2
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model, checked_heads

MODEL_TYPES = {"zamba2": "Zamba2ForCausalLM"}

LAYER_KINDS = {"mamba": "mamba", "linear_attention": "mamba", "hybrid": "hybrid"}
DEFAULT_HYBRIDS = (6, 12, 18, 24, 30, 36, 42, 47, 51)
DEFAULT_LAYERS = 54
LONG_CONTEXT = 16_384


def _kinds(config: Config) -> list[str]:
    """Return the kind of each layer: the list, else that of the one model whose list is the default."""
    layers = config.layers()
    listed = config.per_layer("layers_block_type", layers, LAYER_KINDS)
    if listed is None and layers != DEFAULT_LAYERS:
        raise InputError(
            "inconsistent",
            f"zamba2 config: {layers} layers without layers_block_type; the default list is for "
            f"{DEFAULT_LAYERS}",
        )
    return listed or ["hybrid" if index in DEFAULT_HYBRIDS else "mamba" for index in range(layers)]


def _mamba(config: Config) -> Mamba2:
    hidden, heads = config.size("hidden_size"), config.size("n_mamba_heads")
    inner = config.size("mamba_expand") * hidden
    if inner % heads:
        raise InputError(
            "inconsistent", f"zamba2 config: n_mamba_heads {heads} do not divide the {inner} inner channels"
        )
    bias = config.flag("add_bias_linear")
    return Mamba2(
        hidden=hidden,
        heads=heads,
        head_size=inner // heads,
        state=config.size("mamba_d_state"),
        groups=config.size("mamba_ngroups"),
        kernel=config.size("mamba_d_conv"),
        in_bias=bias,
        out_bias=bias,
    )


def _attention(config: Config) -> GroupedQueryAttention:
    hidden, query = config.size("hidden_size"), config.size("num_attention_heads")
    key_value = config.optional_size("num_key_value_heads") or query
    given = config.size("attention_head_dim") if config.present("attention_head_dim") else None
    counts = checked_heads(config, query, key_value, given or max(2 * hidden // query, 1))
    return GroupedQueryAttention(
        hidden=hidden,
        query_heads=query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        inputs=2 * hidden,
    )


def _check_widths(config: Config, mamba: Mamba2) -> None:
    """Raise InputError where the file says other widths than the layers that feed them have."""
    derived = {"attention_hidden_size": 2 * config.size("hidden_size"), "mamba_headdim": mamba.head_size}
    for name, width in derived.items():
        if config.present(name) and config.raw(name) != width:
            raise InputError(
                "inconsistent", f"zamba2 config: {name} is not the {width} that the other sizes make it"
            )


def _width(config: Config) -> int:
    return config.optional_count("intermediate_size") or 4 * config.size("hidden_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A stored block: the hybrid layers, by their order, whose adapters it holds, and those that use it."""

    holds: range
    users: range


def _turns(config: Config, hybrids: int) -> list[Turn]:
    """Return the blocks that are stored, from the first hybrid layer on."""
    blocks = config.size("num_mem_blocks")
    if config.flag("tie_word_embeddings"):
        every = [range(first, hybrids, blocks) for first in range(min(blocks, hybrids))]
        return [Turn(holds=users, users=users) for users in every]
    return [
        Turn(holds=range(index % blocks, hybrids, blocks), users=range(index, index + 1))
        for index in range(hybrids)
    ]


def _shared_block(config: Config, turn: Turn) -> Iterator[Part]:
    """Yield a transformer block and the adapters that it holds."""
    hidden = config.size("hidden_size")
    feed_forward = FeedForward(
        hidden=hidden,
        width=_width(config),
        bias=config.flag("add_bias_linear"),
        names=FeedForwardNames(fused="gate_up_proj"),
    )
    components: dict[str, Component] = {
        "self_attn": _attention(config),
        "feed_forward": feed_forward,
        "input_layernorm": Norm(width=2 * hidden),
        "pre_ff_layernorm": Norm(width=hidden),
    }
    for name, component in components.items():
        yield Part(name=f"shared_transformer.{name}", component=component, uses=len(turn.users))
    for hybrid in turn.holds:
        yield from _adapters(config, hybrid, uses=int(hybrid in turn.users))


def _adapters(config: Config, hybrid: int, *, uses: int) -> Iterator[Part]:
    """Yield what one hybrid layer adds to the matrices of its block."""
    hidden, rank, block = config.size("hidden_size"), config.size("adapter_rank"), "shared_transformer"
    wide = LowRank(inputs=hidden, outputs=2 * _width(config), rank=rank, role="feed_forward")
    name = f"{block}.feed_forward.gate_up_proj_adapter_list.{hybrid}"
    yield Part(name=name, component=wide, uses=uses)
    if config.flag("use_shared_attention_adapter"):
        square = LowRank(inputs=2 * hidden, outputs=2 * hidden, rank=rank, role="attention")
        for letter in "qkv":
            name = f"{block}.self_attn.linear_{letter}_adapter_list.{hybrid}"
            yield Part(name=name, component=square, uses=uses)


def _check_ids(config: Config, hybrids: list[int]) -> None:
    """Raise InputError where the file lists other hybrid layers than its kinds say."""
    if config.present("hybrid_layer_ids") and config.raw("hybrid_layer_ids") != hybrids:
        raise InputError("inconsistent", "zamba2 config: hybrid_layer_ids and layers_block_type differ")


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a Zamba2 configuration."""
    hidden, kinds = config.size("hidden_size"), _kinds(config)
    mamba, norm = _mamba(config), Norm(width=hidden)
    hybrids = [index for index, kind in enumerate(kinds) if kind == "hybrid"]
    _check_ids(config, hybrids)
    _check_widths(config, mamba)
    turns = dict(zip(hybrids, _turns(config, len(hybrids)), strict=False))

    def layer(index: int) -> tuple[Part, ...]:
        if kinds[index] == "mamba":
            return Part(name="mamba", component=mamba), Part(name="input_layernorm", component=norm)
        return (
            *(_shared_block(config, turns[index]) if index in turns else ()),
            Part(name="linear", component=Linear(inputs=hidden, outputs=hidden, role="attention")),
            Part(name="mamba_decoder.mamba", component=mamba),
            Part(name="mamba_decoder.input_layernorm", component=norm),
        )

    alike = [(kind, turns.get(index)) for index, kind in enumerate(kinds)]
    return causal_model(
        config,
        MODEL_TYPES[config.model_type],
        stack("model.layers", alike, layer),
        skeleton=Skeleton(final_norm="model.final_layernorm"),
        context=LONG_CONTEXT if config.flag("use_long_context") else None,
    )
