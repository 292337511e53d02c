"""``plan train``: its flags, its document, what it refuses; and the same through Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sizewise as sw
from sizewise.cli import COMMANDS
from sizewise.recipe import PRECISIONS

GIB = 2**30
PARTS = ("weights", "gradients", "optimizer", "activations", "buffers", "overhead")
LAYOUT = (
    *("dp", "tp", "pp", "cp", "ep", "zero", "shard_group"),
    *("virtual_stages", "schedule", "sequence_parallel"),
)
OUTPUTS = ("global_tokens", "keeps_outputs", "on")
"""What the scenario says beside the options."""


def plan(run: Callable, *arguments: str) -> Any:
    found = run("plan", "train", *arguments, "--json")
    assert found.code == 0, found.err
    return found.document


def refused(run: Callable, *arguments: str) -> str:
    found = run("plan", "train", *arguments)
    assert (found.code, found.out) == (2, "")
    assert found.err.count("\n") == 1
    assert found.err.startswith("sizewise: error [bad_option]: ")
    return str(found.err)


def test_the_document(run: Callable) -> None:
    document = plan(run, "llama-3.1-8b", "--on", "h100-sxm:8", "--tokens", "2T", "--global-batch", "1024")
    assert document["schema_version"] == 1
    assert document["model"]["name"] == "meta-llama/Llama-3.1-8B"
    parts = document["memory_per_device"]
    assert set(parts) == {*PARTS, "total"}
    assert all(isinstance(amount, int) and amount >= 0 for amount in parts.values())
    assert parts["total"] == sum(parts[name] for name in PARTS)
    assert document["parameters"] == {"total": 8_030_261_248, "trainable": 8_030_261_248}
    assert document["scenario"]["on"] == [{"device": "h100-sxm-80gb", "count": 8}]
    assert document["scenario"]["tokens"] == 2 * 10**12
    assert document["layout"]["devices"] == 8
    assert document["layout"]["searched"]
    (fit,) = document["fits"]
    assert (fit["needed"], fit["fits"]) == (parts["total"], True)
    low, high = document["intervals"]["total"]
    assert low <= parts["total"] <= high == fit["needed_high"]
    assert document["fewest"]["devices"] <= 8
    assert document["changes"] == []
    assert isinstance(document["host"], int)
    assert document["warnings"] == []
    for name in ("step_seconds", "mfu", "hfu", "days", "device_hours", "usd"):
        estimate = document[name]
        assert 0 < estimate["low"] < estimate["value"] < estimate["high"], name
    assert document["step_seconds"]["status"] == "fitted"
    assert document["usd"]["status"] == "assumed"
    assert document["layout"]["ranked_by"] == "time"


def test_every_stage_has_the_same_parts(run: Callable) -> None:
    document = plan(run, "llama-3.1-8b", "--pp", "4", "--accumulate", "16")
    stages = document["per_stage"]
    assert [stage["stage"] for stage in stages] == [0, 1, 2, 3]
    assert [stage["micro_batches_in_flight"] for stage in stages] == [4, 3, 2, 1]
    for stage in stages:
        assert stage["total"] == sum(stage[name] for name in PARTS)
        assert stage["saved"] > 0
    fullest = max(stages, key=lambda stage: stage["total"])
    assert document["memory_per_device"] == {name: fullest[name] for name in (*PARTS, "total")}
    assert document["stage"] == fullest["stage"]
    assert document["phases"] == fullest["phases"]


def test_the_phases_of_a_step_stay_below_the_total(run: Callable) -> None:
    document = plan(run, "gpt2")
    parts, phases = document["memory_per_device"], document["phases"]
    assert set(phases) == {"forward", "loss", "backward", "optimizer_step"}
    assert max(phases.values()) == parts["total"] - parts["overhead"]


def test_flops_of_a_step_and_of_the_run(run: Callable) -> None:
    document = plan(run, "gpt2", "--global-batch", "4", "--tokens", "8192", "--recompute", "full")
    flops = document["flops"]
    assert flops["steps"] == 2
    assert flops["run"] == 2 * flops["step"]
    assert flops["run_with_recompute"] == 2 * flops["step_with_recompute"] > flops["run"]
    assert sum(flops["parts"].values()) == flops["step_with_recompute"]
    without = plan(run, "gpt2", "--global-batch", "4")["flops"]
    assert (without["run"], without["steps"]) == (None, None)
    assert without["step"] == flops["step"]


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("--tokens", "300B"), {"tokens": 300 * 10**9}),
        (("--tokens", "50M"), {"tokens": 50 * 10**6}),
        (("--global-batch", "8"), {"global_batch": 8, "accumulate": 8}),
        (("--global-tokens", "8192"), {"global_batch": 8, "global_tokens": 8192}),
        (("--seq", "512"), {"seq": 512}),
        (("--context", "512"), {"seq": 512}),
        (("-c", "512"), {"seq": 512}),
        (("--sequence-length", "512"), {"seq": 512}),
        (("--micro-batch", "3"), {"micro_batch": 3, "global_batch": 3}),
        (("--accumulate", "4"), {"accumulate": 4, "global_batch": 4}),
        (("--gradient-accumulation-steps", "4"), {"accumulate": 4}),
        (("--method", "lora"), {"method": "lora", "rank": 16, "precision": "bf16"}),
        (("--method", "dora", "--rank", "4"), {"method": "dora", "rank": 4}),
        (("--method", "lora", "--target", "all-linear"), {"target": ["all-linear"]}),
        (("--method", "lora", "--target", "c_attn,mlp.c_fc"), {"target": ["c_attn", "mlp.c_fc"]}),
        (("--method", "lora", "--target", "c_attn", "--target", "c_fc"), {"target": ["c_attn", "c_fc"]}),
        (("--method", "lora", "--adapter-dropout", "0.1"), {"adapter_dropout": 0.1}),
        (("--method", "qlora"), {"method": "qlora", "quant": "nf4-dq"}),
        (("--method", "qlora", "-q", "NF4"), {"quant": "nf4"}),
        (
            ("--freeze", "transformer.wte", "--freeze", "transformer.h.0."),
            {"freeze": ["transformer.wte", "transformer.h.0."]},
        ),
        (("--precision", "bf16-mixed"), {"precision": "bf16-mixed"}),
        (("--optimizer", "adamw_torch"), {"optimizer": "adamw"}),
        (("--optimizer", "adafactor"), {"optimizer": "adafactor", "optimizer_kernel": "foreach"}),
        (("--optimizer", "adamw-8bit"), {"optimizer_kernel": "loop"}),
        (("--optimizer-kernel", "foreach"), {"optimizer_kernel": "foreach"}),
        (("--ema",), {"ema": True}),
        (("--recompute", "full", "--recompute-every", "2"), {"recompute": "full", "recompute_every": 2}),
        (("--recompute", "selective"), {"recompute": "selective"}),
        (("--recompute", "offload"), {"recompute": "offload"}),
        (("--attention", "eager"), {"attention": "eager"}),
        (("--attn-implementation", "EAGER"), {"attention": "eager"}),
        (("--fused-norms",), {"fused_norms": True}),
        (("--loss", "chunked"), {"loss": "chunked"}),
        (("--loss", "fused"), {"loss": "fused"}),
        (("--dp", "8", "--zero", "2"), {"dp": 8, "zero": 2}),
        (("--dp", "8", "--fsdp"), {"dp": 8, "zero": 3}),
        (("--dp", "8", "--zero", "3", "--shard-group", "4"), {"shard_group": 4}),
        (("--tp", "2"), {"tp": 2}),
        (("--pp", "3"), {"pp": 3, "accumulate": 3}),
        (("--cp", "2"), {"cp": 2}),
        (("--pp", "2", "--virtual-stages", "3"), {"virtual_stages": 3}),
        (("--pp", "2", "--schedule", "zero-bubble"), {"schedule": "zero-bubble", "accumulate": 2}),
        (("--pp", "2", "--schedule", "DualPipe"), {"schedule": "dualpipe", "accumulate": 4}),
        (("--tp", "2", "--no-sequence-parallel"), {"sequence_parallel": False}),
        (("--offload-optimizer",), {"offload_optimizer": True}),
        (("--dp", "2", "--zero", "3", "--offload-weights"), {"offload_weights": True}),
        (("--products", "fp8"), {"products": "fp8"}),
        (("--tuned",), {"tuned": True}),
        (("--network", "50GB/s"), {"network": 50 * 10**9}),
        (("--mfu", "0.41", "--goodput", "0.9"), {"mfu": 0.41, "goodput": 0.9}),
        (("--usd-per-hour", "2.5"), {"usd_per_hour": 2.5}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_flags_are_said_back_and_mean_the_same_in_python(
    run: Callable, arguments: tuple[str, ...], changed: dict[str, Any]
) -> None:
    document = plan(run, "gpt2", *arguments)
    scenario = document["scenario"]
    assert {name: scenario[name] for name in changed} == changed
    options = {name: value for name, value in scenario.items() if name not in OUTPUTS}
    assert sw.plan_train("gpt2", **options).value == document["memory_per_device"]["total"]


def test_experts_are_shared(run: Callable) -> None:
    shared = plan(run, "mixtral-8x7b-v0.1", "--dp", "8", "--ep", "4", "--zero", "1")
    whole = plan(run, "mixtral-8x7b-v0.1", "--dp", "8", "--ep", "1", "--zero", "1")
    assert shared["scenario"]["ep"] == 4
    assert 3 * shared["memory_per_device"]["weights"] < whole["memory_per_device"]["weights"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("llama-3.1-8b", "--tp", "3"), "possible are 2 and 4"),
        (("llama-3.1-8b", "--pp", "33"), "possible are 1 to 32"),
        (("llama-3.1-8b", "--dp", "2", "--ep", "2"), "no routed experts"),
        (("mixtral-8x7b-v0.1", "--dp", "3", "--ep", "3"), "possible are 2 and 4"),
        (("llama-3.1-8b", "--cp", "3"), "possible are 2 and 4"),
        (("llama-3.1-8b", "--virtual-stages", "2"), "--pp"),
        (("llama-3.1-8b", "--pp", "4", "--virtual-stages", "9"), "at most 8"),
        (("llama-3.1-8b", "--schedule", "dualpipe"), "name its stages with --pp"),
        (("llama-3.1-8b", "--pp", "3", "--schedule", "dualpipe"), "3 stages cannot be divided by 2"),
        (("llama-3.1-8b", "--pp", "4", "--schedule", "dualpipe", "--accumulate", "6"), "from 8"),
        (("llama-3.1-8b", "--pp", "4", "--schedule", "zero-bubble", "--virtual-stages", "2"), "leave"),
        (("llama-3.1-8b", "--dp", "8", "--shard-group", "3"), "possible are 2 and 4"),
        (("llama-3.1-8b", "--dp", "8", "--global-batch", "12"), "possible: 8 or 16"),
        (("llama-3.1-8b", "--on", "h100-sxm:8", "--dp", "3"), "--dp is 8"),
        (("llama-3.1-8b", "--on", "h100-sxm:8,a100-sxm-80gb:8"), "one kind"),
        (("llama-3.1-8b", "--on", "nonsense"), "nonsense"),
        (("llama-3.1-8b", "--global-tokens", "4M"), "3,997,696 or 4,001,792"),
        (("llama-3.1-8b", "--global-tokens", "1K"), "possible: 4,096"),
        (("llama-3.1-8b", "--global-tokens", "8192", "--global-batch", "2"), "drop one"),
        (("llama-3.1-8b", "--fsdp", "--zero", "1"), "--fsdp is --zero 3"),
        (("llama-3.1-8b", "--zero", "4"), "--zero"),
        (("llama-3.1-8b", "--optimizer", "adanw"), "did you mean adamw"),
        (("llama-3.1-8b", "--optimizer", "adafactor", "--optimizer-kernel", "fused"), "loop, foreach"),
        (("llama-3.1-8b", "--precision", "bf17"), "did you mean bf16"),
        (("llama-3.1-8b", "--method", "lorra"), "lora"),
        (("llama-3.1-8b", "--rank", "8"), "--method lora"),
        (("llama-3.1-8b", "--target", "q_proj"), "--method lora"),
        (("llama-3.1-8b", "-q", "nf4"), "--method qlora"),
        (("llama-3.1-8b", "--method", "qlora", "-q", "nf5"), "did you mean nf4"),
        (("llama-3.1-8b", "--method", "lora", "--target", "q_porj"), "did you mean q_proj"),
        (("llama-3.1-8b", "--method", "lora", "--target", "q_proj,,k_proj"), "empty"),
        (("llama-3.1-8b", "--method", "lora", "--rank", "0"), "--rank"),
        (("llama-3.1-8b", "--method", "lora", "--adapter-dropout", "nan"), "adapter_dropout"),
        (("llama-3.1-8b", "--method", "lora", "--adapter-dropout", "1"), "adapter_dropout"),
        (("llama-3.1-8b", "--freeze", "model.leyers"), "did you mean model.layers"),
        (("llama-3.1-8b", "--tokens", "0"), "out of range"),
        (("llama-3.1-8b", "--tokens", "2x"), "not a count"),
        (("llama-3.1-8b", "--seq", "0"), "out of range"),
        (("llama-3.1-8b", "--micro-batch", "0"), "--micro-batch"),
        (("llama-3.1-8b", "--memory", "nonsense"), "memory"),
        (("llama-3.1-8b", "--on", "a100-sxm-80gb:8", "--products", "fp8"), "no rate of a100-sxm-80gb in fp8"),
        (("llama-3.1-8b", "--products", "fp8", "--precision", "fp32"), "multiplies in fp32"),
        (("llama-3.1-8b", "--mfu", "1.5"), "mfu=1.5"),
        (("llama-3.1-8b", "--goodput", "0"), "goodput=0"),
        (("llama-3.1-8b", "--usd-per-hour", "-1"), "usd_per_hour=-1"),
        (("llama-3.1-8b", "--network", "fast"), "'fast'"),
        (("llama-3.1-8b", "--check"), "--check needs a device"),
        (("llama-3.1-8b", "--explain", "--format", "csv"), "--explain"),
        (("--tokens", "2T"), "no model given"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_had_is_refused_in_one_line(
    run: Callable, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(run, *arguments)


def test_days_hours_and_money_follow_from_the_step(run: Callable) -> None:
    told = ("llama-3.1-8b", "--on", "h100-sxm:64", "--tokens", "1T", "--global-batch", "1024")
    document = plan(run, *told, "--goodput", "0.9", "--usd-per-hour", "2.5")
    step, steps = document["step_seconds"], document["flops"]["steps"]
    for end in ("value", "low", "high"):
        hours = step[end] * steps * 64 / 3600 / 0.9
        assert document["device_hours"][end] == pytest.approx(hours)
        assert document["days"][end] == pytest.approx(hours / 24 / 64)
        assert document["usd"][end] == pytest.approx(2.5 * hours)
    peak = 989e12
    flops = document["flops"]
    assert document["mfu"]["value"] == pytest.approx(flops["step"] / (step["value"] * 64 * peak))
    assert document["hfu"]["value"] == pytest.approx(
        flops["step_with_recompute"] / (step["value"] * 64 * peak)
    )
    speed = document["speed"]
    assert sum(speed["terms"].values()) == pytest.approx(step["value"])
    assert speed["bound_by"] == max(speed["terms"], key=speed["terms"].get)
    assert speed["tokens_per_second"] == pytest.approx(1024 * 4096 / step["value"])


def test_a_measured_utilization_replaces_the_prediction(run: Callable) -> None:
    document = plan(run, "llama-3.1-8b", "--on", "h100-sxm:8", "--mfu", "0.4")
    assert document["mfu"]["value"] == pytest.approx(0.4)
    assert document["step_seconds"]["status"] == "measured"
    assert document["layout"]["ranked_by"] == "exchange"


def test_without_a_device_or_its_rates_there_is_no_time(run: Callable) -> None:
    for told in (("gpt2",), ("gpt2", "--memory", "24GiB")):
        document = plan(run, *told, "--tokens", "1B")
        assert [document[name] for name in ("step_seconds", "mfu", "days", "usd")] == [None] * 4
        assert "no_time" not in [warning["code"] for warning in document["warnings"]]


def test_without_tokens_there_are_no_days(run: Callable) -> None:
    document = plan(run, "gpt2", "--on", "h100-sxm:8")
    assert document["step_seconds"]["value"] > 0
    assert [document[name] for name in ("days", "device_hours", "usd")] == [None] * 3


def test_what_is_assumed_of_the_network_is_said(run: Callable) -> None:
    told = ("llama-3.1-70b", "--on", "h100-sxm:64", "--zero", "3", "--tp", "1", "--pp", "1", "--tokens", "1B")
    codes = [warning["code"] for warning in plan(run, *told)["warnings"]]
    assert "network_assumed" in codes
    slow = plan(run, *told, "--network", "5GB/s")
    assert "network_assumed" not in [warning["code"] for warning in slow["warnings"]]
    assert slow["step_seconds"]["value"] > plan(run, *told)["step_seconds"]["value"]


def test_the_fastest_layout_that_fits_is_taken(run: Callable) -> None:
    told = ("llama-3.1-8b", "--on", "h100-sxm:16", "--global-batch", "64")
    best = plan(run, *told)
    for named in (("--zero", "3", "--tp", "1", "--pp", "1"), ("--tp", "2", "--pp", "4")):
        other = plan(run, *told, *named)
        assert best["step_seconds"]["high"] <= other["step_seconds"]["high"] or not other["fits"][0]["fits"]


def test_a_model_with_experts_has_a_wide_range(run: Callable) -> None:
    told = ("mixtral-8x7b-v0.1", "--on", "h100-sxm:64", "--tokens", "1T")
    document = plan(run, *told)
    step = document["step_seconds"]
    assert step["high"] > 2 * step["low"]
    assert step["status"] == "assumed"
    assert "time_beyond" in [warning["code"] for warning in document["warnings"]]
    assert "time_beyond" not in [warning["code"] for warning in plan(run, *told[:-2])["warnings"]]
    assert "beyond the fitted rows" in run("plan", "train", *told[:-2]).out


def test_text_says_time_and_money(run: Callable) -> None:
    shown = run("plan", "train", "llama-3.1-8b", "--on", "h100-sxm:8", "--tokens", "1B").out
    for words in ("a step:", "MFU", "device-hours", "goodput 0.95 (assumed)", "USD"):
        assert words in shown
    explained = run("plan", "train", "llama-3.1-8b", "--on", "h100-sxm:8", "--explain").out
    assert "bubble of the pipeline" in explained


def test_check_exits_with_one_when_it_does_not_fit(run: Callable) -> None:
    assert run("plan", "train", "llama-3.1-8b", "--on", "rtx-4090:1", "--check", "--json").code == 1
    assert run("plan", "train", "gpt2", "--memory", "24GiB", "--check", "--json").code == 0


def test_changes_save_what_they_say(run: Callable) -> None:
    document = plan(run, "gpt2", "--memory", "3GiB", "--recompute", "none")
    needed = document["fits"][0]["needed"]
    assert document["changes"]
    for change in document["changes"]:
        assert change["needed"] == needed - change["saves"]


def test_without_a_count_the_fewest_devices_are_taken(run: Callable) -> None:
    document = plan(run, "llama-3.1-8b", "--on", "h100-sxm")
    count = document["scenario"]["on"][0]["count"]
    assert document["fewest"]["devices"] == count > 1
    assert document["fits"][0]["fits"]
    fewer = run("plan", "train", "llama-3.1-8b", "--on", f"h100-sxm:{count - 1}", "--check", "--json")
    assert fewer.code == 1


def test_several_models_stand_side_by_side(run: Callable) -> None:
    document = plan(run, "gpt2", "llama-3.1-8b", "--on", "h100-sxm:8")
    assert [one["model"]["name"] for one in document["compared"]] == [
        "openai-community/gpt2",
        "meta-llama/Llama-3.1-8B",
    ]
    lines = run("plan", "train", "gpt2", "llama-3.1-8b", "--format", "jsonl").out.splitlines()
    assert len(lines) == 2


def test_shapes_and_changed_fields_are_models_too(run: Callable) -> None:
    shaped = plan(run, "--layers", "2", "--hidden", "64", "--heads", "4", "--vocab", "1000", "--seq", "128")
    assert shaped["parameters"]["trainable"] == shaped["parameters"]["total"]
    halved = plan(run, "gpt2", "--set", "n_layer=6")
    assert halved["memory_per_device"]["total"] < plan(run, "gpt2")["memory_per_device"]["total"]


def test_explained_numbers_are_in_the_document(run: Callable) -> None:
    document = plan(run, "gpt2", "--explain")
    assert sw.Line.from_dict(document["lines"]).value == document["memory_per_device"]["total"]
    assert document["flops_lines"]["unit"] == "FLOPs"
    shown = run("plan", "train", "gpt2", "--explain").out
    assert "macs_per_key" in shown


def test_an_answer_goes_into_a_new_file(run: Callable, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    assert run("plan", "train", "gpt2", "--format", "csv", "-o", str(file)).code == 0
    rows = file.read_text().splitlines()
    assert rows[0] == "model,part,bytes,status"
    assert [row.split(",")[1] for row in rows[1:]] == [*PARTS, "total"]
    assert run("plan", "train", "gpt2", "-o", str(file)).code == 3


def test_warnings_go_to_standard_error(run: Callable) -> None:
    found = run("plan", "train", "tinyllama-1.1b-chat-v1.0", "--seq", "4k")
    assert "beyond_context" in found.err
    assert run("plan", "train", "tinyllama-1.1b-chat-v1.0", "--seq", "4k", "--quiet").err == ""


def test_sequences_without_positions_are_refused(run: Callable) -> None:
    found = run("plan", "train", "gpt2", "--seq", "4k")
    assert found.code == 2
    assert "--seq: openai-community/gpt2 has a table of 1,024 positions" in found.err


def test_plan_names_its_questions(run: Callable) -> None:
    assert "plan" in COMMANDS
    for arguments in ((), ("trian",), ("rent",)):
        found = run("plan", *arguments)
        assert (found.code, found.out) == (2, "")
        assert "train" in found.err
        assert "serve" in found.err
    assert "did you mean train?" in run("plan", "trian").err


def test_help_explains_every_precision(run: Callable) -> None:
    shown = run("plan", "train", "--help").out
    assert all(name in shown for name in PRECISIONS)
    assert "adamw" in shown


WRONG: dict[str, tuple[Any, ...]] = {
    "tokens": (True, 1.5, -1, "x", object()),
    "on": (3, []),
    "memory": (0, 2**70, []),
    "global_batch": (0, "x", 1.0),
    "global_tokens": (0, "x"),
    "seq": (0, True, 10**30),
    "micro_batch": (0, "two"),
    "method": ("lorra", None, 3),
    "rank": (0, 2**40),
    "target": ("q_proj", [1], [""]),
    "adapter_dropout": (1, -0.1, float("nan"), "x", True),
    "optimizer": (None, "zzz", 3),
    "freeze": ("wte", None),
    "recompute": ("some", 1),
    "ema": (1, None),
    "zero": (4, -1, True),
    "dp": (0, 10**9),
    "sequence_parallel": (None, 0),
    "products": ("fp32", "int8", 8, None),
    "tuned": (1, None),
    "network": (0, "x", 1.5),
    "mfu": (0, 1.1, True, "x"),
    "goodput": (0, 2, "x"),
    "usd_per_hour": (0, -1, float("inf"), "x", True),
    "nonsense": (1,),
}


@pytest.mark.parametrize(("option", "value"), [(name, value) for name, row in WRONG.items() for value in row])
def test_a_value_of_a_wrong_type_is_a_bad_option(option: str, value: Any) -> None:
    with pytest.raises(sw.UsageError) as caught:
        sw.plan_train_answer("gpt2", **{option: value})  # type: ignore[arg-type]
    assert caught.value.code == "bad_option"


def test_python_takes_numbers_and_texts() -> None:
    written = sw.plan_train_answer("gpt2", tokens="10B", memory="24GiB", seq="1k", target=[], freeze=())
    counted = sw.plan_train_answer("gpt2", tokens=10 * 10**9, memory=24 * GIB, seq=1024, on=None, zero=None)
    assert written.recipe == counted.recipe
    assert written.fits == counted.fits
    assert sw.plan_train("gpt2", seq=1024) == counted.fullest.line


def test_python_answers_what_the_document_says(run: Callable) -> None:
    document = plan(run, "llama-3.1-8b", "--on", "h100-sxm:8", "--method", "lora", "--rank", "8")
    answer = sw.plan_train_answer("llama-3.1-8b", on="h100-sxm:8", method="lora", rank=8)
    assert answer.fullest.line.value == document["memory_per_device"]["total"]
    assert answer.trained == document["parameters"]["trainable"] == 20_971_520
    assert answer.compute.step_model == document["flops"]["step"]


def test_a_run_that_does_not_fit_has_no_days(run: Callable) -> None:
    document = plan(run, "llama-3.1-8b", "--on", "rtx-4090:1", "--tokens", "1B")
    assert not document["fits"][0]["fits"]
    assert [document[name] for name in ("days", "device_hours", "usd")] == [None] * 3
    assert document["step_seconds"]["value"] > 0
    assert "no days and no price" in "".join(warning["message"] for warning in document["warnings"])


@pytest.mark.parametrize("on", ["rtx-4090:1", "m4-max-64gb:1", "mi300x:1", "xeon-8480+:1"])
@pytest.mark.parametrize("sequence", ["512", "65536"])
def test_no_utilization_is_above_the_peak(run: Callable, on: str, sequence: str) -> None:
    found = run("plan", "train", "gpt2-xl", "--on", on, "--seq", sequence, "--json")
    if found.code:
        return
    for name in ("mfu", "hfu"):
        if found.document[name] is not None:
            assert 0 < found.document[name]["low"] <= found.document[name]["high"] <= 1


def test_an_amount_of_memory_says_why_it_has_no_time(run: Callable) -> None:
    document = plan(run, "gpt2", "--on", "custom:24GiB")
    assert document["step_seconds"] is None
    assert "150TFLOPS" in "".join(warning["message"] for warning in document["warnings"])


def test_ranks_over_a_bus_are_slow(run: Callable) -> None:
    document = plan(run, "llama-3-8b", "--on", "rtx-4090:8", "--zero", "3")
    assert document["mfu"]["value"] < 0.3
    named = plan(run, "llama-3-8b", "--on", "rtx-4090:8", "--zero", "3", "--recompute", "full")
    assert named["layout"]["tp"] == 1 or named["mfu"]["value"] < 0.3
