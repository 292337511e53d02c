"""Formats are found by name and alias; what is not known is an error that helps."""

from fractions import Fraction

import pytest

from sizewise.catalog.formats import cache_format, find_format, formats
from sizewise.catalog.ggml import file_types
from sizewise.errors import UsageError


@pytest.mark.parametrize("name", formats())
def test_case_and_punctuation_do_not_matter(name: str) -> None:
    for spelling in (name.upper(), name.replace("-", "_"), f" {name} "):
        assert find_format(spelling).name == name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("8bit", "bnb-int8"),
        ("4bit", "nf4"),
        ("FP8_E4M3", "fp8"),
        ("half", "fp16"),
        ("float32", "fp32"),
        ("bfloat16", "bf16"),
    ],
)
def test_aliases(alias: str, name: str) -> None:
    assert find_format(alias).name == name


def test_exl2_states_its_average_bits() -> None:
    assert find_format("exl2-3.75").bits == Fraction(15, 4)
    assert find_format("exl2-8.0").bits == 8
    with pytest.raises(UsageError, match=r"2\.0 to 8\.0"):
        find_format("exl2-9.5")


@pytest.mark.parametrize("name", sorted(set(file_types()) - {"f16", "f32", "bf16"}))
def test_file_types_are_found_in_any_spelling(name: str) -> None:
    found = find_format(name.upper().replace("_", "-"))
    assert (found.name, found.is_file_type) == (name, True)


@pytest.mark.parametrize(
    ("word", "near"), [("nf5", "nf4"), ("mxpf4", "mxfp4"), ("8bits", "8bit"), ("fp88", "fp8")]
)
def test_unknown_names_get_the_nearest(word: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean .*{near}") as caught:
        find_format(word)
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize("word", ["", "q9_z", "zzzzzz", "\x1b[2J", "x" * 10_000, "exl2-nan", "exl2-1e9", "ٳ"])
def test_nonsense_is_a_bad_option(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_format(word)
    assert caught.value.code == "bad_option"
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("auto", 16),
        ("fp16", 16),
        ("f16", 16),
        ("bfloat16", 16),
        ("f32", 32),
        ("fp8", 8),
        ("FP8_E4M3", 8),
        ("fp8-e5m2", 8),
        ("q8_0", Fraction(17, 2)),
        ("q5_1", 6),
        ("q5_0", Fraction(11, 2)),
        ("q4_1", 5),
        ("q4_0", Fraction(9, 2)),
        ("iq4_nl", Fraction(9, 2)),
    ],
)
def test_cache_formats(name: str, bits: Fraction) -> None:
    assert cache_format(name).bits == bits


def test_quantized_cache_rows_belong_to_llama_cpp() -> None:
    assert "llama.cpp" in cache_format("q5_1").runtimes
    assert "vllm" not in cache_format("q5_1").runtimes
    assert "vllm" in cache_format("fp8").runtimes
    assert "llama.cpp" not in cache_format("fp8").runtimes


def test_cache_rows_round_the_last_block_up() -> None:
    assert cache_format("q8_0").row_bytes(64) == 68
    assert cache_format("q8_0").row_bytes(65) == 102
    assert cache_format("fp16").row_bytes(65) == 130


def test_unknown_cache_format() -> None:
    with pytest.raises(UsageError, match="did you mean q8_0"):
        cache_format("q8_1")
