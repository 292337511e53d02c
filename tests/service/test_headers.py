"""Headers that somebody sent: read as local files are, and checked against the size of the whole file."""

import json
from pathlib import Path

import pytest

from sizewise.counting import count
from sizewise.errors import InputError
from sizewise.service.headers import HEADER_BYTES, SentHeader, header_document, model_of_header
from sizewise.sources.reference import load_reference

from ..corpus.writers_gguf import ARRAY, F32, I32, TEXT, U32, kv, sound_gguf

TENSORS = {"token_embd.weight": ([64, 100], 8), "output_norm.weight": ([64], 0)}
TENSORS |= {
    f"blk.{layer}.{name}": entry
    for layer in range(2)
    for name, entry in {
        "attn_norm.weight": ([64], 0),
        "attn_q.weight": ([64, 64], 8),
        "attn_k.weight": ([64, 32], 8),
        "attn_v.weight": ([64, 32], 8),
        "attn_output.weight": ([64, 64], 8),
        "ffn_norm.weight": ([64], 0),
        "ffn_gate.weight": ([64, 160], 8),
        "ffn_up.weight": ([64, 160], 8),
        "ffn_down.weight": ([160, 64], 8),
    }.items()
}
NUMBERS = {
    "block_count": 2,
    "context_length": 512,
    "embedding_length": 64,
    "feed_forward_length": 160,
    "attention.head_count": 4,
}
PAIRS = [kv("general.architecture", TEXT, "llama"), kv("general.file_type", U32, 7)]
PAIRS += [kv(f"llama.{key}", U32, value) for key, value in NUMBERS.items()]
PAIRS += [kv("llama.attention.head_count_kv", ARRAY, (I32, [2, 2]))]
WORDS = [f"word {number}" for number in range(5_000)]
TOKENIZER = [
    kv("tokenizer.ggml.tokens", ARRAY, (TEXT, WORDS)),
    kv("tokenizer.ggml.scores", ARRAY, (F32, [0.5] * 5_000)),
    kv("tokenizer.chat_template", TEXT, "{{ text }}" * 10_000),
]


def header_end(file: bytes) -> int:
    """Return where the tensor infos of a sound file end: its data is 64-byte tensors of zeros behind them."""
    names = [name.encode() for name in TENSORS]
    last = max(names, key=file.index)
    dims = len(TENSORS[last.decode()][0])
    return file.index(last) + len(last) + 4 + 8 * dims + 4 + 8


def sent_gguf(pairs: list[bytes], left_out: list[bytes], *, alignment: int = 32) -> tuple[bytes, SentHeader]:
    """Return a whole file, and its header as a page sends it: without some pairs."""
    whole = sound_gguf(TENSORS, [*pairs, *left_out], alignment=alignment)
    short = sound_gguf(TENSORS, pairs, alignment=alignment)
    sent = SentHeader(
        kind="gguf",
        data=short[: header_end(short)],
        size=len(whole),
        end=header_end(whole),
        name="tiny-q8_0.gguf",
    )
    return whole, sent


def safetensors(tensors: dict[str, tuple[str, list[int], int]]) -> bytes:
    place, entries = 0, {}
    for name, (dtype, shape, size) in tensors.items():
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize("left_out", [[], TOKENIZER, TOKENIZER[:1], TOKENIZER[2:]])
def test_a_gguf_header_answers_as_its_file_whatever_was_left_out(left_out, tmp_path: Path):
    whole, sent = sent_gguf(PAIRS, left_out)
    (tmp_path / "tiny-q8_0.gguf").write_bytes(whole)
    local = load_reference(str(tmp_path / "tiny-q8_0.gguf"))
    model = model_of_header(sent)
    assert count(model).total.value == count(local).total.value
    assert model.architecture == local.architecture
    assert (model.default_format, model.context) == ("q8_0", 512)
    assert model.listing is not None
    assert local.listing is not None
    assert model.listing.bytes == local.listing.bytes
    assert not model.notices


@pytest.mark.parametrize("alignment", [32, 64, 4096])
@pytest.mark.parametrize("extra", range(0, 40, 7))
def test_the_last_byte_of_the_data_is_asked_for_wherever_the_header_ends(alignment, extra):
    pairs = [*PAIRS, kv("general.alignment", U32, alignment)]
    whole, sent = sent_gguf(pairs, [kv("general.name", TEXT, "x" * extra), *TOKENIZER], alignment=alignment)
    assert model_of_header(sent).listing is not None
    short = SentHeader(
        kind="gguf", data=sent.data, size=len(whole) - 1, end=header_end(whole), name=sent.name
    )
    with pytest.raises(InputError) as error:
        model_of_header(short)
    assert error.value.code == "truncated"


