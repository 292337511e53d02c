"""The formulas in the tables of the method pages, evaluated beside the mechanisms that they describe."""

import importlib.util
from math import prod
from pathlib import Path
from typing import Any

from sizewise.architecture import Component
from sizewise.components.embeddings import Embedding
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.gated_delta_net import GatedDeltaNet
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.latent_attention import Indexer, LatentAttention
from sizewise.components.mamba import Mamba
from sizewise.components.mamba2 import Mamba2
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.components.rwkv import ChannelMixing, TimeMixing
from sizewise.components.short_convolution import ShortConvolution
from sizewise.operations import SequenceState, TokenCache

_SPEC = importlib.util.spec_from_file_location("figures", Path(__file__).with_name("figures.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
figures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(figures)


def elements(component: Component, only: str = "") -> int:
    return sum(prod(weight.shape) for weight in component.weights() if only in weight.name)


ATTENTION = GroupedQueryAttention(
    hidden=24, query_heads=6, kv_heads=2, head_size=5, qkv_bias=True, out_bias=True, head_norm="per_head"
)
INDEXER = Indexer(hidden=24, query_rank=7, heads=3, head_size=11)
LATENT = LatentAttention(
    hidden=24,
    heads=6,
    query_rank=7,
    latent_rank=9,
    plain_size=5,
    rotary_size=3,
    value_size=4,
    indexer=INDEXER,
)
MAMBA = Mamba(hidden=24, inner=48, state=5, step_rank=3, kernel=4)
MAMBA2 = Mamba2(hidden=24, heads=6, head_size=5, state=7, groups=2, kernel=4)
DELTA = GatedDeltaNet(hidden=24, key_heads=2, value_heads=4, key_size=3, value_size=5, kernel=4, fused=True)
CONVOLUTION = ShortConvolution(hidden=24, kernel=3)
LETTERS = {"D": 24, "F": 40, "V": 101, "E": 8, "N": 6, "K": 2, "H": 5}
IN_LATENT = {"q": 7, "c": 9, "n": 5, "r": 3, "v": 4, "g": 3, "i": 11}
IN_MAMBA = {"i": 48, "s": 5, "t": 3, "w": 4}
IN_MAMBA2 = {"i": 30, "s": 7, "g": 2, "w": 4}
IN_DELTA = {"a": 6, "z": 20, "n": 4, "v": 5, "w": 4, "h": 3}

WEIGHTS: dict[str, tuple[int, dict[str, int]]] = {
    "token table": (elements(Embedding(rows=101, width=24)), {}),
    "attention": (elements(ATTENTION, "proj.weight"), {}),
    "– its biases": (elements(ATTENTION, "bias"), {}),
    "– norms of queries": (elements(ATTENTION, "norm"), {}),
    "latent attention": (elements(LATENT) - elements(INDEXER), IN_LATENT),
    "– its indexer": (elements(INDEXER), IN_LATENT),
    "feed-forward, plain": (elements(FeedForward(hidden=24, width=40, gated=False)), {}),
    "feed-forward, gated": (elements(FeedForward(hidden=24, width=40)), {}),
    "routed experts": (elements(Experts(hidden=24, width=40, experts=8, active=2)), {}),
    "router": (elements(Router(hidden=24, experts=8)), {}),
    "RMSNorm": (elements(Norm(width=24)), {}),
    "LayerNorm": (elements(Norm(width=24, kind="layer")), {}),
    "Mamba-1": (elements(MAMBA), IN_MAMBA),
    "Mamba-2": (elements(MAMBA2), IN_MAMBA2),
    "gated delta net": (elements(DELTA), IN_DELTA),
    "short convolution": (elements(CONVOLUTION), {"w": 3}),
    "RWKV-4, time": (elements(TimeMixing(hidden=24, channels=16)), {"a": 16}),
    "RWKV-4, channel": (elements(ChannelMixing(hidden=24, width=40)), {}),
}


def evaluated(cell: str, letters: dict[str, int]) -> int:
    """Return the value of a formula in a table's cell."""
    return int(eval(cell.strip("`").replace("·", "*"), {}, LETTERS | letters))


def begins(cell: str, names: dict[str, Any]) -> str:
    """Return the longest of the names that a cell begins with."""
    return max((name for name in names if cell.startswith(name)), key=len)


def test_formulas_of_weights_are_those_of_the_mechanisms() -> None:
    rows = figures.table("counting.md", "mechanism")
    assert len(rows) == len(WEIGHTS)
    for mechanism, formula, _ in rows:
        amount, letters = WEIGHTS[begins(mechanism, WEIGHTS)]
        assert evaluated(formula, letters) == amount, mechanism


def kept_per_token(component: Component) -> TokenCache:
    (entry,) = component.kept()
    assert isinstance(entry, TokenCache)
    return entry


def test_formulas_of_what_is_kept_per_token_are_those_of_the_mechanisms() -> None:
    attention, latent = kept_per_token(ATTENTION), kept_per_token(LATENT)
    shared = GroupedQueryAttention(hidden=24, query_heads=6, kv_heads=2, head_size=5, cached=False)
    expected = {
        "attention": attention.numbers,
        "latent attention": latent.keys + latent.values,
        "– its indexer": latent.index,
        "sliding window": attention.numbers,
        "chunks": attention.numbers,
        "layer that shares": len(list(shared.kept())),
    }
    rows = figures.table("cache.md", "mechanism | per token")
    assert len(rows) == len(expected)
    for mechanism, formula, _ in rows:
        assert evaluated(formula, IN_LATENT) == expected[begins(mechanism, expected)], mechanism


def test_formulas_of_what_is_kept_per_sequence_are_those_of_the_mechanisms() -> None:
    mixing = TimeMixing(hidden=24, channels=16)
    expected: dict[str, tuple[Component, dict[str, int]]] = {
        "Mamba-1": (MAMBA, IN_MAMBA),
        "Mamba-2": (MAMBA2, IN_MAMBA2),
        "gated delta net": (DELTA, IN_DELTA),
        "short convolution": (CONVOLUTION, {}),
        "RWKV-4": (mixing, {"a": 16}),
    }
    rows = figures.table("cache.md", "mechanism | convolution")
    assert len(rows) == len(expected)
    for mechanism, channels, recurrent in rows:
        component, letters = expected[begins(mechanism, expected)]
        (entry,) = component.kept()
        assert isinstance(entry, SequenceState)
        assert evaluated(channels, letters) == entry.channels, mechanism
        assert evaluated(recurrent, letters) == entry.recurrent, mechanism
