"""FLOPs and parameters are those of hand counts, of real modules and of shapes, and nothing is left out."""

from typing import Any

import pytest
import torch

from sizewise.lab import profile
from sizewise.lab.profiling.counting import Counted, count
from sizewise.lab.profiling.inputs import made_call

from .models import GOLDEN, MODELS, SCANS, Mlp, built

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

PADDED_POSITIONS = 3
"""Mamba's convolution of 4 pads on both sides: transformers computes S + 3 positions, a hand count S."""


def forward(module: Any, **load: Any) -> Counted:
    call = made_call(module, **load)
    with torch.no_grad():
        return count(lambda: call.on(module))


@pytest.mark.parametrize("name", MODELS)
def test_forward_passes_of_known_models(name: str) -> None:
    row = MODELS[name]
    found = forward(built(row["config"]), batch=row["batch"], sequence=row["tokens"])
    beside = 0
    if row["config"]["model_type"] == "mamba":
        layers, channels, kernel = 4, 512, 4
        beside = 2 * layers * row["batch"] * PADDED_POSITIONS * channels * kernel
        assert beside / row["forward_flops"] < 0.001
    assert found.flops == row["forward_flops"] + beside
    assert not found.uncounted
    assert sum(found.by_module.values()) == found.flops
    for operator, flops in row.get("by_operator", {}).items():
        assert found.by_operator[operator.removeprefix("aten.")] == flops


def test_a_multi_layer_perceptron() -> None:
    found = profile(Mlp(), input_shape=(32, 1000), timed=False)
    assert found.measured.compute["forward_macs"] == found.predicted.compute["forward_macs"] == 16_160_000
    assert found.measured.parameters["total"] == 505_510
    # the first layer's input needs no gradient: its product has one in the backward pass, the other two
    step = 2 * 32 * (2 * 1000 * 500 + 3 * 500 * 10)
    assert found.measured.compute["training_flops"] == step


GEMMA = {
    "model_type": "gemma2",
    "vocab_size": 900,
    "hidden_size": 96,
    "intermediate_size": 200,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "sliding_window": 16,
}
QWEN = {
    "model_type": "qwen3",
    "vocab_size": 1100,
    "hidden_size": 128,
    "intermediate_size": 300,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 48,
    "tie_word_embeddings": True,
}


LLAMA4 = {
    "model_type": "llama4_text",
    "vocab_size": 500,
    "hidden_size": 96,
    "num_hidden_layers": 2,
    "intermediate_size": 64,
    "intermediate_size_mlp": 200,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 24,
}


@pytest.mark.parametrize("config", [GEMMA, QWEN], ids=["gemma2", "qwen3"])
def test_heads_whose_size_is_not_the_width_over_their_number(config: dict[str, Any]) -> None:
    """Counted by hand: projections, gated feed-forward, head, and all pairs of queries and keys."""
    batch, tokens, width = 2, 64, config["hidden_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    layer = width * (queries + 2 * keys) + queries * width + 3 * width * config["intermediate_size"]
    weights = config["num_hidden_layers"] * layer
    scores = config["num_hidden_layers"] * tokens * tokens * 2 * queries
    head = width * config["vocab_size"]
    found = profile(built(config), batch=batch, sequence=tokens, timed=False, training=False)
    macs = batch * (tokens * (weights + head) + scores)
    assert found.measured.compute["forward_macs"] == found.predicted.compute["forward_macs"] == macs
    norms = 4 if config is GEMMA else 2
    beside = width + config["num_hidden_layers"] * (norms * width + (0 if config is GEMMA else 2 * 48))
    assert (
        found.measured.parameters["total"] == found.predicted.parameters["total"] == weights + head + beside
    )


@pytest.mark.parametrize("row", GOLDEN["shapes"], ids=lambda row: row["reference"])
def test_models_that_fit_nowhere_are_counted_as_shapes(row: dict[str, Any]) -> None:
    found = profile(row["reference"], sequence=row["tokens"], data=False)
    for side in (found.predicted, found.measured):
        assert side.parameters["total"] == row["parameters"]
        assert side.compute["forward_flops"] == row["forward_flops"]
    assert not found.seen.uncounted
    assert not found.measured.time


@pytest.mark.parametrize("name", ["llama_untied", "qwen2", "opt", "gpt2"])
def test_training_steps(name: str) -> None:
    row = MODELS[name]
    config = row["config"]
    if config["model_type"] == "gpt2":
        config = config | {"attn_pdrop": 0.0}  # with dropout of the shares torch takes another kernel
    found = profile(built(config), batch=2, sequence=128, timed=False)
    expected = row["forward_backward_flops"]
    if config["model_type"] == "gpt2":
        scores = row["by_operator"]["aten._scaled_dot_product_flash_attention_for_cpu"]
        expected += scores // 2
    assert found.measured.compute["training_flops"] == expected
    assert found.predicted.compute["training_flops"] == expected


def test_roles_are_those_of_the_modules() -> None:
    row = MODELS["peer mixtral"]
    found = profile(built(row["config"]), batch=2, sequence=128, timed=False, training=False)
    figures = found.figures("roles")
    parts = row["parts_macs"]
    attention = parts["attention_projections"] + parts["attention_dense"]
    assert figures["attention"].measured == figures["attention"].predicted == 2 * attention
    for name, part in (("router", "router"), ("expert", "experts_active"), ("head", "head")):
        assert figures[name].measured == figures[name].predicted == 2 * parts[part], name


@pytest.mark.parametrize("model_type", SCANS)
@pytest.mark.parametrize("sequence", [20, 64, 150])
def test_scans_are_predicted_as_the_class_does_them(model_type: str, sequence: int) -> None:
    """In chunks that are padded to their length, or one token after another."""
    module = built({"model_type": model_type, **SCANS[model_type]})
    found = profile(module, batch=2, sequence=sequence, timed=False)
    for name in ("forward_flops", "training_flops"):
        assert found.figures("compute")[name].ratio == 1, name
    assert {name: figure.ratio for name, figure in found.figures("roles").items()}["state_space"] == 1
    assert not found.seen.uncounted
    assert "class_work" in [notice.code for notice in found.notices]


def test_experts_that_no_token_chose_are_work_too() -> None:
    """Llama 4's class sends every token through every expert."""
    config = {**LLAMA4, "num_local_experts": 4, "num_experts_per_tok": 1}
    found = profile(built(config), batch=2, sequence=32, timed=False)
    for name in ("forward_flops", "training_flops"):
        assert found.figures("compute")[name].ratio == 1, name


@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        (torch.nn.Conv1d(8, 8, 3, groups=8), 8),
        (torch.nn.Conv1d(8, 16, 3, groups=2, stride=2), 8),
        (torch.nn.ConvTranspose1d(8, 4, 3, groups=4, stride=2), 8),
        (torch.nn.Conv1d(8, 16, 3), 8),
    ],
    ids=["depthwise", "grouped", "transposed", "dense"],
)
def test_gradients_of_a_convolution_cost_it_twice(layer: torch.nn.Module, channels: int) -> None:
    given = torch.randn(2, channels, 20, requires_grad=True)
    made: list[torch.Tensor] = []
    ahead = count(lambda: made.append(layer(given)))
    assert count(lambda: made[0].sum().backward()).flops == 2 * ahead.flops > 0


