"""Sliding windows as configurations spell them: which layers slide, and over how many tokens.

A rule answers for every layer whether it slides; a ``layer_types`` list, where there is one, wins over
it. Source: configuration files and cache of transformers 5.23.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.configuration import Config
from sizewise.errors import InputError

KINDS = {"full_attention": "full_attention", "sliding_attention": "sliding_attention"}
LETTERS = {"L": True, "G": False}

SlidingRule = Callable[[Config, int], list[bool]]
"""From a configuration and a number of layers to one answer per layer: does it slide?"""


def every_layer(config: Config, layers: int) -> list[bool]:
    """All layers slide."""
    return [True] * layers


def all_but_every(period: int) -> SlidingRule:
    """Every ``period``-th layer attends to everything, the others slide."""

    def rule(config: Config, layers: int) -> list[bool]:
        return [(index + 1) % period != 0 for index in range(layers)]

    return rule


def all_but_first_of(period: int) -> SlidingRule:
    """The first of every ``period`` layers attends to everything, the others slide."""

    def rule(config: Config, layers: int) -> list[bool]:
        return [index % period != 0 for index in range(layers)]

    return rule


def patterned(default: int | None) -> SlidingRule:
    """``sliding_window_pattern`` says it: n for all but every n-th, or letters (LLLG) that repeat.

    Null means ``default``; without a default no layer slides.
    """

    def rule(config: Config, layers: int) -> list[bool]:
        pattern = config.raw("sliding_window_pattern")
        if isinstance(pattern, str):
            return _lettered(config, pattern, layers)
        period = config.optional_size("sliding_window_pattern") or default
        return all_but_every(period)(config, layers) if period else [False] * layers

    return rule


def _lettered(config: Config, pattern: str, layers: int) -> list[bool]:
    if not pattern or not set(pattern) <= set(LETTERS):
        raise config.bad("sliding_window_pattern", "is a text of other letters than L (local) and G (global)")
    return [LETTERS[pattern[index % len(pattern)]] for index in range(layers)]


def from_max_window_layers(config: Config, layers: int) -> list[bool]:
    """Layers from the index ``max_window_layers`` upwards slide."""
    first = config.count("max_window_layers")
    return [index >= first for index in range(layers)]


def without_rotation(config: Config, layers: int) -> list[bool]:
    """With ``use_sliding_window`` the layers without rotary positions slide.

    These are the zeros of ``no_rope_layers``; without that list every ``no_rope_layer_interval``-th.
    """
    if not config.flag("use_sliding_window"):
        return [False] * layers
    rotated = config.entries("no_rope_layers")
    if rotated is None:
        interval = config.size("no_rope_layer_interval")
        return [(index + 1) % interval == 0 for index in range(layers)]
    if len(rotated) != layers:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: no_rope_layers has {len(rotated)} entries for {layers} layers",
        )
    return [not rotates for rotates in rotated]


def window_size(config: Config) -> int | None:
    """Read ``sliding_window``; null and zero mean none."""
    return config.optional_count("sliding_window") or None


def switched_window_size(config: Config) -> int | None:
    """Read ``sliding_window`` where ``use_sliding_window`` is true."""
    return window_size(config) if config.flag("use_sliding_window") else None


def two_sided_window_size(config: Config) -> int | None:
    """Read ``sliding_window``, which spans both sides where attention is bidirectional."""
    size = window_size(config)
    return size // 2 + 1 if size and config.flag("use_bidirectional_attention") else size


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Which layers of a type slide unless ``layer_types`` says it, and where the size stands."""

    rule: SlidingRule
    size: Callable[[Config], int | None] = window_size


def layer_windows(config: Config, windows: Windows | None, layers: int) -> list[int | None]:
    """Return for each layer the number of tokens it sees, None for all of them."""
    if windows is None:
        return [None] * layers
    size, kinds = windows.size(config), config.per_layer("layer_types", layers, KINDS)
    if kinds is not None and size is None and "sliding_attention" in kinds:
        config.notice("inconsistent", "layer_types lists sliding layers without a window; they count as full")
    if size is None:
        return [None] * layers
    if kinds is not None:
        return [size if kind == "sliding_attention" else None for kind in kinds]
    return [size if slides else None for slides in windows.rule(config, layers)]
