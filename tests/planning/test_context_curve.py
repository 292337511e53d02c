"""Memory against context: the points are those of the memory answer, and the reaches its inverses."""

from itertools import pairwise
from typing import Any

import pytest

import sizewise as sw
from sizewise.planning.context_curve import LONGEST, SAMPLES, cache_variants, context_curves, context_samples

LLAMA = "llama-3.1-8b"
MOST_POINTS = 24


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (LLAMA, {"on": "rtx-4090", "quant": "q4_k_m"}),
        ("llama-3.1-70b", {"on": "h100-sxm:4"}),
        ("gemma-3-12b-it", {"on": "rtx-4090:2", "runtime": "llama.cpp"}),
    ],
)
def test_points_and_reaches_are_those_of_the_answer(name: str, options: dict[str, Any]) -> None:
    found = context_curves(sw.memory_answer(name, **options))
    for curve in found.curves:
        same = {**options, "kv_cache_dtype": curve.scenario.cache.name}
        for point in curve.points[::5]:
            answer = sw.memory_answer(name, **same, context=point.context)
            assert point.needed == answer.fits[0].needed
        largest = sw.memory_answer(name, **same).largest_context
        assert [reach.context for reach in curve.reaches] == [n for n in [largest] if n < LONGEST]
        assert set(curve.reaches) <= set(curve.points)
        assert all(reach.needed <= found.devices[0].usable for reach in curve.reaches)


def test_a_curve_rises_over_few_points_and_holds_the_asked_one() -> None:
    answer = sw.memory_answer(LLAMA, context=5000)
    found = context_curves(answer)
    for curve in found.curves:
        contexts = [point.context for point in curve.points]
        assert contexts == sorted(set(contexts))
        assert len(contexts) <= MOST_POINTS
        assert contexts[-1] <= LONGEST
        needed = [point.needed for point in curve.points]
        assert needed == sorted(needed)
        assert dict(zip(contexts, needed, strict=True))[5000] == answer.line.value


def test_usual_devices_are_filled_exactly() -> None:
    found = context_curves(sw.memory_answer(LLAMA))
    (curve,) = found.curves
    assert len(found.devices) == len(curve.reaches) == 3
    for smaller, larger in pairwise(found.devices):
        assert larger.usable >= 2 * smaller.usable
    for device, reach in zip(found.devices, curve.reaches, strict=True):
        for context, fits in ((reach.context, True), (reach.context + 1, False)):
            answer = sw.memory_answer(LLAMA, context=context)
            assert next(fit.fits for fit in answer.fits if fit.device == device.device) is fits


@pytest.mark.parametrize(
    ("options", "formats"),
    [
        ({"runtime": "transformers"}, ["bf16"]),
        ({"runtime": "vllm"}, ["bf16", "fp8"]),
        ({"runtime": "llama.cpp", "quant": "q4_k_m"}, ["fp16", "q8_0", "q4_0"]),
        ({"runtime": "ideal"}, ["bf16", "fp8", "q4_0"]),
        ({"runtime": "vllm", "kv_cache_dtype": "fp8_e5m2"}, ["bf16", "fp8_e5m2"]),
        ({"runtime": "llama.cpp", "kv_cache_dtype": "q5_1"}, ["fp16", "q8_0", "q5_1", "q4_0"]),
    ],
)
def test_formats_are_those_that_the_engine_keeps(options: dict[str, Any], formats: list[str]) -> None:
    scenario = sw.memory_answer(LLAMA, **options).scenario
    assert scenario in cache_variants(scenario)
    assert [one.cache.name for one in cache_variants(scenario)] == formats


def test_blocks_of_numbers_take_flash_attention() -> None:
    scenario = sw.memory_answer(LLAMA, runtime="llama.cpp", engine={"flash_attention": False}).scenario
    assert [one.engine.flash_attention for one in cache_variants(scenario)] == [False, True, True]


