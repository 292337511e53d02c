"""Nodes of latent attention: queries meet the cached latent, which serves as key and as value."""

from sizewise.runtimes.llama_graph.attention import attend, attended, store_keys
from sizewise.runtimes.llama_graph.emitter import Emitter
from sizewise.runtimes.llama_graph.graph import Tensor, computed, copied, part, product, reshaped
from sizewise.runtimes.llama_graph.plan import LatentPlan
from sizewise.runtimes.llama_graph.selection import selected_tokens, selecting_mask


def latent_attention(emitter: Emitter, x: Tensor, plan: LatentPlan) -> Tensor:
    """Return the output of one layer of latent attention."""
    assert emitter.full is not None
    tokens, cache = emitter.step.tokens, emitter.full
    size = plan.key_size
    source = x if plan.query_rank is None else emitter.normed(product(plan.query_rank, x))
    if plan.indexer is not None:
        emitter.selection = selected_tokens(emitter, x, source, plan.indexer)
    q = reshaped(product(plan.heads * size, source), size, plan.heads, tokens)
    both = product(plan.latent_rank + plan.rotary_size, x)
    latent = emitter.normed(part(both, plan.latent_rank, tokens))
    if plan.expanded:
        return _expanded(emitter, q, latent, both, plan)
    q = _absorbed(emitter, q, plan)
    v = reshaped(latent, plan.latent_rank, 1, tokens)
    rotary = part(both, plan.rotary_size, 1, tokens)
    rotary = emitter.rotated(rotary) if plan.rope else rotary
    k = computed((plan.latent_rank + plan.rotary_size, 1, tokens), v, rotary)
    for tensor in (q, v, k):
        emitter.graph.expand(tensor)
    store_keys(emitter, cache, k)
    mask = None if emitter.selection is None else selecting_mask(cache, emitter.selection)
    sizes = (plan.heads, 1, plan.latent_rank)
    y = attend(emitter, cache, q, sizes, decompressed=plan.value_size, mask=mask)
    return product(emitter.hidden, y)


def _absorbed(emitter: Emitter, q: Tensor, plan: LatentPlan) -> Tensor:
    """Return queries [C + R, N, T]: their plain features expanded to the latent's, the rotary ones beside."""
    tokens, heads = emitter.step.tokens, plan.heads
    plain = part(part(q, plan.plain_size, heads, tokens), plan.plain_size, tokens, heads)
    expanded = part(product(plan.latent_rank, plain), plan.latent_rank, heads, tokens)
    rotary = part(q, plan.rotary_size, heads, tokens)
    rotary = emitter.rotated(rotary) if plan.rope else rotary
    return computed((plan.latent_rank + plan.rotary_size, heads, tokens), expanded, rotary)


def _expanded(emitter: Emitter, q: Tensor, latent: Tensor, both: Tensor, plan: LatentPlan) -> Tensor:
    """Return the output of heads whose keys and values are expanded from the latent and cached as such."""
    assert emitter.full is not None
    tokens, heads = emitter.step.tokens, plan.heads
    expanded = product(heads * (plan.plain_size + plan.value_size), latent)
    v = copied(part(expanded, plan.value_size, heads, tokens))
    rotary = emitter.rotated(part(both, plan.rotary_size, 1, tokens))
    plain = part(expanded, plan.plain_size, heads, tokens)
    k = computed(q.shape, plain, computed((plan.rotary_size, heads, tokens), rotary))
    y = attended(emitter, emitter.full, plan.heads_plan, emitter.rotated(q), (k, v))
    return product(emitter.hidden, y)
