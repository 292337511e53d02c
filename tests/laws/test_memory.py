"""Properties of the memory answer, whatever the model, format and scenario."""

import json
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sizewise as sw
from sizewise.catalog.formats import formats
from sizewise.ledger import Line
from sizewise.planning.context_limit import last_position

MODELS = [
    "llama-3.1-8b",
    "gpt2",
    "deepseek-v3",
    "gpt-oss-20b",
    "gemma-2-9b",
    "mamba-130m-hf",
    "qwen3-next-80b-a3b-instruct",
    "lfm2-1.2b",
    "t5-small",
    "bert-base-uncased",
    "7b",
]
models = st.sampled_from(MODELS)
contexts = st.integers(1, 200_000)
sequences = st.integers(1, 64)
runtimes = st.sampled_from(["ideal", "transformers"])
quants = st.sampled_from(sorted(formats()))
quick = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    for model in MODELS:
        sw.load(model)


def held(model: str, context: int) -> int:
    """Return a context, or as many tokens as the model has positions for."""
    return min(context, last_position(sw.load(model)) or context)


def leaves(line: Line) -> list[Line]:
    return [part for _, part in line.walk() if part.amount is not None]


@quick
@given(models, contexts, sequences, runtimes, quants)
def test_parts_sum_to_the_total_and_formulas_give_the_amounts(
    model: str, context: int, count: int, runtime: str, quant: str
) -> None:
    line = sw.memory(model, context=held(model, context), sequences=count, runtime=runtime, quant=quant)
    assert line.value == sum(part.value for part in line.parts) == sum(part.value for part in leaves(line))
    assert [part.name for part in line.parts] == ["weights", "cache", "buffers", "overhead"]
    for part in leaves(line):
        assert isinstance(part.amount, int)
        assert part.amount >= 0
        low, high = part.interval
        assert low <= part.amount <= high
        if part.formula:
            names: dict[str, Any] = {"min": min, "max": max, "ceil": ceil, **part.inputs}
            shown = eval(part.formula, {"__builtins__": {}}, names)
            assert shown == part.amount, part.explain()


@quick
@given(models)
def test_parameter_formulas_give_the_amounts(model: str) -> None:
    line = sw.parameters(model)
    assert line.value == sum(part.value for part in leaves(line))
    for part in leaves(line):
        assert eval(part.formula, {"__builtins__": {}}, dict(part.inputs)) == part.amount


@quick
@given(models, contexts, st.integers(1, 1000), sequences, runtimes)
def test_more_context_or_sequences_never_shrink_anything(
    model: str, context: int, more: int, count: int, runtime: str
) -> None:
    context, beyond = held(model, context), held(model, context + more)
    base = sw.memory(model, context=context, sequences=count, runtime=runtime)
    longer = sw.memory(model, context=beyond, sequences=count, runtime=runtime)
    wider = sw.memory(model, context=context, sequences=count + more, runtime=runtime)
    for part in ("weights", "cache", "buffers", "overhead"):
        assert longer.part(part).value >= base.part(part).value
        assert wider.part(part).value >= base.part(part).value


@quick
@given(models, contexts, sequences)
def test_cache_is_linear_in_sequences(model: str, context: int, count: int) -> None:
    context = held(model, context)
    one = sw.memory(model, context=context, runtime="transformers").part("cache").value
    many = sw.memory(model, context=context, sequences=count, runtime="transformers").part("cache").value
    assert many == count * one


@quick
@given(st.integers(1, 200), st.integers(1, 64), quants)
def test_more_layers_never_shrink_weights_or_cache(layers: int, more: int, quant: str) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 256,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "intermediate_size": 768,
        "vocab_size": 1000,
    }
    small = sw.memory({**config, "num_hidden_layers": layers}, quant=quant, runtime="ideal")
    large = sw.memory({**config, "num_hidden_layers": layers + more}, quant=quant, runtime="ideal")
    assert large.part("weights").value > small.part("weights").value
    assert large.part("cache").value > small.part("cache").value


@quick
@given(models)
def test_more_bits_never_shrink_weights(model: str) -> None:
    sizes = [
        sw.memory(model, quant=q, runtime="ideal").part("weights").value
        for q in ("int4", "int8", "bf16", "fp32")
    ]
    assert sizes == sorted(sizes)


@quick
@given(models, st.integers(2**30, 2**42), st.integers(1, 8))
def test_the_largest_context_and_sequences_are_exact_inverses(model: str, memory: int, count: int) -> None:
    context, last = held(model, 2048), held(model, 10**9)
    answer = sw.memory_answer(model, memory=memory, sequences=count, context=context)
    for field, reached in (("context", answer.largest_context), ("sequences", answer.largest_sequences)):
        asked = {"context": context, "sequences": count}
        limit = {"context": last, "sequences": 10**6}[field]
        if reached:
            assert sw.memory_answer(model, memory=memory, **(asked | {field: reached})).all_fit  # type: ignore[arg-type]
        if reached is not None and reached < limit:
            assert not sw.memory_answer(model, memory=memory, **(asked | {field: reached + 1})).all_fit  # type: ignore[arg-type]


@quick
@given(models, contexts, quants)
def test_lines_round_trip_through_json(model: str, context: int, quant: str) -> None:
    line = sw.memory(model, context=held(model, context), quant=quant)
    document = json.loads(json.dumps(line.to_dict(), allow_nan=False))
    again = Line.from_dict(document)
    assert again.to_dict() == line.to_dict()
    assert (again.value, again.status, again.interval) == (line.value, line.status, line.interval)
