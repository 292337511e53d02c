"""Nodes that recurrent mixers share: states read from their buffer, and the causal convolution."""

from sizewise.runtimes.llama_graph.emitter import Emitter
from sizewise.runtimes.llama_graph.graph import Tensor, computed, part, reshaped, stored


def state_read(emitter: Emitter, width: int) -> Tensor:
    """Return the states of all sequences, [width, sequences], copied from their buffer at once."""
    state = computed((width, emitter.step.sequences), emitter.states)
    emitter.graph.expand(state)
    return state


def convolution_input(emitter: Emitter, state: Tensor, x: Tensor, channels: int, kernel: int) -> Tensor:
    """Return the inputs of a convolution, [k - 1 + T, channels], of which the last k - 1 are stored."""
    return joined_inputs(emitter, reshaped(state, kernel - 1, channels, emitter.step.sequences), x)


def joined_inputs(emitter: Emitter, before: Tensor, x: Tensor) -> Tensor:
    """Return stored inputs [k - 1, channels] and new ones together; the last k - 1 are stored again."""
    step, (columns, channels, _) = emitter.step, before.shape
    turned = part(x, step.sequence_tokens, channels, step.sequences)
    joined = computed((columns + step.sequence_tokens, channels, step.sequences), before, turned)
    emitter.graph.expand(stored(part(joined, columns, channels, step.sequences)))
    return joined


def convolved(emitter: Emitter, joined: Tensor) -> Tensor:
    """Return the output of a convolution, [channels, T]."""
    step = emitter.step
    return computed((joined.shape[1], step.sequence_tokens, step.sequences), joined)
