"""Towers, prediction layers and draft models: bytes that follow from exact element counts."""

from pathlib import Path

import pytest

from sizewise.api import load
from sizewise.architecture import Architecture
from sizewise.catalog.formats import find_format
from sizewise.footprint.companions import draft_bytes, prediction_bytes, tower_bytes
from sizewise.footprint.weights import storage, stored_bytes
from sizewise.formats.scheme import Scheme
from sizewise.ledger import leaf

CONFIGS = Path(__file__).parents[1] / "golden" / "architectures" / "real_configs"


def read(name: str, format: str = "bf16") -> tuple[Architecture, Scheme]:
    model = load(str(CONFIGS / f"{name}.json"))
    return model.architecture, storage(model.architecture, find_format(format))


@pytest.mark.parametrize(
    ("name", "elements"),
    [
        ("deepseek-ai__DeepSeek-V3.2", 11_521_245_440 + 102_781_952 + 1_853_358_080),
        ("Qwen__Qwen3.5-27B", 372_255_232 + 52_444_160),
        ("Qwen__Qwen3-32B", 0),
    ],
)
def test_prediction_layers_have_the_bytes_of_their_published_elements(name: str, elements: int) -> None:
    assert prediction_bytes(*read(name)).value == 2 * elements


def test_matrices_of_a_prediction_layer_are_packed_as_the_models_are() -> None:
    packed = prediction_bytes(*read("Qwen__Qwen3.5-27B", "nf4"))
    layer, joint = packed.parts
    assert layer.value < 0.3 * 2 * 372_255_232
    assert joint.value == 2 * 52_444_160


def test_towers_are_those_parts_of_the_weights() -> None:
    architecture, scheme = read("Qwen__Qwen3-VL-8B-Instruct")
    towers = tower_bytes(architecture, scheme)
    assert [part.name for part in towers.parts] == ["vision"]
    assert towers.value == stored_bytes(architecture, scheme).part("vision").value
    assert tower_bytes(*read("Qwen__Qwen3-32B")).value == 0


def test_a_draft_model_adds_its_weights_and_its_cache() -> None:
    architecture, scheme = read("Qwen__Qwen3-0.6B")
    line = draft_bytes(architecture, scheme, leaf("any", 1000, "bytes"))
    assert [part.name for part in line.parts] == ["weights", "cache"]
    assert line.value == stored_bytes(architecture, scheme).value + 1000
