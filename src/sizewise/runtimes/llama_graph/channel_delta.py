"""Nodes of Kimi delta attention: a delta net whose state forgets channel by channel."""

from sizewise.runtimes.llama_graph.emitter import Emitter
from sizewise.runtimes.llama_graph.graph import (
    Tensor,
    computed,
    copied,
    elementwise,
    part,
    product,
    reshaped,
    stored,
)
from sizewise.runtimes.llama_graph.plan import ChannelDeltaPlan
from sizewise.runtimes.llama_graph.states import convolved, joined_inputs, state_read


def channel_delta_net(emitter: Emitter, x: Tensor, plan: ChannelDeltaPlan) -> Tensor:
    """Return the output of one mixer."""
    emitter.graph.expand(x)
    step, features = emitter.step, plan.heads * plan.head_size
    tail = (step.sequence_tokens, step.sequences)
    before = state_read(emitter, 3 * (plan.kernel - 1) * features)
    q, k, v = (_convolved(emitter, x, before, plan) for _ in range(3))
    forget = elementwise(elementwise(_low_rank(x, plan)))
    forget = elementwise(reshaped(forget, plan.head_size, plan.heads, step.tokens))
    forget = reshaped(forget, plan.head_size, plan.heads, *tail)
    strength = elementwise(reshaped(product(plan.heads, x), 1, plan.heads, *tail))
    state = state_read(emitter, features * plan.head_size)
    state = reshaped(state, plan.head_size, plan.head_size, plan.heads, step.sequences)
    q, k = (elementwise(elementwise(tensor)) for tensor in (q, k))
    shape = (features, step.tokens + plan.head_size * step.sequences)
    y = computed(shape, q, k, v, forget, strength, state)
    output = copied(part(y, plan.head_size, plan.heads, *tail))
    emitter.graph.expand(stored(part(y, *state.shape)))
    heads = (plan.head_size, plan.heads, step.tokens)
    normed = emitter.normed(reshaped(output, *heads))
    gated = elementwise(normed, elementwise(reshaped(_low_rank(x, plan), *heads)))
    return product(emitter.hidden, copied(gated, features, step.tokens))


def _low_rank(x: Tensor, plan: ChannelDeltaPlan) -> Tensor:
    """Return a projection to all features by way of those of one head."""
    return product(plan.heads * plan.head_size, product(plan.head_size, x))


def _convolved(emitter: Emitter, x: Tensor, before: Tensor, plan: ChannelDeltaPlan) -> Tensor:
    """Return queries, keys or values after their convolution."""
    step, features = emitter.step, plan.heads * plan.head_size
    tail = (step.sequence_tokens, step.sequences)
    state = part(before, plan.kernel - 1, features, step.sequences)
    joined = joined_inputs(emitter, state, reshaped(product(features, x), features, *tail))
    y = elementwise(reshaped(convolved(emitter, joined), features, step.tokens))
    return reshaped(y, plan.head_size, plan.heads, *tail)
