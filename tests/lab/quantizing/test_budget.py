"""Groups, what they lose alone, and bytes spent where they save the most."""

import re
import shlex
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")

from sizewise.catalog.ggml import block_types, file_types  # noqa: E402 - torch is optional
from sizewise.errors import UsageError  # noqa: E402
from sizewise.lab import quantize  # noqa: E402
from sizewise.lab.loading import load_module  # noqa: E402
from sizewise.lab.quality.measure import scored  # noqa: E402
from sizewise.lab.quality.windows import random_windows  # noqa: E402
from sizewise.lab.quantizing import mixing, sensitivity  # noqa: E402
from sizewise.lab.quantizing.budget import Option, spend  # noqa: E402
from sizewise.lab.quantizing.groups import Group, layer_groups, matrix_groups  # noqa: E402
from sizewise.lab.quantizing.rounding import rounded, rounding  # noqa: E402
from sizewise.lab.quantizing.sensitivity import joint_nats, measured_options  # noqa: E402

from .small_gguf import write  # noqa: E402

QUICK: dict[str, Any] = {"windows": 3, "window": 32}

options = st.lists(
    st.tuples(st.integers(1, 50), st.floats(0, 1)).map(
        lambda pair: Option(group="g", format="f", bytes=pair[0], kl_nats=pair[1])
    ),
    min_size=1,
    max_size=3,
)


@given(st.lists(options, min_size=1, max_size=4), st.integers(1, 200))
def test_a_plan_never_passes_its_budget(groups: list[list[Option]], budget: int) -> None:
    if sum(min(one.bytes for one in group) for group in groups) > budget:
        with pytest.raises(UsageError, match="short"):
            spend(groups, budget)
        return
    best = spend(groups, budget)
    assert sum(option.bytes for option in best) <= budget
    assert all(option in group for option, group in zip(best, groups, strict=True))


def test_bytes_go_where_they_save_the_most() -> None:
    def group(name: str, loss: float) -> list[Option]:
        return [
            Option(group=name, format=format, bytes=size, kl_nats=loss * share)
            for format, size, share in (("q4_0", 18, 1.0), ("q5_0", 22, 0.3), ("q8_0", 34, 0.01))
        ]

    groups = [group("dear", 1.0), group("cheap", 0.01), group("middling", 0.2)]
    best = spend(groups, 18 + 22 + 34)
    assert [option.format for option in best] == ["q8_0", "q4_0", "q5_0"]
    least = min(
        sum(option.kl_nats for option in chosen)
        for chosen in product(*groups)
        if sum(option.bytes for option in chosen) <= 18 + 22 + 34
    )
    assert sum(option.kl_nats for option in best) == pytest.approx(least)


def test_every_matrix_is_in_one_group() -> None:
    names = [f"model.layers.{layer}.{part}.weight" for layer in range(10) for part in ("up", "down")]
    names.append("model.embed_tokens.weight")
    for groups in (layer_groups(names), matrix_groups(names, 3)):
        assert sorted(name for group in groups for name in group.parameters) == sorted(names)
    assert len(layer_groups(names)) == 11
    assert [group.name for group in matrix_groups(names, 3)][:2] == ["up of layers 0-2", "down of layers 0-2"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write(tmp_path_factory.mktemp("gguf") / "small.gguf"))


@pytest.mark.parametrize("format", ["q4_0", "q8_0", "nf4", "nf4-dq", "bnb-int8"])
def test_rounding_is_what_the_written_file_holds(source: str, format: str, tmp_path: Path) -> None:
    out = str(tmp_path / ("out.gguf" if format.startswith("q") else "out"))
    quantize(source, format, output=out, quality=False)
    module = load_module(source, dtype="float32").module
    again = load_module(out, dtype="float32" if format.startswith("q") else "auto").module
    if not format.startswith("q"):
        again = again.dequantize()
    name = "model.layers.1.mlp.up_proj.weight"
    with rounded(module, {name: rounding(format)}):
        mine = module.get_parameter(name).data.bfloat16()
    theirs = again.get_parameter(name).data.bfloat16()
    if format == "bnb-int8":  # unpacked in another precision
        torch.testing.assert_close(mine, theirs, rtol=2**-7, atol=0)
    else:
        assert torch.equal(mine, theirs)


def test_a_module_is_as_it_was_after_rounding(source: str) -> None:
    module = load_module(source, dtype="float32").module
    name = "model.layers.0.mlp.up_proj.weight"
    before, place = module.get_parameter(name).data.clone(), module.get_parameter(name).data_ptr()

    def interrupted() -> None:
        with rounded(module, {name: rounding("q4_0")}):
            assert not torch.equal(module.get_parameter(name).data, before)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert torch.equal(module.get_parameter(name).data, before)
    assert module.get_parameter(name).data_ptr() == place


