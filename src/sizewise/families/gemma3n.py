"""Gemma 3n: AltUp streams, LAUREL, tables of inputs per layer, and keys that upper layers borrow.

Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Iterator

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.altup import AltUp
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.low_rank import LowRank
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import causal_model, equal_heads, heads
from sizewise.plans.per_layer_inputs import layer_input_parts, layer_input_tables
from sizewise.plans.shared_keys import borrowing_layers
from sizewise.plans.windows import Windows, all_but_every, layer_windows

MODEL_TYPES = {"gemma3n_text": "Gemma3nForCausalLM"}

WINDOWS = Windows(rule=all_but_every(5))
STREAM_LIMIT = 1024
NORMS = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)


def _attention(config: Config, window: int | None, borrowed: bool) -> GroupedQueryAttention:
    counts, bias = heads(config, kv_required=True, size_required=True), config.flag("attention_bias")
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
        head_norm="per_head",
        window=window,
        borrowed=borrowed,
    )


def _laurel(config: Config) -> Iterator[Part]:
    """Yield the low-rank path beside attention and its norm."""
    hidden = config.size("hidden_size")
    pair = LowRank(
        inputs=hidden,
        outputs=hidden,
        rank=config.size("laurel_rank"),
        role="feed_forward",
        names=("linear_left", "linear_right"),
    )
    yield Part(name="laurel", component=pair)
    yield Part(name="laurel.post_laurel_norm", component=Norm(width=hidden))


def _stream_projections(config: Config) -> Iterator[Part]:
    """Yield the matrices that open and close the streams beside the first one."""
    hidden, streams = config.size("hidden_size"), config.size("altup_num_inputs", high=STREAM_LIMIT)
    matrix = Linear(inputs=hidden, outputs=hidden, role="feed_forward")
    for name in ("altup_projections", "altup_unembed_projections"):
        for stream in range(streams - 1):
            yield Part(name=f"model.{name}.{stream}", component=matrix)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a Gemma 3n language model."""
    hidden, layers = config.size("hidden_size"), config.layers()
    equal_heads(config)
    windows, widths = layer_windows(config, WINDOWS, layers), config.sizes("intermediate_size", layers)
    borrowed = borrowing_layers(config, [window is None for window in windows])
    streams = config.size("altup_num_inputs", high=STREAM_LIMIT)
    inputs = config.size("hidden_size_per_layer_input")
    norm = Norm(width=hidden)

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=_attention(config, windows[index], borrowed[index])),
            Part(name="mlp", component=FeedForward(hidden=hidden, width=widths[index])),
            *(Part(name=name, component=norm) for name in NORMS),
            Part(name="altup", component=AltUp(hidden=hidden, streams=streams)),
            *_laurel(config),
            *layer_input_parts(hidden, inputs),
        )

    kinds = list(zip(windows, widths, borrowed, strict=True))
    tables = (*layer_input_tables(config, inputs), *_stream_projections(config))
    return causal_model(
        config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer), extra=tables
    )
