"""Whole layers on stages and devices: the numbers are those of the engines' own code, run by itself."""

import pytest

import sizewise as sw
from sizewise.architecture import Architecture
from sizewise.errors import UsageError
from sizewise.gguf.conversion import gguf_shape
from sizewise.gguf.tensors import GgufTensor
from sizewise.parallel.gguf_places import gguf_places
from sizewise.parallel.layer_split import (
    LayerPlacement,
    cache_share,
    device_share,
    host_share,
    layer_devices,
    layer_placement,
)
from sizewise.parallel.offload import offload, placed, stored_share
from sizewise.parallel.pipeline import stage_sizes, stages
from sizewise.parallel.row_split import device_rows


def model(name: str) -> Architecture:
    return sw.load(name).architecture


def elements(architecture: Architecture, role: str = "") -> int:
    return sum(
        weight.elements * copies for weight, copies in architecture.weights() if role in ("", weight.role)
    )


@pytest.mark.parametrize(
    ("layers", "count", "sizes"),
    [
        (32, 4, (8, 8, 8, 8)),
        (61, 4, (15, 15, 16, 15)),
        (61, 8, (7, 7, 8, 8, 8, 8, 8, 7)),
        (62, 4, (15, 16, 16, 15)),
        (5, 2, (3, 2)),
        (63, 4, (16, 16, 16, 15)),
    ],
)
def test_stages_have_the_layers_that_vllm_gives_them(layers: int, count: int, sizes: tuple[int, ...]) -> None:
    assert stage_sizes(layers, count) == sizes


def test_stages_of_a_tied_model_have_the_table_twice() -> None:
    whole = model("llama-3.2-1b")
    first, middle, last = stages(whole, 3)
    assert elements(first, "embedding") == elements(last, "embedding") == elements(whole, "embedding")
    assert elements(middle, "embedding") == 0
    assert [part.depth for part in (first, middle, last)] == [5, 6, 5]
    assert elements(last, "norm") == (2 * 5 + 1) * 2048


def test_stages_of_an_untied_model_add_up() -> None:
    whole = model("llama-3.1-70b")
    parts = stages(whole, 7)
    assert sum(elements(part) for part in parts) == elements(whole)
    assert [elements(part, "head") > 0 for part in parts] == [False] * 6 + [True]


def test_models_without_one_order_of_layers_are_refused() -> None:
    with pytest.raises(UsageError, match="2 stacks of layers"):
        stages(model("t5-small"), 2)
    with pytest.raises(UsageError, match="possible are 1 to 80"):
        stages(model("llama-3.1-70b"), 81)


@pytest.mark.parametrize(
    ("layers", "gpu_layers", "proportions", "counts"),
    [
        (32, 33, (24564, 12288), {0: 22, 1: 11}),
        (32, 20, (3, 1), {None: 13, 0: 15, 1: 5}),
        (28, 999, (8, 8, 8), {0: 10, 1: 10, 2: 9}),
        (80, 81, (81559, 81559, 24564, 24564), {0: 32, 1: 31, 2: 9, 3: 9}),
        (32, 0, (1, 1), {None: 33}),
        (32, None, (), {None: 33}),
    ],
)
def test_layers_go_where_llama_cpp_puts_them(
    layers: int, gpu_layers: int | None, proportions: tuple[int, ...], counts: dict[int | None, int]
) -> None:
    devices = layer_devices(layers, proportions, gpu_layers)
    assert {device: devices.count(device) for device in devices} == counts


def test_splits_that_cannot_be_meant_are_refused() -> None:
    for proportions in ([0.0], [-1.0, 2.0], [float("nan")], [float("inf")], [1e-80]):
        with pytest.raises(UsageError, match="bad_option"):
            layer_devices(4, proportions)
    with pytest.raises(UsageError, match="bad_option"):
        layer_devices(4, [1], -1)


