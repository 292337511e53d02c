"""Speed as a whole: terms that add up, times that only move the right way, money that is dated."""

from functools import cache
from math import ceil, log
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sizewise as sw
from sizewise.architecture import Model
from sizewise.errors import UsageError
from sizewise.ledger import Line
from sizewise.planning.speed.answer import SpeedAnswer
from sizewise.planning.speed.cost import GIVEN

DENSE, MIXED, LATENT = "llama-3.1-8b", "gpt-oss-20b", "deepseek-v2-lite"
SERVERS = ("vllm", "sglang")
LOCAL = ("llama.cpp", "ollama", "transformers", "mlx", "ideal")
MODELS = st.sampled_from((DENSE, "qwen3-8b", MIXED, LATENT))
DEVICES = st.sampled_from(("h100-sxm", "l40s", "rtx-4090", "mi300x", "custom:48GiB,1200GB/s,200TFLOPS"))
ENGINES = st.sampled_from(("vllm", "sglang", "llama.cpp", "transformers"))
GIVEN_WORDS: dict[str, Any] = {"min": min, "max": max, "ceil": ceil, "log": log, "__builtins__": {}}
ALMOST = 1 + 1e-9

CASES: dict[str, dict[str, Any]] = {
    "served": {"model": DENSE, "on": "h100-sxm", "concurrency": 16},
    "alone": {"model": DENSE, "on": "h100-sxm"},
    "several devices": {"model": "llama-3.1-70b", "on": "h100-sxm:4", "quant": "fp8", "concurrency": 64},
    "experts": {"model": MIXED, "on": "h100-sxm", "runtime": "sglang", "concurrency": 8},
    "latent cache": {"model": LATENT, "on": "h200-sxm", "prefix_hit": 0.5},
    "arrivals": {"model": DENSE, "on": "h100-sxm", "rps": 2.0},
    "split": {"model": DENSE, "on": "h100-sxm", "split": True, "concurrency": 4},
    "drafts": {"model": DENSE, "on": "h100-sxm", "draft_tokens": 3},
    "local": {"model": DENSE, "on": "rtx-4090", "quant": "q4_k_m"},
    "local experts on the host": {
        "model": MIXED,
        "on": "rtx-4090",
        "runtime": "llama.cpp",
        "engine": {"host_expert_layers": 12},
    },
    "weights on the host": {"model": DENSE, "on": "rtx-3060-12gb", "engine": {"offload": True}},
    "a server's weights on the host": {
        "model": MIXED,
        "on": "rtx-4090:2",
        "runtime": "vllm",
        "engine": {"host_weights_gib": 3},
        "concurrency": 4,
    },
    "own numbers": {"model": DENSE, "on": "custom:24GiB,900GB/s,150TFLOPS"},
    "one token": {"model": DENSE, "on": "rtx-4090", "input": 1, "output": 1},
}


@cache
def loaded(name: str) -> Model:
    return sw.load(name)


def asked(model: str = DENSE, **options: Any) -> SpeedAnswer:
    return sw.speed_answer(loaded(model), **{"calibration": False, **options})


def leaves(line: Line) -> list[Line]:
    return [below for _, below in line.walk() if below.amount is not None]


@pytest.mark.parametrize("name", CASES)
def test_terms_add_up_to_times_within_their_intervals(name: str) -> None:
    answer = asked(**CASES[name])
    for prediction in (answer.ttft, answer.tpot):
        assert sum(part.value for part in prediction.line.parts) == pytest.approx(prediction.value)
        assert sum(prediction.shares.values()) == pytest.approx(1)
        assert 0 < prediction.low < prediction.value < prediction.high
        assert prediction.status in ("fitted", "assumed")
        assert prediction.bound_by in prediction.shares
        line = prediction.answered
        assert line.value == pytest.approx(prediction.value)
        assert line.interval == pytest.approx((prediction.low, prediction.high))
        assert Line.from_dict(line.to_dict()).to_dict() == line.to_dict()
    for rate in (answer.output_rate, answer.total_rate, answer.prefill_rate):
        assert 0 < rate.low <= rate.value <= rate.high


