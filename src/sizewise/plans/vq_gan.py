"""VQ-GAN: convolutions that bring a picture down to codes of a book, and others that draw it again.

Shapes: C channels of a level, base channels times its multiplier; kernels are 3 x 3 or 1 x 1.
Source: Esser et al. 2021, arXiv:2012.09841; the modelling files of Janus and Chameleon in
transformers 5.23.
"""

from collections.abc import Iterator

from sizewise.architecture import Part
from sizewise.configuration import Config
from sizewise.plans.tower_parts import convolution, norm

MOST_LEVELS, MOST_BLOCKS = 32, 1000


def drawn_down(
    config: Config, name: str, *, attending: frozenset[int] | None = None, middle: bool = True
) -> Iterator[Part]:
    """Yield the encoder: levels of residual blocks with a down-sampler between.

    The levels in ``attending`` attend, without it the last one; the middle attends unless told otherwise.
    """
    channels, blocks = levels(config), config.count("num_res_blocks", high=MOST_BLOCKS)
    doubled = 2 if config.flag("double_latent") else 1
    inner = config.size("base_channels")
    yield convolution(f"{name}.conv_in", config.size("in_channels"), inner, 3, 3, bias=True)
    for level, outputs in enumerate(channels):
        last = level == len(channels) - 1
        place = f"{name}.down.{level}"
        inner = config.size("base_channels") if level == 0 else channels[level - 1]
        for block in range(blocks):
            yield from _residual(f"{place}.block.{block}", inner if block == 0 else outputs, outputs)
            if last if attending is None else level in attending:
                yield from _attention(f"{place}.attn.{block}", outputs)
        inner = outputs if blocks else inner
        if not last:
            yield convolution(f"{place}.downsample.conv", inner, inner, 3, 3, bias=True)
    yield from _middle(f"{name}.mid", inner, attends=middle)
    yield norm(f"{name}.norm_out", inner)
    latent = config.size("latent_channels") * doubled
    yield convolution(f"{name}.conv_out", inner, latent, 3, 3, bias=True)


def drawn_up(config: Config, name: str) -> Iterator[Part]:
    """Yield the decoder: the levels in reverse, with one block more each and an up-sampler between."""
    channels, blocks = levels(config), config.count("num_res_blocks", high=MOST_BLOCKS) + 1
    inner = channels[-1]
    yield convolution(f"{name}.conv_in", config.size("latent_channels"), inner, 3, 3, bias=True)
    yield from _middle(f"{name}.mid", inner, attends=True)
    for step, outputs in enumerate(reversed(channels)):
        place = f"{name}.up.{step}"
        for block in range(blocks):
            yield from _residual(f"{place}.block.{block}", inner if block == 0 else outputs, outputs)
            if step == 0:
                yield from _attention(f"{place}.attn.{block}", outputs)
        inner = outputs
        if step < len(channels) - 1:
            yield convolution(f"{place}.upsample.conv", inner, inner, 3, 3, bias=True)
    yield norm(f"{name}.norm_out", inner)
    yield convolution(f"{name}.conv_out", inner, config.size("out_channels"), 3, 3, bias=True)


def levels(config: Config) -> list[int]:
    """Read the channels of every level.

    Raises InputError (bad_config) for anything but a list of at most 32 whole numbers.
    """
    multipliers = config.entries("channel_multiplier")
    if (
        not multipliers
        or len(multipliers) > MOST_LEVELS
        or not all(type(each) is int and 0 < each < 10_000 for each in multipliers)
    ):
        raise config.bad("channel_multiplier", f"is not a list of 1 to {MOST_LEVELS} whole numbers")
    return [config.size("base_channels") * each for each in multipliers]


def _residual(name: str, inputs: int, outputs: int) -> Iterator[Part]:
    """Yield two normed convolutions and, where the channels change, the short cut around them."""
    yield norm(f"{name}.norm1", inputs)
    yield convolution(f"{name}.conv1", inputs, outputs, 3, 3, bias=True)
    yield norm(f"{name}.norm2", outputs)
    yield convolution(f"{name}.conv2", outputs, outputs, 3, 3, bias=True)
    if inputs != outputs:
        yield convolution(f"{name}.nin_shortcut", inputs, outputs, 1, 1, bias=True)


def _attention(name: str, channels: int) -> Iterator[Part]:
    """Yield attention over positions: its projections are 1 x 1 convolutions."""
    yield norm(f"{name}.norm", channels)
    for each in ("q", "k", "v", "proj_out"):
        yield convolution(f"{name}.{each}", channels, channels, 1, 1, bias=True)


def _middle(name: str, channels: int, *, attends: bool) -> Iterator[Part]:
    yield from _residual(f"{name}.block_1", channels, channels)
    if attends:
        yield from _attention(f"{name}.attn_1", channels)
    yield from _residual(f"{name}.block_2", channels, channels)