def test_finer_formats_follow_from_the_coarsest(source: str) -> None:
    module = load_module(source, dtype="float32").module
    reference = scored(module, random_windows(320, length=64, most=4))
    group = Group(
        name="up", parameters=("model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight")
    )
    formats = ("q4_0", "q5_0", "q8_0")
    (found,) = measured_options(
        module, reference, (group,), formats, lambda _group, _format: 1, step=lambda *_: None
    )
    for option in found[:2]:
        alone = joint_nats(module, reference, {group: option.format})
        assert option.kl_nats == pytest.approx(alone, rel=0.25)
    assert found[0].kl_nats > found[1].kl_nats > found[2].kl_nats > 0


def test_a_budget_is_kept_to_the_byte_and_better_than_one_format(source: str, tmp_path: Path) -> None:
    uniform = quantize(source, "q5_0", sensitivity=True, **QUICK)
    budget = uniform.plan.file_bytes
    assert budget is not None
    mixed = quantize(source, budget=budget, output=str(tmp_path / "mixed.gguf"), **QUICK)
    assert mixed.saved is not None
    assert mixed.saved.file_bytes == mixed.plan.file_bytes <= budget
    assert mixed.sensitivity is not None
    assert uniform.sensitivity is not None
    assert mixed.sensitivity.joint_nats < 1.05 * uniform.sensitivity.joint_nats
    assert len({option.format for option in mixed.sensitivity.chosen}) > 1
    assert mixed.command[0] == "llama-quantize"
    assert mixed.expected.status == "unknown"


@pytest.mark.parametrize(
    ("formats", "budget"), [("q4_0,q5_1", "80kB"), ("q4_0,q8_0", "100kB"), ("q4_0,f16", "150kB")]
)
def test_the_command_says_every_type_that_the_file_type_would_not_give(
    tmp_path: Path, formats: str, budget: str
) -> None:
    path, out = str(write(tmp_path / "a b.gguf", tied=False)), str(tmp_path / "mixed.gguf")
    answer = quantize(path, formats, budget=budget, output=out, quality=False, windows=3, window=32)
    program, *words = shlex.split(" ".join(answer.command))
    *flags, source, target, name = words
    assert (program, source, target) == ("llama-quantize", path, out)
    chosen = [value.rpartition("=") for value in flags[1::2]]
    assert set(flags[::2]) <= {"--tensor-type"}
    assert block_types()[file_types()[name.lower()].block].weights > 1
    for tensor, block in quantize(path, name).plan.blocks.items():
        found = next((kind for pattern, _, kind in chosen if re.search(pattern, tensor)), block)
        assert found == answer.plan.blocks[tensor]
    assert len(set(answer.plan.blocks.values())) > 2


def test_the_command_allows_a_packed_source(source: str, tmp_path: Path) -> None:
    packed, out = str(tmp_path / "packed.gguf"), str(tmp_path / "mixed.gguf")
    quantize(source, "q8_0", output=packed, quality=False)
    answer = quantize(packed, budget="150kB", output=out, quality=False, windows=3, window=32)
    assert answer.command[1] == "--allow-requantize"


def test_parts_add_up_to_the_whole(source: str) -> None:
    found = quantize(source, "q4_0", sensitivity=True, **QUICK).sensitivity
    assert found is not None
    assert [option.group for option in found.chosen] == ["model.embed_tokens", "layer 0", "layer 1"]
    assert found.joint_nats == pytest.approx(found.sum_nats, rel=0.3)


def test_a_budget_of_bitsandbytes_keeps_modules_at_16_bit(source: str, tmp_path: Path) -> None:
    smallest, largest = (quantize(source, name).plan.file_bytes for name in ("nf4", "bf16"))
    assert smallest is not None
    assert largest is not None
    budget = (smallest + largest) // 2
    answer = quantize(source, "nf4", budget=budget, output=str(tmp_path / "out"), **QUICK)
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes
    assert answer.saved.file_bytes == answer.plan.file_bytes <= budget
    assert "kept by the plan" in answer.plan.left
    assert answer.plan.packed


def test_bytes_to_spare_leave_nothing_coarse(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity, "joint_nats", lambda *_: -1e-8)
    for formats, finest in (("q4_0,q8_0", {"q8_0"}), ("nf4", {"bf16"})):
        found = quantize(source, formats, budget="1GB", **QUICK).sensitivity
        assert found is not None
        assert {option.format for option in found.chosen} == finest
        assert all(option.kl_nats > 0 for option in found.chosen)


def test_a_budget_that_nothing_fits_says_what_would_before_it_measures(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("measured")

    with monkeypatch.context() as patches:
        patches.setattr(mixing, "measured_options", fail)
        with pytest.raises(UsageError, match="the smallest plan") as caught:
            quantize(source, budget=1000, **QUICK)
    least = int(caught.value.message.rpartition("takes ")[2].removesuffix(" bytes").replace(",", ""))
    assert quantize(source, budget=least, **QUICK).plan.file_bytes == least
    with pytest.raises(UsageError, match="1 bytes short"):
        quantize(source, budget=least - 1, **QUICK)