def test_running_extremes_are_no_products_and_solutions_are() -> None:
    system = torch.eye(4).expand(2, 4, 4).contiguous()
    found = count(lambda: torch.linalg.solve_triangular(system, torch.ones(2, 4, 3), upper=False))
    assert found.flops == 2 * 4 * 4 * 3
    assert not count(lambda: torch.cummax(torch.ones(4), 0)).uncounted
    assert count(lambda: torch.linalg.inv(system)).uncounted


class Uncountable(torch.nn.Module):
    """Products that no counter has a rule for."""

    def __init__(self) -> None:
        super().__init__()
        self.both = torch.nn.Bilinear(8, 8, 4)

    def forward(self, left: torch.Tensor) -> torch.Tensor:
        """Return [B, S, 4]."""
        return self.both(left, torch.fft.rfft(left, n=14).real)


def test_what_could_not_be_counted_is_listed() -> None:
    with torch.no_grad():
        found = count(lambda: Uncountable()(torch.randn(2, 5, 8)))
    assert found.uncounted == {"_trilinear": 1, "_fft_r2c": 1}


class Functional(torch.nn.Module):
    """A parameter outside any layer, used by functions: einsum, ``@``, attention."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = torch.nn.Parameter(torch.randn(16, 16))

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """Return [B, S, 16]."""
        stream = torch.einsum("bsd,de->bse", stream, self.matrix) @ self.matrix
        return torch.nn.functional.scaled_dot_product_attention(stream, stream, stream)


def test_functions_and_bare_parameters_are_counted() -> None:
    found = profile(Functional(), inputs=torch.randn(2, 8, 16), timed=False, training=False)
    products, scores = 2 * 2 * 8 * 16 * 16, 2 * 8 * 8 * 16 * 2
    assert found.measured.compute["forward_macs"] == products + scores
    assert found.measured.parameters["total"] == 256
    assert found.seen.by_module == {"": 2 * (products + scores)}


class Handed(torch.nn.Module):
    """A parameter that is handed to a part, as some classes do with the weights of an expert."""

    class Part(torch.nn.Module):
        """Multiplies what it is given."""

        def forward(self, stream: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
            """Return [B, S, 16]."""
            return stream @ matrix

    def __init__(self) -> None:
        super().__init__()
        self.matrix, self.part = torch.nn.Parameter(torch.randn(16, 16)), self.Part()

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """Return [B, S, 16]."""
        return self.part(stream, self.matrix)


def test_parameters_that_are_handed_to_a_part() -> None:
    module = Handed()
    found = profile(module, inputs=torch.randn(2, 8, 16), timed=False)
    assert found.seen.by_module == {"part": 2 * 2 * 8 * 16 * 16}
    assert module.matrix.requires_grad


def test_fused_encoder_layers_do_not_hide_their_products() -> None:
    layer = torch.nn.TransformerEncoderLayer(64, 4, 128, batch_first=True).eval()
    found = forward(layer, batch=2, sequence=16)
    weights = 4 * 64 * 64 + 2 * 64 * 128
    assert found.flops == 2 * 2 * (16 * weights + 2 * 16 * 16 * 64)
    assert torch.backends.mha.get_fastpath_enabled()


def test_recurrent_layers() -> None:
    found = forward(torch.nn.LSTM(32, 48, batch_first=True).eval(), batch=2, sequence=10)
    assert found.flops == 2 * 2 * 10 * 4 * 48 * (32 + 48)
    assert not found.uncounted
    step = profile(torch.nn.LSTM(32, 48, batch_first=True), batch=2, sequence=10, timed=False)
    assert step.figures("compute")["training_flops"].measured == 3 * found.flops
    assert not step.seen.uncounted


def test_bytes_are_those_that_operators_read_and_write() -> None:
    layer = torch.nn.Linear(8, 4)
    with torch.no_grad():
        found = count(lambda: layer(torch.ones(3, 8)).t())
    assert found.moved["addmm"] == 4 * (4 + 3 * 8 + 8 * 4 + 3 * 4)
    assert "t" not in found.moved
