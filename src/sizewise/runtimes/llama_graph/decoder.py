"""The graph of a whole model: embedding, layers, head; and the bytes that its allocation needs."""

from dataclasses import replace

from sizewise.runtimes.llama_graph.allocator import State, peak_bytes
from sizewise.runtimes.llama_graph.attention import attention
from sizewise.runtimes.llama_graph.channel_delta import channel_delta_net
from sizewise.runtimes.llama_graph.delta import delta_net
from sizewise.runtimes.llama_graph.emitter import Cache, Emitter
from sizewise.runtimes.llama_graph.experts import dual_layer, expert_layer
from sizewise.runtimes.llama_graph.feed_forward import feed_forward
from sizewise.runtimes.llama_graph.graph import Tensor, computed, elementwise, leaf, linear, part
from sizewise.runtimes.llama_graph.latent import latent_attention
from sizewise.runtimes.llama_graph.layer_inputs import layer_inputs, with_layer_input
from sizewise.runtimes.llama_graph.plan import (
    AttentionPlan,
    ChannelDeltaPlan,
    DeltaPlan,
    DualPlan,
    ExpertsPlan,
    FeedForwardPlan,
    GraphPlan,
    LatentPlan,
    LayerPlan,
    Mixer,
    ScanPlan,
    ShortConvolutionPlan,
)
from sizewise.runtimes.llama_graph.repetition import longest_repetition
from sizewise.runtimes.llama_graph.scan import selective_scan
from sizewise.runtimes.llama_graph.short_convolution import short_convolution
from sizewise.runtimes.llama_graph.step import GraphSettings, Step, reserved_step

FLOAT_BYTES = 4
SMALLEST_ROTATION = 64
"""Values are rotated in pieces of this many features; keys in the largest power of two that fits."""


def compute_bytes(plan: GraphPlan, settings: GraphSettings) -> int:
    """Return the bytes of the compute buffer of the graph that llama.cpp reserves."""
    step = reserved_step(settings)
    short = _bytes_of_repetition(plan, step)
    if short is not None:
        return short
    graph = emitted(plan, step).graph
    return peak_bytes(graph.leaves, graph.nodes)


def _bytes_of_repetition(plan: GraphPlan, step: Step) -> int | None:
    """Return the bytes as a graph of some of the repeating layers needs them.

    None where few repeat, where the memory does not settle, or where every layer has inputs of its own.
    """
    numbers: dict[LayerPlan, int] = {}
    repeated = longest_repetition([numbers.setdefault(layer, len(numbers)) for layer in plan.layers])
    indexed = any(isinstance(layer.mixer, LatentPlan) and layer.mixer.indexer for layer in numbers)
    if not repeated.left_out or indexed or plan.deep_inputs:
        return None
    start = repeated.start
    layers = (*plan.layers[:start], *plan.layers[start + repeated.left_out :])
    emitter = emitted(replace(plan, layers=layers), step, depth=len(plan.layers))
    watched = [emitter.ends[index] for index in repeated.compared]
    states: list[State] = []
    peak = peak_bytes(emitter.graph.leaves, emitter.graph.nodes, watched=watched, states=states)
    return peak if len(set(states)) == 1 else None


def output_bytes(plan: GraphPlan, settings: GraphSettings) -> int:
    """Return the bytes of the output buffer: one fp32 row of logits per sequence."""
    return FLOAT_BYTES * plan.vocabulary * settings.sequences


def emitted(plan: GraphPlan, step: Step, *, depth: int | None = None) -> Emitter:
    """Return the graph of one step; ``depth`` counts the layers of the model if some are left out."""
    emitter = Emitter(step, plan)
    _add_caches(emitter, plan)
    x = _embedded(emitter, plan)
    inputs = (
        layer_inputs(emitter, x, plan.layer_inputs, depth or len(plan.layers)) if plan.layer_inputs else None
    )
    for index, layer in enumerate(plan.layers):
        last = index == len(plan.layers) - 1 and plan.late_rows == "no"
        x = _layer(emitter, x, layer, plan, last=last)
        x = x if inputs is None else with_layer_input(emitter, x, inputs)
        if emitter.embedded is not None and index < plan.deep_inputs:
            x = elementwise(x, part(emitter.embedded, plan.hidden, step.tokens))
        emitter.ends.append(x)
    _add_head(emitter, x, plan)
    return emitter