def test_a_header_that_ends_before_its_own_bytes_is_refused():
    _, sent = sent_gguf(PAIRS, [])
    for end, size in ((10, sent.size), (None, 100)):
        with pytest.raises(InputError) as error:
            model_of_header(SentHeader(kind="gguf", data=sent.data, size=size, end=end))
        assert error.value.code == "bad_offsets"


def test_every_cut_of_a_header_is_an_error_and_never_another_total():
    _, sent = sent_gguf(PAIRS, TOKENIZER)
    for length in range(0, len(sent.data), 13):
        with pytest.raises(InputError):
            model_of_header(
                SentHeader(kind="gguf", data=sent.data[:length], size=sent.size, end=sent.end, name="x.gguf")
            )


def test_a_part_of_a_split_file_is_no_model():
    _, sent = sent_gguf([*PAIRS, kv("split.count", U32, 3), kv("split.no", U32, 0)], [])
    with pytest.raises(InputError) as error:
        model_of_header(sent)
    assert error.value.code == "missing_shard"


def test_a_safetensors_header_counts_what_it_holds():
    data = safetensors({"a.weight": ("BF16", [4, 8], 64), "b.bias": ("F32", [8], 32)})
    model = model_of_header(SentHeader(kind="safetensors", data=data, size=len(data) + 96))
    document = header_document(model, "header:x", "safetensors")
    assert (document["parameters"], document["checkpoint_bytes"], document["model_type"]) == (40, 96, None)
    for size, code in ((len(data) + 95, "truncated"), (len(data) + 97, "trailing_data")):
        with pytest.raises(InputError) as error:
            model_of_header(SentHeader(kind="safetensors", data=data, size=size))
        assert error.value.code == code


def test_a_shard_and_an_adapter_say_that_they_are_not_the_whole():
    data = safetensors({"model.layers.0.q.lora_A.weight": ("BF16", [4, 8], 64)})
    name = "model-00001-of-00004.safetensors"
    model = model_of_header(SentHeader(kind="safetensors", data=data, size=len(data) + 64, name=name))
    assert [notice.code for notice in model.notices] == ["missing_shard", "adapter"]


def test_a_configuration_says_what_a_header_cannot():
    config = {
        "model_type": "gpt2",
        "n_embd": 8,
        "n_layer": 1,
        "n_head": 2,
        "vocab_size": 10,
        "n_positions": 4,
    }
    made = load_reference_of(config)
    tensors = {
        weight.name: ("F32", list(weight.shape), 4 * weight.elements)
        for weight, _ in made.architecture.weights()
    }
    data = safetensors(tensors)
    size = len(data) + sum(entry[2] for entry in tensors.values())
    sent = SentHeader(kind="safetensors", data=data, size=size, config=json.dumps(config).encode())
    model = model_of_header(sent)
    assert (model.model_type, model.context) == ("gpt2", 4)
    assert count(model).total.value == sum(entry[2] for entry in tensors.values()) // 4


def load_reference_of(config):
    from sizewise.sources.config_json import from_config

    return from_config(config, name="x", origin="x")


def test_the_limits_of_a_service_are_smaller_than_those_of_files():
    with pytest.raises(InputError) as error:
        model_of_header(SentHeader(kind="safetensors", data=bytes(HEADER_BYTES + 1), size=10**9))
    assert error.value.code == "header_too_large"
    deep = b'{"__metadata__":' + b"[" * 40 + b"]" * 40 + b"}"
    data = len(deep).to_bytes(8, "little") + deep
    with pytest.raises(InputError) as error:
        model_of_header(SentHeader(kind="safetensors", data=data, size=len(data)))
    assert error.value.code in ("too_deep", "bad_field", "bad_json")


def test_equal_headers_have_one_reference_and_others_have_none():
    _, one = sent_gguf(PAIRS, [])
    _, same = sent_gguf(PAIRS, [])
    _, other = sent_gguf(PAIRS, TOKENIZER)
    assert one.reference == same.reference != other.reference
    assert one.reference.startswith("header:")
    assert all(len(reference) < 60 for reference in (one.reference, other.reference))


def test_names_of_files_are_text_and_never_paths(tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "base_model_name_or_path": "secret"}'
    )
    data = safetensors({"x.lora_A.weight": ("BF16", [4, 8], 64)})
    name = str(tmp_path / "adapter_model.safetensors")
    model = model_of_header(SentHeader(kind="safetensors", data=data, size=len(data) + 64, name=name))
    assert not any("secret" in notice.message for notice in model.notices)
