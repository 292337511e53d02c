"""MPT: ALiBi, LayerNorms without biases, no biases at all, a feed-forward size of 4*D.

Files of MPT's own code may ask for more (fewer key/value heads, biases, other feed-forward layers); the
class reads none of that, so such files are refused. Source: the modelling file of transformers 5.23;
the settings: github.com/mosaicml/llm-foundry, its MPT configuration, as remembered on 2026-11-22.
"""

from collections.abc import Mapping

from sizewise.architecture import Architecture
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.families import Resolve
from sizewise.plans.decoder import (
    AttentionPlan,
    DecoderPlan,
    FeedForwardPlan,
    decoder,
    four_times_hidden,
)
from sizewise.plans.fields import Skeleton, equal_heads

MODEL_TYPES: dict[str, DecoderPlan] = {
    "mpt": DecoderPlan(
        model_class="MptForCausalLM",
        attention=AttentionPlan(
            part="attn", heads=equal_heads, names=AttentionNames(fused="Wqkv", output="out_proj")
        ),
        feed_forward=FeedForwardPlan(part="ffn", width=four_times_hidden, gated=False),
        norms=("norm_1", "norm_2"),
        skeleton=Skeleton(
            embedding="transformer.wte",
            layers="transformer.blocks",
            final_norm="transformer.norm_f",
            norm="layer_no_bias",
        ),
        context=("max_seq_len",),
    ),
}


USUAL: dict[str, tuple[object, ...]] = {
    "attn_type": (None, "multihead_attention"),
    "qk_ln": (None, False),
    "qk_gn": (None, False),
    "alibi": (None, True),
    "ffn_type": (None, "mptmlp"),
    "ffn_hidden_size": (None,),
    "no_bias": (None, True),
}
"""Values under which MPT's own code builds what the class does."""


def _check_usual(config: Config) -> None:
    """Raise InputError for settings with which MPT's own code builds other layers than the class."""
    sections = [config.raw(name) for name in ("attn_config", "ffn_config")]
    asked = {name: value for found in sections if isinstance(found, Mapping) for name, value in found.items()}
    asked["no_bias"] = config.raw("no_bias")
    usual = {**USUAL, "kv_n_heads": (None, config.size("n_heads"))}
    for name, values in usual.items():
        if asked.get(name) not in values:
            raise InputError(
                "unsupported_architecture",
                f"mpt config: {name} {shorten(str(asked[name]), 40)!r} is not modelled; MptForCausalLM does "
                "not read it, MPT's own code builds other layers with it",
            )
    if config.raw("expansion_ratio") != 4:
        config.notice(
            "ignored", "expansion_ratio is not read by MptForCausalLM: its feed-forward size is 4 * d_model"
        )


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of MPT.

    Raises InputError (unsupported_architecture) for what only MPT's own code builds.
    """
    _check_usual(config)
    return decoder(config, MODEL_TYPES[config.model_type])
