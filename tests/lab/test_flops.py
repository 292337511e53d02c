"""FLOPs of forward passes and training steps are those that torch does, for random small models."""

from typing import Any

import pytest

from sizewise.flops import model_flops, training_flops
from sizewise.ledger import Line
from sizewise.recipe import Adapter, Recipe

from ..oracle.generators import ENCODERS, RECIPES, WRAPPERS
from .counter import Counted
from .pairs import SEQUENCES, TOKENS, Pair, adapt, pairs, step

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

SCAN = (
    "the scan is done element by element or in chunks, which torch counts in part or by other formulas; "
    "depthwise convolutions cover S + K - 1 positions, and torch counts their gradients as dense"
)
SCANNED = {
    "bailing_hybrid": SCAN,
    "bamba": SCAN,
    "falcon_h1": SCAN,
    "falcon_mamba": SCAN,
    "granitemoehybrid": SCAN,
    "jamba": SCAN,
    "kimi_linear": SCAN,
    "lfm2": SCAN,
    "lfm2_moe": SCAN,
    "lfm3": SCAN,
    "mamba": SCAN,
    "mamba2": SCAN,
    "minimax": SCAN,
    "nemotron_h": SCAN,
    "olmo_hybrid": SCAN,
    "qwen3_5_moe_text": SCAN,
    "qwen3_5_text": SCAN,
    "qwen3_next": SCAN,
    "rwkv": SCAN,
    "xlstm": SCAN,
    "zamba2": SCAN,
    "diffllama": "the class computes the scores once for each half of the values",
}
"""Types of which only the products with weights are compared, and why."""

OTHERWISE = {
    "deepseek_v4": "entries are scored in groups, streams are mixed element by element",
    "hrm_text": "only the last cycles get a gradient; forward passes are compared",
    "hy_v4": "streams are mixed element by element",
    "inkling_text": "experts and convolutions run as other operators",
    "llama4_text": "the class runs every token through every expert and multiplies by zero",
    "longcat_flash": "a token may choose experts that do nothing",
    "qwen4_exp_text": "streams are mixed element by element, scans run in chunks",
    "recurrent_gemma": "the gates' blocks are one batched product with a bias",
    "zamba": "the scan's projections are one batched product per head",
    "zaya": "a token may choose to skip the experts, and convolutions cover more positions",
}
"""Types that are not compared here, and why."""

SAME = sorted(RECIPES.keys() - ENCODERS.keys() - WRAPPERS.keys() - SCANNED.keys() - OTHERWISE.keys())


def recipe(**changes: Any) -> Recipe:
    return Recipe(**{"sequence": TOKENS, "attention": "eager", **changes})


def assert_same(pair: Pair, ours: Line, *, known: int = 0) -> None:
    """Compare a step; ``known`` FLOPs are those that torch does less in its backward pass."""
    forward, backward = step(pair.torch)
    assert not forward.unknown | backward.unknown, pair.place
    recomputed = ours.part("recomputed").value
    assert forward.total == SEQUENCES * ours.part("forward").value, pair.place
    assert backward.total == SEQUENCES * (ours.part("backward").value + recomputed) - known, pair.place


@pytest.mark.parametrize("model_type", SAME)
def test_forward_and_backward_passes_are_those_of_torch(model_type: str) -> None:
    for pair in pairs(model_type):
        assert_same(pair, training_flops(pair.ours, recipe()))


def weight_products(counted: Counted) -> int:
    return counted.by_operator.get("mm", 0) + counted.by_operator.get("addmm", 0)


def our_products(pair: Pair) -> int:
    operations = pair.ours.architecture.operations()
    macs = sum(operation.macs * times for operation, times in operations if operation.kind == "product")
    return 2 * macs * TOKENS * SEQUENCES


@pytest.mark.parametrize("model_type", SCANNED)
def test_beside_scans_the_products_with_weights_are_those_of_torch(model_type: str) -> None:
    for pair in pairs(model_type):
        forward, backward = step(pair.torch)
        assert weight_products(forward) == our_products(pair), pair.place
        assert weight_products(backward) == 2 * our_products(pair), pair.place


