"""GGUF files: (name, bytes, error codes or total), and split ones: ({name: bytes}, path, codes or total)."""

import struct
from collections.abc import Iterator, Mapping
from itertools import chain

from .writers_gguf import (
    ARRAY,
    BOOL,
    I32,
    TEXT,
    U8,
    U16,
    U32,
    U64,
    gguf,
    kv,
    sound_gguf,
    ti,
)

Row = tuple[str, bytes, str | int]
ONE = {"t": ([97], 0)}


def gguf_cases() -> Iterator[Row]:
    for name, content, expect in chain(_starts(), _pairs(), _infos(), _offsets(), _sound(), _large()):
        yield f"{name}.gguf", content, expect


def _starts() -> Iterator[Row]:
    yield "g_empty", b"", "truncated"
    yield "g_magic_only", b"GGUF", "truncated"
    yield "g_no_counts", b"GGUF\3\0\0\0" + bytes(8), "truncated"
    yield "g_fugg", b"FUGG" + bytes(60), "bad_magic"
    for version in (0, 1, 4, 99, 2**32 - 1):
        yield f"g_version_{version}", gguf(version=version) + bytes(64), "unsupported_version"
    for count in (2**63, 2**64 - 1, 10**6):
        yield f"g_tensors_{count}", gguf(n_tensors=count) + bytes(64), "truncated"
        yield f"g_pairs_{count}", gguf(n_pairs=count) + bytes(64), "truncated"
    yield "g_many_pairs", gguf(n_pairs=65_537) + bytes(13 * 65_537), "too_many_entries"
    yield "g_many_tensors", gguf(n_tensors=1_000_001) + bytes(24 * 1_000_001), "too_many_tensors"
    yield "g_html", b"<!doctype html><title>Log in</title>", "unknown_format"
    yield "g_pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "lfs_pointer"


def _pairs() -> Iterator[Row]:
    def one(name: str, *pairs: bytes, expect: str) -> Row:
        return name, sound_gguf(ONE, pairs), expect

    long = struct.pack("<Q", 2**63)
    yield "g_key_length", gguf(n_pairs=1) + long + bytes(64), "truncated"
    yield "g_key_huge", gguf(n_pairs=1) + struct.pack("<Q", 65_536) + bytes(70_000), "string_too_long"
    yield "g_text_length", gguf([], [kv("a", TEXT, b"x", length=2**63)]), "truncated"
    yield "g_texts_count", gguf([], [kv("a", ARRAY, (TEXT, []), length=2**40)]), "truncated"
    yield "g_numbers_count", gguf([], [kv("a", ARRAY, (U32, []), length=2**62)]), "truncated"
    yield (
        "g_text_in_list",
        gguf([], [kv("a", ARRAY, (U8, [1] * 64)).replace(b"\0\0\0\0@", b"\x08\0\0\0\1", 1)]),
        ("truncated"),
    )
    yield one("g_key_empty", kv("", U8, 1), expect="bad_field")
    yield one("g_key_utf8", kv(b"\xff\xfe", U8, 1), expect="bad_utf8")
    yield one("g_text_utf8", kv("a", TEXT, b"\xff\xfe"), expect="bad_utf8")
    yield one("g_twice", kv("a", U8, 1), kv("a", U8, 1), expect="duplicate")
    yield one("g_type_13", kv("a", 13, b"\0"), expect="bad_field")
    yield one("g_type_huge", kv("a", 2**32 - 1, b"\0"), expect="bad_field")
    yield one(
        "g_list_type",
        kv("a", ARRAY, (U8, [1])).replace(b"\x09\0\0\0\0", b"\x09\0\0\0\x0d"),
        expect="bad_field",
    )
    yield one("g_bool_2", kv("a", BOOL, 2), expect="bad_field")
    nested = struct.pack("<IQ", ARRAY, 1) * 200_000
    yield "g_nested", gguf([], [kv("a", 9, (U8, []))[:-12] + nested]), "too_deep"
    for value in (0, 1, 4, 24, 33):
        yield one(f"g_alignment_{value}", kv("general.alignment", U32, value), expect="bad_alignment")
    yield one("g_alignment_wide", kv("general.alignment", U64, 32), expect="bad_alignment")
    yield one("g_alignment_huge", kv("general.alignment", U32, 2**31), expect="truncated")


def _infos() -> Iterator[Row]:
    def one(name: str, entry: bytes, expect: str) -> Row:
        return name, gguf([entry]) + bytes(4096), expect

    yield "g_rank", gguf(n_tensors=1) + struct.pack("<Q1sI", 1, b"t", 2**32 - 1) + bytes(64), "bad_field"
    yield one("g_rank_5", ti("t", [1] * 5), "bad_field")
    yield one("g_dims", ti("t", [2**63] * 4), "overflow")
    yield one("g_dims_empty", ti("t", [2**63, 0]), "overflow")
    yield one("g_bytes", ti("t", [2**62]), "overflow")
    for kind in (4, 5, 31, 36, 38, 9999, 2**32 - 1):
        yield one(f"g_type_{kind}_tensor", ti("t", [32], kind), "unknown_dtype")
    yield one("g_rows", ti("t", [100, 2], 12), "misaligned")
    yield one("g_scalar_rows", ti("t", [], 12), "misaligned")
    yield one("g_name_utf8", ti(b"\xff", [1]), "bad_utf8")
    yield "g_name_length", gguf(n_tensors=1) + struct.pack("<Q", 2**63) + bytes(64), "truncated"
    yield "g_names", gguf([ti("t", [8]), ti("t", [8], 0, 32)]) + bytes(4096), "duplicate"
    yield "g_half_entry", gguf([ti("t", [8])])[:-20], "truncated"


