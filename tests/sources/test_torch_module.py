"""Live modules, by objects that offer what torch's do; torch itself is in the oracle tests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import pytest

from sizewise.errors import InputError
from sizewise.sources.torch_module import listing_of_module


@dataclass
class Storage:
    size: int

    @property
    def _cdata(self) -> int:
        return id(self)

    def nbytes(self) -> int:
        return self.size


@dataclass
class Tensor:
    shape: tuple[int, ...]
    dtype: str = "torch.float32"
    requires_grad: bool = True
    device: str = "cpu"
    held: Storage | None = None
    quant_state: Any = None

    def __post_init__(self) -> None:
        self.held = self.held or Storage(4 * prod(self.shape))

    def untyped_storage(self) -> Storage | None:
        return self.held

    def stride(self) -> tuple[int, ...]:
        return tuple(prod(self.shape[place + 1 :]) for place in range(len(self.shape)))

    def storage_offset(self) -> int:
        return 0


@dataclass
class Module:
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor] = field(default_factory=dict)

    def named_parameters(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        assert not remove_duplicate
        yield from self.parameters.items()

    def named_buffers(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        yield from self.buffers.items()


@dataclass
class State:
    shape: tuple[int, ...]
    quant_type: str = "nf4"


class Unshaped(Tensor):
    def __init__(self) -> None:
        self.requires_grad = True

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        raise RuntimeError("uninitialized")


def test_totals_trainable_and_buffers_apart() -> None:
    module = Module(
        {"a.weight": Tensor((10, 4)), "a.bias": Tensor((10,), requires_grad=False)},
        {"running_mean": Tensor((10,)), "steps": Tensor((), dtype="torch.int64")},
    )
    found = listing_of_module(module)
    assert (found.total, found.trainable, found.non_trainable, found.buffers.elements) == (50, 40, 10, 11)
    assert found.parameters.bytes == 200


def test_tied_parameters_count_once_by_object_and_by_storage() -> None:
    table = Tensor((10, 4))
    again = Tensor((10, 4), held=table.held, requires_grad=False)
    found = listing_of_module(Module({"embed": table, "head": table, "copy": again}))
    assert (found.total, found.trainable, found.non_trainable) == (40, 40, 0)
    assert [tensor.name for tensor in found.parameters.tensors] == ["embed", "head", "copy"]


def test_a_packed_parameter_counts_by_its_logical_shape() -> None:
    packed = Tensor(
        (50, 1), dtype="torch.uint8", held=Storage(50), quant_state=State((10, 10)), requires_grad=False
    )
    found = listing_of_module(Module({"w": packed}))
    assert (found.total, found.parameters.bytes) == (100, 50)
    assert found.parameters.tensors[0].dtype == "NF4"


def test_a_parameter_without_a_shape_is_an_error() -> None:
    with pytest.raises(InputError, match=r"bad_field.*run the module once"):
        listing_of_module(Module({"lazy": Unshaped()}))


def test_packed_weights_in_buffers_are_reported() -> None:
    module = Module({"norm": Tensor((8,))}, {"q_proj.qweight": Tensor((8, 8), dtype="torch.int32")})
    found = listing_of_module(module)
    assert found.total == 8
    assert [notice.code for notice in found.parameters.notices] == ["unknown_quantization"]
