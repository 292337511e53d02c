"""Speed of servers: loads beyond the memory, peaks, layouts, options, and what is said beside the times."""

from functools import cache
from itertools import pairwise
from typing import Any

import pytest

import sizewise as sw
from sizewise.architecture import Model
from sizewise.errors import UsageError
from sizewise.planning.speed.answer import SpeedAnswer
from sizewise.report.speed import speed_document
from sizewise.report.speed_notes import speed_notes

ALMOST = 1 + 1e-9


@cache
def loaded(name: str) -> Model:
    return sw.load(name)


def asked(model: str = "llama-3.1-8b", **options: Any) -> SpeedAnswer:
    return sw.speed_answer(loaded(model), **{"calibration": False, **options})


def test_beyond_the_memory_only_the_wait_grows() -> None:
    options: dict[str, Any] = {"model": "llama-3.1-70b", "on": "h100-sxm:2", "quant": "fp8", "input": 4000}
    found = [asked(concurrency=load, **options) for load in (1, 4, 16, 64, 256, 1024, 4096)]
    rates = [one.output_rate.value for one in found]
    assert all(after >= before / ALMOST for before, after in pairwise(rates))
    bound = [one for one in found if one.queue_bound]
    assert len(bound) >= 2
    for one in bound:
        assert one.fits
        assert one.running == one.most_running
        assert one.clients == one.asked.concurrency
        assert one.tpot.value == pytest.approx(bound[0].tpot.value)
        assert one.output_rate.value == pytest.approx(bound[0].output_rate.value)
    waits = [one.ttft.line.part("memory queue").value for one in bound]
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


@pytest.mark.parametrize("answer", [1, 2, 16])
@pytest.mark.parametrize("load", [1, 64, 1000])
def test_no_rate_takes_more_than_the_peak(answer: int, load: int) -> None:
    found = asked(on="h100-sxm", input=4000, output=answer, concurrency=load)
    flops = 2 * found.work.active_params * found.total_rate.high
    assert flops <= 989.5e12 * ALMOST


def test_replicas_of_attention_part_the_load_and_not_the_weights() -> None:
    eight = asked(on="h100-sxm:8", concurrency=64, layout={"data": 8})
    one = asked(on="h100-sxm", concurrency=8)
    assert eight.tpot.value >= one.tpot.value / ALMOST
    assert eight.output_rate.value == pytest.approx(8 * one.output_rate.value)
    mixed = [
        asked("gpt-oss-20b", on="h100-sxm:8", concurrency=8, layout={"data": data}).tpot.line.part("weights")
        for data in (1, 8)
    ]
    assert mixed[1].inputs["peers"] == 8
    assert mixed[0].value < mixed[1].value
    experts = asked("gpt-oss-20b", on="h100-sxm:2", layout={"experts": True})
    assert any("not modelled" in notice.message for notice in experts.notices)
    with pytest.raises(UsageError, match="--dp"):
        asked(on="h100-sxm:8", layout={"data": 3})


@pytest.mark.parametrize(("devices", "tensor", "pipeline"), [(2, 2, 1), (3, 1, 3), (6, 2, 3), (64, 32, 2)])
def test_devices_without_a_layout_share_as_the_command_starts_them(
    devices: int, tensor: int, pipeline: int
) -> None:
    """32 heads are not divided by 3, and 64 devices are more than the model has heads."""
    on = f"h100-sxm:{devices}"
    found = asked(on=on)
    layout = found.scenario.layout
    assert (layout.tensor, layout.pipeline, layout.data) == (tensor, pipeline, 1)
    chosen = asked(on=on, layout={"tensor": tensor, "pipeline": pipeline})
    assert (chosen.tpot.value, chosen.ttft.value) == (found.tpot.value, found.ttft.value)
    command = sw.memory_answer(loaded("llama-3.1-8b"), on=on).command
    assert ("--pipeline-parallel-size" in command) == (pipeline > 1)
    assert (f"--tensor-parallel-size {tensor}" in command) == (tensor > 1)
    assert speed_document(found)["scenario"]["layout"]["pipeline"] == pipeline
    (note,) = (note for note in speed_notes(found) if note.startswith("layout"))
    assert (f"--tp {tensor}" in note, f"--pp {pipeline}" in note) == (tensor > 1, pipeline > 1)


def test_more_devices_than_a_model_divides_into_are_refused() -> None:
    with pytest.raises(UsageError, match="32 layers cannot be shared over 37 stages"):
        asked(on="h100-sxm:37")
    with pytest.raises(UsageError, match="query heads"):
        asked(on="h100-sxm:3", layout={"tensor": 3})


def test_one_token_has_no_time_per_token() -> None:
    answer = asked(on="h100-sxm", output=1)
    assert (answer.has_steps, len(answer.times)) == (False, 1)
    with pytest.raises(UsageError, match="no time per token"):
        asked(on="h100-sxm", output=1, tpot="10ms")


