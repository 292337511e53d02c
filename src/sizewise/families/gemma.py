"""Gemma: gated decoders with large heads; from the second generation on with sliding layers.

Gemma 2 and 3 norm before and after both halves of a layer, VaultGemma only before.
Source: the modelling files of transformers 5.23.
"""

from functools import partial

from sizewise.architecture import Architecture
from sizewise.components.grouped_query_attention import HeadNorm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, decoder
from sizewise.plans.fields import heads
from sizewise.plans.windows import Windows, all_but_every, patterned, two_sided_window_size

BEFORE = ("input_layernorm", "pre_feedforward_layernorm")
AROUND = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)
EVERY_SECOND_FULL = Windows(rule=all_but_every(2))


def attention(windows: Windows | None = None, head_norm: HeadNorm = "none") -> AttentionPlan:
    """Return the attention that the generations share."""
    return AttentionPlan(
        heads=partial(heads, kv_required=True),
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        head_norm=head_norm,
        windows=windows,
    )


MODEL_TYPES: dict[str, DecoderPlan] = {
    "gemma": DecoderPlan(model_class="GemmaForCausalLM", attention=attention()),
    "gemma2": DecoderPlan(
        model_class="Gemma2ForCausalLM", attention=attention(EVERY_SECOND_FULL), norms=AROUND
    ),
    "vaultgemma": DecoderPlan(
        model_class="VaultGemmaForCausalLM", attention=attention(EVERY_SECOND_FULL), norms=BEFORE
    ),
    "gemma3_text": DecoderPlan(
        model_class="Gemma3ForCausalLM",
        attention=attention(Windows(rule=patterned(6), size=two_sided_window_size), "per_head"),
        norms=AROUND,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
