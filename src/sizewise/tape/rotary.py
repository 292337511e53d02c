"""Rotary positions: x*cos + rotated(x)*sin. The tables are the same memory in all layers.

Shapes: heads of H features over B sequences of S tokens; tables [S, turned features].
Source: Su et al. 2021, arXiv:2104.09864; what the classes cast: modelling files of transformers 5.23.
"""

from sizewise.tape.pairs import turned_complex, turned_pairs
from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor


def rotate(tape: Tape, source: Tensor, head_size: int, *, windowed: bool = False) -> Tensor:
    """Record the rotation of queries or keys of heads of ``head_size``, in the way of the style.

    ``windowed``: the layer has a window, which in some classes has tables of its own.
    """
    style = tape.style
    if style.rotary == "none" or (style.rotates_windowed and not windowed):
        return source
    turned = style.rotary_features or _even(int(head_size * style.rotary_share))
    if turned == head_size and not style.rotary_joins:
        return _turned(tape, source, head_size, windowed)
    share = source.numbers * turned // head_size
    front, back = tape.split(source, (share, source.numbers - share))
    joined = tape.step("join", (_turned(tape, front, turned, windowed), back), source.numbers, source.width)
    joined.heads_first = True
    return joined


def _even(features: int) -> int:
    """Return the features of a table: two for every frequency."""
    return features + features % 2


def rotate_whole(tape: Tape, source: Tensor, features: int) -> Tensor:
    """Record the rotation of heads all of whose ``features`` are turned, whatever share the style names."""
    return source if tape.style.rotary == "none" else _turned(tape, source, features, False)


def _turned(tape: Tape, source: Tensor, features: int, windowed: bool) -> Tensor:
    if tape.style.rotary == "complex":
        return turned_complex(tape, source, features)
    if tape.style.rotary in ("pairs", "halves"):
        return turned_pairs(tape, source, features)
    entry = tape.cast(source, WIDE) if tape.style.wide_rotation else source
    cosine, sine = (_table(tape, name, features, windowed) for name in ("cosine", "sine"))
    other = tape.step("rotated", (entry,), entry.numbers, entry.width)
    return tape.cast(tape.add(tape.multiply(entry, cosine), tape.multiply(other, sine)), _width(tape, source))


def _width(tape: Tape, source: Tensor) -> int:
    """Return the width of what leaves: classes that compute in fp32 cast it back."""
    casts = tape.style.wide_tables or tape.style.wide_rotation
    return source.width if casts else max(source.width, tape.setting.stored)


def _table(tape: Tape, name: str, features: int, windowed: bool) -> Tensor:
    style, setting = tape.style, tape.setting
    numbers = setting.sequence * (setting.batch if style.rotary_per_batch else 1) * features
    width = WIDE if style.wide_tables else setting.stored
    if style.remade_tables:
        return tape.step(name, (), numbers, width)
    if style.tables_by_layer:
        return tape.once(name, numbers, width)
    return tape.constant(f"windowed {name}" if style.tables_by_window and windowed else name, numbers, width)


def scaled_by_position(tape: Tape, queries: Tensor) -> Tensor:
    """Record queries times a number per position, where the class does so."""
    if tape.style.scales_unrotated and tape.style.rotary == "none":
        scaled = tape.multiply(queries, tape.once("query scale", tape.setting.sequence, WIDE))
        return tape.cast(scaled, queries.width)
    if not tape.style.scaled_queries:
        return queries
    return tape.multiply(queries, tape.once("query scale", tape.setting.sequence, tape.setting.stored))