def test_the_cache_is_that_of_the_scenario() -> None:
    options: dict[str, Any] = {"on": "h100-sxm", "quant": "fp8", "concurrency": 16}
    plain = asked(**options)
    named = asked(kv_cache_dtype=plain.scenario.cache.name, **options)
    assert (named.tpot.value, named.ttft.value) == (plain.tpot.value, plain.ttft.value)


def test_the_options_of_a_server_count_or_are_named() -> None:
    load: dict[str, Any] = {"on": "h100-sxm", "concurrency": 64}
    few = asked(engine={"running_sequences": 8}, **load)
    assert (few.running, few.queue_bound) == (8, True)
    small = asked(engine={"utilization": 0.4}, **load)
    assert small.most_running < asked(**load).most_running
    for engine, flag in (({"shared_prefix": 100}, "--shared-prefix"), ({"eager": True}, "--enforce-eager")):
        found = asked(engine=engine, **load)
        assert any(one.code == "option_ignored" and flag in one.message for one in found.notices)
    assert any("--acceptance" in one.message for one in asked(acceptance=0.5, **load).notices)
    assert asked(quant="fp32", **load).ttft.line.part("prefill").inputs["peak"] < 100e12


def test_an_idle_server_is_assumed_and_a_prompt_is_rated_by_its_work() -> None:
    answer = asked(on="h100-sxm", input=8000)
    assert answer.ttft.status == answer.prefill_rate.status == "assumed"
    assert answer.prompt_seconds == pytest.approx(answer.ttft.line.part("prefill").value)
    assert answer.prefill_rate.value == pytest.approx(8000 / answer.prompt_seconds)
    half = asked(on="h100-sxm", input=8000, prefix_hit=0.5)
    assert half.prefill_rate.value == pytest.approx(4000 / half.prompt_seconds)


def test_arrivals_are_the_same_load_as_their_clients() -> None:
    arriving = asked(on="h100-sxm", rps=4.0)
    flow = arriving.clients / (arriving.ttft.value + 255 * arriving.tpot.value)
    assert flow == pytest.approx(4.0)
    part = arriving.ttft.line.part("per client")
    assert part.inputs["clients"] == pytest.approx(arriving.running)
    with pytest.raises(UsageError, match="up to ") as refused:
        asked(on="h100-sxm", rps=500.0)
    most = float(refused.value.message.split("up to ")[1].split(";")[0])
    assert asked(on="h100-sxm", rps=most * 0.98).output_rate.value == pytest.approx(most * 0.98 * 256)


def test_what_does_not_fit_meets_no_target() -> None:
    answer = asked("llama-3.1-70b", on="h100-sxm", ttft="1h", tpot="1h")
    assert (answer.fits, answer.meets) == (False, 0.0)
    assert any(notice.code == "does_not_fit" for notice in answer.notices)


@pytest.mark.parametrize("name", ["llama-3.1-70b", "qwen3-30b-a3b"])
@pytest.mark.parametrize("load", [{"concurrency": 16}, {"rps": 0.5}])
def test_what_does_not_fit_waits_for_no_memory(name: str, load: dict[str, Any]) -> None:
    lacking: dict[str, Any] = {"model": name, "on": "rtx-4090", "quant": "fp8", "runtime": "vllm", **load}
    answer = asked(**lacking)
    assert (answer.fits, answer.most_running, answer.queue_bound) == (False, None, False)
    assert answer.ttft.seconds.get("memory queue", 0.0) == pytest.approx(0, abs=1e-9)
    if "concurrency" in load:
        assert answer.running == 16
        half = next(one for one in answer.changes if one.option == "--concurrency 8")
        assert half.tpot_factor < 1
        assert answer.tpot.value > asked(**{**lacking, "concurrency": 1}).tpot.value
    text = next(notice.message for notice in answer.notices if notice.code == "does_not_fit")
    assert text.endswith("of a larger device of the same speed, with room for every request")


def test_other_devices_and_formats_are_wider() -> None:
    plain = asked(on="h100-sxm", concurrency=16)
    other = asked(on="mi300x", runtime="vllm", concurrency=16)
    assert other.tpot.spread.high > plain.tpot.spread.high
    assert any("AMD" in notice.message for notice in other.notices)
    packed = asked(on="h100-sxm", quant="awq", concurrency=16)
    assert packed.tpot.status == packed.ttft.status == "assumed"
    assert packed.tpot.spread.high > plain.tpot.spread.high
    shown = " ".join(notice.message for notice in asked("llama-3.1-70b", on="h200-sxm:4").notices)
    assert "GB of weights" in shown
    assert "e+1" not in shown


