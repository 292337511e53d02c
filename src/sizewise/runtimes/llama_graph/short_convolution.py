"""Nodes of the gated short convolution of LFM2."""

from sizewise.runtimes.llama_graph.emitter import Emitter
from sizewise.runtimes.llama_graph.graph import Tensor, elementwise, part, product, reshaped
from sizewise.runtimes.llama_graph.plan import ShortConvolutionPlan
from sizewise.runtimes.llama_graph.states import convolution_input, convolved, state_read


def short_convolution(emitter: Emitter, x: Tensor, plan: ShortConvolutionPlan) -> Tensor:
    """Return the output of one mixer."""
    step, hidden = emitter.step, emitter.hidden
    shape = (hidden, step.sequence_tokens, step.sequences)
    gates_and_input = product(3 * hidden, reshaped(x, *shape))
    gate, out_gate, inputs = (part(gates_and_input, *shape) for _ in range(3))
    gated = elementwise(gate, inputs)
    state = state_read(emitter, (plan.kernel - 1) * hidden)
    joined = convolution_input(emitter, state, gated, hidden, plan.kernel)
    y = elementwise(out_gate, convolved(emitter, joined))
    return reshaped(product(hidden, y), hidden, step.tokens)