def _offsets() -> Iterator[Row]:
    yield "g_offset_far", gguf([ti("t", [4], 0, 2**60)]) + bytes(4096), "bad_offsets"
    yield "g_offset_odd", gguf([ti("t", [4], 0, 5)]) + bytes(4096), "bad_offsets"
    yield "g_offset_end", gguf([ti("t", [4], 0, 2**64 - 32)]) + bytes(4096), "bad_offsets"
    yield "g_two_at_0", gguf([ti("a", [8]), ti("b", [8])]) + bytes(4096), "bad_offsets"
    yield "g_hole", gguf([ti("a", [8]), ti("b", [8], 0, 64)]) + bytes(4096), "bad_offsets"
    yield "g_short", sound_gguf(ONE)[:-1], "truncated"
    yield "g_no_data", gguf([ti("t", [4])]), "truncated"


def _sound() -> Iterator[Row]:
    yield "g_v3", sound_gguf(ONE), 97
    yield "g_v2", sound_gguf(ONE, version=2), 97
    yield "g_big_endian", sound_gguf(ONE, [kv("a.b", U32, 7, ">")], order=">"), 97
    yield "g_padded", sound_gguf(ONE) + bytes(100), 97
    yield "g_no_tensors", gguf([], [kv("a", U8, 1)]), 0
    yield "g_q4_k", sound_gguf({"t": ([256, 3], 12), "u": ([7], 0)}), 775
    yield "g_empty_tensor", sound_gguf({"e": ([0, 4], 0), "t": ([103], 0)}), 103
    yield "g_empty_last", sound_gguf({"t": ([103], 0), "e": ([0, 4], 0)}), 103
    yield "g_scalar", gguf([ti("t", [])]) + bytes(64), 1
    yield "g_align_8", sound_gguf({**ONE, "u": ([3], 1)}, [kv("general.alignment", U32, 8)], alignment=8), 100
    yield "g_other_order", gguf([ti("b", [8], 0, 32), ti("a", [8])]) + bytes(128), 16
    yield "g_long_name", sound_gguf({"n" * 300: ([5], 0)}), 5
    yield "g_control", sound_gguf({"\x1b[2J\x1b]0;pwn\x07": ([3, 37], 0)}), 111
    template = "{{ x.__class__.__base__.__subclasses__() }}{% for i in range(10**9) %}{% endfor %}"
    yield "g_template", sound_gguf(ONE, [kv("tokenizer.chat_template", TEXT, template)]), 97
    llama = [kv("general.architecture", TEXT, "llama")]
    yield "g_block_count", sound_gguf(ONE, [*llama, kv("llama.block_count", U32, 2**32 - 1)]), 97
    yield "g_context", sound_gguf(ONE, [*llama, kv("llama.context_length", U64, 2**64 - 1)]), 97


def _large() -> Iterator[Row]:
    words = [f"t{place}" for place in range(128_256)]
    tokens = [kv("tokenizer.ggml.tokens", ARRAY, (TEXT, words)), kv("x", ARRAY, (I32, range(128_256)))]
    yield "g_vocabulary", sound_gguf(ONE, tokens), 97
    yield (
        "g_texts",
        gguf([], [kv("a", ARRAY, (TEXT, []), length=2_000_001)]) + bytes(8 * 2_000_001),
        ("too_many_entries"),
    )
    count = 100_000
    yield "g_100000", sound_gguf({f"blk.{place}.w": ([8], 0) for place in range(count)}), 8 * count


def split_pairs(number: int, count: int, tensors: int) -> list[bytes]:
    pairs = [kv("split.no", U16, number), kv("split.count", U16, count)]
    return [*pairs, kv("split.tensors.count", I32, tensors)]


def parts(folder: str, halves: list[dict[str, tuple[list[int], int]]], tensors: int) -> dict[str, bytes]:
    """Return the parts of a split file by name."""
    count = len(halves)
    return {
        f"{folder}/m-{place + 1:05}-of-{count:05}.gguf": sound_gguf(half, split_pairs(place, count, tensors))
        for place, half in enumerate(halves)
    }


def gguf_sets() -> Iterator[tuple[Mapping[str, bytes], str, str | int]]:
    halves: list[dict[str, tuple[list[int], int]]] = [{"a": ([83], 0)}, {"b": ([89], 0)}]
    sound = parts("g_split", halves, 2)
    for path in sound:
        yield sound, path, 172
    yield {}, "g_split", 172
    first, second = parts("g_lost", halves, 2).items()
    yield dict([first]), first[0], "missing_shard"
    yield {}, "g_lost", "missing_shard"
    yield parts("g_count", halves, 3), "g_count", "inconsistent"
    yield parts("g_same", [halves[0], halves[0]], 2), "g_same", "duplicate"
    swapped = {"g_swap/m-00001-of-00002.gguf": second[1], "g_swap/m-00002-of-00002.gguf": first[1]}
    yield swapped, "g_swap", "inconsistent"
    yield {"g_part/renamed.gguf": first[1]}, "g_part/renamed.gguf", "inconsistent"
    yield {"g_plain/m-00001-of-00002.gguf": sound_gguf(ONE)}, "g_plain", "inconsistent"
    yield {"g_four/m-00004-of-00003.gguf": sound_gguf(ONE)}, "g_four/m-00004-of-00003.gguf", "inconsistent"
    far = {"g_far/m-00001-of-60000.gguf": sound_gguf(ONE, split_pairs(0, 60_000, 1))}
    yield far, "g_far", "missing_shard"
