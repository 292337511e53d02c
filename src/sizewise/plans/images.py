"""How many tokens of the language model a picture becomes, for towers of one or of native resolution.

Counted are the tokens that the processor puts in place of the picture: its features and the marks
between them, not the text around. A picture is at least 1 x 1 pixels. What a file does not say (the
limits of a processor) has the default of the processor's class.
Source: the processor and image-processor files of transformers 5.23, named at each rule.
"""

from dataclasses import dataclass
from math import ceil, floor, sqrt

from sizewise.errors import UsageError

QWEN_LEAST, QWEN_MOST = 56 * 56, 28 * 28 * 1280
"""Default limits of pixels: image_processing_qwen2_vl.py."""
GLM_LEAST, GLM_MOST = 112 * 112, 28 * 28 * 15_000
"""Default limits of pixels over the frames of a patch: image_processing_glm4v.py."""
FUYU_HEIGHT, FUYU_WIDTH = 1080, 1920
"""Default size that a picture is made to fit in: image_processing_fuyu.py."""
MOON_PATCHES, MOON_SIDE = 16_384, 512
"""Default limits of patches, and of patches per side: image_processing_kimi_k25.py."""
STEEPEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedTokens:
    """The same number for every picture: it is resized to the one size of the tower.

    Source: processing_gemma3.py, processing_paligemma.py, processing_llava.py.

    >>> FixedTokens(count=256).tokens(1024, 768)
    256
    """

    count: int

    def tokens(self, width: int, height: int) -> int:
        """Return the number."""
        return self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedPatches:
    """Native resolution within limits of pixels; a square of ``merge`` x ``merge`` patches is a token.

    Sides are rounded to whole tokens. ``frames`` a picture is repeated for a patch over time count
    against the limits where the class counts them so. Source: image_processing_qwen2_vl.py and
    image_processing_glm4v.py (``smart_resize``); lined: processing_hunyuan_vl.py.

    >>> MergedPatches(patch=14, merge=2).tokens(1280, 720)
    1196
    """

    patch: int
    merge: int
    least: int = QWEN_LEAST
    most: int = QWEN_MOST
    frames: int = 1
    enlarges: bool = False
    """A picture smaller than a token is enlarged first."""
    lined: bool = False
    """Every row of tokens ends with a mark, and two are around the picture."""

    def tokens(self, width: int, height: int) -> int:
        """Count the merged patches.

        Raises UsageError (bad_option) for a picture over 200 times as long as wide: the class refuses it.
        """
        unit = self.patch * self.merge
        if self.enlarges and min(width, height) < unit:
            scale = max(unit / height, unit / width)
            width, height = int(width * scale), int(height * scale)
        if max(width, height) > STEEPEST * min(width, height):
            raise UsageError("bad_option", f"a picture of {width}x{height} is over {STEEPEST} times as long")
        return self._columns_and_rows(width, height, unit)

    def _columns_and_rows(self, width: int, height: int, unit: int) -> int:
        rows, columns = round(height / unit), round(width / unit)
        pixels = self.frames * rows * columns * unit**2
        if pixels > self.most:
            shrink = sqrt(self.frames * height * width / self.most)
            rows, columns = max(1, floor(height / shrink / unit)), max(1, floor(width / shrink / unit))
        elif pixels < self.least:
            grow = sqrt(self.least / (self.frames * height * width))
            rows, columns = ceil(height * grow / unit), ceil(width * grow / unit)
        return rows * (columns + 1) + 2 if self.lined else rows * columns


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchRows:
    """Native resolution up to a longest side; with ``marks`` each row of tokens ends with one more.

    Source: processing_pixtral.py; without marks processing_lighton_ocr.py, where sides are rounded up
    to patches and only then merged.

    >>> PatchRows(patch=14, merge=2, longest=1540, marks=True).tokens(1024, 1024)
    1406
    """

    patch: int
    merge: int
    longest: int
    marks: bool

    def tokens(self, width: int, height: int) -> int:
        """Count the tokens of all rows."""
        ratio = max(height, width) / self.longest
        if ratio > 1:
            height, width = max(1, floor(height / ratio)), max(1, floor(width / ratio))
        unit = self.patch * self.merge
        if self.marks:
            return (_up(width, unit) + 1) * _up(height, unit)
        return (_up(width, self.patch) // self.merge) * (_up(height, self.patch) // self.merge)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinedPatches:
    """Native resolution up to a height and a width; every row of patches ends with a mark.

    Source: processing_fuyu.py, image_processing_fuyu.py.

    >>> LinedPatches(patch=30).tokens(1280, 720)
    1056
    """

    patch: int
    height: int = FUYU_HEIGHT
    width: int = FUYU_WIDTH

    def tokens(self, width: int, height: int) -> int:
        """Count the patches and the marks of the picture, which is made smaller where it has to be."""
        scale = min(self.height / height, self.width / width)
        rows = _up(min(int(height * scale), height), self.patch)
        return rows * (_up(min(int(width * scale), width), self.patch) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoonPatches:
    """Native resolution within limits of patches; squares of ``merge`` x ``merge`` are a token.

    Source: image_processing_kimi_k25.py (``navit_resize``).

    >>> MoonPatches(patch=14, merge=2).tokens(1024, 1024)
    1369
    """

    patch: int
    merge: int
    most: int = MOON_PATCHES
    side: int = MOON_SIDE

    def tokens(self, width: int, height: int) -> int:
        """Count the merged patches of the scaled and padded picture."""
        patches = max(1.0, height // self.patch) * max(1.0, width // self.patch)
        longest = self.side * self.patch
        scale = min(1.0, sqrt(self.most / patches), longest / height, longest / width)
        unit = self.merge * self.patch
        rows = _up(min(max(1, int(height * scale)), longest), unit)
        return rows * _up(min(max(1, int(width * scale)), longest), unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledPatches:
    """As many pooled patches as fit in ``most`` at the picture's aspect ratio.

    Source: image_processing_gemma4.py (``get_aspect_ratio_preserving_size``).

    >>> PooledPatches(patch=16, pool=3, most=280).tokens(1024, 768)
    266
    """

    patch: int
    pool: int
    most: int

    def tokens(self, width: int, height: int) -> int:
        """Count the pooled patches."""
        unit = self.pool * self.patch
        factor = sqrt(self.most * self.pool**2 * self.patch**2 / (height * width))
        rows, columns = floor(factor * height / unit), floor(factor * width / unit)
        if rows == 0:
            rows, columns = 1, min(width // height, self.most)
        elif columns == 0:
            rows, columns = min(height // width, self.most), 1
        return rows * columns


def _up(size: int, unit: int) -> int:
    """Divide and round up."""
    return (size - 1) // unit + 1