def test_of_a_mamba_scan_torch_counts_the_read_out_alone() -> None:
    """Of 4·I·N + I multiply-adds per token torch sees I·N; it convolves S + K - 1 positions."""
    for pair in pairs("mamba", 4):
        forward, _ = step(pair.torch)
        mixer = pair.torch.config
        layers, inner, state = mixer.num_hidden_layers, mixer.intermediate_size, mixer.state_size
        unseen = 2 * SEQUENCES * TOKENS * layers * inner * (3 * state + 1)
        edges = 2 * SEQUENCES * layers * inner * mixer.conv_kernel * (mixer.conv_kernel - 1)
        ours = SEQUENCES * training_flops(pair.ours, recipe()).part("forward").value
        assert forward.total == ours - unseen + edges, pair.place


@pytest.mark.parametrize("model_type", ["llama", "mistral", "qwen2", "qwen3", "olmo2", "phi3", "starcoder2"])
def test_the_fused_kernel_does_the_scores_again(model_type: str) -> None:
    for pair in pairs(model_type, attention="sdpa"):
        pair.torch.eval()
        ours = training_flops(pair.ours, recipe(attention="sdpa"))
        assert ours.value > model_flops(pair.ours, recipe(attention="sdpa")).value
        assert_same(pair, ours)


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpointed_layer_is_done_again(reentrant: bool) -> None:
    """A checkpoint that is not reentrant stops before the last product: nothing after it is saved."""
    for pair in pairs("llama"):
        options = {"use_reentrant": reentrant}
        pair.torch.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)
        last = (
            2
            * SEQUENCES
            * TOKENS
            * sum(
                operation.macs * times
                for operation, times in pair.ours.architecture.operations()
                if operation.name == "down"
            )
        )
        assert_same(pair, training_flops(pair.ours, recipe(recompute="full")), known=0 if reentrant else last)


TARGETS = [
    ("llama", ()),
    ("llama", ("o_proj",)),
    ("llama", ("down_proj",)),
    ("llama", ("gate_proj", "up_proj")),
    ("llama", ("q_proj", "k_proj", "v_proj")),
    ("mistral", ()),
    ("qwen2", ()),
    ("qwen3", ()),
    ("gemma2", ()),
    ("phi3", ()),
    ("phi3", ("qkv_proj",)),
    ("olmo2", ()),
    ("phi", ()),
    ("phi", ("fc1",)),
    ("cohere2", ()),
    ("gpt_neox", ()),
    ("deepseek_v3", ("q_proj", "q_b_proj", "kv_b_proj")),
    ("qwen3_moe", ("k_proj", "q_proj", "v_proj")),
]


@pytest.mark.parametrize(("model_type", "targets"), TARGETS)
def test_low_rank_adapters_cost_what_torch_does(model_type: str, targets: tuple[str, ...]) -> None:
    for pair in pairs(model_type):
        assert_adapted(pair, targets, attention="eager")


@pytest.mark.parametrize("targets", [("q_proj", "v_proj"), ("v_proj",), ("k_proj", "down_proj")])
def test_the_fused_kernel_gives_all_gradients_of_the_first_layer(targets: tuple[str, ...]) -> None:
    for pair in pairs("llama", attention="sdpa"):
        pair.torch.eval()
        assert_adapted(pair, targets, attention="sdpa")


def assert_adapted(pair: Pair, targets: tuple[str, ...], *, attention: str) -> None:
    modules = [name for name, _ in pair.torch.named_modules() if ".layers." in name]
    targets = tuple(target for target in targets if any(name.endswith(f".{target}") for name in modules))
    adapt(pair.torch, lambda name: name in modules and (not targets or name.endswith(targets)), rank=3)
    lora = recipe(method="lora", adapter=Adapter(rank=3, targets=targets), attention=attention)
    assert_same(pair, training_flops(pair.ours, lora))


@pytest.mark.parametrize("model_type", ["llama", "qwen2", "gemma2", "phi3", "mixtral"])
def test_frozen_parts_get_no_gradient(model_type: str) -> None:
    frozen = ("model.embed_tokens.", "model.layers.0.")
    for pair in pairs(model_type):
        for name, parameter in pair.torch.named_parameters():
            parameter.requires_grad_(not name.startswith(frozen))
        assert_same(pair, training_flops(pair.ours, recipe(frozen=frozen)))
