"""Nodes of the gated delta net."""

from sizewise.runtimes.llama_graph.emitter import Emitter
from sizewise.runtimes.llama_graph.graph import Tensor, computed, elementwise, part, product, reshaped, stored
from sizewise.runtimes.llama_graph.plan import DeltaPlan
from sizewise.runtimes.llama_graph.states import convolution_input, convolved, state_read


def delta_net(emitter: Emitter, x: Tensor, plan: DeltaPlan) -> Tensor:
    """Return the output of one mixer."""
    emitter.graph.expand(x)
    step = emitter.step
    tail = (step.sequence_tokens, step.sequences)
    values = plan.value_heads * plan.value_size
    channels = 2 * plan.key_heads * plan.key_size + values
    mixed = reshaped(product(channels, x), channels, *tail)
    convolution = state_read(emitter, (plan.kernel - 1) * channels)
    joined = convolution_input(emitter, convolution, mixed, channels, plan.kernel)
    state = state_read(emitter, values * plan.value_size)
    u = elementwise(convolved(emitter, joined))
    keys = (plan.key_size, plan.key_heads, *tail)
    q, k = (elementwise(elementwise(part(u, *keys))) for _ in range(2))
    heads = (plan.value_size, plan.value_heads, *tail)
    y = _recurred(emitter, x, (q, k, part(u, *heads)), state, plan)
    y = emitter.normed(part(y, *heads))
    y = elementwise(y, elementwise(reshaped(product(values, x), *heads)))
    return reshaped(product(emitter.hidden, reshaped(y, values, *tail)), emitter.hidden, step.tokens)


def _recurred(
    emitter: Emitter, x: Tensor, qkv: tuple[Tensor, Tensor, Tensor], state: Tensor, plan: DeltaPlan
) -> Tensor:
    """Return outputs and new states in one tensor; the states are stored at once."""
    step, heads, size = emitter.step, plan.value_heads, plan.value_size
    tail = (step.sequence_tokens, step.sequences)
    forget = elementwise(elementwise(elementwise(reshaped(product(heads, x), heads, *tail))))
    forget = reshaped(forget, 1, heads, *tail)
    strength = elementwise(reshaped(product(heads, x), 1, heads, *tail))
    before = reshaped(state, size, size, heads, step.sequences)
    y = computed((size * heads, step.tokens + size * step.sequences), *qkv, forget, strength, before)
    emitter.graph.expand(stored(part(y, size, size, heads, step.sequences)))
    return y
