"""GPT-Neo: a GPT-2 with separate unbiased projections whose layers are global and local in turn.

A local layer attends to ``window_size`` tokens, yet the class keeps the keys and values of all.
Source: the modelling file and the cache of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import LAYER_LIMIT, Config
from sizewise.families import Resolve
from sizewise.plans.beside import causal_masks
from sizewise.plans.decoder import (
    AttentionPlan,
    DecoderPlan,
    FeedForwardPlan,
    decoder,
    learned_positions,
    width_or_four_times_hidden,
)
from sizewise.plans.fields import Skeleton, equal_heads
from sizewise.plans.windows import Windows

ALTERNATING = [[["global", "local"], 1]]


def local_layers(config: Config, layers: int) -> list[bool]:
    """Tell which layers are local: ``attention_types`` holds [[kinds], times] pairs, repeated as needed."""
    pairs = config.entries("attention_types") or ALTERNATING
    if not all(_is_pair(pair) for pair in pairs):
        raise config.bad("attention_types", "is not a list of [[global | local, …], times]")
    return [kind == "local" for kind in islice(_repeated(pairs), layers)]


def _is_pair(pair: Any) -> bool:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return False
    kinds, times = pair
    known = isinstance(kinds, list | tuple) and 0 < len(kinds) <= LAYER_LIMIT
    counted = isinstance(times, int) and not isinstance(times, bool) and times > 0
    return known and counted and all(kind in ("global", "local") for kind in kinds)


def _repeated(pairs: Any) -> Iterator[str]:
    """Yield the kinds of the layers for ever; nothing is expanded beyond what is asked for."""
    while True:
        for kinds, times in pairs:
            for _ in range(times):
                yield from kinds


MODEL_TYPES: dict[str, DecoderPlan] = {
    "gpt_neo": DecoderPlan(
        model_class="GPTNeoForCausalLM",
        attention=AttentionPlan(
            part="attn.attention",
            heads=equal_heads,
            out_bias=True,
            windows=Windows(rule=local_layers, size=lambda config: config.size("window_size")),
            keeps_all=True,
            names=AttentionNames(output="out_proj"),
        ),
        feed_forward=FeedForwardPlan(
            width=width_or_four_times_hidden("intermediate_size"),
            gated=False,
            bias=True,
            names=FeedForwardNames(up="c_fc", down="c_proj"),
        ),
        norms=("ln_1", "ln_2"),
        skeleton=Skeleton(
            embedding="transformer.wte", layers="transformer.h", final_norm="transformer.ln_f", norm="layer"
        ),
        before=learned_positions("transformer.wpe"),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of GPT-Neo."""
    found = decoder(config, MODEL_TYPES[config.model_type])
    everywhere = local_layers(config, found.depth).count(False)
    masks = causal_masks(everywhere, config.size("max_position_embeddings"))
    return replace(found, beside=(masks,))
