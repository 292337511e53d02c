"""GPT-NeoX Japanese: GPT-NeoX without biases, but for one in the last layer's attention.

Source: the modelling file of transformers 5.23.
"""

from collections.abc import Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import Skeleton, equal_heads

LAYERS = "gpt_neox_japanese.layers"


def multiple_of_hidden(config: Config, hidden: int) -> int:
    """Return F, a multiple of D."""
    return config.size("intermediate_multiple_size") * hidden


def last_bias(config: Config) -> Sequence[Part]:
    """Return the bias [D] after the attention of the last layer."""
    bias = LearnedTensor(name="dense_bias", shape=(config.size("hidden_size"),), role="attention")
    return (Part(name=f"{LAYERS}.{config.layers() - 1}.attention", component=bias),)


MODEL_TYPES: dict[str, DecoderPlan] = {
    "gpt_neox_japanese": DecoderPlan(
        model_class="GPTNeoXJapaneseForCausalLM",
        attention=AttentionPlan(
            part="attention",
            heads=equal_heads,
            names=AttentionNames(fused="query_key_value", output="dense"),
        ),
        feed_forward=FeedForwardPlan(
            width=multiple_of_hidden,
            gated=False,
            names=FeedForwardNames(up="dense_h_to_4h", down="dense_4h_to_h"),
        ),
        skeleton=Skeleton(
            embedding="gpt_neox_japanese.embed_in",
            layers=LAYERS,
            final_norm="gpt_neox_japanese.final_layer_norm",
            head="embed_out",
            norm="layer",
        ),
        before=last_bias,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the type."""
    return decoder(config, MODEL_TYPES[config.model_type])