@pytest.mark.parametrize("name", CASES)
def test_formulas_give_the_amounts(name: str) -> None:
    answer = asked(**CASES[name], usd_per_hour=2.0, api_price=(0.1, 0.4))
    found = [leaf for line in (*answer.times, *answer.cost.lines) for leaf in leaves(line)]
    assert len(found) >= 8
    for leaf in found:
        assert leaf.formula, leaf.name
        assert eval(leaf.formula, dict(GIVEN_WORDS), dict(leaf.inputs)) == pytest.approx(leaf.amount), (
            leaf.name
        )


def faster(first: SpeedAnswer, second: SpeedAnswer, *, prompts: bool = True) -> bool:
    """Whether the first is never slower than the second."""
    first_prompt = not prompts or first.ttft.value <= second.ttft.value * ALMOST
    return first.tpot.value <= second.tpot.value * ALMOST and first_prompt


@settings(max_examples=20, deadline=None)
@given(MODELS, ENGINES, st.integers(200, 4000), st.integers(1, 64), st.integers(30, 900))
def test_more_bandwidth_or_products_are_never_slower(
    model: str, engine: str, bandwidth: int, load: int, rate: int
) -> None:
    def at(bandwidth: int, rate: int) -> SpeedAnswer:
        device = f"custom:80GiB,{bandwidth}GB/s,{rate}TFLOPS"
        return asked(
            model,
            on=device,
            runtime=engine,
            concurrency=load,
            quant="q4_k_m" if engine == "llama.cpp" else None,
        )

    slow = at(bandwidth, rate)
    assert faster(at(bandwidth * 2, rate), slow)
    assert faster(at(bandwidth, rate * 2), slow)


