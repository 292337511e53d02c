"""RWKV-4: time mixing and channel mixing with LayerNorms; one more LayerNorm opens the first layer.

Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.norms import Norm
from sizewise.components.rwkv import ChannelMixing, TimeMixing
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model

MODEL_TYPES = {"rwkv": "RwkvForCausalLM"}

SKELETON = Skeleton(embedding="rwkv.embeddings", final_norm="rwkv.ln_out", head="head", norm="layer")


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of an RWKV-4 configuration.

    A null ``attention_hidden_size`` means the hidden size, a null ``intermediate_size`` four times it.
    """
    hidden = config.size("hidden_size")
    channels = config.optional_size("attention_hidden_size") or hidden
    width = config.optional_size("intermediate_size") or 4 * hidden
    norm = Norm(width=hidden, kind="layer")
    every = (
        Part(name="ln1", component=norm),
        Part(name="attention", component=TimeMixing(hidden=hidden, channels=channels)),
        Part(name="ln2", component=norm),
        Part(name="feed_forward", component=ChannelMixing(hidden=hidden, width=width)),
    )
    first = (Part(name="pre_ln", component=norm), *every)
    kinds = [index == 0 for index in range(config.layers())]
    layers = stack("rwkv.blocks", kinds, lambda index: every if index else first)
    return causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=SKELETON)
