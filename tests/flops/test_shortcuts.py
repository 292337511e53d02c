"""Published rules against the exact count, and against the figures of their papers."""

import pytest

from sizewise.api import load
from sizewise.flops.shortcuts import Shortcut, deepseek, megatron, shortcuts, six_nd


def by_name(name: str, sequence: int) -> dict[str, Shortcut]:
    return {found.rule.name: found for found in shortcuts(load(name), sequence)}


@pytest.mark.parametrize("name", ["gpt2", "llama-2-7b", "mixtral-8x7b-v0.1", "deepseek-v3"])
def test_formulas_give_the_amounts(name: str) -> None:
    for found in shortcuts(load(name), 4096):
        assert eval(found.rule.formula, dict(found.rule.inputs)) == found.rule.value, found.rule.name
        assert found.rule.source


def test_megatron_counts_a_gpt_exactly() -> None:
    """It was written for this shape: four hidden sizes wide, a head for every key."""
    rules = by_name("gpt2", 1024)
    assert rules["Megatron"].error == 0
    assert rules["Megatron, layers done twice"].error == 0


def test_rules_without_the_context_fall_short_by_the_scores() -> None:
    rules = by_name("llama-2-7b", 4096)
    exact = rules["6ND, matmul parameters"].exact.value
    scores = 3 * 4 * 32 * 4096 * 4096**2
    assert rules["6ND, matmul parameters"].rule.value == exact - scores
    assert (
        rules["PaLM"].error
        == rules["MosaicML"].error
        == pytest.approx(6 * 4096 * 32000 * 4096 / exact, rel=0.01)
    )


def test_all_experts_of_a_mixture_do_not_count() -> None:
    assert abs(by_name("mixtral-8x7b-v0.1", 4096)["PaLM"].error) < 0.02


def test_megatron_trains_gpt_3_as_published() -> None:
    """1536 sequences of 2048 tokens of the 174.6-billion model: 4.5 EFLOP a step, 138 TFLOP/s a device.

    Narayanan et al. 2021, table 1, row 175B: 1024 devices at 140 TFLOP/s; a step of 300 billion tokens in
    34 days (section 5.1) takes 31.4 seconds.
    """
    step = megatron(96, 12288, 51200, 2048, sequences=1536, recompute=True).value
    seconds = 34 * 86_400 / (300e9 / (1536 * 2048))
    assert step / 1024 / seconds == pytest.approx(140e12, rel=0.03)


def test_deepseek_leaves_embeddings_out() -> None:
    """Its 67B model has 95 layers 8192 wide: M of 4.7e11 a token at 4096 tokens."""
    per_token = deepseek(95, 8192, 4096).value / 4096
    assert per_token == 72 * 95 * 8192**2 + 12 * 95 * 8192 * 4096


def test_the_common_rule() -> None:
    assert six_nd(7_000_000_000, 140_000_000_000).value == 5_880_000_000_000_000_000_000
