"""Nodes of attention with a cache of keys and values: projections, storing, scores, output."""

from sizewise.runtimes.llama_graph.emitter import HALF, Cache, Emitter
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
from sizewise.runtimes.llama_graph.plan import AttentionPlan

Heads = tuple[Tensor, Tensor, Tensor]


def attention(emitter: Emitter, x: Tensor, plan: AttentionPlan) -> Tensor:
    """Return the output of one layer of attention."""
    cache = emitter.full if plan.window is None else emitter.sliding
    assert cache is not None
    if plan.gate == "interleaved":
        return _gated(emitter, x, plan, cache)
    if plan.borrowed:
        queries = _query(emitter, linear(plan.heads * plan.key_size, x, bias=plan.qkv_bias), plan)
        y = attended(emitter, cache, plan, queries, None)
    else:
        q, k, v = _projected(emitter, x, plan)
        y = attended(emitter, cache, plan, q, (k, v))
    if plan.gate == "separate":
        y = _times_gate(y, elementwise(product(plan.gate_width, x)), plan)
    return linear(emitter.hidden, y, bias=plan.out_bias)


def _times_gate(y: Tensor, gate: Tensor, plan: AttentionPlan) -> Tensor:
    """Return the output of all heads, [N*H, T], times a gate per feature or per head."""
    if plan.gate_width != plan.heads:
        return elementwise(y, gate)
    tokens = y.shape[1]
    by_head = reshaped(y, plan.value_size, plan.heads, tokens)
    return reshaped(elementwise(by_head, reshaped(gate, 1, plan.heads, tokens)), *y.shape)


def _projected(emitter: Emitter, x: Tensor, plan: AttentionPlan) -> Heads:
    """Return queries, keys and values, normed and rotated."""
    tokens = emitter.step.tokens
    widths = (plan.heads * plan.key_size, plan.kv_heads * plan.key_size, plan.kv_heads * plan.value_size)
    if plan.fused:
        joined = linear(sum(widths), x, bias=plan.qkv_bias)
        q = part(joined, plan.key_size, plan.heads, tokens)
        k = part(joined, plan.key_size, plan.kv_heads, tokens)
        v = part(joined, plan.value_size, plan.kv_heads, tokens)
        q, k = _oriented(emitter, q, plan), _oriented(emitter, k, plan)
        return q, k, v
    q, k = (linear(width, x, bias=plan.qkv_bias) for width in widths[:2])
    v = k if plan.values_from_keys else linear(widths[2], x, bias=plan.qkv_bias)
    v = reshaped(v, plan.value_size, plan.kv_heads, tokens)
    if plan.value_norm:
        v = elementwise(v)
    return _query(emitter, q, plan), _key(emitter, k, plan), v


def _query(emitter: Emitter, q: Tensor, plan: AttentionPlan) -> Tensor:
    return _headed(emitter, q, plan, plan.heads)


def _key(emitter: Emitter, k: Tensor, plan: AttentionPlan) -> Tensor:
    return _headed(emitter, k, plan, plan.kv_heads)


def _headed(emitter: Emitter, x: Tensor, plan: AttentionPlan, heads: int) -> Tensor:
    if plan.head_norm == "flat":
        x = emitter.normed(x, plan.head_norm_kind)
    return _oriented(emitter, reshaped(x, plan.key_size, heads, emitter.step.tokens), plan)


def _oriented(emitter: Emitter, x: Tensor, plan: AttentionPlan) -> Tensor:
    """Return queries or keys with norm and rotation in the order of the model."""
    if plan.head_norm == "before":
        x = emitter.normed(x, plan.head_norm_kind)
    if plan.rope:
        x = emitter.rotated(x)
    if plan.head_norm == "after":
        x = emitter.normed(x, plan.head_norm_kind)
    return x


def _tempered(emitter: Emitter, q: Tensor, plan: AttentionPlan) -> Tensor:
    """Return queries scaled by the position where the model does so."""
    scaled = plan.tempered == "all" or (plan.tempered == "unrotated" and not plan.rope)
    return elementwise(q, emitter.temperatures) if scaled else q


def _gated(emitter: Emitter, x: Tensor, plan: AttentionPlan, cache: Cache) -> Tensor:
    """Return gated attention: one projection gives queries and gates, interleaved by head."""
    step = emitter.step
    both = linear(2 * plan.heads * plan.key_size, x, bias=plan.qkv_bias)
    q = _oriented(emitter, part(both, plan.key_size, plan.heads, step.tokens), plan)
    k = _key(emitter, linear(plan.kv_heads * plan.key_size, x, bias=plan.qkv_bias), plan)
    v = linear(plan.kv_heads * plan.value_size, x, bias=plan.qkv_bias)
    y = attended(emitter, cache, plan, q, (k, reshaped(v, plan.value_size, plan.kv_heads, step.tokens)))
    gate = copied(part(both, plan.key_size, plan.heads, step.tokens), plan.heads * plan.key_size, step.tokens)
    return linear(emitter.hidden, elementwise(y, elementwise(gate)), bias=plan.out_bias)