@settings(max_examples=50, deadline=None)
@given(MODELS, st.tuples(DEVICES, ENGINES), st.integers(16, 30_000), st.integers(2, 2000), st.integers(1, 64))
def test_less_context_and_smaller_batches_are_never_slower(
    model: str, place: tuple[str, str], prompt: int, answer: int, load: int
) -> None:
    on, engine = place
    options: dict[str, Any] = {"on": on, "runtime": engine, "output": answer}
    full = asked(model, input=prompt, concurrency=load, **options)
    if full.queue_bound:  # longer prompts leave room for fewer sequences: a smaller batch, a longer wait
        return
    half = asked(model, input=prompt // 2, concurrency=load, **options)
    if half.fits == full.fits:  # what does not fit is timed with the memory of a larger device
        assert faster(half, full)
    assert full.tpot.value <= asked(model, input=prompt, concurrency=2 * load, **options).tpot.value * ALMOST


@pytest.mark.parametrize("engine", SERVERS)
@pytest.mark.parametrize("load", [1, 32])
def test_smaller_weights_and_caches_are_faster(engine: str, load: int) -> None:
    options: dict[str, Any] = {"on": "h100-sxm", "runtime": engine, "concurrency": load}
    half = asked(quant="fp8", **options)
    assert faster(half, asked(quant="bf16", **options))
    assert half.tpot.value < asked(quant="bf16", **options).tpot.value
    assert faster(asked(kv_cache_dtype="fp8", **options), asked(kv_cache_dtype="bf16", **options))


def test_fewer_bytes_stream_faster() -> None:
    times = [asked(on="rtx-4090", quant=quant).tpot.value for quant in ("q4_k_m", "q6_k", "q8_0", "f16")]
    assert times == sorted(times)


def test_two_devices_of_a_server_share_the_weights() -> None:
    one, two = (asked(on=f"h100-sxm:{count}", concurrency=16) for count in (1, 2))
    assert two.tpot.value < one.tpot.value
    assert two.tpot.line.part("weights").value == pytest.approx(one.tpot.line.part("weights").value / 2)
    assert two.devices == 2


def test_what_arrives_is_what_is_answered() -> None:
    answer = asked(on="h100-sxm", rps=2.0, input=1000, output=200)
    assert answer.output_rate.value == 400
    assert answer.total_rate.value == 2400
    with pytest.raises(UsageError, match="cannot serve"):
        asked(on="h100-sxm", rps=500.0)


def test_a_probability_falls_with_the_target() -> None:
    chances = [
        asked(on="h100-sxm", tpot=target).meets or 0.0 for target in ("2ms", "6ms", "8ms", "20ms", 1.0)
    ]
    assert chances == sorted(chances)
    assert (chances[0] < 0.05, chances[-1] > 0.95) == (True, True)
    both = asked(on="h100-sxm", tpot="8ms", ttft="100ms").meets
    assert both is not None
    assert both < (asked(on="h100-sxm", tpot="8ms").meets or 0.0)


@pytest.mark.parametrize("engine", [*SERVERS, *LOCAL])
def test_every_engine_answers_or_says_what_is_assumed(engine: str) -> None:
    answer = asked(on="apple-m5-max-40c-128gb" if engine == "mlx" else "rtx-4090", runtime=engine)
    assert answer.tpot.value > 0
    if engine in ("transformers", "mlx"):
        assert answer.tpot.status == "assumed"
        assert any(engine in notice.message for notice in answer.notices)


def test_doubtful_facts_of_a_device_are_said_and_weaken_the_times() -> None:
    answer = asked(on="m5-max-128gb", runtime="llama.cpp", quant="q4_k_m")
    assert any("no two sources confirm the peak rates" in notice.message for notice in answer.notices)
    assert (answer.ttft.status, answer.tpot.status) == ("assumed", "assumed")
    row = asked(on="gh200-96gb")
    assert sum("no two sources" in notice.message for notice in row.notices) == 1
    assert not any("no two sources" in notice.message for notice in asked(on="h100-sxm").notices)
    assert asked(on="h100-sxm").tpot.status == "fitted"


def test_money_follows_price_rate_and_utilization() -> None:
    answer = asked(on="h100-sxm:2", concurrency=16, usd_per_hour=1.8, utilization=0.5)
    cost = answer.cost
    assert cost.usd_per_hour is not None
    assert (cost.usd_per_hour.line.value, cost.usd_per_hour.as_of) == (3.6, GIVEN)
    assert cost.per_million_output is not None
    assert cost.per_million_total is not None
    per_output = 3.6e6 / 3600 / answer.output_rate.value / 0.5
    assert cost.per_million_output.value == pytest.approx(per_output)
    ends = [3.6e6 / 3600 / rate / 0.5 for rate in (answer.output_rate.high, answer.output_rate.low)]
    assert cost.per_million_output.interval == pytest.approx(ends)
    share = answer.asked.answer / (answer.asked.answer + answer.asked.prompt)
    assert cost.per_million_total.value == pytest.approx(per_output * share)
    assert cost.joules is not None
    assert cost.joules.status == "assumed"
    assert cost.joules.value == pytest.approx(2 * 700 * 0.55 / answer.output_rate.value)


def test_a_price_of_the_catalogue_is_dated_and_assumed() -> None:
    rent = asked(on="h100-sxm").cost.usd_per_hour
    assert rent is not None
    assert rent.as_of in rent.line.source
    assert rent.line.status == "assumed"
    unknown = asked(on="rtx-4090").cost
    assert (unknown.usd_per_hour, unknown.per_million_output, unknown.per_million_total) == (None, None, None)
    assert asked(on="custom:24GiB,900GB/s,150TFLOPS").cost.joules is None


def test_an_api_is_compared_at_the_mix_of_the_requests() -> None:
    options: dict[str, Any] = {"on": "h100-sxm", "concurrency": 64, "input": 3000, "output": 1000}
    cost = asked(**options, usd_per_hour=2.0, api_price=(0.2, 1.0), utilization=0.9).cost
    assert cost.against is not None
    assert cost.against.price.line.value == pytest.approx(0.4)
    even = cost.against.even
    assert even is not None
    assert even.tokens_per_day.value == pytest.approx(2 * 24 / 0.4 * 1e6)
    assert even.requests_per_day.value == pytest.approx(even.tokens_per_day.value / 4000)
    assert cost.per_million_total is not None
    pays = cost.per_million_total.value < 0.4
    assert (even.utilization.value < 1) == pays
    without = asked("llama-3.1-8b", on="rtx-4090", api_price=(0.2, 1.0)).cost.against
    assert without is not None
    assert without.even is None


def test_without_a_provider_the_cheapest_is_taken() -> None:
    cheapest = asked(on="h100-sxm", against="llama-3.1-8b-instruct").cost.against
    named = asked(on="h100-sxm", against="llama-3.1-8b-instruct:novita").cost.against
    assert cheapest is not None
    assert named is not None
    assert "novita" in named.name
    assert cheapest.price.line.value <= named.price.line.value
    assert cheapest.price.as_of in cheapest.price.line.source


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "needs a device"),
    ({"on": "h100-sxm,l40s"}, "several kinds"),
    ({"on": "custom:24GiB"}, "bandwidth"),
    ({"on": "custom:24GiB,900GB/s"}, "peak rate"),
    ({"on": "h100-sxm", "runtime": "all"}, "one engine"),
    ({"on": "h100-sxm", "runtime": "vlm"}, "vllm"),
    ({"on": "h100-smx"}, "h100-sxm"),
    ({"on": "h100-sxm", "input": 0}, "input"),
    ({"on": "h100-sxm", "output": "x"}, "x"),
    ({"on": "h100-sxm", "concurrency": 0}, "concurrency"),
    ({"on": "h100-sxm", "concurrency": float("nan")}, "concurrency"),
    ({"on": "h100-sxm", "rps": True}, "rps"),
    ({"on": "h100-sxm", "prefix_hit": 1.0}, "prefix_hit"),
    ({"on": "h100-sxm", "acceptance": 1}, "acceptance"),
    ({"on": "h100-sxm", "draft_tokens": 0}, "draft_tokens"),
    ({"on": "h100-sxm", "ttft": "soon"}, "soon"),
    ({"on": "h100-sxm", "tpot": -1}, "tpot"),
    ({"on": "h100-sxm", "usd_per_hour": 0}, "usd_per_hour"),
    ({"on": "h100-sxm", "utilization": 1.5}, "utilization"),
    ({"on": "h100-sxm", "api_price": "1"}, "api_price"),
    ({"on": "h100-sxm", "api_price": (True, 2)}, "api_price"),
    ({"on": "h100-sxm", "api_price": (1, float("inf"))}, "api_price"),
    ({"on": "h100-sxm", "api_price": (1, 1), "against": "gpt2"}, "drop one"),
    ({"on": "h100-sxm", "calibration": 1}, "calibration"),
    ({"on": "h100-sxm", "split": None}, "split"),
    ({"on": "h100-sxm", "runtime": None}, "runtime"),
    ({"on": "h100-sxm", "inputs": 3}, "did you mean"),
    ({"on": "rtx-4090", "runtime": "llama.cpp", "rps": 1.0}, "vllm and sglang"),
    ({"on": "h100-sxm", "rps": 1.0, "concurrency": 4}, "drop one"),
    ({"on": "apple-m3-max-40c-128gb", "runtime": "vllm"}, "does not run on"),
    ({"on": "h100-sxm", "runtime": "mlx"}, "does not run on"),
    ({"on": "tpu-v5e", "runtime": "llama.cpp"}, "does not run on"),
    ({"on": "h100-sxm", "quant": "exl2-4.0", "runtime": "vllm"}, "runs no exl2"),
    ({"on": "h100-sxm", "quant": "mlx-4bit", "runtime": "sglang"}, "runs no mlx"),
]


@pytest.mark.parametrize(("options", "word"), WRONG, ids=[str(options) for options, _ in WRONG])
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(**options)
    assert word in refused.value.message
    assert "\n" not in refused.value.message


def test_an_unknown_api_is_refused() -> None:
    for named in ("nonsense", "llama-3.1-8b-instruct:nobody", ":novita", ""):
        with pytest.raises(UsageError, match="no API price is known"):
            _ = asked(on="h100-sxm", against=named).cost
