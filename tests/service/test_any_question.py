"""Whatever is asked within the schemas has an answer, strict, finite and possible, or is told why not."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sizewise.errors import SizewiseError
from sizewise.service.answers import ask
from sizewise.service.examples import EXAMPLES
from sizewise.service.options import Option
from sizewise.service.quantities import Quantity
from sizewise.service.schemas import checked
from sizewise.service.verbs import OFFERED, SLOW, Verb, arguments, verb

NAMES = {
    "model": ("llama-3.1-8b", "7b", "qwen2.5-0.5b", "gpt2", "mixtral-8x7b", "deepseek-v3"),
    "draft": ("qwen2.5-0.5b", "llama-3.2-1b"),
    "on": ("rtx-4090", "h100-sxm:8", "a100-80gb:2", "m4-max-64gb", "custom:24GiB,900GB/s,150TFLOPS"),
    "quant": ("bf16", "fp8", "q4_k_m", "nf4", "awq", "int8"),
    "kv_cache_dtype": ("fp16", "fp8", "q8_0"),
    "cache_type_k": ("q8_0", "fp16"),
    "cache_type_v": ("q4_0", "fp16"),
    "runtime": ("auto", "vllm", "sglang", "llama.cpp", "ollama", "transformers", "ideal", "mlx"),
    "law": ("besiroglu2024-published", "hoffmann2022-a3-tex", "muennighoff2023"),
    "set": ("num_hidden_layers=3", "vocab_size=100"),
}
PLAIN = {
    "boolean": st.booleans(),
    "object": st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), max_size=3),
    "string": st.text(min_size=1, max_size=12),
}
FAST = [name for name in OFFERED if name not in SLOW]


def values_of(schema: Mapping[str, Any], quantity: Quantity | None) -> st.SearchStrategy[Any]:
    """Return any value that a schema accepts; texts without a pattern are drawn from all texts."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of(*(values_of(one, quantity) for one in schema["anyOf"]))
    if schema["type"] == "array":
        return st.lists(values_of(schema["items"], quantity), min_size=1, max_size=3)
    if schema["type"] in ("integer", "number"):
        return _numbers(schema)
    if schema["type"] == "string" and quantity is not None:
        return st.from_regex(f"(?a){schema['pattern'][:-1]}\\Z").filter(lambda text: len(text) <= 60)
    return PLAIN[schema["type"]]


def _numbers(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if schema["type"] == "integer":
        return st.integers(least, most) | st.integers(least, min(most, least + 64))
    return st.floats(
        least, most, exclude_min="exclusiveMinimum" in schema, exclude_max="exclusiveMaximum" in schema
    )


def option_values(option: Option) -> st.SearchStrategy[Any]:
    """Return values of an option: mostly known names where it takes names."""
    drawn = values_of(option.schema, option.quantity)
    names = NAMES.get(option.name)
    return drawn if names is None else st.sampled_from(names) | st.sampled_from(names) | drawn


@st.composite
def questions(draw: st.DrawFn, asked: Verb) -> dict[str, Any]:
    """Return values of a verb: its example with a few options drawn anew."""
    options = {name: one for name, one in asked.options.items() if name not in ("runs", "format")}
    changed = draw(st.lists(st.sampled_from(sorted(options)), max_size=4, unique=True)) if options else []
    values = dict(EXAMPLES[asked.name])
    for name in changed:
        value = draw(option_values(options[name]))
        values[name] = (
            [value] if options[name].schema.get("type") == "array" and isinstance(value, str) else value
        )
    return values


def answer(asked: Verb, values: Mapping[str, Any]) -> str | None:
    """Return the answer to values that the schema accepts, None where the verb says why there is none."""
    try:
        told = checked(asked, dict(values))
    except SizewiseError:
        return None
    try:
        return ask(asked, told).text
    except SizewiseError as error:
        assert error.message
        assert "\n" not in error.message
        return None


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the path, the value and the object of every leaf."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        here = f"{path}/{name}"
        if isinstance(child, dict | list):
            yield from leaves(child, here)
        else:
            yield here, child, node


def check_possible(text: str) -> None:
    """Assert that an answer is strict, finite, and of amounts that can be."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in an answer")

    document = json.loads(text, parse_constant=refuse)
    assert document["schema_version"] == 1
    for path, value, parent in leaves(document):
        name = path.rpartition("/")[2]
        if isinstance(value, float):
            assert value - value == 0, path
        if name.endswith("bytes") and isinstance(value, int | float) and not isinstance(value, bool):
            assert value >= 0 or "free" in path or "spare" in path or "difference" in path, path
        if name == "low" and {"low", "high"} <= set(parent) and None not in (value, parent["high"]):
            middle = parent.get("value", value)
            assert value <= (value if middle is None else middle) or value <= parent["high"], path
            assert value <= parent["high"], path


@pytest.mark.parametrize("name", [name for name in OFFERED if name != "validate"])
def test_any_question_is_answered_possibly_or_refused(name: str) -> None:
    asked = verb(name)
    examples = int(os.environ.get("SIZEWISE_QUESTIONS", "3" if name in SLOW else "15"))

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(questions(asked))
    def check(values: dict[str, Any]) -> None:
        text = answer(asked, values)
        if text is not None:
            check_possible(text)
            assert answer(asked, values) == text

    check()


@pytest.mark.parametrize("name", ["params", "memory", "speed", "laws loss", "laws optimal", "laws prune"])
def test_an_answer_is_what_the_command_line_prints(name: str, run: Callable[..., Any]) -> None:
    asked = verb(name)

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(questions(asked))
    def check(values: dict[str, Any]) -> None:
        text = answer(asked, values)
        if text is not None:
            form = values.get("format", "json")
            flags = arguments(asked, {**checked(asked, values), "format": form})
            assert run(*name.split(), *flags).out == text

    check()


@pytest.mark.parametrize("name", FAST)
def test_every_number_at_its_bounds_is_answered_possibly_or_refused(name: str) -> None:
    asked = verb(name)
    for option in asked.options.values():
        for schema in (option.schema, option.schema.get("items", {}), *option.schema.get("anyOf", ())):
            for bound in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
                if bound not in schema:
                    continue
                value = schema[bound]
                nudge = {"exclusiveMinimum": 1e-9, "exclusiveMaximum": -1e-9}.get(bound, 0)
                listed = option.schema.get("type") == "array"
                told = {option.name: [value + nudge] if listed else value + nudge}
                text = answer(asked, EXAMPLES[name] | told)
                if text is not None:
                    check_possible(text)
