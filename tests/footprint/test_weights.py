"""Weight bytes: formula equals value, additive, ordered, with the right status."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizewise.architecture import Architecture, Part
from sizewise.catalog.formats import find_format, formats
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.footprint.weights import (
    constant_bytes,
    packed_weights,
    packing_notice,
    reduction,
    sixteen_bit,
    storage,
    stored_bytes,
    stored_elements,
    weight_bytes,
)
from sizewise.formats.quantization import PackingRule, Quantization
from sizewise.operations import Kept, Operation
from sizewise.tensors import Weight

NAMES = [*formats(), "exl2-3.5"]
LLAMA = {"vocab_size": 1000, "hidden_size": 256, "intermediate_size": 768, "num_attention_heads": 4}
MIXTRAL = {**LLAMA, "num_local_experts": 4, "num_key_value_heads": 2}


def llama(layers: int = 3, **more: Any) -> Architecture:
    return describe(
        Config({**LLAMA, "num_hidden_layers": layers, "tie_word_embeddings": False, **more}, "llama")
    )


def mixtral(layers: int = 2) -> Architecture:
    return describe(Config({**MIXTRAL, "num_hidden_layers": layers}, "mixtral"))


def logical(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("build", [llama, mixtral])
def test_every_formula_gives_its_value(name: str, build: Any) -> None:
    for _, line in weight_bytes(build(), find_format(name)).walk():
        if line.amount is not None:
            assert eval(line.formula, {"ceil": ceil}, dict(line.inputs)) == line.amount
            assert isinstance(line.amount, int)
            assert line.source


@pytest.mark.parametrize("name", NAMES)
def test_leaves_of_a_role_have_names_of_their_own(name: str) -> None:
    for part in weight_bytes(mixtral(), find_format(name)).parts:
        names = [line.name for line in part.parts]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("build", [llama, mixtral])
def test_bytes_elements_and_weights_agree(name: str, build: Any) -> None:
    architecture, format = build(), find_format(name)
    scheme = storage(architecture, format)
    counts = packed_weights(architecture, scheme)
    assert sum(counts.values()) == logical(architecture)
    size = stored_bytes(architecture, scheme).value
    assert size == weight_bytes(architecture, format).value
    left = counts.get(scheme.base.name, 0) if scheme.packer else 0
    assert size >= left * 2 + (logical(architecture) - left) * format.bits / 8
    assert stored_elements(architecture, scheme) <= (2 if name == "int4" else 1) * size
    assert constant_bytes(architecture, scheme) >= 0


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(layers=st.integers(min_value=1, max_value=6))
def test_layers_add_up(name: str, layers: int) -> None:
    format = find_format(name)
    one, two, many = (weight_bytes(llama(count), format).value for count in (1, 2, 2 + layers))
    assert many - two == layers * (two - one)


def test_more_bits_are_more_bytes() -> None:
    sizes = [weight_bytes(llama(), find_format(name)).value for name in ("nf4", "bnb-int8", "bf16", "fp32")]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("bf16", "exact"),
        ("nf4", "derived"),
        ("int8", "assumed"),
        ("int4", "assumed"),
        ("exl2-4.0", "assumed"),
    ],
)
def test_the_status_is_that_of_the_format(name: str, status: str) -> None:
    assert weight_bytes(llama(), find_format(name)).status == status


def test_an_unnamed_dtype_is_assumed() -> None:
    line = weight_bytes(llama(), find_format("bf16"), assumed=True)
    assert line.status == "assumed"
    assert all("assumed" in leaf.source for _, leaf in line.walk() if leaf.amount is not None)


def test_what_is_packed_with_fp16() -> None:
    assert sixteen_bit("fp16") == "fp16"
    assert sixteen_bit("fp32") == "bf16"
    packed = weight_bytes(llama(), find_format("nf4"), "fp16")
    assert packed.value == weight_bytes(llama(), find_format("nf4")).value
    assert any(line.name.endswith("fp16") for _, line in packed.walk())


def test_a_source_has_its_own_exceptions() -> None:
    rule = PackingRule(format="fp8-block", ignored=("model.layers.1",))
    own = Quantization(method="fp8", rules=(rule,))
    architecture, fp8 = llama(), find_format("fp8-block")
    layer = 4 * 256 * 256 + 3 * 256 * 768
    counts = packed_weights(architecture, storage(architecture, fp8, "bf16", own))
    assert counts["fp8-block"] == 2 * layer
    assert packed_weights(architecture, storage(architecture, fp8))["fp8-block"] == 3 * layer
    asked = weight_bytes(architecture, find_format("awq"), "bf16", own)
    assert asked.value == weight_bytes(architecture, find_format("awq")).value


def test_reductions() -> None:
    found = reduction(llama(), storage(llama(), find_format("int8")), "fp32")
    assert (found.from_fp32, found.from_checkpoint) == (4, 4)
    assert reduction(llama(), storage(llama(), find_format("int8"))).from_checkpoint == 2


def test_a_format_that_packs_little_is_reported() -> None:
    for name, build in (("mxfp4", llama), ("nf4", mixtral)):
        notice = packing_notice(build(), storage(build(), find_format(name)))
        assert notice is not None
        assert notice.code == "little_packed"
    assert packing_notice(mixtral(), storage(mixtral(), find_format("mxfp4"))) is None
    assert packing_notice(llama(), storage(llama(), find_format("bf16"))) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """Weights without a mechanism."""

    content: tuple[Weight, ...]

    def weights(self) -> Iterator[Weight]:
        yield from self.content

    def operations(self) -> Iterator[Operation]:
        return iter(())

    def kept(self) -> Iterator[Kept]:
        return iter(())


def bag(*content: Weight) -> Architecture:
    part = Part(name="x", component=Bag(content=content))
    return Architecture(model_class="Bag", body=(part,), hidden=1, vocabulary=1, context=None, tied=False)


SIZES = st.integers(min_value=1, max_value=300)
WEIGHTS = st.builds(
    lambda rows, columns, role: Weight(name="w", role=role, shape=(rows, columns), kind="matrix"),
    SIZES,
    SIZES,
    st.sampled_from(["attention", "head", "expert", "router", "embedding"]),
)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(first=WEIGHTS, second=WEIGHTS)
def test_weights_add_up(name: str, first: Weight, second: Weight) -> None:
    format = find_format(name)
    apart = weight_bytes(bag(first), format).value + weight_bytes(bag(second), format).value
    assert weight_bytes(bag(first, second), format).value == apart
