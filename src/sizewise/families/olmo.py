"""OLMo, and EXAONE 4 with the same plan: gated decoders that norm after attention and feed-forward.

The first OLMo norms before, without weights; its successors norm queries and keys too.
Source: the modelling files of transformers 5.23.
"""

from functools import partial

from sizewise.architecture import Architecture
from sizewise.components.grouped_query_attention import HeadNorm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, decoder
from sizewise.plans.fields import Skeleton, heads
from sizewise.plans.windows import Windows, all_but_every, patterned

AFTER = ("post_attention_layernorm", "post_feedforward_layernorm")


def attention(head_norm: HeadNorm, windows: Windows | None = None) -> AttentionPlan:
    """Return the attention that the OLMo generations share."""
    return AttentionPlan(
        qkv_bias="attention_bias", out_bias="attention_bias", head_norm=head_norm, windows=windows
    )


MODEL_TYPES: dict[str, DecoderPlan] = {
    "olmo": DecoderPlan(
        model_class="OlmoForCausalLM", attention=attention("none"), skeleton=Skeleton(norm="none")
    ),
    "olmo2": DecoderPlan(model_class="Olmo2ForCausalLM", attention=attention("full"), norms=AFTER),
    "olmo3": DecoderPlan(
        model_class="Olmo3ForCausalLM",
        attention=attention("full", Windows(rule=all_but_every(4))),
        norms=AFTER,
    ),
    "exaone4": DecoderPlan(
        model_class="Exaone4ForCausalLM",
        attention=AttentionPlan(
            heads=partial(heads, kv_required=True),
            head_norm="per_head",
            windows=Windows(rule=patterned(None)),
        ),
        norms=AFTER,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
