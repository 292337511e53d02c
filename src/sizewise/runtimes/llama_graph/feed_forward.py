"""Nodes of dense feed-forward layers."""

from sizewise.runtimes.llama_graph.graph import Tensor, computed, elementwise, linear
from sizewise.runtimes.llama_graph.plan import FeedForwardPlan


def feed_forward(x: Tensor, plan: FeedForwardPlan, hidden: int) -> Tensor:
    """Return the output of a feed-forward layer."""
    if plan.fused:
        both = linear(2 * plan.width, x, bias=plan.up_bias)
        inner = computed((plan.width, *both.shape[1:]), both)
    else:
        up = linear(plan.width, x, bias=plan.up_bias)
        if plan.gated:
            gate = linear(plan.width, x, bias=plan.up_bias)
            inner = computed(gate.shape, gate, up)
        else:
            inner = elementwise(up)
    return linear(hidden, inner, bias=plan.down_bias)
