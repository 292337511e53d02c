"""Weights set to zero: how many, and which."""

from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

from sizewise.errors import InputError  # noqa: E402 - torch is optional
from sizewise.lab.pruning.calibration import input_squares  # noqa: E402
from sizewise.lab.pruning.stack import Matrix, layer_stack, matrices, other_weights  # noqa: E402
from sizewise.lab.pruning.zeros import by_magnitude, by_wanda, two_of_four  # noqa: E402

from ..tiny import DEEPSEEK, GPT2, LLAMA, answers, module, windows  # noqa: E402


def linear(weight: Any) -> Matrix:
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data.copy_(weight)
    return Matrix(path="one", module=layer, weight=layer.weight.data)


def test_magnitude_takes_the_smallest_of_the_matrix() -> None:
    one = linear(torch.tensor([[1.0, -8.0, 3.0], [-0.5, 6.0, -2.0]]))
    found = by_magnitude([one], 0.5)
    assert one.module.weight.tolist() == [[0.0, -8.0, 3.0], [0.0, 6.0, 0.0]]
    assert (found.weights, found.zeros) == (6, 3)


def test_wanda_takes_the_least_of_each_row_by_weight_times_input_norm() -> None:
    one = linear(torch.tensor([[1.0, -8.0, 3.0, 2.0], [-0.5, 6.0, -2.0, 0.1]]))
    norms = torch.tensor([100.0, 1.0, 10.0, 0.1]) ** 2
    by_wanda([one], 0.5, {"one": norms})
    assert one.module.weight.tolist() == [[1.0, 0.0, 3.0, 0.0], [-0.5, 0.0, -2.0, 0.0]]


def test_wanda_without_inputs_ranks_by_weight() -> None:
    one = linear(torch.tensor([[1.0, -8.0, 3.0, 2.0]]))
    by_wanda([one], 0.5, {"one": torch.zeros(4)})
    assert one.module.weight.tolist() == [[0.0, -8.0, 3.0, 0.0]]


def test_two_of_every_four_stay() -> None:
    one = linear(torch.randn(6, 16, generator=torch.Generator().manual_seed(1)))
    other = Matrix(path="odd", module=torch.nn.Linear(6, 2), weight=torch.ones(2, 6))
    found = two_of_four([one, other], {"one": torch.ones(16)})
    assert (one.module.weight.reshape(6, 4, 4) != 0).sum(-1).eq(2).all()
    assert found.left == ("odd",)
    assert other.weight.eq(1).all()
    assert (found.weights, found.zeros) == (96, 48)


def test_packed_and_compressed_bytes_are_those_of_the_formats() -> None:
    one = linear(torch.randn(6, 16, generator=torch.Generator().manual_seed(1)))
    found = two_of_four([one], {"one": torch.ones(16)})
    assert found.packed_bytes(2) == 96 * 2 * 9 // 16
    assert found.csr_bytes(2) == 48 * 6


def test_inputs_are_squared_and_added_over_all_tokens() -> None:
    made = module(LLAMA)
    stack = layer_stack(made)
    seen: list[Any] = []
    hook = stack.layers[1].mlp.down_proj.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    found = input_squares(made, matrices(stack), windows())
    hook.remove()
    expected = torch.cat([one[0] for one in seen]).square().sum(0)
    torch.testing.assert_close(found["model.layers.1.mlp.down_proj"], expected)
    assert not any(part._forward_pre_hooks for part in made.modules())


def test_hooks_go_when_the_model_fails() -> None:
    made = module(LLAMA)
    with pytest.raises(InputError, match="a forward pass of LlamaForCausalLM failed: IndexError"):
        input_squares(
            made,
            matrices(layer_stack(made)),
            windows(length=16).__class__(ids=torch.tensor([[999]]), title=""),
        )
    assert not any(part._forward_pre_hooks for part in made.modules())


def test_transposed_matrices_are_pruned_along_their_inputs() -> None:
    made = module(GPT2)
    found = list(matrices(layer_stack(made)))
    assert len(found) == 4 * 4
    squares = input_squares(made, found, windows())
    by_wanda(found, 0.5, squares)
    stored = made.transformer.h[0].mlp.c_fc.weight
    assert stored.shape == (64, 256)
    assert (stored == 0).sum(0).eq(32).all()
    assert answers(made).isfinite().all()


def test_experts_in_one_tensor_are_counted_as_left_out() -> None:
    assert other_weights(layer_stack(module(LLAMA))) == 0
    experts = 2 * 4 * 3 * 96 * 32
    routers = 2 * 4 * 96
    assert other_weights(layer_stack(module(DEEPSEEK))) in (experts, experts + routers)
