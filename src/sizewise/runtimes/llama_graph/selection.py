"""Nodes of sparse attention: an indexer scores the cached tokens, the mask leaves the best ones."""

from sizewise.runtimes.llama_graph.attention import store_keys
from sizewise.runtimes.llama_graph.emitter import Cache, Emitter
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
from sizewise.runtimes.llama_graph.plan import IndexerPlan, NormPlan

KEY_NORM = NormPlan(kind="layer", bias=True)


def selected_tokens(emitter: Emitter, x: Tensor, query_latent: Tensor, plan: IndexerPlan) -> Tensor:
    """Store the indexer's keys and return the indices of the best cached tokens, [k, T]."""
    step, cache = emitter.step, emitter.index
    assert cache is not None
    assert cache.key_rotation is not None
    rows, heads = step.tokens // step.streams, plan.heads
    q = reshaped(product(heads * plan.head_size, query_latent), plan.head_size, heads, step.tokens)
    q = emitter.rotated(q)
    k = emitter.normed(product(plan.head_size, x), KEY_NORM)
    k = emitter.rotated(reshaped(k, plan.head_size, 1, step.tokens))
    q, k = (computed(y.shape, cache.key_rotation, y) for y in (q, k))
    store_keys(emitter, cache, k)
    weights = elementwise(part(product(heads, x), heads, rows, 1, step.streams))
    queries = part(q, plan.head_size, heads, rows, step.streams)
    scores = computed((cache.cells, rows, 1, step.streams), queries, weights, cache.mask)
    best = (min(plan.selected, cache.cells), rows, 1, step.streams)
    return copied(computed(best, scores))


def selecting_mask(cache: Cache, best: Tensor) -> Tensor:
    """Return a mask that leaves the selected tokens only."""
    count, rows, _, streams = best.shape
    closed = elementwise(cache.mask)
    opened = elementwise(leaf((1, count, rows, streams)))
    where = part(best, count, rows, streams, 1)
    target = part(closed, 1, cache.cells, rows, streams)
    spread = Tensor(target.shape, (opened, where, target), width=closed.width, base=closed)
    return elementwise(part(spread, *cache.mask.shape), cache.mask)
