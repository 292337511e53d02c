"""Conformers: audio towers whose layers hold attention and a convolution between two feed-forward halves.

Shapes: D hidden, F feed-forward size, H head size, k kernel; a depthwise convolution is [C, 1, k].
Source: Gulati et al. 2020, arXiv:2005.08100; modelling files of transformers 5.23.
"""

from sizewise.architecture import Part, stack
from sizewise.components.convolution import Convolution
from sizewise.components.embeddings import Embedding
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.plans.fields import Heads, equal_heads
from sizewise.plans.tower_parts import convolution, dense, norm, table
from sizewise.plans.towers import Body, pair

KERNEL = 3
GEMMA_WIDTH = 4
"""Feed-forward size over the hidden size."""


def _norms(width: int, kind: NormKind, *names: str) -> tuple[Part, ...]:
    return tuple(Part(name=name, component=Norm(width=width, kind=kind)) for name in names)


def _linear(name: str, inputs: int, outputs: int, *, bias: bool = False) -> Part:
    return Part(name=name, component=Linear(inputs=inputs, outputs=outputs, role="audio", bias=bias))


def gemma4_conformer(config: Config, name: str) -> Body:
    """Return Gemma 4's tower: two halving convolutions, conformer layers, a projection.

    Its linear layers stand in wrappers that may clip; the limits are buffers.
    """
    hidden, layers = config.size("hidden_size"), config.layers()
    first, second = pair(config, "subsampling_conv_channels")
    steps = f"{name}.subsample_conv_projection"
    parts = gemma4_layer(config, equal_heads(config))
    return (
        convolution(f"{steps}.layer0.conv", 1, first, KERNEL, KERNEL),
        norm(f"{steps}.layer0.norm", first, "layer_no_bias"),
        convolution(f"{steps}.layer1.conv", first, second, KERNEL, KERNEL),
        norm(f"{steps}.layer1.norm", second, "layer_no_bias"),
        dense(f"{steps}.input_proj_linear", first // 4 * second, hidden, bias=False),
        stack(f"{name}.layers", [0] * layers, lambda index: parts),
        dense(f"{name}.output_proj", hidden, config.size("output_proj_dims")),
    )


def gemma4_layer(config: Config, heads: Heads) -> tuple[Part, ...]:
    """Return a layer: attention with relative keys and a scale per dimension, a light convolution."""
    hidden = config.size("hidden_size")
    queries = heads.query * heads.size
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=heads.query,
        kv_heads=heads.query,
        head_size=heads.size,
        cached=False,
        names=AttentionNames(
            query="q_proj.linear", key="k_proj.linear", value="v_proj.linear", output="post.linear"
        ),
    )
    feed_forward = FeedForward(
        hidden=hidden,
        width=GEMMA_WIDTH * hidden,
        gated=False,
        names=FeedForwardNames(up="ffw_layer_1.linear", down="ffw_layer_2.linear"),
    )
    halves = ("feed_forward1", "feed_forward2")
    scale = LearnedTensor(name="per_dim_scale", shape=(heads.size,), role="attention")
    kernel = Convolution(inputs=1, outputs=hidden, kernel=(config.size("conv_kernel_size"),))
    return (
        *(Part(name=half, component=feed_forward) for half in halves),
        *(part for half in halves for part in _half_norms(hidden, half)),
        Part(name="self_attn", component=attention),
        Part(name="self_attn", component=scale),
        _linear("self_attn.relative_k_proj", hidden, queries),
        _linear("lconv1d.linear_start.linear", hidden, 2 * hidden),
        _linear("lconv1d.linear_end.linear", hidden, hidden),
        Part(name="lconv1d.depthwise_conv1d", component=kernel),
        *_norms(hidden, "rms", "lconv1d.pre_layer_norm", "lconv1d.conv_norm"),
        *_norms(hidden, "rms", "norm_pre_attn", "norm_post_attn", "norm_out"),
    )


def _half_norms(hidden: int, name: str) -> tuple[Part, ...]:
    return _norms(hidden, "rms", f"{name}.pre_layer_norm", f"{name}.post_layer_norm")


def granite_conformer(config: Config, name: str) -> Body:
    """Return Granite Speech's tower: paired frames in, conformer layers, a classifier fed back midway."""
    hidden, bins, outputs = (config.size(field) for field in ("hidden_dim", "input_dim", "output_dim"))
    parts = _granite_layer(config)
    return (
        dense(f"{name}.input_linear", bins, hidden),
        stack(f"{name}.layers", [0] * config.layers("num_layers"), lambda index: parts),
        dense(f"{name}.out", hidden, outputs),
        dense(f"{name}.out_mid", outputs, hidden),
    )


def _granite_heads(config: Config) -> Heads:
    """Return the heads; a null ``dim_head`` is the hidden size shared among them."""
    count = config.size("num_heads")
    size = config.optional_size("dim_head") or config.size("hidden_dim") // count
    if size == 0:
        raise config.bad("num_heads", "is larger than hidden_dim")
    return Heads(query=count, key_value=count, size=size)


