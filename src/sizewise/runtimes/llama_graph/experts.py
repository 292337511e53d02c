"""Nodes of routed experts: routing, the products of the chosen ones, their weighted sum."""

from sizewise.runtimes.llama_graph.emitter import Emitter
from sizewise.runtimes.llama_graph.feed_forward import feed_forward
from sizewise.runtimes.llama_graph.graph import (
    Tensor,
    computed,
    copied,
    elementwise,
    linear,
    part,
    product,
    reshaped,
    stored,
)
from sizewise.runtimes.llama_graph.plan import DualPlan, ExpertsPlan


def expert_layer(emitter: Emitter, x: Tensor, plan: ExpertsPlan) -> Tensor:
    """Return the sum of the chosen experts and of the shared layer."""
    y = routed(emitter, x, plan, linear(plan.experts, x, bias=plan.router_bias))
    if plan.shared is None:
        return y
    z = _gated(feed_forward(x, plan.shared, emitter.hidden), x, plan)
    return elementwise(y, z)


def _gated(shared: Tensor, x: Tensor, plan: ExpertsPlan) -> Tensor:
    """Return the shared layer's output times its gate, one number per token."""
    if plan.shared_gate == "none":
        return shared
    score = product(1, x)
    gate = elementwise(score)
    return elementwise(shared, elementwise(gate, score) if plan.shared_gate == "silu_ratio" else gate)


def routed(emitter: Emitter, x: Tensor, plan: ExpertsPlan, logits: Tensor) -> Tensor:
    """Return the weighted sum of the experts that the logits [E, T] choose."""
    tokens = x.shape[1]
    probabilities = logits if plan.gating == "softmax_weight" else elementwise(logits)
    selection = elementwise(probabilities) if plan.correction else probabilities
    selection = logits if plan.weighted_inputs else selection
    if plan.groups > 1:
        selection = _within_groups(selection, plan, tokens)
    chosen = part(computed((plan.experts, tokens), selection), plan.active, tokens)
    weights = computed((1, plan.active, tokens), reshaped(probabilities, 1, plan.experts, tokens), chosen)
    weights = _weights(weights, plan, tokens)
    emitter.graph.expand(weights)
    inputs = reshaped(x, x.shape[0], 1, tokens)
    if plan.weighted_inputs:
        inputs = elementwise(computed((x.shape[0], plan.active, tokens), inputs), weights)
    inner = _inner(inputs, chosen, plan, tokens)
    outputs = _product_of_experts(emitter.hidden, inner, chosen, plan, tokens)
    if plan.scaled:
        scales = computed((1, plan.experts, tokens), stored())
        outputs = elementwise(outputs, computed((1, plan.active, tokens), scales, chosen))
    weighted = outputs if plan.weighted_inputs else elementwise(outputs, weights)
    emitter.graph.expand(weighted)
    return _summed(emitter, weighted, plan.active, tokens)


def _weights(weights: Tensor, plan: ExpertsPlan, tokens: int) -> Tensor:
    if plan.gating == "softmax_weight":
        flat = elementwise(reshaped(weights, plan.active, tokens))
        weights = reshaped(flat, 1, plan.active, tokens)
    if plan.normalised:
        flat = reshaped(weights, plan.active, tokens)
        total = elementwise(computed((1, tokens), flat))
        weights = reshaped(elementwise(flat, total), 1, plan.active, tokens)
    return weights


def _within_groups(selection: Tensor, plan: ExpertsPlan, tokens: int) -> Tensor:
    """Return scores of which only those in the best groups of experts are left."""
    size, groups = plan.experts // plan.groups, plan.groups
    grouped = reshaped(selection, size, groups, tokens)
    best = part(computed((size, groups, tokens), grouped), 2, groups, tokens)
    rows = computed((1, 2, groups, tokens), reshaped(grouped, 1, size, groups, tokens), best)
    scores = computed((1, groups, tokens), reshaped(rows, 2, groups, tokens))
    order = computed((groups, tokens), reshaped(scores, groups, tokens))
    kept = part(order, plan.groups_used, tokens)
    picked = computed((size, plan.groups_used, tokens), grouped, kept)
    masked = elementwise(grouped)
    spread = Tensor(masked.shape, (picked, kept, masked), base=masked)
    return reshaped(spread, plan.experts, tokens)


def _product_of_experts(outputs: int, x: Tensor, chosen: Tensor, plan: ExpertsPlan, tokens: int) -> Tensor:
    y = computed((outputs, plan.active, tokens), x, chosen)
    return elementwise(y, chosen) if plan.bias else y


def _inner(x: Tensor, chosen: Tensor, plan: ExpertsPlan, tokens: int) -> Tensor:
    """Return the activations between the products of the chosen experts."""
    shape = (plan.width, plan.active, tokens)
    if plan.gated and plan.fused:
        both = _product_of_experts(2 * plan.width, x, chosen, plan, tokens)
        return computed(shape, part(both, *shape), part(both, *shape))
    up = _product_of_experts(plan.width, x, chosen, plan, tokens)
    if not plan.gated:
        return elementwise(up)
    return computed(shape, _product_of_experts(plan.width, x, chosen, plan, tokens), up)


def _summed(emitter: Emitter, weighted: Tensor, active: int, tokens: int) -> Tensor:
    """Return the sum over the chosen experts, one addition after another."""
    pieces = [part(weighted, emitter.hidden, tokens) for _ in range(active)]
    for piece in pieces:
        emitter.graph.expand(piece)
    total = pieces[0]
    for piece in pieces[1:]:
        total = elementwise(total, piece)
        emitter.graph.expand(total)
    return copied(total) if active == 1 else total


def dual_layer(emitter: Emitter, x: Tensor, plan: DualPlan) -> Tensor:
    """Return the sum of a dense layer and routed experts, both normed before and after."""
    dense = emitter.normed(feed_forward(emitter.normed(x), plan.dense, emitter.hidden))
    inputs = emitter.normed(x)
    logits = product(plan.experts.experts, elementwise(elementwise(x)))
    return elementwise(dense, emitter.normed(routed(emitter, inputs, plan.experts, logits)))