def test_a_format_that_changes_nothing_has_no_curve() -> None:
    found = context_curves(sw.memory_answer("mamba-2.8b-hf", runtime="ideal"))
    assert len(found.curves) == 1


def test_what_does_not_fit_has_no_reach() -> None:
    found = context_curves(sw.memory_answer(LLAMA, memory="8GiB", runtime="ideal"))
    assert [device.device for device in found.devices] == ["8 GiB device"]
    assert all(not curve.reaches for curve in found.curves)


def test_of_two_kinds_the_one_that_lacks_most_is_told() -> None:
    answer = sw.memory_answer(LLAMA, on="h100-sxm,rtx-4090")
    found = context_curves(answer)
    assert [device.device for device in found.devices] == ["rtx-4090-24gb"]
    (reach,) = found.curves[0].reaches
    assert reach.context == answer.largest_context


def test_a_memory_that_the_host_shares_holds_its_part_too() -> None:
    answer = sw.memory_answer("gemma-3-12b-it", runtime="llama.cpp", on="apple-m4-max-32c-64gb")
    found = context_curves(answer)
    assert found.held.part("on the host").value == answer.host > 0
    assert found.held.value == found.devices[0].needed


def test_no_context_is_shorter_than_the_prefix_that_sequences_share() -> None:
    engine = {"shared_prefix": 6000}
    found = context_curves(sw.memory_answer(LLAMA, on="h100-sxm", context="8k", engine=engine))
    assert all(point.context >= 6000 for curve in found.curves for point in curve.points)


def test_a_longer_context_than_the_longest_is_reached() -> None:
    found = context_curves(sw.memory_answer(LLAMA, context=3 * LONGEST, on="h100-sxm"))
    assert found.curves[0].points[-1].context >= 3 * LONGEST


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (LLAMA, {"on": "rtx-4090", "quant": "q4_k_m", "context": 5000}),
        ("llama-3.1-70b", {"on": "h100-sxm:4"}),
        ("gemma-3-12b-it", {"runtime": "llama.cpp", "on": "apple-m4-max-32c-64gb"}),
        (LLAMA, {}),
        (LLAMA, {"on": "h100-sxm", "context": 3 * LONGEST}),
    ],
)
def test_samples_are_few_points_of_the_answer_itself(name: str, options: dict[str, Any]) -> None:
    answer = sw.memory_answer(name, **options)
    found = context_samples(answer)
    own = next(curve for curve in found.curves if curve.scenario == found.scenario)
    asked = next(point for point in own.points if point.context == answer.scenario.context)
    assert asked.needed == found.held.value
    assert dict(asked.parts) == {part.name: part.value for part in found.held.parts}
    for curve in found.curves:
        contexts = [point.context for point in curve.points]
        assert contexts == sorted(set(contexts))
        assert len(contexts) <= SAMPLES + 1
        assert contexts[-1] >= max(answer.scenario.context, min(answer.model.context or 0, LONGEST))
        assert all(point.needed == sum(dict(point.parts).values()) for point in curve.points)


def test_samples_lie_on_the_curves() -> None:
    answer = sw.memory_answer(LLAMA, on="rtx-4090", quant="q4_k_m")
    sampled, drawn = context_samples(answer), context_curves(answer)
    assert sampled.devices == drawn.devices
    assert [one.scenario for one in sampled.curves] == [one.scenario for one in drawn.curves]
    for few, many in zip(sampled.curves, drawn.curves, strict=True):
        alike = {point.context for point in few.points} & {point.context for point in many.points}
        assert len(alike) >= 2
        assert {p for p in few.points if p.context in alike} == {p for p in many.points if p.context in alike}


def test_a_cache_format_that_the_engine_refuses_has_no_curve() -> None:
    answer = sw.memory_answer("phi-2", on="rtx-4090", quant="q4_k_m")
    for find in (context_curves, context_samples):
        assert [curve.scenario.cache.name for curve in find(answer).curves] == ["fp16"]