def attended(
    emitter: Emitter, cache: Cache, plan: AttentionPlan, q: Tensor, new: tuple[Tensor, Tensor] | None
) -> Tensor:
    """Store ``new`` keys and values and return the attended values of all heads, [N*H, T]."""
    k, v = new or (None, None)
    q = _tempered(emitter, q, plan)
    q = hadamard(q, cache.key_rotation)
    k = k and hadamard(k, cache.key_rotation)
    v = v and hadamard(v, cache.value_rotation)
    for tensor in (q, v, k) if emitter.sliding is None else (q, k, v):
        if tensor is not None:
            emitter.graph.expand(tensor)
    if k is not None:
        store_keys(emitter, cache, k)
    if v is not None:
        _store_values(emitter, cache, v)
    y = attend(emitter, cache, q, (plan.heads, plan.kv_heads, plan.value_size))
    return hadamard(y, cache.value_rotation)


def hadamard(x: Tensor, rotation: Tensor | None) -> Tensor:
    """Return a tensor rotated in pieces, as keys and values of quantized caches are."""
    if rotation is None:
        return x
    size = rotation.shape[0]
    pieces = (size, x.bytes // x.width // size)
    flat = reshaped(x, *pieces) if x.contiguous else copied(x, *pieces)
    return reshaped(computed(pieces, rotation, flat), *x.shape)


def store_keys(emitter: Emitter, cache: Cache, k: Tensor) -> None:
    """Write keys into the cache."""
    width = k.shape[0] * k.shape[1]
    emitter.graph.expand(stored(part(k, width, emitter.step.tokens), cache.key_cells))


def _store_values(emitter: Emitter, cache: Cache, v: Tensor) -> None:
    """Write values into the cache: rows with flash attention, else number by number (transposed)."""
    tokens, width = emitter.step.tokens, v.shape[0] * v.shape[1]
    if emitter.step.settings.flash_attention:
        emitter.graph.expand(stored(part(v, width, tokens), cache.value_cells))
        return
    flat = reshaped(v, width, tokens) if v.contiguous else copied(v, width, tokens)
    if width < cache.value_width:
        flat = computed((cache.value_width, tokens), flat)
    emitter.graph.expand(stored(reshaped(flat, 1, flat.bytes // 4), cache.value_cells))


def attend(
    emitter: Emitter,
    cache: Cache,
    q: Tensor,
    sizes: tuple[int, int, int],
    *,
    decompressed: int | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return softmax(q·K + mask)·V of all heads, [heads*size, T], as the last node so far.

    ``sizes`` are heads, key/value heads and the size of a value head as cached; ``decompressed`` is
    its size after the expansion from a latent, which is cached as key and value at once.
    """
    heads, kv_heads, value_size = sizes
    step, flash = emitter.step, emitter.step.settings.flash_attention
    rows, streams = step.tokens // step.streams, step.streams
    mask = mask or cache.mask
    q = part(part(q, q.shape[0], heads, rows, streams), q.shape[0], rows, heads, streams)
    if flash:
        casts = _casts(emitter, cache, q.shape[0], value_size, kv_heads)
        y = computed((value_size, heads, rows, streams), q, *casts, mask)
        if decompressed is not None:
            y = product(decompressed, part(y, value_size, rows, heads, streams))
            y = copied(part(y, decompressed, heads, rows, streams))
        y = reshaped(y, y.shape[0] * heads, step.tokens)
    else:
        scores = elementwise(computed((cache.cells, rows, heads, streams), q), mask)
        turned = (cache.cells, value_size, kv_heads, streams)
        values = () if decompressed is None else (Tensor(turned, (stored(),), width=_key_width(emitter)),)
        y = computed((value_size, rows, heads, streams), *values, scores)
        if decompressed is not None:
            y = product(decompressed, y)
        y = copied(part(y, y.shape[0], heads, rows, streams), y.shape[0] * heads, step.tokens)
    emitter.graph.expand(y)
    return y


def _key_width(emitter: Emitter) -> int:
    """Return the bytes of a cached number that is no part of a quantized block."""
    return 4 if emitter.step.settings.key_bits32 else HALF


def _casts(emitter: Emitter, cache: Cache, key_size: int, value_size: int, heads: int) -> list[Tensor]:
    """Return the copies that flash attention makes of a cache in fp32."""
    settings, streams = emitter.step.settings, emitter.step.streams
    sizes = ((settings.key_bits32, key_size), (settings.value_bits32, value_size))
    return [
        Tensor((size, cache.cells, heads, streams), (stored(),), width=HALF) for wide, size in sizes if wide
    ]
