"""Projectors: what brings the features of a tower to the width of the language model.

Source: Liu et al. 2023, arXiv:2310.03744 (two layers); modelling files of transformers 5.23.
"""

from sizewise.architecture import Part, Tower
from sizewise.configuration import Config
from sizewise.plans.tower_parts import dense, norm
from sizewise.plans.towers import Body


def with_projector(tower: Body, *projector: Part) -> tuple[Tower, ...]:
    """Return a vision tower and its projector."""
    return Tower(role="vision", body=tower), Tower(role="projector", body=projector)


def sound_with_projector(tower: Body, *projector: Part) -> tuple[Tower, ...]:
    """Return an audio tower and its projector."""
    return Tower(role="audio", body=tower), Tower(role="projector", body=projector)


def feature_layers(config: Config) -> int:
    """Count the layers of the tower whose features are joined: one, or the entries of a list."""
    listed = config.raw("vision_feature_layer")
    return len(listed) if isinstance(listed, list | tuple) else 1


def two_layers(name: str, inputs: int, outputs: int, *, bias: bool = True) -> tuple[Part, Part]:
    """Return the projector of LLaVA: [out, in] and [out, out] with an activation in between."""
    return (
        dense(f"{name}.linear_1", inputs, outputs, bias=bias),
        dense(f"{name}.linear_2", outputs, outputs, bias=bias),
    )


def downsampled(config: Config, width: int) -> int:
    """Return the features of one token after ``downsample_ratio`` joined neighbouring patches."""
    return width * int(1 / config.ratio("downsample_ratio")) ** 2


def intern_projector(config: Config, vision: Config, hidden: int) -> tuple[Part, ...]:
    """Return the projector of InternVL: a norm over joined patches, and two layers."""
    name, joined = "model.multi_modal_projector", downsampled(config, vision.size("hidden_size"))
    return norm(f"{name}.layer_norm", joined), *two_layers(name, joined, hidden)
