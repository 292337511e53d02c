"""Mamba, Falcon-Mamba and Mamba-2: one mixer and one norm per layer, nothing else.

Source: the modelling files of transformers 5.23.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.mamba import Mamba, default_step_rank
from sizewise.components.mamba2 import Mamba2
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model


def _mamba(config: Config) -> Mamba:
    """Return the Mamba-1 mixer; an inner width in the file wins over expand * hidden."""
    hidden = config.size("hidden_size")
    return Mamba(
        hidden=hidden,
        inner=config.optional_size("intermediate_size") or config.size("expand") * hidden,
        state=config.size("state_size"),
        step_rank=config.size_or_auto("time_step_rank") or default_step_rank(hidden),
        kernel=config.size("conv_kernel"),
        bias=config.flag("use_bias"),
        conv_bias=config.flag("use_conv_bias"),
    )


def _mamba2(config: Config) -> Mamba2:
    """Return the Mamba-2 mixer, whose heads must fill expand * hidden exactly."""
    hidden, bias = config.size("hidden_size"), config.flag("use_bias")
    mixer = Mamba2(
        hidden=hidden,
        heads=config.size("num_heads"),
        head_size=config.size("head_dim"),
        state=config.size("state_size"),
        groups=config.size("n_groups"),
        kernel=config.size("conv_kernel"),
        in_bias=bias,
        out_bias=bias,
        conv_bias=config.flag("use_conv_bias"),
    )
    if mixer.inner != config.size("expand") * hidden:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: num_heads * head_dim is {mixer.inner}, "
            f"expand * hidden_size {config.size('expand') * hidden}; they must be equal",
        )
    return mixer


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The class of a type and the mixer of its layers."""

    model_class: str
    mixer: Callable[[Config], Component]


MODEL_TYPES = {
    "mamba": Style(model_class="MambaForCausalLM", mixer=_mamba),
    "falcon_mamba": Style(model_class="FalconMambaForCausalLM", mixer=_mamba),
    "mamba2": Style(model_class="Mamba2ForCausalLM", mixer=_mamba2),
}

SKELETON = Skeleton(embedding="backbone.embeddings", final_norm="backbone.norm_f")


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    style = MODEL_TYPES[config.model_type]
    parts = (
        Part(name="norm", component=Norm(width=config.size("hidden_size"))),
        Part(name="mixer", component=style.mixer(config)),
    )
    layers = stack("backbone.layers", ["mixer"] * config.layers(), lambda _: parts)
    return causal_model(config, style.model_class, layers, skeleton=SKELETON)