def test_a_tied_model_on_one_device_has_a_second_copy_of_the_table() -> None:
    whole = model("llama-3.2-1b")
    placement = layer_placement(16, [1])
    device, host = device_share(whole, placement, 0), host_share(whole, placement)
    assert elements(device) == elements(whole)
    assert elements(host) == elements(whole, "embedding")
    none = layer_placement(16, [1], gpu_layers=0)
    assert elements(device_share(whole, none, 0)) == 0
    assert elements(host_share(whole, none)) == elements(whole)


def test_experts_of_the_first_layers_stay_on_the_host() -> None:
    whole = model("mixtral-8x7b-v0.1")
    placement = layer_placement(32, [1], host_expert_layers=8)
    assert elements(host_share(whole, placement), "expert") == elements(whole, "expert") // 4
    assert elements(host_share(whole, placement), "router") == 0
    assert elements(device_share(whole, placement, 0), "attention") == elements(whole, "attention")


def test_the_cache_lies_with_its_layer_or_on_the_host() -> None:
    whole = model("llama-3.1-8b")
    split = layer_placement(32, [3, 1], gpu_layers=20)
    kept = {where: cache_share(whole, split, where).depth for where in (None, 0, 1)}
    assert kept == {None: 13, 0: 15, 1: 4}
    on_host = layer_placement(32, [1], cache_on_host=True)
    assert cache_share(whole, on_host, None).depth == 32
    assert not list(cache_share(whole, on_host, 0).kept())


def placed_elements(name: str, placement: LayerPlacement) -> dict[int | None, int]:
    shape = gguf_shape(sw.load(name))
    places = gguf_places(shape, placement)
    found: dict[int | None, int] = {}
    for tensor in shape.tensors:
        for place in places(tensor):
            found[place] = found.get(place, 0) + tensor.elements
    return found


@pytest.mark.parametrize("name", ["llama-3.2-1b", "mixtral-8x7b-v0.1", "qwen2.5-7b", "gpt2"])
def test_tensors_of_a_file_lie_where_the_architecture_says(name: str) -> None:
    whole = model(name)
    placement = layer_placement(whole.depth, [2, 1], gpu_layers=whole.depth - 2, host_expert_layers=5)
    tables = sum(t.elements for t in gguf_shape(sw.load(name)).tensors if t.base.startswith("rope_"))
    for place, count in placed_elements(name, placement).items():
        assert count - tables == elements(device_share(whole, placement, place))


def test_dense_feed_forward_layers_stay_on_the_host() -> None:
    whole = model("llama-3.1-8b")
    placement = layer_placement(32, [1], host_feed_forward_layers=3)
    each = 3 * 4096 * 14336
    assert elements(host_share(whole, placement), "feed_forward") == 3 * each
    tensor = GgufTensor(base="ffn_up.weight", dims=(14336, 4096), layer=2)
    assert gguf_places(gguf_shape(sw.load("llama-3.1-8b")), placement)(tensor) == {None}


def test_rows_are_cut_at_whole_tiles() -> None:
    assert device_rows(1000, [1, 1], tile=64) == (448, 552)
    assert sum(device_rows(11008, [3, 2, 2], tile=128)) == 11008


def test_offload_keeps_room_for_the_largest_layer_still_to_come() -> None:
    assert list(placed([5, 1, 1, 1, 5], [12], 100)) == [0, 0, 0, "host", "host"]
    assert list(placed([5, 1, 1, 1, 5], [13], 100)) == [0] * 5
    assert list(placed([5, 5, 5], [], 11)) == ["host", "disk", "disk"]


def test_offload_divides_a_model_into_what_is_stored_where() -> None:
    whole = model("llama-3.2-1b")
    total = elements(whole)
    result = offload(whole, elements, [total // 2], total)
    assert result.resident(0) + result.resident("host") == total
    assert result.resident(0) + result.working <= total // 2
    assert elements(stored_share(whole, result, 0)) == result.resident(0)
    everything = offload(whole, elements, [2 * total], total)
    assert set(everything.places) == {0}
    assert everything.working == 0
