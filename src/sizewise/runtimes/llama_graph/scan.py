"""Nodes of selective state spaces: Mamba-1 (every channel selects) and Mamba-2 (heads do)."""

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
from sizewise.runtimes.llama_graph.plan import ScanPlan
from sizewise.runtimes.llama_graph.states import convolution_input, convolved, state_read


def selective_scan(emitter: Emitter, x: Tensor, plan: ScanPlan) -> Tensor:
    """Return the output of one mixer."""
    return _heads_scan(emitter, x, plan) if plan.heads else _channels_scan(emitter, x, plan)


def _channels_scan(emitter: Emitter, x: Tensor, plan: ScanPlan) -> Tensor:
    """Return the output of Mamba-1: steps and states are projected from the convolution's output."""
    step, inner = emitter.step, plan.inner
    shape = (inner, step.sequence_tokens, step.sequences)
    state = state_read(emitter, (plan.kernel - 1) * inner)
    both = product(2 * inner, reshaped(x, x.shape[0], *shape[1:]))
    joined = convolution_input(emitter, state, part(both, *shape), inner, plan.kernel)
    u = elementwise(elementwise(convolved(emitter, joined)))
    selected = product(plan.step_rank + 2 * plan.state, u)
    pieces = [part(selected, width, *shape[1:]) for width in (plan.step_rank, plan.state, plan.state)]
    if plan.step_norms:
        pieces = [emitter.normed(piece) for piece in pieces]
    else:
        pieces[0] = copied(pieces[0])
    delta = elementwise(product(inner, pieces[0]))
    y = _scanned(emitter, plan, reshaped(u, 1, *shape), delta, *pieces[1:])
    y = elementwise(part(y, *shape), elementwise(u))
    y = computed(shape, copied(part(both, *shape)), y)
    return reshaped(product(emitter.hidden, y), emitter.hidden, step.tokens)


def _heads_scan(emitter: Emitter, x: Tensor, plan: ScanPlan) -> Tensor:
    """Return the output of Mamba-2: one projection gives gate, inputs, states and steps."""
    step, inner = emitter.step, plan.inner
    tail = (step.sequence_tokens, step.sequences)
    channels, heads = inner + 2 * plan.groups * plan.state, (inner // plan.heads, plan.heads)
    state = state_read(emitter, (plan.kernel - 1) * channels)
    all_inputs = reshaped(product(inner + channels + plan.heads, x), inner + channels + plan.heads, *tail)
    joined = convolution_input(emitter, state, part(all_inputs, channels, *tail), channels, plan.kernel)
    u = elementwise(elementwise(convolved(emitter, joined)))
    inputs = part(u, *heads, *tail)
    delta = elementwise(copied(part(all_inputs, plan.heads, *tail)))
    into, out_of = (part(u, plan.state, plan.groups, *tail) for _ in range(2))
    y = _scanned(emitter, plan, inputs, delta, into, out_of)
    y = elementwise(part(y, *heads, *tail), elementwise(inputs))
    y = computed((*heads, *tail), copied(part(all_inputs, *heads, *tail)), y)
    if plan.gated_norm:
        y = emitter.normed(reshaped(y, inner // plan.groups, plan.groups, *tail))
    return product(emitter.hidden, reshaped(y, inner, step.tokens))


def _scanned(emitter: Emitter, plan: ScanPlan, x: Tensor, *selected: Tensor) -> Tensor:
    """Return outputs and new states in one tensor; the states are stored at once."""
    step = emitter.step
    states = plan.inner * plan.state * step.sequences
    y = computed((plan.inner * step.tokens + states,), x, *selected, emitter.states)
    emitter.graph.expand(y)
    emitter.graph.expand(stored(part(y, states)))
    return y
