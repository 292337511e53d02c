"""The training answer for people: tables, notes, bar and picture."""

from collections.abc import Callable
from pathlib import Path

import pytest

import sizewise as sw
from sizewise.recipe import Sharding
from sizewise.report.training import (
    compared_training,
    layout_words,
    stage_table,
    training_bar,
    training_notes,
    training_tables,
)
from sizewise.report.training_document import PHASE_KEYS

GIB = 2**30


def notes(model: str, **options: object) -> str:
    return "\n".join(training_notes(sw.plan_train_answer(model, **options)))  # type: ignore[arg-type]


def test_parts_add_up_to_the_total_row() -> None:
    answer = sw.plan_train_answer("gpt2")
    parts = training_tables(answer)[0]
    assert [row[0] for row in parts.rows][-1] == "total"
    assert parts.rows[-1][1] == f"{answer.fullest.line.value / GIB:,.2f}"
    assert [row[4] for row in parts.rows][:3] == ["exact"] * 3


def test_phases_and_stages_have_their_tables() -> None:
    answer = sw.plan_train_answer("llama-3.1-8b", pp=4, tp=2, accumulate=8, on="h100-sxm:8")
    tables = training_tables(answer)
    assert [row[0] for row in tables[1].rows] == list(answer.phases)
    assert set(answer.phases) <= set(PHASE_KEYS)
    stages = stage_table(answer)
    assert stages == tables[2]
    assert [row[0] for row in stages.rows] == ["0", "1", "2", "3"]
    assert [row[-1] for row in stages.rows] == ["4", "3", "2", "1"]
    assert f"stage {answer.fullest.stage}" in tables[0].title
    assert tables[3].rows[0][0].endswith(":8")


def test_one_stage_and_no_device_have_none() -> None:
    answer = sw.plan_train_answer("gpt2")
    assert len(training_tables(answer)) == 3
    assert training_bar(answer).count("|") == 1


def test_the_bar_has_all_parts() -> None:
    bar = training_bar(sw.plan_train_answer("llama-3.1-8b", on="h100-sxm:8", dp=8, zero=3))
    for part in ("weights", "gradients", "optimizer", "activations", "buffers", "overhead"):
        assert part in bar


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ("method full", "bf16-master", "adamw (fused)", "recompute none", "attention sdpa", "1 device")),
        ({"method": "lora"}, ("rank 16 on all products of the layers", "trained: 2,359,296 of")),
        (
            {"method": "lora", "target": ["c_attn"], "adapter_dropout": 0.1},
            ("rank 16 on c_attn", "dropout 0.1"),
        ),
        ({"recompute": "full", "recompute_every": 3}, ("one layer in 3", "with what is done again")),
        ({"recompute": "full", "recompute_group": 3}, ("pieces of 3 layers",)),
        ({"tokens": "1B", "global_batch": 512}, ("512 (524,288 tokens a step)", "steps: 1,908")),
        ({"ema": True, "freeze": ["transformer.wte"]}, ("moving average", "frozen: transformer.wte")),
        ({"fused_norms": True, "loss": "fused"}, ("fused norms", "loss fused")),
        ({"offload_optimizer": True}, ("optimizer states on the host",)),
        ({"dp": 4, "zero": 1}, ("4 devices, dp 4, zero 1",)),
    ],
)
def test_notes_say_what_was_assumed(options: dict[str, object], words: tuple[str, ...]) -> None:
    shown = notes("gpt2", **options)
    for word in words:
        assert word in shown


def test_the_rule_of_thumb_stands_beside_the_count() -> None:
    answer = sw.plan_train_answer("llama-3.1-8b", seq=4096)
    shown = "\n".join(training_notes(answer))
    rule = 6 * 8_030_261_248 * 4096
    error = 100 * (rule / answer.compute.step_model - 1)
    assert f"6ND: {rule:.3g}".replace("e+", "e") in shown
    assert f"({error:+.1f} %)" in shown
    assert "6ND" not in notes("gpt2", method="lora")


def test_what_was_searched_is_said() -> None:
    assert "searched" in notes("llama-3.1-8b", on="h100-sxm:8")
    assert "searched" not in notes("llama-3.1-8b", on="h100-sxm:8", tp=8)


def test_packed_weights_are_named(run: Callable) -> None:
    assert "frozen weights nf4-dq" in run("plan", "train", "gpt2", "--method", "qlora").out


def test_layouts_in_words() -> None:
    full = Sharding(data=2, tensor=4, pipeline=2, context=2, experts=2, zero=1, group=2, virtual=2)
    assert layout_words(full) == "dp 2, tp 4, pp 2, cp 2, ep 2, virtual stages 2, zero 1, shard group 2"
    assert layout_words(Sharding(tensor=2, sequence=False)) == "tp 2, no sequence parallel"
    assert layout_words(Sharding()) == "one device"


def test_models_side_by_side() -> None:
    answers = [sw.plan_train_answer(name, on="h100-sxm:8") for name in ("gpt2", "llama-3.1-8b")]
    (table,) = compared_training(answers)
    assert table.columns == ("part", "openai-community/gpt2", "meta-llama/Llama-3.1-8B")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["fits"] == ("yes", "yes")
    assert rows["trained parameters"] == ("124M", "8.03B")


def test_markdown_and_text_show_the_same_numbers(run: Callable) -> None:
    text = run("plan", "train", "llama-3.1-8b", "--on", "h100-sxm:8").out
    found = run("plan", "train", "llama-3.1-8b", "--on", "h100-sxm:8", "--format", "md").out
    total = next(line for line in found.splitlines() if line.startswith("| total"))
    for cell in total.strip("|").split("|")[1:3]:
        assert cell.strip() in text
    assert "\x1b" not in text


def test_a_picture_names_its_parts_and_is_reproducible(run: Callable, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    for file in (first, second):
        assert run("plan", "train", "gpt2", "--on", "h100-sxm:1", "--plot", str(file)).code == 0
    assert first.read_bytes() == second.read_bytes()
    assert b"gradients" in first.read_bytes()
    assert run("plan", "train", "gpt2", "--plot", str(first)).code == 3
