"""Laws of training FLOPs: what each choice adds, and that shown formulas give the shown amounts."""

from dataclasses import replace
from math import ceil

import pytest

from sizewise.api import load
from sizewise.flops import forward_flops, hardware_flops, model_flops, training_flops
from sizewise.flops.passes import passes
from sizewise.ledger import Line
from sizewise.recipe import Adapter, Recipe

PLAIN = Recipe(sequence=256, attention="eager")
MODELS = ("gpt2", "llama-3.2-1b", "mixtral-8x7b-v0.1", "deepseek-v3", "mamba-130m-hf")


def assert_formulas(line: Line) -> None:
    for _, below in line.walk():
        if below.formula:
            assert eval(below.formula, {"ceil": ceil, **below.inputs}) == below.value, below.name


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("recipe", [PLAIN, replace(PLAIN, attention="sdpa", recompute="full")])
def test_formulas_give_the_amounts(name: str, recipe: Recipe) -> None:
    assert_formulas(training_flops(load(name), recipe))
    assert_formulas(training_flops(load(name), replace(recipe, method="dora", adapter=Adapter(rank=8))))


@pytest.mark.parametrize("name", ["gpt2", "llama-3.2-1b", "mixtral-8x7b-v0.1", "mamba-130m-hf"])
def test_training_is_three_forward_passes(name: str) -> None:
    model = load(name)
    assert training_flops(model, PLAIN).value == 3 * forward_flops(model, tokens=256).value


def test_recomputing_layers_is_a_fourth_pass_of_all_but_the_head() -> None:
    model = load("llama-2-7b")
    whole = training_flops(model, replace(PLAIN, recompute="full"))
    forward = whole.part("forward")
    assert whole.part("recomputed").value == forward.value - forward.part("head").value
    assert training_flops(model, replace(PLAIN, recompute="offload")).value == whole.value


def test_recomputed_attention_costs_the_scores() -> None:
    """Korthikanti et al. do the attention core again; a fused kernel has none to do again."""
    model = load("gpt2")
    recipe = replace(PLAIN, recompute="attention", attention="eager")
    core = training_flops(model, recipe).part("recomputed")
    assert core.value == forward_flops(model, tokens=256).part("attention").part("scores").value
    assert training_flops(model, replace(recipe, attention="sdpa")).part("recomputed").value == 0


def test_selective_recomputation_does_every_second_product_again() -> None:
    """Of q, k, v, o, gate, up, down torchtitan keeps q, v, gate and down."""
    model = load("llama-2-7b")
    again = training_flops(model, replace(PLAIN, recompute="selective")).part("recomputed")
    parts = forward_flops(model, tokens=256)
    names = {"attention": ("keys", "output"), "feed_forward": ("up",)}
    products = [parts.part(role).part(name).value for role, found in names.items() for name in found]
    assert again.value == sum(products)


def test_the_fused_kernel_costs_half_the_scores_more() -> None:
    model = load("llama-2-7b")
    fused = replace(PLAIN, attention="flash")
    scores = forward_flops(model, tokens=256).part("attention").part("scores").value
    assert hardware_flops(model, fused).value - model_flops(model, fused).value == scores // 2
    assert model_flops(model, fused).value == training_flops(model, PLAIN).value


def test_wide_keys_cost_more_again_than_half() -> None:
    """DeepSeek-V3 has keys of 192 and values of 128 features: three products of keys for two of values."""
    model = load("deepseek-v3")
    attention = training_flops(model, replace(PLAIN, attention="flash")).part("backward").part("attention")
    scores = forward_flops(model, tokens=256).part("attention").part("scores").value
    gradients = attention.part("gradients of scores").value + attention.part("scores again").value
    assert gradients * (192 + 128) == scores * (3 * 192 + 2 * 128)


def test_frozen_weights_need_the_gradient_of_their_input_alone() -> None:
    model = load("llama-2-7b")
    lora = replace(PLAIN, method="lora", adapter=Adapter(rank=1))
    backward = training_flops(model, lora).part("backward")
    assert backward.part("head").value == forward_flops(model, tokens=256).part("head").value
    names = {part.name for part in backward.part("feed_forward").parts}
    assert names == {"gradients of inputs"}
    assert training_flops(model, replace(lora, method="qlora")).value == training_flops(model, lora).value


def test_a_rank_costs_its_matrices() -> None:
    """A [r, in] and B [out, r] of q and v: 32 layers, 2 matrices, r * (4096 + 4096)."""
    lora = replace(PLAIN, method="lora", adapter=Adapter(rank=8, targets=("q_proj", "v_proj")))
    adapter = training_flops(load("llama-2-7b"), lora).part("forward").part("adapter")
    assert adapter.value == 2 * 256 * 32 * 2 * 8 * (4096 + 4096)


def test_nothing_flows_below_the_first_layer_that_is_trained() -> None:
    model = load("gpt2")
    frozen = ("transformer.wte.", "transformer.wpe.", *(f"transformer.h.{layer}." for layer in range(11)))
    last = training_flops(model, replace(PLAIN, frozen=frozen)).part("backward")
    whole = training_flops(model, PLAIN).part("backward")
    assert last.part("feed_forward").value * 12 == whole.part("feed_forward").value
    assert last.part("head").value * 2 == whole.part("head").value


def test_nothing_trained_is_no_backward_pass() -> None:
    line = training_flops(load("gpt2"), replace(PLAIN, frozen=("transformer.",), recompute="full"))
    assert line.value == line.part("forward").value


def test_an_adapter_method_needs_an_adapter() -> None:
    with pytest.raises(ValueError, match="needs an adapter"):
        training_flops(load("gpt2"), replace(PLAIN, method="lora"))


def test_causal_scores_are_the_useful_part() -> None:
    model = load("llama-2-7b")
    full, causal = (training_flops(model, PLAIN, scores=scores) for scores in ("full", "causal"))
    assert full.value - causal.value == 3 * 4 * 32 * 4096 * (256 * 256 - 256 * 257 // 2)


@pytest.mark.parametrize("name", ["llama-2-7b", "mixtral-8x7b-v0.1", "gpt2"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_layers_counted_together_cost_what_they_cost_one_by_one(name: str, method: str) -> None:
    """A part that freezes nothing makes every layer one of its own."""
    adapter = None if method == "full" else Adapter(rank=8, targets=("all-linear",))
    recipe = Recipe(sequence=1024, method=method, adapter=adapter)  # type: ignore[arg-type]
    alone = replace(recipe, frozen=("no part of the model",))
    together, apart = (passes(load(name).architecture, one) for one in (recipe, alone))
    assert sorted(map(str, together)) == sorted(map(str, apart))
