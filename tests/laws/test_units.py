"""Units are inverse to each other, and nothing that is no quantity is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizewise.errors import UsageError
from sizewise.escaping import escape
from sizewise.units import (
    GB,
    GIB,
    binary_bytes,
    decimal_bytes,
    parse_context,
    parse_count,
    parse_memory,
    short_count,
)


@given(st.integers(1, 10**6))
def test_gb_and_gib_are_what_they_say(amount: int) -> None:
    assert (
        parse_memory(f"{amount}GiB")
        == parse_memory(f"{amount}")
        == parse_memory(f"{amount}G")
        == amount * GIB
    )
    assert parse_memory(f"{amount}GB") == amount * GB


@given(st.integers(1, 2**59))
def test_printed_bytes_parse_back_to_within_their_digits(amount: int) -> None:
    for printed in (binary_bytes(amount), decimal_bytes(amount)):
        assert abs(parse_memory(printed) - amount) <= max(1, amount * 0.006)


@given(st.integers(1, 10**6))
def test_context_k_is_1024(amount: int) -> None:
    assert parse_context(f"{amount}") == amount
    if amount <= 976_562:
        assert parse_context(f"{amount}k") == 1024 * amount


@given(st.integers(10_000, 10**15))
def test_short_counts_parse_back_to_within_their_digits(amount: int) -> None:
    assert abs(parse_count(short_count(amount)) - amount) <= amount * 0.006


@given(st.text(max_size=20))
def test_any_text_is_a_quantity_or_a_typed_error(text: str) -> None:
    for parse in (parse_memory, parse_context, parse_count):
        try:
            value = parse(text)
        except UsageError as error:
            assert error.code == "bad_option"
        else:
            assert isinstance(value, int)
            assert value > 0


@pytest.mark.parametrize(
    "text", ["", "k", "1k5", "-1", "NaN", "inf", "1e400", "24XB", "1 2", "٣", "0x10", "1.5"]
)
def test_what_is_no_context(text: str) -> None:
    with pytest.raises(UsageError):
        parse_context(text)


@given(st.text())
def test_escaping_is_idempotent_and_leaves_no_control_character(text: str) -> None:
    once = escape(text)
    assert escape(once) == once
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in once)
