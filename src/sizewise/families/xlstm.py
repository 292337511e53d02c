"""xLSTM: mLSTM layers with a matrix memory and gated feed-forward layers; it never ties its head.

Source: the configuration and modelling files of transformers 5.23 (without the ``xlstm`` package);
Beck et al. 2025, arXiv:2503.13427.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.mlstm import MatrixLSTM
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model

MODEL_TYPES = {"xlstm": "xLSTMForCausalLM"}

SKELETON = Skeleton(
    embedding="backbone.embeddings", layers="backbone.blocks", final_norm="backbone.out_norm", tied=False
)
LAYOUTS = ("single", "fused")
"""Values of ``weight_mode``: a matrix for each projection, or one for several."""


def _agreed(config: Config, name: str, older: str) -> int:
    """Return a number that may stand under an older name too; two different ones are an error."""
    newer = config.optional_size(name)
    second = config.optional_size(older)
    if newer is not None and second is not None and newer != second:
        raise InputError("inconsistent", f"xlstm config: {name} is {newer}, but {older} is {second}")
    return newer or second or config.size(name)


def _fused(config: Config) -> bool:
    mode = config.text("weight_mode")
    if mode not in LAYOUTS:
        raise config.bad("weight_mode", f"is none of {', '.join(LAYOUTS)}")
    return mode == "fused"


def _mixer(config: Config, hidden: int, fused: bool) -> MatrixLSTM:
    """Return the mLSTM, whose heads must divide queries, keys and values."""
    heads = config.size("num_heads")
    keys, values = int(hidden * config.ratio("qk_dim_factor")), int(hidden * config.ratio("v_dim_factor"))
    if keys < 1 or keys % heads or values < 1 or values % heads:
        raise InputError(
            "inconsistent", f"xlstm config: {heads} heads do not divide {keys} keys and {values} values"
        )
    return MatrixLSTM(
        hidden=hidden, heads=heads, keys=keys, values=values, bias=config.flag("use_bias"), fused=fused
    )


def _feed_forward(config: Config, hidden: int, fused: bool) -> FeedForward:
    """Return the gated layer; the class rounds its width to a multiple in floating point."""
    multiple = config.size("ffn_round_up_to_multiple_of")
    width = int((hidden * config.ratio("ffn_proj_factor") + multiple - 1) // multiple * multiple)
    if width < 1:
        raise config.bad("ffn_proj_factor", "leaves no width")
    names = FeedForwardNames(
        gate="proj_up_gate", up="proj_up", down="proj_down", fused="proj_up_gate_z" if fused else ""
    )
    return FeedForward(hidden=hidden, width=width, bias=config.flag("use_bias"), names=names)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of an xLSTM configuration."""
    hidden, depth = _agreed(config, "hidden_size", "embedding_dim"), config.layers()
    if config.raw("num_blocks") is not None:
        depth = config.layers("num_blocks")
    fused = _fused(config)
    norm = Norm(width=hidden, kind="layer" if config.flag("use_bias") else "rms")
    parts = (
        Part(name="norm_mlstm", component=norm),
        Part(name="mlstm_layer", component=_mixer(config, hidden, fused)),
        Part(name="norm_ffn", component=norm),
        Part(name="ffn", component=_feed_forward(config, hidden, fused)),
    )
    layers = stack(SKELETON.layers, ["alike"] * depth, lambda _: parts)
    return causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=SKELETON, hidden=hidden)