def test_separate_prompts_cost_their_devices_and_free_the_steps() -> None:
    """Prompts that others compute leave steps shorter; their devices are paid and their way is taken."""
    load = {"on": "h100-sxm", "concurrency": 32, "usd_per_hour": 2.0}
    together, apart = asked(**load), asked(**load, split=True)
    assert apart.tpot.value < together.tpot.value
    assert apart.prompt_devices >= 1
    assert apart.all_devices == apart.devices + apart.prompt_devices
    assert apart.busy <= 0.7
    transfer = apart.ttft.line.part("cache transfer")
    assert transfer.value == pytest.approx(apart.work.cache_bytes(1024) / 50e9)
    assert apart.cost.usd_per_hour.line.value == 2.0 * apart.all_devices
    assert apart.quantiles.p50 <= apart.quantiles.p90 <= apart.quantiles.p99


def test_separate_prompts_follow_the_rate_and_the_memory() -> None:
    few, many = (asked(on="h100-sxm", split=True, rps=rate) for rate in (2.0, 20.0))
    assert many.prompt_devices >= few.prompt_devices
    assert many.running == pytest.approx(20 * 256 * many.tpot.value, rel=1e-6)
    with pytest.raises(UsageError, match="cannot serve"):
        asked(on="h100-sxm", split=True, rps=10_000.0)
    full = asked(on="h100-sxm", split=True, concurrency=2000, input=4000)
    assert full.running == full.most_running < 2000
    assert full.queue_bound


def test_a_load_near_what_is_served_says_that_it_may_not_be() -> None:
    """The rate is what arrives, its low end what slower steps would serve; waits have no end."""
    most = asked(on="h100-sxm", rps=1.0).most_served.value
    calm, near = (asked(on="h100-sxm", rps=part * most, ttft="1s") for part in (0.2, 0.999))
    assert (calm.output_rate.low, calm.kept_up) == (calm.output_rate.value, pytest.approx(1, abs=0.01))
    assert calm.meets == pytest.approx(calm.kept_up * calm.ttft.chance_below(1.0))
    assert near.kept_up == pytest.approx(0.4, abs=0.2)
    assert near.meets <= near.kept_up
    rate = near.output_rate
    assert rate.low < 0.9 * rate.value
    assert rate.low == pytest.approx(near.most_served.low * 256)
    assert rate.high == rate.value == pytest.approx(0.999 * most * 256)
    assert near.ttft.value > 10 * calm.ttft.value
    load = speed_document(near)["load"]
    assert load["kept_up_probability"] == near.kept_up
    assert load["most_requests_per_second"]["value"] == pytest.approx(most)
    assert any("are served: " in note for note in speed_notes(near))


@pytest.mark.parametrize(
    "options",
    [{}, {"input": 4000}, {"split": True}, {"layout": {"data": 2}, "on": "h100-sxm:2"}],
    ids=("usual", "long", "split", "replicas"),
)
def test_what_arrives_and_what_waits_is_served_alike_at_most(options: dict[str, Any]) -> None:
    options = {"on": "h100-sxm", **options}
    crowd = asked(concurrency=20_000, **options)
    arriving = asked(rps=1.0, **options).most_served
    assert arriving.value * 256 == pytest.approx(crowd.output_rate.value, rel=0.01)


def test_one_client_waits_for_no_prompt_of_others() -> None:
    for options in ({"split": True}, {"split": True, "layout": {"data": 2}, "on": "h100-sxm:2"}):
        found = asked(**{"on": "h100-sxm", "concurrency": 1, **options})
        assert found.ttft.line.part("prompts before it").value == 0
        assert found.quantiles.p50 == found.quantiles.p99 == pytest.approx(found.ttft.value)
    two = asked(on="h100-sxm", concurrency=2, split=True)
    assert two.ttft.line.part("prompts before it").value > 0


@pytest.mark.parametrize(("experts", "devices"), [(True, 6), (False, 8)])
def test_devices_of_prompts_hold_the_model(experts: bool, devices: int) -> None:
    """671 GB of experts on devices of 141 GB; parts of every expert have to come out even."""
    layout = {"tensor": 1, "data": 8, "experts": experts}
    options: dict[str, Any] = {"on": "h200-sxm:8", "runtime": "sglang", "layout": layout}
    found = asked("deepseek-v3", split=True, concurrency=8, usd_per_hour=1.0, **options)
    assert (found.fits, found.prompt_devices, found.all_devices) == (True, devices, 8 + devices)
    assert found.cost.usd_per_hour.line.value == 8 + devices
    assert found.prompt_devices * 141e9 > 671e9
    many = asked("deepseek-v3", split=True, rps=60.0, **options)
    assert many.prompt_devices > 8


def test_a_dense_model_needs_one_replica_for_prompts() -> None:
    found = asked(on="h100-sxm:4", split=True, layout={"tensor": 2, "data": 2}, concurrency=4)
    assert found.prompt_devices == 2