def _add_caches(emitter: Emitter, plan: GraphPlan) -> None:
    """Describe the full cache and the sliding one, as far as there are layers that use them."""
    mixers = [mixer for layer in plan.layers for mixer in (layer.mixer, layer.beside)]
    attention = [plan for plan in map(_cached, mixers) if plan is not None]
    step, width = emitter.step, max((m.kv_heads * m.value_size for m in attention), default=0)
    full = [mixer for mixer in attention if mixer.window is None]
    sliding = [mixer for mixer in attention if mixer.window is not None]
    emitter.full = Cache(step, step.cells, width, _rotations(step.settings, full))
    if sliding:
        cells = step.window_cells(max(mixer.window or 0 for mixer in sliding))
        emitter.sliding = Cache(step, cells, width, _rotations(step.settings, sliding))
    for mixer in mixers:
        if isinstance(mixer, LatentPlan) and mixer.indexer is not None:
            size = mixer.indexer.head_size
            emitter.index = Cache(step, step.cells, size, (size & -size, 0), half_mask=True)
            return


def _cached(mixer: Mixer | None) -> AttentionPlan | None:
    """Return the attention whose keys and values a mixer caches, None where it caches something else."""
    if isinstance(mixer, LatentPlan):
        return mixer.heads_plan if mixer.expanded else None
    return mixer if isinstance(mixer, AttentionPlan) else None


def _rotations(settings: GraphSettings, layers: list[AttentionPlan]) -> tuple[int, int]:
    """Return the sizes in which keys and values are rotated; 0 where they are not.

    Keys and values are rotated where the cache is quantized and all its layers have heads of one size,
    a multiple of 64. Source: llama.cpp (ggml 0.25.3), ``llama-kv-cache.cpp``.
    """
    keys, values = ({getattr(layer, name) for layer in layers} for name in ("key_size", "value_size"))
    key = keys.pop() if settings.quantized_keys and len(keys) == 1 else 0
    value = values.pop() if settings.quantized_values and len(values) == 1 else 0
    return (key & -key if key % SMALLEST_ROTATION == 0 else 0), (
        SMALLEST_ROTATION if value and value % SMALLEST_ROTATION == 0 else 0
    )


def _embedded(emitter: Emitter, plan: GraphPlan) -> Tensor:
    """Return the embedded tokens; the input for ready embeddings is allocated beside them."""
    tokens, width = emitter.step.tokens, plan.hidden * (1 + plan.deep_inputs)
    x = computed((plan.hidden, tokens), leaf((tokens,)))
    if plan.deep_inputs:
        x = computed((width, tokens), x)
    emitter.graph.expand(x)
    emitter.graph.expand(leaf((width, tokens)))
    if plan.deep_inputs:
        emitter.embedded = x = part(x, plan.hidden, tokens)
        emitter.graph.expand(x)
    if plan.learned_positions:
        x = elementwise(x, computed((plan.hidden, tokens), emitter.positions))
    return emitter.normed(x) if plan.embedding_norm else x


def _mixed(emitter: Emitter, x: Tensor, mixer: Mixer) -> Tensor:
    """Return the output of a mixer."""
    match mixer:
        case AttentionPlan():
            return attention(emitter, x, mixer)
        case LatentPlan():
            return latent_attention(emitter, x, mixer)
        case ScanPlan():
            return selective_scan(emitter, x, mixer)
        case ShortConvolutionPlan():
            return short_convolution(emitter, x, mixer)
        case DeltaPlan():
            return delta_net(emitter, x, mixer)
        case ChannelDeltaPlan():
            return channel_delta_net(emitter, x, mixer)


