"""Laws of the bytes of file types, on whole models and on their files."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizewise.catalog.ggml import file_types, find_file_type
from sizewise.errors import UsageError
from sizewise.footprint.file_types import file_type_bytes, shape_bytes
from sizewise.footprint.gguf_file import file_bytes
from sizewise.gguf.conversion import gguf_shape
from sizewise.gguf.tensors import GgufShape
from sizewise.sources.config_json import from_config

ORDERS = (
    ("q4_0", "q4_1", "q5_0", "q5_1"),
    ("q4_k_s", "q4_k_m"),
    ("q6_k", "q8_0", "f16", "f32"),
    ("f16", "bf16"),
)
DENSE_ORDER = ("q2_k", "q3_k_s", "q3_k_m", "q3_k_l", "q4_k_m", "q5_k_m", "q6_k", "q8_0")
"""With eight experts some tensors of small types are larger than in larger types."""


def shape(layers: int, heads: int, experts: int) -> GgufShape:
    config: dict[str, Any] = {
        "model_type": "mixtral" if experts else "llama",
        "hidden_size": 256 * heads,
        "intermediate_size": 512,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 1,
        "vocab_size": 777,
    }
    chosen = {"num_local_experts": experts, "num_experts_per_tok": 1} if experts else {}
    return gguf_shape(from_config({**config, **chosen}, name="test", origin="test"))


shapes = st.builds(shape, st.integers(1, 90), st.sampled_from((1, 2, 4, 8)), st.sampled_from((0, 2, 4, 8)))


def size(found: GgufShape, name: str, *, importance_matrix: bool = False) -> float:
    file_type = find_file_type(name)
    assert file_type is not None
    return shape_bytes(found, file_type, importance_matrix=importance_matrix).value


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_larger_types_are_larger(found: GgufShape) -> None:
    for order in (*ORDERS, *([DENSE_ORDER] if found.experts == 1 else [])):
        sizes = [size(found, name) for name in order]
        assert sizes == sorted(sizes)


@settings(max_examples=25, deadline=None)
@given(shapes, st.sampled_from(sorted(file_types())))
def test_a_file_holds_its_tensors_in_whole_units(found: GgufShape, name: str) -> None:
    file_type = file_types()[name]
    line = file_bytes(found, file_type)
    parts = {part.name: part.value for part in line.parts}
    assert parts["weights"] == shape_bytes(found, file_type).value
    assert (parts["weights"] + parts["padding"]) % 32 == 0
    assert parts["padding"] < 32 * len(found.tensors)
    low, high = line.interval
    assert low < line.value < high


@settings(max_examples=15, deadline=None)
@given(shapes)
def test_an_importance_matrix_changes_only_some_types(found: GgufShape) -> None:
    changed = {
        name for name in file_types() if size(found, name) != size(found, name, importance_matrix=True)
    }
    assert changed <= {"q4_0", "q5_0", "iq4_nl", "iq4_xs", "iq3_xxs"}


def test_the_model_and_its_tensors_agree() -> None:
    config = {"model_type": "llama", "num_hidden_layers": 2}
    model, file_type = from_config(config, name="test", origin="test"), file_types()["q4_k_m"]
    assert file_type_bytes(model, file_type).value == shape_bytes(gguf_shape(model), file_type).value


def test_rows_that_no_block_divides_are_refused() -> None:
    config = {"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 96, "num_attention_heads": 2}
    ragged = gguf_shape(from_config(config, name="test", origin="test"))
    with pytest.raises(UsageError, match="q1_0 cannot hold"):
        shape_bytes(ragged, file_types()["q1_0"])
