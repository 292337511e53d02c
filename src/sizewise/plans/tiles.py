"""How many tokens a picture becomes that is cut into tiles, each as large as the tower's one size.

Counted as in the rules for whole pictures; a picture is at least 1 x 1 pixels. The limits of a
processor that no file says have the default of its class.
Source: the processor and image-processor files of transformers 5.23, named at each rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, sqrt
from struct import pack, unpack

TILES = 12
"""Most tiles by default: image_processing_got_ocr2.py and image_processing_cohere2_vision.py."""
LLAMA_TILES = 16
"""Most tiles by default: image_processing_llama4.py."""
SPLITS = 4
"""The longest side in tiles by default: image_processing_idefics3.py."""
LONGEST = 4096
"""No picture is made larger than this before it is cut: image_processing_idefics3.py."""


def grids(most: int) -> list[tuple[int, int]]:
    """Return every (columns, rows) of at most ``most`` tiles, fewest tiles first."""
    found = [(columns, rows) for columns in range(1, most + 1) for rows in range(1, most // columns + 1)]
    return sorted(found, key=lambda grid: grid[0] * grid[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestRatioTiles:
    """The grid of tiles nearest to the picture's aspect ratio, and a thumbnail where it is cut.

    ``marks`` are around a picture, ``tile_marks`` before every tile. Source: image_processing_got_ocr2.py,
    processing_internvl.py, processing_aya_vision.py.

    >>> NearestRatioTiles(side=448, per_tile=256, marks=2).tokens(1280, 720)
    2306
    """

    side: int
    per_tile: int
    marks: int
    tile_marks: int = 0
    most: int = TILES

    def tokens(self, width: int, height: int) -> int:
        """Count the tokens of all tiles and the thumbnail, with their marks."""
        columns, rows = self._grid(width, height)
        tiles = columns * rows + 1 if columns * rows > 1 else 1
        return self.marks + tiles * (self.per_tile + self.tile_marks)

    def _grid(self, width: int, height: int) -> tuple[int, int]:
        ratio, best, nearest = width / height, (1, 1), float("inf")
        for columns, rows in grids(self.most):
            distance = abs(ratio - columns / rows)
            large = width * height > 0.5 * self.side**2 * columns * rows
            if distance < nearest or (distance == nearest and large):
                nearest, best = distance, (columns, rows)
        return best


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastScaleTiles:
    """The grid that needs the least scaling up (or down, where none is larger), and a thumbnail.

    Two marks stand around a picture, one after every tile. Source: image_processing_cohere2_vision.py,
    processing_cohere2_vision.py.

    >>> LeastScaleTiles(side=512, per_tile=256).tokens(1024, 1024)
    1287
    """

    side: int
    per_tile: int
    most: int = TILES

    def tokens(self, width: int, height: int) -> int:
        """Count the tokens of all tiles and the thumbnail, with their marks."""
        scales = [
            (min(columns * self.side / width, rows * self.side / height), columns * rows)
            for columns, rows in grids(self.most)
        ]
        enough = [entry for entry in scales if entry[0] >= 1]
        if enough:
            count = min(enough, key=lambda entry: entry[0])[1]
        else:
            count = max(scales, key=lambda entry: entry[0])[1]
        return 2 + (count + 1 if count > 1 else 1) * (self.per_tile + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasTiles:
    """The smallest canvas of tiles that needs the least scaling, with marks between tiles and rows.

    Scales are compared in single precision, as the class does. Source: image_processing_llama4.py,
    processing_llama4.py.

    >>> CanvasTiles(side=336, per_tile=144).tokens(672, 672)
    727
    """

    side: int
    per_tile: int
    most: int = LLAMA_TILES

    def tokens(self, width: int, height: int) -> int:
        """Count the tokens of all tiles, the thumbnail and the marks."""
        columns, rows = self._grid(width, height)
        thumbnail = self.per_tile + 3
        if columns * rows == 1:
            return thumbnail
        return rows * (columns * self.per_tile + columns) + thumbnail

    def _grid(self, width: int, height: int) -> tuple[int, int]:
        scales = {
            grid: min(_single(grid[0] * self.side / width), _single(grid[1] * self.side / height))
            for grid in grids(self.most)
        }
        enough = [scale for scale in scales.values() if scale >= 1]
        chosen = min(enough) if enough else max(scales.values())
        fitting = [grid for grid, scale in scales.items() if scale == chosen]
        return min(fitting, key=lambda grid: grid[0] * grid[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTiles:
    """Squares of the tower's size after the longest side was scaled to ``SPLITS`` of them, and a thumbnail.

    A tile has two marks, a row one, the thumbnail three; a tokenizer that writes two line breaks as two
    tokens has one more. Source: image_processing_idefics3.py, processing_idefics3.py.

    >>> SplitTiles(side=364, per_tile=169).tokens(1024, 768)
    2227
    """

    side: int
    per_tile: int

    def tokens(self, width: int, height: int) -> int:
        """Count the tokens of all tiles and the thumbnail, with their marks."""
        width, height = _at_most(*_scaled(width, height, SPLITS * self.side), LONGEST)
        columns, rows = ceil(width / self.side), ceil(height / self.side)
        thumbnail = self.per_tile + 3
        if columns * rows == 1:
            return thumbnail
        return thumbnail + rows * (columns * (self.per_tile + 2) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddedTiles:
    """The best of some resolutions; what is padding is left out, each row ends with a mark.

    ``tower`` patches per side and ``base`` tokens of the whole picture; over ``most`` pictures' worth of
    patches the features are scaled down. Source: processing_llava_next.py, processing_llava_onevision.py.

    >>> sizes = ((336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008))
    >>> PaddedTiles(side=336, tower=24, base=576, sizes=sizes).tokens(1024, 768)
    2340
    """

    side: int
    tower: int
    base: int
    sizes: tuple[tuple[int, int], ...]
    """Resolutions as (height, width)."""
    most: int | None = None

    def tokens(self, width: int, height: int) -> int:
        """Count the features of the picture and of its tiles, and the ends of rows."""
        best_height, best_width = best_resolution(width, height, self.sizes)
        rows, columns = self.tower * (best_height // self.side), self.tower * (best_width // self.side)
        if width / height > columns / rows:
            rows -= (rows - int(round(height * (columns / width), 7))) // 2 * 2
        else:
            columns -= (columns - int(round(width * (rows / height), 7))) // 2 * 2
        if self.most is not None:
            ratio = sqrt(rows * columns / (self.most * self.tower**2))
            if ratio > 1.1:
                rows, columns = int(rows // ratio), int(columns // ratio)
        return self.base + rows * columns + rows


def best_resolution(width: int, height: int, sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return the (height, width) that keeps most pixels of a picture and then wastes least.

    >>> best_resolution(1024, 768, ((336, 672), (672, 672)))
    (672, 672)
    """

    def merit(size: tuple[int, int]) -> tuple[int, int]:
        scale = min(size[1] / width, size[0] / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, kept - size[0] * size[1]

    return max(sizes, key=merit)


def _scaled(width: int, height: int, longest: int) -> tuple[int, int]:
    """Scale the longest side to a length; the other is rounded down and made even."""
    ratio = width / height
    if width >= height:
        other = int(longest / ratio)
        return longest, max(other + other % 2, 1)
    other = int(longest * ratio)
    return max(other + other % 2, 1), longest


def _at_most(width: int, height: int, longest: int) -> tuple[int, int]:
    """Scale down where the longest side is over a length."""
    ratio = width / height
    if width >= height and width > longest:
        width, height = longest, int(longest / ratio)
    elif height > width and height > longest:
        width, height = int(longest * ratio), longest
    return max(width, 1), max(height, 1)


def _single(value: float) -> float:
    """Round to single precision."""
    rounded: float = unpack("f", pack("f", value))[0]
    return rounded
