"""What can be made here, and by which library: bitsandbytes, gguf, or llama.cpp's own quantizer."""

from collections.abc import Collection
from typing import Literal

from sizewise.catalog.formats import Format, find_format
from sizewise.catalog.ggml import block_types, file_types
from sizewise.errors import InputError

Maker = Literal["bitsandbytes", "gguf", "llama.cpp"]

BITSANDBYTES = ("nf4", "nf4-dq", "fp4", "fp4-dq", "bnb-int8")
WRITTEN_BY_GGUF = frozenset(
    {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "tq1_0", "tq2_0", "mxfp4"}
)
"""Block types that the package gguf 0.19 packs; it only reads the others."""

COMPRESSOR = "llm-compressor makes it (pip install llmcompressor, in an environment of its own)"
MLX = "mlx_lm.convert makes it on a Mac (pip install mlx-lm)"
ELSEWHERE = {
    "awq": COMPRESSOR,
    "gptq": "GPTQModel makes it (pip install gptqmodel)",
    "hqq": "hqq makes it (pip install hqq)",
    "exl2-4.0": "exllamav2's convert.py makes it",
    "mlx-4bit": MLX,
    "mlx-8bit": MLX,
    "int8": "it is a width without a method",
    "int4": "it is a width without a method",
}
"""Who makes a format that is not made here; llm-compressor makes the others."""

PLAIN = {"fp16": "f16", "fp32": "f32"}
"""File types of formats that pack nothing."""
NARROW = 5
"""Bits of a weight below which a format counts as 4-bit."""


def offered() -> tuple[str, ...]:
    """Return the names of all formats that can be made.

    >>> {"nf4", "bnb-int8", "q4_k_m"} <= set(offered())
    True
    """
    return (*BITSANDBYTES, *(row.name for row in file_types().values() if not row.importance_matrix))


def offered_format(name: str) -> Format:
    """Return the format of a name or alias (``4bit`` is nf4, ``8bit`` bnb-int8).

    Raises UsageError (bad_option) for a name that is no format, InputError (made_elsewhere) for formats that
    are not made here, with who makes them and what is near.
    """
    found = find_format(name)
    if found.name in PLAIN:
        return find_format(PLAIN[found.name])
    if found.name in offered():
        return found
    if found.name in file_types():
        raise InputError(
            "made_elsewhere",
            f"{found.name} cannot be made without an importance matrix: llama-imatrix and llama-quantize "
            "--imatrix make it; here take q2_k, q3_k_s or larger",
        )
    near = "nf4 or q4_k_m" if found.bits < NARROW else "bnb-int8 or q8_0"
    made = ELSEWHERE.get(found.name, COMPRESSOR)
    raise InputError("made_elsewhere", f"{found.name} is not made here: {made}; near it is {near}")


def is_gguf(format: Format) -> bool:
    """Tell whether a format is a file type of llama.cpp."""
    return format.name in file_types()


def gguf_maker(blocks: Collection[str]) -> Maker:
    """Return who packs these block types: the package gguf where it can, llama.cpp's quantizer where not.

    >>> gguf_maker({"q8_0", "f32"}), gguf_maker({"q4_k", "q6_k"})
    ('gguf', 'llama.cpp')
    """
    assert set(blocks) <= set(block_types())
    return "gguf" if set(blocks) <= WRITTEN_BY_GGUF else "llama.cpp"
