"""Memory of a GGUF file: its own tensors decide, whatever type it calls itself."""

from pathlib import Path

import pytest

from sizewise.planning.defaults import Asked
from sizewise.planning.memory import answer_memory
from sizewise.sources.reference import load_reference

from ..corpus.writers_gguf import TEXT, U32, kv, sound_gguf

Q8_0, F16, F32 = 8, 1, 0
NUMBERS = {
    "block_count": 2,
    "context_length": 512,
    "embedding_length": 64,
    "feed_forward_length": 160,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
}
LAYER = {
    "attn_norm.weight": ([64], F32),
    "attn_q.weight": ([64, 64], Q8_0),
    "attn_k.weight": ([64, 32], F16),
    "attn_v.weight": ([64, 32], F16),
    "attn_output.weight": ([64, 64], Q8_0),
    "ffn_norm.weight": ([64], F32),
    "ffn_gate.weight": ([64, 160], Q8_0),
    "ffn_up.weight": ([64, 160], Q8_0),
    "ffn_down.weight": ([160, 64], F16),
}
LAYER_BYTES = 2 * 64 * 4 + 2 * 64 * 64 // 32 * 34 + 2 * 64 * 32 * 2 + 2 * 64 * 160 // 32 * 34 + 160 * 64 * 2
TABLE_BYTES = 100 * 64 // 32 * 34


def mixed(folder: Path, file_type: int) -> str:
    tensors = {"token_embd.weight": ([64, 100], Q8_0), "output_norm.weight": ([64], F32)}
    tensors |= {f"blk.{layer}.{name}": entry for layer in range(2) for name, entry in LAYER.items()}
    pairs = [kv("general.architecture", TEXT, "llama"), kv("general.file_type", U32, file_type)]
    pairs += [kv(f"llama.{key}", U32, value) for key, value in NUMBERS.items()]
    (folder / "mixed.gguf").write_bytes(sound_gguf(tensors, pairs))
    return str(folder / "mixed.gguf")


@pytest.mark.parametrize(("file_type", "name"), [(7, "q8_0"), (15, "q4_k_m"), (9999, "mixed")])
def test_a_mix_of_types_has_the_bytes_of_its_tensors(tmp_path: Path, file_type: int, name: str) -> None:
    found = answer_memory(load_reference(mixed(tmp_path, file_type)), Asked())
    assert found.line.part("weights").value == 2 * LAYER_BYTES + TABLE_BYTES + 64 * 4
    assert found.line.part("weights").status == "exact"
    assert (found.scenario.weights.name, found.scenario.runtime) == (name, "llama.cpp")


def test_its_layers_are_shared_by_their_own_bytes(tmp_path: Path) -> None:
    found = answer_memory(load_reference(mixed(tmp_path, 15)), Asked(on="rtx-4090:2"))
    first, second = (int(share.line.part("weights").value) for share in found.shares)
    assert (first, second) == (2 * LAYER_BYTES, 64 * 4 + TABLE_BYTES)
    assert found.host >= TABLE_BYTES


def test_another_type_can_be_asked_for(tmp_path: Path) -> None:
    found = answer_memory(load_reference(mixed(tmp_path, 15)), Asked(quant="f16"))
    assert found.line.part("weights").value == 2 * (
        2 * 64 * 4 + 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 160)
    ) + (2 * 100 * 64 + 64 * 4)
