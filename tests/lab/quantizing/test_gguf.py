"""GGUF files in other block types: bytes that were said, types and data that were written."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")
pytest.importorskip("bitsandbytes")

from sizewise.errors import InputError  # noqa: E402 - torch is optional
from sizewise.lab import quantize  # noqa: E402
from sizewise.lab.quantizing import gguf_files, original, verb, writing  # noqa: E402

from .small_gguf import write, write_experts  # noqa: E402

QUICK: dict[str, Any] = {"windows": 3, "window": 32}
SHAPES: dict[str, dict[str, Any]] = {
    "tied": {},
    "untied": {"tied": False},
    "rows that no block divides": {"hidden": 72, "ffn": 100},
    "rows of 256": {"hidden": 256, "ffn": 512, "tied": False},
}


@pytest.fixture(scope="module", params=SHAPES)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gguf") / "small.gguf", **SHAPES[request.param])


def blocks(path: Path) -> dict[str, str]:
    return {tensor.name: tensor.tensor_type.name.lower() for tensor in gguf.GGUFReader(path).tensors}


@pytest.mark.parametrize("name", ["q8_0", "q4_0", "q5_1", "f16", "bf16"])
def test_what_was_said_is_written(source: Path, name: str, tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    plan = quantize(str(source), name).plan
    if plan.maker != "gguf":
        pytest.skip(f"{name} of this shape holds block types that llama.cpp alone packs")
    answer = quantize(str(source), name, output=str(out), **QUICK)
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes == sum(t.n_bytes for t in gguf.GGUFReader(out).tensors)
    assert answer.saved.file_bytes == answer.plan.file_bytes == out.stat().st_size
    assert blocks(out) == dict(answer.plan.blocks)
    assert answer.quality is not None
    assert answer.quality.kl_nats.value < 0.1


@pytest.mark.skipif(
    not gguf_files.quantizer(), reason="llama.cpp's quantizer is not here: pip install cyllama"
)
@pytest.mark.parametrize("name", ["q8_0", "q4_0", "q4_k_m", "q6_k", "q2_k"])
def test_llama_cpp_writes_the_same_types_and_data(source: Path, name: str, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.gguf"
    plan = quantize(str(source), name).plan
    if "f16" in plan.blocks.values():
        with pytest.raises(InputError, match="no tensor type fallback"):
            gguf_files.run_llama_cpp(str(source), str(theirs), plan, repack=False)
        return
    gguf_files.run_llama_cpp(str(source), str(theirs), plan, repack=False)
    answer = quantize(str(source), name, output=str(tmp_path / "out.gguf"), quality=False)
    assert blocks(theirs) == dict(answer.plan.blocks)
    assert theirs.stat().st_size == answer.plan.file_bytes
    ours = {tensor.name: tensor.data.tobytes() for tensor in gguf.GGUFReader(tmp_path / "out.gguf").tensors}
    assert all(tensor.data.tobytes() == ours[tensor.name] for tensor in gguf.GGUFReader(theirs).tensors)


def test_metadata_is_kept_and_the_file_type_set(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    quantize(str(source), "bf16", output=str(out), quality=False)
    before, after = (gguf.GGUFReader(path).fields for path in (source, out))
    assert after["general.file_type"].contents() == 32
    own = {"general.file_type", "general.quantization_version"}
    kept = {name for name in before if not name.startswith("GGUF.")} - own
    assert all(before[name].contents() == after[name].contents() for name in kept)
    assert {name for name in after if not name.startswith("GGUF.")} - own == kept


@pytest.mark.parametrize("shape", [{}, {"hidden": 72, "ffn": 100}, {"architecture": "qwen3moe"}], ids=str)
@pytest.mark.parametrize("name", ["q8_0", "q4_0", "bf16", "mxfp4_moe", "q4_k_m"])
def test_experts_are_written_as_they_were_said(shape: dict[str, Any], name: str, tmp_path: Path) -> None:
    path, out = write_experts(tmp_path / "experts.gguf", **shape), tmp_path / "out.gguf"
    if quantize(str(path), name).plan.maker != "gguf":
        pytest.skip(f"{name} of this shape holds block types that llama.cpp alone packs")
    answer = quantize(str(path), name, output=str(out), quality=False)
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes == sum(t.n_bytes for t in gguf.GGUFReader(out).tensors)
    assert answer.saved.file_bytes == answer.plan.file_bytes == out.stat().st_size
    assert blocks(out) == dict(answer.plan.blocks)
    assert blocks(out)["blk.0.ffn_gate_inp.weight"] == "f32"
    experts = {"mxfp4_moe": "mxfp4", "q4_k_m": "q5_0"}.get(name, name)
    assert blocks(out)["blk.1.ffn_up_exps.weight"] == (
        "f16" if "hidden" in shape and name != "bf16" else experts
    )


def test_a_file_that_transformers_reads_in_part_is_not_measured(tmp_path: Path) -> None:
    path = write_experts(tmp_path / "experts.gguf")
    answer = quantize(str(path), "q8_0", output=str(tmp_path / "out.gguf"), **QUICK)
    assert answer.saved is not None
    assert answer.quality is None
    (said,) = [notice.message for notice in answer.notices if notice.code == "not_measured"]
    assert "6 parameters are not in" in said
    with pytest.raises(InputError, match="does not read all of it"):
        quantize(str(path), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert sorted(os.listdir(tmp_path)) == ["experts.gguf", "out.gguf"]


def test_a_file_whose_loss_cannot_be_measured_is_kept_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise InputError("bad_data", "a model answers with what is no number")

    monkeypatch.setattr(verb, "measured", fail)
    answer = quantize(small(tmp_path), "q8_0", output=str(tmp_path / "out.gguf"), **QUICK)
    assert answer.saved is not None
    assert (tmp_path / "out.gguf").stat().st_size == answer.saved.file_bytes
    assert answer.quality is None
    assert any("no number" in notice.message for notice in answer.notices if notice.code == "not_measured")


def test_weights_that_transformers_leaves_aside_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "biased.gguf", bias=True)
    answer = quantize(str(path), "q8_0", output=str(tmp_path / "out.gguf"), **QUICK)
    (said,) = [notice.message for notice in answer.notices if notice.code == "unread_weights"]
    assert "leaves 128 of" in said


def test_without_measuring_the_class_need_not_be_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(verb, "load_module", fail)
    monkeypatch.setattr(original, "_blank", fail)
    answer = quantize(small(tmp_path), "q8_0", output=str(tmp_path / "out.gguf"), quality=False)
    assert answer.saved is not None


@pytest.mark.parametrize("name", ["f16", "q4_0"])
def test_a_file_of_the_same_type_holds_the_same_data(name: str, tmp_path: Path) -> None:
    source, again = str(tmp_path / "source.gguf"), str(tmp_path / "again.gguf")
    quantize(small(tmp_path), name, output=source, quality=False)
    quantize(source, name, output=again, quality=False)
    assert Path(source).read_bytes() == Path(again).read_bytes()


def test_a_file_in_parts_is_planned_and_has_to_be_joined_first(tmp_path: Path) -> None:
    whole = quantize(small(tmp_path), "q8_0").plan
    write(tmp_path / "parts.gguf", split=7)
    parts = sorted(tmp_path.glob("parts-*.gguf"))
    assert len(parts) > 2
    for part in parts[:2]:
        plan = quantize(str(part), "q8_0").plan
        assert (plan.bytes, plan.file_bytes) == (whole.bytes, None)
        with pytest.raises(InputError, match="llama-gguf-split --merge") as caught:
            quantize(str(part), "q8_0", output=str(tmp_path / "out.gguf"), quality=False)
        assert caught.value.code == "split_file"


def test_the_source_is_not_replaced_even_with_force(tmp_path: Path) -> None:
    path = small(tmp_path)
    before = Path(path).read_bytes()
    with pytest.raises(InputError) as caught:
        quantize(path, "q8_0", output=path, force=True, quality=False)
    assert caught.value.code == "replaces_source"
    assert Path(path).read_bytes() == before


def small(tmp_path: Path, **shape: Any) -> str:
    return str(write(tmp_path / "small.gguf", **shape))


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("moment", ["write_gguf", "read_back"])
def test_a_failure_in_the_middle_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, error: Any
) -> None:
    path, out = small(tmp_path), tmp_path / "out.gguf"
    work = getattr(gguf_files, moment)

    def fail(*given: Any) -> None:
        work(*given)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(writing.gguf_files, moment, fail)
        with pytest.raises((KeyboardInterrupt, InputError)):
            quantize(path, "q8_0", output=str(out), **QUICK)
    assert os.listdir(tmp_path) == ["small.gguf"]
    assert quantize(path, "q8_0", output=str(out), quality=False).saved is not None


def test_data_that_reads_back_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write_gguf = small(tmp_path), gguf_files.write_gguf

    def damaged(source: str, target: str, plan: Any, step: Any) -> Any:
        sums = write_gguf(source, target, plan, step)
        with open(target, "r+b") as file:
            file.seek(-9, os.SEEK_END)
            file.write(b"\x7f")
        return sums

    monkeypatch.setattr(gguf_files, "write_gguf", damaged)
    with pytest.raises(InputError, match="reads back otherwise"):
        quantize(path, "q8_0", output=str(tmp_path / "out.gguf"), **QUICK)
    assert os.listdir(tmp_path) == ["small.gguf"]


def test_a_packed_source_is_said(tmp_path: Path) -> None:
    path, packed = small(tmp_path), str(tmp_path / "packed.gguf")
    quantize(path, "q4_0", output=packed, quality=False)
    answer = quantize(packed, "q8_0")
    assert {notice.code for notice in answer.notices} >= {"packed_source", "not_smaller"}
    assert answer.plan.shipped < answer.plan.bytes


def test_a_gguf_file_is_packed_by_bitsandbytes_too(tmp_path: Path) -> None:
    answer = quantize(small(tmp_path), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes
    assert not [name for name in os.listdir(tmp_path / "out") if name.startswith("source-")]


def test_k_quants_without_llama_cpp_are_refused_before_they_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_files, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    path = small(tmp_path, hidden=256, ffn=512)
    with pytest.raises(InputError, match="pip install cyllama"):
        quantize(path, "q4_k_m", output=str(tmp_path / "out.gguf"))
