"""Patterns of quantities take what the command line takes, and nothing that it cannot read."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizewise.cli.laws.recipe import Reference
from sizewise.durations import parse_duration, parse_seconds
from sizewise.errors import UsageError
from sizewise.planning.serving.option_values import _percentile, parse_budget
from sizewise.planning.speed.option_values import _prices
from sizewise.service import quantities
from sizewise.service.quantities import Quantity
from sizewise.units import (
    parse_bandwidth,
    parse_context,
    parse_count,
    parse_flops,
    parse_memory,
    parse_pixels,
)

READ: dict[str, Callable[[str], object]] = {
    "TOKENS": parse_context,
    "COUNT": parse_count,
    "FLOPS": parse_flops,
    "MEMORY": parse_memory,
    "BANDWIDTH": parse_bandwidth,
    "DURATION": parse_duration,
    "BUDGET": parse_budget,
    "PRICES": lambda text: _prices("api_price", text),
    "PERCENTILE": lambda text: _percentile("p", text),
    "PIXELS": parse_pixels,
    "SOUNDS": parse_seconds,
    "VOCABULARY": lambda text: Reference().convert(text, None, None),
}
WRITTEN = {
    "TOKENS": ("8192", "8,192", "32k", "1M", "1.5 k", "8_192", "1e3"),
    "COUNT": ("7b", "8.03e9", "2T", "1.5 B", "7G", "1,000"),
    "FLOPS": ("1e24", "5.76e23 FLOP", "3 ZFLOP", "100 PF-days", "1 pfd", "2 flops", "1e2 YFLOP", "1 pf-day"),
    "MEMORY": ("24GiB", "24", "80GB", "512MiB", "1.5 TiB", "16g", "1000b", "3kb", "2tb"),
    "BANDWIDTH": ("900GB/s", "3.35 TB/s", "900", "50gib/s", "100 MB/s", "1TiB/s"),
    "DURATION": ("50ms", "1s", "0.5", "2 min", "1h", "10us", "10µs"),
    "BUDGET": ("5usd/h", "$120/day", "3000usd/month", "3,000 USD / mo", "1$/year", "2/d", "2/hour"),
    "PRICES": ("0.15,0.6", "1, 2"),
    "PERCENTILE": ("mean", "50", "p90", "P99"),
    "PIXELS": ("1024x768", "1024×768"),
    "SOUNDS": ("30", "30,12.5s", "30s, 1"),
    "VOCABULARY": ("32000,4096,6.5e9", "32k, 4096, 7b"),
}
GARBAGE = (
    "",
    "x",
    "-1",
    "1e",
    "NaN",
    "Infinity",
    "1e400e",
    "0xfg",
    "1 2",
    "24GiB\n",
    "1;2",
    "٣",
    "--",
    "${1}",
)
RANGE = re.compile(
    "out of range|not whole|no number of FLOPs|no time|no length|no size|no bandwidth|is not USD"
)


def _matches(quantity: Quantity, text: str) -> bool:
    schema = quantity.schema
    texts = schema["anyOf"][1] if "anyOf" in schema else schema
    return 1 <= len(text) <= texts["maxLength"] and re.search(texts["pattern"], text) is not None


def _quantity(name: str) -> Quantity:
    found = getattr(quantities, name)
    assert isinstance(found, Quantity)
    return found


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in READ for text in WRITTEN[name]])
def test_what_people_write_is_accepted_and_read(name: str, text: str) -> None:
    READ[name](text)
    assert _matches(_quantity(name), text)


@pytest.mark.parametrize("name", READ)
def test_garbage_matches_no_pattern(name: str) -> None:
    assert not [
        text for text in GARBAGE if _matches(_quantity(name), text.rstrip("\n") + "~" * ("\n" in text))
    ]


@pytest.mark.parametrize("name", READ)
def test_the_example_is_read(name: str) -> None:
    quantity = _quantity(name)
    assert _matches(quantity, quantity.example)
    READ[name](quantity.example)


@pytest.mark.parametrize("name", READ)
def test_what_matches_is_read_or_out_of_range(name: str) -> None:
    pattern = re.compile(f"(?a)^ *{_quantity(name).pattern} *\\Z")

    @settings(max_examples=150, deadline=None)
    @given(st.from_regex(pattern).filter(lambda text: len(text) <= 60))
    def check(text: str) -> None:
        try:
            READ[name](text)
        except UsageError as error:
            assert RANGE.search(error.message), error.message

    check()


@pytest.mark.parametrize("name", [name for name in READ if _quantity(name).number is not None])
def test_numbers_are_read_as_texts(name: str) -> None:
    quantity = _quantity(name)
    assert quantity.number is not None
    least, most = quantity.number["minimum"], quantity.number["maximum"]
    kind = (
        st.integers(least, most)
        if quantity.number["type"] == "integer"
        else st.floats(least, most, allow_subnormal=False)
    )

    @settings(max_examples=150, deadline=None)
    @given(kind)
    def check(value: float) -> None:
        text = quantity.text(value)
        assert _matches(quantity, text)
        try:
            READ[name](text)
        except UsageError as error:
            assert "not whole" in error.message, error.message

    check()
