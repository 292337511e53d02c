"""The readers beside the libraries that write the files: safetensors and torch (extra: oracle)."""

import random
from pathlib import Path
from typing import Any

import pytest

from sizewise.errors import InputError
from sizewise.sources.checkpoint import listing_of
from sizewise.sources.ranges import BytesReader
from sizewise.sources.safetensors.header import read_header
from sizewise.sources.torch_module import listing_of_module

from ..fuzz.headers import file_of

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]

FILES = 3_000
SIZE_LIMIT = 2_000_000


def test_headers_as_safetensors_reads_them() -> None:
    """What we accept the library accepts, with the same shapes; what we refuse beyond it has a reason."""
    deserialize = pytest.importorskip("safetensors").deserialize
    reader, accepted, stricter = random.Random("oracle"), 0, set()
    for _ in range(FILES):
        file = file_of(reader)
        if file.size > SIZE_LIMIT:
            continue
        data = file.start + bytes(file.size - len(file.start))
        theirs = attempt(lambda data=data: {name: tuple(row["shape"]) for name, row in deserialize(data)})
        try:
            listing = read_header(BytesReader(data, name="x", size=len(data)))
        except InputError as error:
            if theirs is not None:
                stricter.add(error.code)
            continue
        assert theirs == {tensor.name: tensor.shape for tensor in listing.tensors}
        accepted += 1
    assert accepted > 200
    assert stricter <= {"duplicate", "bad_field"}


def attempt(work: Any) -> Any:
    try:
        return work()
    except Exception:
        return None


def values(torch: Any) -> dict[str, Any]:
    """Return things that people save."""
    module = torch.nn.Sequential(torch.nn.Embedding(30, 8), torch.nn.Linear(8, 30), torch.nn.BatchNorm1d(30))
    module[1].weight = module[0].weight
    layer = torch.nn.TransformerEncoderLayer(16, 2, 32)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.zeros(2, 3, 16)).sum().backward()
    optimizer.step()
    fused = torch.zeros(12, 36)
    return {
        "dict": {"w": torch.zeros(3, 4), "half": torch.zeros(5, dtype=torch.float16)},
        "module": module.state_dict(),
        "layer": layer.state_dict(),
        "float8": {"w": torch.zeros(3, 4).to(torch.float8_e4m3fn), "u": torch.zeros(3, dtype=torch.uint16)},
        "parameter": {"w": torch.nn.Parameter(torch.zeros(3, 4))},
        "nested": {
            "epoch": 3,
            "best": None,
            "state_dict": layer.state_dict(),
            "optimizer": optimizer.state_dict(),
        },
        "columns": {name: fused[:, 12 * place : 12 * place + 12] for place, name in enumerate("qkv")},
        "rows": {"all": fused, "first": fused[:6], "turned": fused.T},
        "list": [torch.zeros(2, 2), (torch.zeros(3), torch.zeros(()))],
        "complex": {"c": torch.zeros(3, dtype=torch.complex64), "b": torch.zeros(3, dtype=torch.bool)},
        "empty": {"a": torch.zeros(0, 4), "b": torch.zeros(7)},
        "large_ints": {"step": 2**40, "w": torch.zeros(2), "name": "x" * 300, "sizes": torch.Size([1, 2])},
    }


def tensors_of(value: Any, torch: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_of(item, torch)]
    return []


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_archives_as_torch_loads_them(tmp_path: Path, protocol: int) -> None:
    torch = pytest.importorskip("torch")
    for name, value in values(torch).items():
        path = tmp_path / f"{name}.pt"
        torch.save(value, path, pickle_protocol=protocol)
        listing = listing_of(str(path))
        # its restricted reader knows protocol 2 and 3 only; these files are our own
        loaded = tensors_of(torch.load(path, weights_only=protocol < 4), torch)
        assert sorted(tuple(tensor.shape) for tensor in loaded) == sorted(listing.tensors.shapes), name
        assert listing.elements == stored(loaded), name
        assert listing.bytes == sum(
            tensor.element_size() * count for tensor, count in zip(loaded, new_elements(loaded), strict=True)
        ), name
        assert not listing.notices, name


def stored(tensors: list[Any]) -> int:
    return sum(new_elements(tensors))


def new_elements(tensors: list[Any]) -> list[int]:
    """Count the elements of each tensor that lie at addresses not seen before, one by one."""
    seen: set[int] = set()
    counts = []
    for tensor in tensors:
        places = {tensor.data_ptr() + tensor.element_size() * offset for offset in offsets(tensor)}
        counts.append(len(places - seen))
        seen |= places
    return counts


def offsets(tensor: Any) -> list[int]:
    found = [0] if tensor.numel() else []
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        found = [place + stride * step for place in found for step in range(size)]
    return found


def test_modules_as_torch_counts_them() -> None:
    torch = pytest.importorskip("torch")
    modules = (
        torch.nn.TransformerEncoderLayer(16, 2, 32),
        torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True),
        torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8)),
        torch.nn.Linear(3, 4, device="meta"),
    )
    for module in modules:
        next(module.parameters()).requires_grad_(False)
        before = {name: (id(value), value.requires_grad) for name, value in module.named_parameters()}
        found = listing_of_module(module)
        assert found.total == sum(parameter.numel() for parameter in module.parameters())
        assert found.trainable == sum(value.numel() for value in module.parameters() if value.requires_grad)
        assert found.buffers.elements == sum(buffer.numel() for buffer in module.buffers())
        assert before == {name: (id(value), value.requires_grad) for name, value in module.named_parameters()}


def test_tied_weights_of_a_module() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Embedding(30, 8), torch.nn.Linear(8, 30, bias=False))
    module[1].weight = module[0].weight
    assert listing_of_module(module).total == 240
    module[1].weight = torch.nn.Parameter(module[0].weight.data)
    assert listing_of_module(module).total == 240
    with pytest.raises(InputError, match="bad_field"):
        listing_of_module(torch.nn.LazyLinear(4))