def _granite_layer(config: Config) -> tuple[Part, ...]:
    hidden = config.size("hidden_dim")
    heads = _granite_heads(config)
    positions, context = config.size("max_pos_emb"), config.size("context_size")
    if context > positions:
        raise config.bad("context_size", f"is {context}, more than max_pos_emb ({positions})")
    inner, width = heads.query * heads.size, hidden * config.size("feedforward_mult")
    feed_forward = FeedForward(
        hidden=hidden,
        width=width,
        gated=False,
        bias=True,
        names=FeedForwardNames(up="up_proj", down="down_proj"),
    )
    return (
        Part(name="ff1", component=feed_forward),
        Part(name="ff2", component=feed_forward),
        *_norms(hidden, "layer", "ff1.pre_norm", "ff2.pre_norm", "attn.pre_norm", "post_norm"),
        _linear("attn.to_q", hidden, inner),
        _linear("attn.to_kv", hidden, 2 * inner),
        _linear("attn.to_out", inner, hidden, bias=True),
        Part(
            name="attn.rel_pos_emb",
            component=Embedding(rows=2 * positions + 1, width=heads.size, role="position"),
        ),
        *_granite_convolution(config, hidden),
    )


def _granite_convolution(config: Config, hidden: int) -> tuple[Part, ...]:
    """Return the convolution; the running statistics of its batch norm are buffers."""
    inner, kernel = hidden * config.size("conv_expansion_factor"), config.size("conv_kernel_size")
    up = Convolution(inputs=hidden, outputs=2 * inner, kernel=(1,), bias=True)
    down = Convolution(inputs=inner, outputs=hidden, kernel=(1,), bias=True)
    return (
        Part(name="conv.norm", component=Norm(width=hidden, kind="layer")),
        Part(name="conv.up_conv", component=up),
        Part(name="conv.depth_conv.conv", component=Convolution(inputs=1, outputs=inner, kernel=(kernel,))),
        Part(name="conv.batch_norm", component=Norm(width=inner, kind="layer")),
        Part(name="conv.down_conv", component=down),
    )


def phi4_conformer(config: Config, name: str) -> Body:
    """Return Phi-4-multimodal's tower: halving convolutions, a table of relative biases, conformer layers."""
    heads, hidden = equal_heads(config), config.size("hidden_size")
    parts = _phi4_layer(config, heads)
    distances = config.size("bias_max_distance") * (1 if config.flag("bias_symmetric") else 2)
    return (
        *_phi4_steps(config, f"{name}.embed", hidden),
        table(f"{name}.relative_attention_bias_layer.bias_values", distances, heads.query),
        stack(f"{name}.encoders", [0] * config.layers("num_blocks"), lambda index: parts),
    )


def _phi4_steps(config: Config, name: str, hidden: int) -> tuple[Part, ...]:
    """Return the convolutions that halve time and frequency, and the matrix after them.

    Every halving but the first is a depthwise convolution and a pointwise one.
    """
    channels, size = config.size("nemo_conv_channels"), config.size("input_size")
    reduction = config.size("time_reduction")
    if reduction % 2:
        raise config.bad("time_reduction", f"is {reduction}; an even number is needed")
    halvings = reduction.bit_length() - 1
    parts = [convolution(f"{name}.conv.0", 1, channels, KERNEL, KERNEL, bias=True)]
    for step in range(halvings - 1):
        parts.append(convolution(f"{name}.conv.{3 * step + 2}", 1, channels, KERNEL, KERNEL, bias=True))
        parts.append(convolution(f"{name}.conv.{3 * step + 3}", channels, channels, 1, 1, bias=True))
    for _ in range(halvings):
        size = (size - 1) // 2 + 1
    return (*parts, dense(f"{name}.out", channels * size, hidden))


def _phi4_layer(config: Config, heads: Heads) -> tuple[Part, ...]:
    hidden = config.size("hidden_size")
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=heads.query,
        kv_heads=heads.query,
        head_size=heads.size,
        qkv_bias=True,
        out_bias=True,
        cached=False,
    )
    feed_forward = FeedForward(
        hidden=hidden,
        width=config.size("intermediate_size"),
        bias=True,
        names=FeedForwardNames(fused="gate_up_proj"),
    )
    halves = ("feed_forward_in", "feed_forward_out")
    return (
        *(Part(name=half, component=feed_forward) for half in halves),
        *_norms(hidden, "layer", *(f"{half}.layer_norm" for half in halves)),
        Part(name="self_attn", component=attention),
        *_phi4_convolution(config, hidden),
        *_norms(hidden, "layer", "conv.layer_norm", "layer_norm_att", "layer_norm"),
    )


def _phi4_convolution(config: Config, hidden: int) -> tuple[Part, ...]:
    gated, separable = config.size("ext_pw_out_channel"), config.size("depthwise_separable_out_channel")
    deep, kernel = hidden * config.size("depthwise_multiplier"), config.size("kernel_size")
    point = {
        "conv.glu.ext_pw_conv_1d": (hidden, 2 * gated),
        "conv.dw_sep_conv_1d.pw_conv": (deep, separable),
        "conv.ext_pw_conv_1d": (hidden, gated),
    }
    return (
        *(
            Part(name=name, component=Convolution(inputs=inputs, outputs=outputs, kernel=(1,), bias=True))
            for name, (inputs, outputs) in point.items()
        ),
        Part(
            name="conv.dw_sep_conv_1d.dw_conv",
            component=Convolution(inputs=1, outputs=deep, kernel=(kernel,), bias=True),
        ),
        *(
            Part(name="conv.glu", component=LearnedTensor(name=bias, shape=(1, gated, 1), role="audio"))
            for bias in ("b1", "b2")
        ),
    )
