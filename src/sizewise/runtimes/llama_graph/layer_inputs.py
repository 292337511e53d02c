"""Nodes of inputs per layer: a vector of P features for every layer and token (Gemma 4)."""

from sizewise.runtimes.llama_graph.emitter import Emitter
from sizewise.runtimes.llama_graph.graph import (
    Tensor,
    computed,
    copied,
    elementwise,
    leaf,
    part,
    product,
    reshaped,
)


def layer_inputs(emitter: Emitter, x: Tensor, features: int, layers: int) -> Tensor:
    """Return the inputs of all layers, [P, T, L]: looked up, and projected from the embedded tokens."""
    tokens = emitter.step.tokens
    rows = computed((features * layers, tokens), leaf((tokens,)))
    table = elementwise(reshaped(rows, features, layers, tokens))
    emitter.graph.expand(table)
    projected = reshaped(elementwise(product(features * layers, x)), features, layers, tokens)
    both = elementwise(elementwise(emitter.normed(projected), table))
    return copied(part(both, features, tokens, layers))


def with_layer_input(emitter: Emitter, x: Tensor, inputs: Tensor) -> Tensor:
    """Return the hidden state with what a layer makes of its input added."""
    features, tokens, _ = inputs.shape
    y = elementwise(elementwise(product(features, x)), part(inputs, features, tokens))
    return elementwise(x, emitter.normed(product(emitter.hidden, y)))