def _fed(emitter: Emitter, x: Tensor, layer: FeedForwardPlan | ExpertsPlan | DualPlan) -> Tensor:
    match layer:
        case ExpertsPlan():
            return expert_layer(emitter, x, layer)
        case DualPlan():
            return dual_layer(emitter, x, layer)
        case FeedForwardPlan():
            return feed_forward(x, layer, emitter.hidden)


def _layer(emitter: Emitter, x: Tensor, layer: LayerPlan, plan: GraphPlan, *, last: bool) -> Tensor:
    """Return the hidden state after one layer; in the last one only the rows with outputs go on."""
    if plan.parallel is not None:
        return _parallel_layer(emitter, x, layer, plan, last=last)
    if layer.mixer is not None and layer.beside is not None:
        x = _joined_mixers(emitter, x, layer.mixer, layer.beside)
        x, last = emitter.picked(x) if last else x, False
    elif layer.mixer is not None:
        y = _mixed(emitter, emitter.normed(x) if layer.pre_norm else x, layer.mixer)
        if layer.post_mixer_norm and plan.norm_before_rows:
            y = emitter.normed(y)
        if last:
            y, x = emitter.picked(y), emitter.picked(x)
        if layer.post_mixer_norm and not plan.norm_before_rows:
            y = emitter.normed(y)
        x = elementwise(x, y) if plan.residual_first == "both" else elementwise(y, x)
        last = False
    if layer.feed_forward is not None:
        y = _fed(emitter, emitter.normed(x) if layer.pre_ffn_norm else x, layer.feed_forward)
        if last:
            y, x = emitter.picked(y), emitter.picked(x)
        if layer.post_ffn_norm:
            y = emitter.normed(y)
        x = elementwise(y, x) if plan.residual_first == "none" else elementwise(x, y)
    return x


def _joined_mixers(emitter: Emitter, x: Tensor, first: Mixer, second: Mixer) -> Tensor:
    """Return the hidden state with the sum of two mixers, each after a norm of the same input, added."""
    y = _mixed(emitter, emitter.normed(x), first)
    return elementwise(elementwise(y, _mixed(emitter, emitter.normed(x), second)), x)


def _parallel_layer(emitter: Emitter, x: Tensor, layer: LayerPlan, plan: GraphPlan, *, last: bool) -> Tensor:
    """Return the hidden state after mixer and feed-forward layer that read the same input."""
    assert layer.mixer is not None
    assert layer.feed_forward is not None
    inputs = emitter.normed(x)
    y = _mixed(emitter, inputs, layer.mixer)
    if plan.parallel_norm and plan.norm_before_rows:
        inputs = emitter.normed(x)
    if last:
        y, x, inputs = emitter.picked(y), emitter.picked(x), emitter.picked(inputs)
    if plan.parallel_norm and not plan.norm_before_rows:
        inputs = emitter.normed(x)
    z = _fed(emitter, inputs, layer.feed_forward)
    match plan.parallel:
        case "ffn+attention+input":
            return elementwise(elementwise(z, y), x)
        case "ffn+input+attention":
            return elementwise(elementwise(z, x), y)
        case "attention+ffn+input":
            return elementwise(elementwise(y, z), x)
        case _:
            return elementwise(z, elementwise(y, x))


def _add_head(emitter: Emitter, x: Tensor, plan: GraphPlan) -> None:
    """Add the last norm and the logits; both outlive the graph."""
    if plan.late_rows == "before_norm":
        x.kept = True
        x = emitter.picked(x)
    x = emitter.normed(x)
    if plan.late_rows == "after_norm":
        x.kept = True
        x = emitter.picked(x)
    x.kept = True
    inputs = elementwise(x) if plan.head_scaled else x
    logits = linear(plan.vocabulary, inputs, bias=plan.head_bias)
    logits.kept = True
    emitter.graph.expand(logits)
