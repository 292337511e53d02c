"""Buffers of a prefill against peaks under fake tensors: rows of ``validation/transformers_buffers.py``.

The summary here is of the file's rows as written; the script makes fresh ones.
"""

import csv
from math import ceil
from pathlib import Path

import pytest

from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.footprint.buffers import Prefill, prefill_buffers, prefill_width
from sizewise.ledger import Line

FILE = Path(__file__).parents[2] / "validation" / "results" / "transformers_buffers.csv"
ROWS = list(csv.DictReader(FILE.read_text().splitlines()))
ENOUGH = 0.9

GEMMA = {
    "hidden_size": 1024,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "intermediate_size": 4096,
    "num_hidden_layers": 6,
    "vocab_size": 32000,
    "sliding_window": 512,
}


def buffers(model_type: str, tokens: int, *, eager: bool = False, **changes: object) -> Line:
    fields = {**GEMMA, "pad_token_id": 0, **changes}
    prefill = Prefill(tokens=tokens, sequences=1, number_bytes=2, eager=eager)
    return prefill_buffers(describe(Config(fields, model_type)), prefill)


def assert_formulas_hold(line: Line) -> None:
    for _, below in line.walk():
        if not below.parts and below.amount is not None:
            assert eval(below.formula, {"ceil": ceil, **below.inputs}) == below.value, below.name


def test_nine_of_ten_held_out_peaks_lie_inside() -> None:
    inside = sum(int(row["low"]) <= int(row["measured"]) <= int(row["high"]) for row in ROWS)
    assert len({row["family"] for row in ROWS}) >= 30
    assert inside >= ENOUGH * len(ROWS)


def test_half_of_the_peaks_of_dense_models_are_within_a_tenth() -> None:
    dense = [row for row in ROWS if row["family"] in {"llama", "mistral", "qwen2", "qwen3", "gemma", "phi3"}]
    close = [row for row in dense if abs(int(row["measured"]) / int(row["estimated"]) - 1) < 0.1]
    assert 2 * len(close) > len(dense)


def test_a_gated_layer_holds_four_hidden_rows_and_three_wide_ones() -> None:
    """Measured for Llama: 16,516 numbers a token with D = 1024 and F = 4096, cos, sin and ids included."""
    line = buffers("llama", 2048, num_key_value_heads=4)
    activations = line.part("activations")
    assert activations.value == 2048 * (4 * 1024 + 3 * 4096) * 2
    assert abs(2 * 2048 * 16516 / activations.value - 1) < 0.01
    assert_formulas_hold(line)


def test_written_scores_count_where_they_are_more_than_the_feed_forward_layer() -> None:
    short, long = (buffers("llama", tokens, eager=True) for tokens in (64, 4096))
    assert [part.name for part in short.parts] == ["activations", "logits"]
    assert long.part("attention scores").value == 8 * 4096**2 * 10
    assert_formulas_hold(long)


def test_sliding_layers_hold_the_whole_prompt_for_a_moment() -> None:
    line = buffers("gemma3_text", 4096)
    held = line.part("keys and values beyond windows")
    assert held.value == 5 * (4096 - 511) * 2 * 2 * 64 * 2
    assert line.part("attention masks").value == 3 * 4096**2
    assert_formulas_hold(line)
    architecture = describe(Config({**GEMMA, "pad_token_id": 0}, "gemma3_text"))
    allocated = prefill_buffers(architecture, Prefill(tokens=4096, sequences=1, number_bytes=2, static=True))
    assert allocated.value == line.value - held.value
    assert "keys and values beyond windows" not in {part.name for part in buffers("gemma3_text", 512).parts}


@pytest.mark.parametrize("model_type", ["qwen3_moe", "mixtral"])
def test_experts_gather_their_inputs(model_type: str) -> None:
    changes = {
        "num_experts": 8,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 256,
    }
    fields = {**GEMMA, **changes, "intermediate_size": 256, "sliding_window": None}
    widths = {prefill_width(place.component) for place in describe(Config(fields, model_type)).language()}
    assert 2 * 1024 + 3 * 2 * 1024 in widths
