"""GGUF headers: how much is read, what they mean, and what is said where they contradict themselves."""

import struct
from pathlib import Path
from time import process_time

import pytest

from sizewise.architecture import HEADER
from sizewise.counting import count
from sizewise.errors import InputError, UsageError
from sizewise.sources.checkpoint import gguf_of, listing_of
from sizewise.sources.gguf.configuration import facts_of
from sizewise.sources.gguf.expressions import evaluate
from sizewise.sources.gguf.model import model_of_gguf, nominal_type
from sizewise.sources.gguf.reader import GgufFile, read_gguf
from sizewise.sources.ranges import BytesReader
from sizewise.sources.reference import load_reference

from ..corpus.writers_gguf import ARRAY, BOOL, I32, TEXT, U32, gguf, kv, sound_gguf, ti

LAYER = {
    "attn_norm.weight": ([64], 0),
    "attn_q.weight": ([64, 64], 8),
    "attn_k.weight": ([64, 32], 8),
    "attn_v.weight": ([64, 32], 8),
    "attn_output.weight": ([64, 64], 8),
    "ffn_norm.weight": ([64], 0),
    "ffn_gate.weight": ([64, 160], 8),
    "ffn_up.weight": ([64, 160], 8),
    "ffn_down.weight": ([160, 64], 8),
}
NUMBERS = {
    "block_count": 2,
    "context_length": 512,
    "embedding_length": 64,
    "feed_forward_length": 160,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
}
PARAMETERS = 2 * (2 * 64 + 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 160) + 100 * 64 + 64


def llama(architecture: str = "llama", **numbers: int) -> bytes:
    """Return a llama of two layers with a tied head and a table of rotary factors."""
    tensors = {
        "token_embd.weight": ([64, 100], 8),
        "output_norm.weight": ([64], 0),
        "rope_freqs.weight": ([8], 0),
    }
    tensors |= {f"blk.{layer}.{name}": entry for layer in range(2) for name, entry in LAYER.items()}
    pairs = [kv("general.architecture", TEXT, architecture), kv("general.file_type", U32, 7)]
    pairs += [kv(f"{architecture}.{key}", U32, value) for key, value in (NUMBERS | numbers).items()]
    return sound_gguf(tensors, pairs)


def parsed(data: bytes) -> GgufFile:
    return read_gguf(BytesReader(data, name="x.gguf", size=len(data)))


