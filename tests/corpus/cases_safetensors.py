"""Single safetensors files, and files that are something else: (name, bytes, error codes or total)."""

import json
from collections.abc import Iterator
from itertools import chain

from .writers import entry, pt, sound_st, st

Row = tuple[str, bytes, str | int]

ONE = {"t": entry("F32", [4], 0, 16)}


def safetensors_cases() -> Iterator[Row]:
    for name, content, expect in chain(_lengths(), _headers(), _entries(), _offsets(), _sound(), _large()):
        yield f"{name}.safetensors", content, expect
    yield from _others()


def _lengths() -> Iterator[Row]:
    yield "empty", b"", "truncated"
    yield "seven", bytes(7), "truncated"
    yield "none", st(b"", n=0), "truncated bad_json"
    yield "beyond", st(b"{}", n=100), "truncated"
    yield "sign", st(b"{}", n=2**63), "header_too_large"
    yield "over", st(b"{}", n=100_000_001), "header_too_large"
    yield "just_over", st(b"{}", n=25_000_001), "header_too_large"
    yield "all_ones", b"\xff" * 8 + b"{}", "header_too_large"
    yield "prefix_short", st(ONE, bytes(16), n=10), "bad_json"


def _headers() -> Iterator[Row]:
    wrong = {
        "not_utf8": (b"\xff\xfe", "bad_utf8"),
        "bom": (b"\xef\xbb\xbf{}", "bad_json"),
        "open": (b"{", "bad_json"),
        "list": (b"[]", "bad_json"),
        "deep": (b"[" * 200_000, "too_deep"),
        "deep_objects": (b'{"a":' * 100_000, "too_deep"),
        "deep_field": (b'{"t":{"x":' + b"[" * 100_000, "too_deep"),
        "comma": (b'{"t":{"dtype":"U8","shape":[],"data_offsets":[0,1]},}', "bad_json"),
        "nul": (b"{}\0", "bad_json"),
        "twice": (b"{}{}", "bad_json"),
        "surrogate": (rb'{"\ud800":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}', "bad_utf8"),
        "raw_control": (b'{"\x1b":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}', "bad_json"),
        "metadata_number": (b'{"__metadata__":{"a":1}}', "bad_field"),
        "metadata_list": (b'{"__metadata__":[]}', "bad_field"),
        "metadata_twice": (b'{"__metadata__":{},"__metadata__":{}}', "duplicate"),
        "metadata_key_twice": (b'{"__metadata__":{"a":"","a":""}}', "duplicate"),
        "bad_name_utf8": (b'{"\xc3\x28":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}', "bad_utf8"),
    }
    for name, (header, codes) in wrong.items():
        yield name, st(header, bytes(1)), codes
    same = b'"t":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}'
    yield "two_t", st(b"{" + same % (0, 1) + b"," + same % (1, 2) + b"}", bytes(2)), "duplicate"
    escaped = (same % (1, 2)).replace(b'"t"', rb'"\u0074"')
    yield "two_t_escaped", st(b"{" + same % (0, 1) + b"," + escaped + b"}", bytes(2)), "duplicate"
    yield (
        "two_dtypes",
        st(b'{"t":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"\0"),
        "duplicate",
    )


def _entries() -> Iterator[Row]:
    def one(**changes: object) -> bytes:
        fields = {key: value for key, value in {**ONE["t"], **changes}.items() if value is not ...}
        return st(json.dumps({"t": fields}).encode(), bytes(16))

    yield (
        "digits",
        st(b'{"t":{"dtype":"U8","shape":[%s],"data_offsets":[0,1]}}' % (b"9" * 5000), b"\0"),
        ("overflow bad_field bad_json"),
    )
    yield "negative", one(shape=[-2]), "bad_field"
    yield "negative_twice", one(shape=[-1, -4]), "bad_field"
    yield "negative_offset", one(data_offsets=[-1, 15]), "bad_field"
    yield "text_shape", one(shape="22"), "bad_field"
    yield "no_shape", one(shape=...), "bad_field"
    yield "no_dtype", one(dtype=...), "bad_field"
    yield "no_offsets", one(data_offsets=...), "bad_field"
    yield "nan", one(shape=[float("nan")]), "bad_field bad_json"
    yield "boolean", one(shape=[True]), "bad_field"
    yield "float", one(shape=[4.0]), "bad_field"
    yield "exponent", st(b'{"t":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', b"\0"), "bad_field"
    yield "leading_zero", st(b'{"t":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}', b"\0"), "bad_json"
    yield "three_offsets", one(data_offsets=[0, 8, 16]), "bad_field"
    yield "null_entry", st({"t": None}), "bad_field"
    yield "number_dtype", one(dtype=4), "bad_field"
    yield "Q4", one(dtype="Q4"), "unknown_dtype"
    yield "lower_case", one(dtype="f32"), "unknown_dtype"
    yield "rank", one(shape=[1] * 8 + [4]), "bad_field"
    yield "huge", one(shape=[10**12, 10**12]), "overflow"
    yield "huge_then_zero", one(shape=[2**62, 4, 0]), "overflow"
    yield "size", one(shape=[5]), "size_mismatch"
    yield "half_byte", st({"t": entry("F4", [3], 0, 1)}, b"\0"), "misaligned"


def _offsets() -> Iterator[Row]:
    pile = {f"t{number}": ONE["t"] for number in range(10)}
    yield "pile", st(pile, bytes(16)), "bad_offsets"
    yield "late", st({"t": entry("F32", [4], 16, 32)}, bytes(32)), "bad_offsets"
    yield "hole", st({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, bytes(3)), "bad_offsets"
    wide = {"a": entry("F32", [4], 0, 20), "b": entry("U8", [3], 20, 23)}
    yield "wide_first", st(wide, bytes(23)), "size_mismatch"
    narrow = {"a": entry("F32", [4], 0, 12), "b": entry("U8", [3], 12, 15)}
    yield "narrow_first", st(narrow, bytes(15)), "size_mismatch"
    yield "wide_last", st({"a": entry("F32", [4], 0, 20)}, bytes(20)), "size_mismatch"
    yield "backwards", st({"t": entry("U8", [1], 1, 0)}, bytes(1)), "bad_offsets"
    yield "trailing", st(ONE, bytes(21)), "trailing_data"
    yield "cut", st(ONE, bytes(15)), "truncated"
    yield "no_data", st(ONE), "truncated"


def _sound() -> Iterator[Row]:
    yield "two", sound_st({"a": ("F32", [4, 17]), "b": ("BF16", [5])}), 73
    mixed = {"b": entry("U8", [5], 4, 9), "__metadata__": {"format": "pt"}, "a": entry("U8", [4], 0, 4)}
    yield "mixed", st(mixed, bytes(9)), 9
    yield "control", sound_st({"\x1b[2J\x1b]0;pwn\x07": ("F32", [3, 37])}), 111
    yield "with_empty", sound_st({"a": ("F32", [2, 0]), "b": ("F32", [2, 61])}), 122
    yield "padded", st(b"\t\n  " + json.dumps(ONE).encode() + b" \t\r\n" * 9, bytes(16)), 4
    yield "scalar", sound_st({"a": ("F32", [])}), 1
    yield "nothing", st(b"{}"), 0
    yield "unnamed", sound_st({"": ("F32", [2])}), 2
    extra = {"t": {**ONE["t"], "note": {"a": [1, {"b": "}]"}]}}}
    yield "extra", st(json.dumps(extra, indent=2).encode(), bytes(16)), 4
    alphabetical = json.dumps({"b": ONE["t"], "a": entry("U8", [3], 16, 19)}, sort_keys=True).encode()
    yield "alphabetical", st(alphabetical, bytes(19)), 7
    yield "half_bytes", st({"t": entry("F4", [6], 0, 3), "u": entry("F6_E2M3", [4], 3, 6)}, bytes(6)), 10
    yield "braces", sound_st({'{"dtype":[}],\\"': ("F32", [2])}, {"a": '}{"]['}), 2


def _large() -> Iterator[Row]:
    filler = {
        "many_keys": b'{"0":0' + b',"1":0' * 3_400_000 + b"}",
        "many_lists": b"[[]" + b",[]" * 8_000_000 + b"]",
        "many_numbers": b"[0" + b",0" * 5_000_000 + b"]",
        "lists_inside": b'{"t":{"x":[[]' + b",[]" * 3_000_000 + b"]}}",
        "numbers_inside": b'{"t":{"x":[0' + b",0" * 5_000_000 + b"]}}",
        "lists_in_metadata": b'{"__metadata__":{"x":[[]' + b",[]" * 3_000_000 + b"]}}",
        "quotes": b'{"' + b'\\"' * 12_000_000,
        "quotes_inside": b'{"t":{"x":"' + b'\\"' * 5_000_000,
        "long_name": b'{"' + b"x" * 24_900_000 + b'":0}',
        "wide_name": b'{"' + "😀".encode() + b"x" * 23_400_000 + b'":0}',
    }
    for name, header in filler.items():
        codes = "bad_json bad_field too_many_entries string_too_long too_deep"
        yield name, st(header[:24_999_999]), codes
    count = 190_000
    rows = (
        f'"layers.{place}.w":{{"dtype":"U8","shape":[1,7],"data_offsets":[{7 * place},{7 * place + 7}]}}'
        for place in range(count)
    )
    yield "190000", st(("{" + ",".join(rows) + "}").encode(), bytes(7 * count)), 7 * count


def _others() -> Iterator[Row]:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4976698672\n"
    yield "pointer.safetensors", pointer, "lfs_pointer"
    yield "pointer.bin", pointer, "lfs_pointer"
    yield "page.safetensors", b"\n<!DOCTYPE html><html>Sign in</html>", "unknown_format"
    yield "gguf.safetensors", b"GGUF" + bytes(60), "unsupported_version"
    yield "magic.gguf", b"FUGG" + bytes(60), "bad_magic"
    yield "text.safetensors", b'{"error": "Repository not found"}', "unknown_format"
    yield "config.json", b'{"model_type": "llama"}', "unknown_format"
    yield "random.dat", bytes(range(1, 200)), "unknown_format"
    yield "packed.safetensors", b"\x1f\x8b" + bytes(20), "unknown_format"
    yield "renamed.bin", sound_st({"a": ("F32", [4, 17])}), 68
    yield "zip.safetensors", pt(b"\x80\x02N."), "unsupported_format"
