"""Models of very many layers: what is done for each layer is little, and the same as for few."""

from itertools import product

import pytest

from sizewise.api import load
from sizewise.counting import total_parameters
from sizewise.parallel.offload import offload, placed
from sizewise.parallel.pipeline import stages


@pytest.fixture(scope="module")
def deep():
    return load(
        {
            "model_type": "llama", "num_hidden_layers": 100_000, "hidden_size": 128,
            "num_attention_heads": 4, "intermediate_size": 256, "vocab_size": 1000,
        }
    ).architecture  # fmt: skip


def test_layers_that_are_alike_are_measured_once(deep):
    asked = []

    def bytes_of(architecture):
        asked.append(architecture)
        return total_parameters(architecture)

    found = offload(deep, bytes_of, [10**9], 10**10)
    assert len(found.units) == 100_000 + 3
    assert len(asked) == 4
    assert sum(found.sizes) == total_parameters(deep)


def test_stages_hold_every_layer_once(deep):
    found = stages(deep, 64)
    assert sum(stage.depth for stage in found) == 100_000
    assert sum(map(total_parameters, found)) == total_parameters(deep)


@pytest.mark.parametrize("host", [0, 5, 9, 100])
def test_room_is_kept_for_the_largest_that_comes(host):
    """What is kept free is the largest of those that come later, taken anew for each."""
    for sizes in product((1, 3, 4), repeat=5):
        wanted, current, used = [], 0, 0
        stores = [(0, 10), ("host", host), ("disk", None)]
        for index, size in enumerate(sizes):
            reserve = max(sizes[index + 1 :], default=0)
            while True:
                store, limit = stores[current]
                if limit is None or used + size + reserve <= limit:
                    break
                current, used = current + 1, 0
            used += size
            wanted.append(store)
        assert list(placed(sizes, [10], host)) == wanted