def test_a_file_answers_as_its_configuration_does(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(llama())
    for reference in (str(tmp_path / "x.gguf"), str(tmp_path)):
        model = load_reference(reference)
        assert model.model_type == "llama"
        assert count(model).total.value == PARAMETERS
        assert (model.context, model.dtype, model.default_format) == (512, "fp16", "q8_0")
        assert model.architecture.tied
        assert not model.notices
    changed = load_reference(str(tmp_path / "x.gguf"), ["max_position_embeddings=64"])
    assert changed.context == 64


def test_bytes_are_those_of_the_tensors(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(llama())
    listing = listing_of(str(tmp_path / "x.gguf"))
    vectors = 4 * (5 * 64 + 8)
    assert listing.bytes == vectors + (PARAMETERS - 5 * 64) // 32 * 34
    assert {row.dtype for row in listing.by_dtype()} == {"F32", "Q8_0"}
    assert listing.tensors[0].shape == (100, 64)


def test_an_unknown_architecture_has_parameters_and_bytes_alone() -> None:
    model = model_of_gguf(parsed(llama("newest")), name="x.gguf", origin="test")
    assert model.model_type == HEADER
    assert count(model).total.value == PARAMETERS
    assert count(model).by_role["feed_forward"] == 2 * 3 * 64 * 160
    assert [notice.code for notice in model.notices] == ["unsupported_architecture"]
    with pytest.raises(UsageError, match="--set"):
        model_of_gguf(parsed(llama("newest")), name="x", origin="test", settings={"hidden_size": 1})


def test_metadata_that_makes_no_configuration_is_a_warning() -> None:
    broken = llama(**{"attention.head_count": 2**32 - 1})
    model = model_of_gguf(parsed(broken), name="x.gguf", origin="test")
    assert count(model).total.value == PARAMETERS
    assert model.notices


def test_a_false_block_count_is_flagged() -> None:
    model = model_of_gguf(parsed(llama(block_count=2**32 - 1)), name="x.gguf", origin="test")
    assert count(model).total.value == PARAMETERS
    assert model.notices[0].code == "inconsistent"
    assert "4,294,967,295 layers" in model.notices[0].message


def test_the_start_of_a_file_is_enough() -> None:
    data = llama()
    header = len(data) - parsed(data).listing.bytes - 31
    found = read_gguf(BytesReader(data[: header + 31], name="upload", size=len(data)))
    assert found.listing.elements == PARAMETERS + 8
    with pytest.raises(InputError, match="truncated"):
        read_gguf(BytesReader(data[:100], name="upload", size=len(data)))


def test_long_lists_are_counted_and_not_read() -> None:
    words = ["word"] * 9
    pairs = [
        kv("tokenizer.ggml.tokens", ARRAY, (TEXT, words)),
        kv("a.ids", ARRAY, (I32, range(5_000))),
        kv("a.flags", ARRAY, (BOOL, [1, 0])),
        kv("tokenizer.chat_template", TEXT, "x" * 10_000),
    ]
    metadata = parsed(sound_gguf({"t": ([4], 0)}, pairs)).metadata
    assert metadata.lengths == {"tokenizer.ggml.tokens": 9, "a.ids": 5_000, "a.flags": 2}
    assert dict(metadata.values) == {"a.flags": (True, False)}


class Counting(BytesReader):
    """Counts what is asked of it."""

    asked = 0

    def read(self, start: int, length: int) -> bytes:
        self.asked += length
        return super().read(start, length)


def test_only_the_header_is_read() -> None:
    words = ["token"] * 200_000
    header = gguf([ti("t", [2**20])], [kv("t", ARRAY, (TEXT, words))])
    source = Counting(header + bytes(2**22 + 64), name="x.gguf", size=len(header) + 2**22 + 64)
    assert read_gguf(source).listing.elements == 2**20
    assert source.asked <= 2 * len(header) + 2**17


def test_the_header_of_a_large_model_is_quick() -> None:
    words = [f"word{place}" for place in range(129_280)]
    pairs = [kv("tokenizer.ggml.tokens", ARRAY, (TEXT, words)), kv("t.merges", ARRAY, (TEXT, words))]
    size = 2048 * 32 // 32 * 34
    data = gguf([ti(f"blk.{n}.ffn_up.weight", [2048, 32], 8, n * size) for n in range(1_086)], pairs)
    data += bytes(1_086 * size + 31)
    times = []
    for _ in range(5):
        begin = process_time()
        parsed(data)
        times.append(process_time() - begin)
    assert min(times) < 0.15


def test_expressions() -> None:
    facts = facts_of(parsed(llama(**{"ssm.inner_size": 128})), "llama")
    values = {
        "layers": 2,
        "block_count - 1": 1,
        "ssm.inner_size / embedding_length": 2,
        "embedding_length / feed_forward_length": None,
        "missing or 7": 7,
        "missing": None,
        "@ffn_down.weight.1": 160,
        "has:output.weight == 0": True,
        "each:attn_q.weight ? 'a' : 'b'": ["a", "a"],
        "each:ssm_a ? 'a' : 'b'": ["b", "b"],
        "missing ? 1 : 2": None,
        "lacking:ffn_gate_inp.weight": 2,
        "first:attn_q.weight": 0,
        "step:attn_q.weight": 1,
        "last:attn_q.weight": 1,
        "most:feed_forward_length": 160,
        "windows": None,
    }
    assert {text: evaluate(text, facts) for text in values} == values


def test_the_file_type_is_nominal() -> None:
    assert nominal_type(parsed(llama())) == "q8_0"
    assert nominal_type(parsed(sound_gguf({"t": ([4], 0)}))) is None


def test_parts_are_one_model(tmp_path: Path) -> None:
    split = [kv("split.count", U32, 2), kv("split.tensors.count", I32, 2)]
    for place in range(2):
        pairs = [*split, kv("split.no", U32, place)]
        data = sound_gguf({f"blk.{place}.attn_q.weight": ([8, 8], 0)}, pairs)
        (tmp_path / f"m-0000{place + 1}-of-00002.gguf").write_bytes(data)
    found = gguf_of(str(tmp_path / "m-00002-of-00002.gguf"))
    assert found.listing.elements == 128
    assert len(found.listing.files) == 2


def test_the_version_of_a_big_endian_file_is_not_65536_times_too_large() -> None:
    data = b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    assert parsed(data).listing.elements == 0


def test_of_a_header_with_experts_it_is_not_known_what_is_active() -> None:
    tensors = {"token_embd.weight": ([64, 100], 1), "blk.0.ffn_up_exps.weight": ([64, 32, 8], 1)}
    file = sound_gguf(tensors, [kv("general.architecture", TEXT, "newest")])
    found = count(model_of_gguf(parsed(file), name="x.gguf", origin="test"))
    assert not found.active_known
