"""Laws of the layouts: never smaller than the packed bits, more bits are more bytes, sizes add up."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizewise.catalog.formats import Format, find_format, formats
from sizewise.formats.layouts import layout
from sizewise.formats.stored import Stored

PACKERS = [row for row in formats().values() if not row.plain]
SIZES = st.integers(min_value=1, max_value=40).map(lambda count: 32 * count)
ODD_SIZES = st.integers(min_value=1, max_value=3000)


def counted(format: Format, rows: int, columns: int) -> list[Stored] | None:
    tensors = layout(format)(rows, columns, format, "BF16")
    return None if tensors is None else [tensor for tensor in tensors if not tensor.constant]


def total(format: Format, rows: int, columns: int) -> int:
    tensors = counted(format, rows, columns)
    assert tensors is not None
    return sum(tensor.bytes for tensor in tensors)


@pytest.mark.parametrize("format", PACKERS, ids=lambda format: format.name)
@given(rows=ODD_SIZES, columns=ODD_SIZES)
def test_never_below_the_packed_bits(format: Format, rows: int, columns: int) -> None:
    tensors = counted(format, rows, columns)
    if tensors is not None:
        size = sum(tensor.bytes for tensor in tensors)
        assert size >= rows * columns * format.bits / 8
        assert tensors[0].bytes >= rows * columns * format.bits / 8


@pytest.mark.parametrize("format", PACKERS, ids=lambda format: format.name)
@given(rows=SIZES, blocks=st.integers(min_value=1, max_value=16))
def test_usual_sizes_are_packed_smaller_than_sixteen_bit(format: Format, rows: int, blocks: int) -> None:
    columns = 128 * blocks
    assert total(format, rows, columns) < 2 * rows * columns


@pytest.mark.parametrize("name", ["gptq", "w4a16", "hqq", "mlx-4bit", "exl2-4.0"])
@given(rows=SIZES, blocks=st.integers(min_value=1, max_value=16))
def test_more_bits_are_more_bytes(name: str, rows: int, blocks: int) -> None:
    format = find_format(name)
    sizes = [total(replace(format, bits=Fraction(bits)), rows, 128 * blocks) for bits in (2, 3, 4, 8)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


@pytest.mark.parametrize("name", ["awq", "gptq", "w4a16", "hqq", "mlx-4bit", "nvfp4", "mxfp4", "nf4"])
@given(rows=SIZES, blocks=st.integers(min_value=1, max_value=16))
def test_smaller_groups_need_more_scales(name: str, rows: int, blocks: int) -> None:
    format = find_format(name)
    assert format.group is not None
    halved = replace(format, group=format.group // 2)
    assert total(halved, rows, 128 * blocks) > total(format, rows, 128 * blocks)


@pytest.mark.parametrize("format", PACKERS, ids=lambda format: format.name)
@given(rows=SIZES, times=st.integers(min_value=2, max_value=5))
def test_a_taller_matrix_needs_no_more_than_its_parts(format: Format, rows: int, times: int) -> None:
    assert total(format, times * rows, 256) <= times * total(format, rows, 256)


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("awq", 64, 200),
        ("awq", 60, 128),
        ("gptq", 48, 128),
        ("gptq", 64, 100),
        ("w4a16", 64, 200),
        ("nvfp4", 64, 24),
        ("mxfp4", 64, 48),
        ("mlx-4bit", 64, 96),
        ("hqq", 3, 5),
    ],
)
def test_sizes_that_a_layout_cannot_hold(name: str, rows: int, columns: int) -> None:
    assert counted(find_format(name), rows, columns) is None


@pytest.mark.parametrize(
    "name", ["bnb-int8", "nf4", "nf4-dq", "fp8", "fp8-block", "fp8-channel", "w8a8", "exl2"]
)
def test_layouts_that_hold_any_size(name: str) -> None:
    assert counted(find_format(name), 7, 13) is not None


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("nf4", "4.5"),
        ("awq", "4.15625"),
        ("mxfp4", "4.25"),
        ("mxfp8", "8.25"),
        ("hqq", "4.5"),
        ("mlx-4bit", "4.5"),
        ("mlx-8bit", "8.5"),
    ],
)
def test_bits_per_weight(name: str, bits: str) -> None:
    assert Fraction(8 * total(find_format(name), 4096, 4096), 4096 * 4096) == Fraction(bits)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("nf4-dq", 4.127),
        ("nvfp4", 4.5),
        ("gptq", 4.156),
        ("w4a16", 4.125),
        ("fp8-block", 8.002),
        ("bnb-int8", 8.008),
    ],
)
def test_bits_per_weight_nearly(name: str, bits: float) -> None:
    assert 8 * total(find_format(name), 4096, 4096) / 4096**2 == pytest.approx(bits, abs=0.009)


def test_partial_blocks_have_scales_of_their_own() -> None:
    tensors = counted(find_format("fp8-block"), 576, 7168)
    assert tensors is not None
    assert tensors[1].shape == (5, 56)


def test_three_bit_hqq_packs_ten_per_word() -> None:
    three = replace(find_format("hqq"), bits=Fraction(3))
    tensors = counted(three, 64, 100)
    assert tensors is not None
    assert tensors[0].shape == (10, 64)


def test_zero_points_are_packed_like_weights() -> None:
    symmetric = find_format("w4a16")
    with_zeros = counted(replace(symmetric, zero_point=True), 256, 512)
    assert with_zeros is not None
    assert with_zeros[-1].shape == (32, 4)
    assert with_zeros[:-1] == counted(symmetric, 256, 512)
