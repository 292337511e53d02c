"""Torch archives: (name, bytes, error codes or total)."""

import pickle
import struct
from collections.abc import Iterator
from itertools import chain
from typing import Any

from .writers import Built, Call, Name, Persistent, Raw, encoded, program, pt, storage, tensor, view, zipped

Row = tuple[str, bytes, str | int]

ORDERED = Call(Name("collections", "OrderedDict"), ())


def torch_cases() -> Iterator[Row]:
    for name, content, expect in chain(_sound(), _programs(), _values(), _archives(), _work()):
        yield f"{name}.pt", content, expect


def _sound() -> Iterator[Row]:
    one = tensor("0", (3, 37))
    yield "dict", pt(program({"w": one}), {"0": 444}), 111
    state = Built(
        Raw(b"ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00w" + encoded(one) + b"u"), {"_metadata": {}}
    )
    yield "module", pt(program(state), {"0": 444}), 111
    untyped = Persistent(("storage", Name("torch.storage", "UntypedStorage"), "0", "cpu", 12))
    float8 = Call(
        Name("torch._utils", "_rebuild_tensor_v3"),
        (untyped, 0, (3, 4), (4, 1), False, ORDERED, Name("torch", "float8_e4m3fn")),
    )
    yield "float8", pt(program({"w": float8}), {"0": 12}), 12
    parameter = Call(Name("torch._utils", "_rebuild_parameter"), (one, True, ORDERED))
    yield "parameter", pt(program({"w": parameter}), {"0": 444}), 111
    yield "tied", pt(program({"embed": one, "head": one}), {"0": 444}), 111
    nested = {"epoch": 3, "lr": 0.1, "state_dict": {"a": one, "b": [tensor("1", (5,), kind="HalfStorage")]}}
    yield "nested", pt(program(nested), {"0": 444, "1": 10}), 116
    halves = {"a": tensor("0", (2, 3), count=12), "b": tensor("0", (2, 3), count=12, offset=6)}
    yield "halves", pt(program(halves), {"0": 48}), 12
    columns = {key: view(storage("0", 12), place, (4, 1), (3, 1)) for place, key in enumerate("qkv")}
    yield "columns", pt(program(columns), {"0": 48}), 12
    yield "scalar", pt(program([tensor("0", ())]), {"0": 4}), 1
    empty = {"a": tensor("1", (0, 4)), "b": one}
    yield "empty_tensor", pt(program(empty), {"0": 444, "1": 0}), 111
    yield "replaced", pt(program(Raw(_replaced())), {"0": 444, "1": 4}), 1


def _replaced() -> bytes:
    """A key that is set twice: the second value counts."""
    key = encoded("w")
    return b"}" + key + encoded(tensor("0", (3, 37))) + b"s" + key + encoded(tensor("1", (1,))) + b"s"


def _programs() -> Iterator[Row]:
    def wrong(name: str, value: Any, codes: str) -> Row:
        return name, pt(program(value), {"0": 444}), codes

    yield wrong("system", Call(Name("posix", "system"), ("touch pwned",)), "blocked_global")
    yield wrong("builtin", Call(Name("builtins", "eval"), ("1",)), "blocked_global")
    yield wrong("dotted", Call(Name("torch", "serialization.load"), ("x",)), "blocked_global")
    loader = Name("torch.storage", "_load_from_bytes")
    yield wrong("again", Call(loader, (Raw(b"C\x01."),)), "blocked_global")
    yield wrong("lookalike", Name("collections", "OrderedDict.__class__"), "blocked_global")
    yield wrong("on_stack", Raw(b"\x8c\x02os\x8c\x06system\x93"), "blocked_global")
    yield wrong("no_text", Raw(b"K\x01K\x02\x93"), "blocked_global")
    yield wrong("memo", Raw(b"Nr" + struct.pack("<I", 2**31 - 1)), "bad_field")
    yield wrong("memo_small", Raw(b"Nr" + struct.pack("<I", 50_000_000)), "bad_field")
    yield wrong("recall", Raw(b"h\x07"), "bad_field")
    yield wrong("object", Raw(b"(cbuiltins\nobject\no"), "blocked_global blocked_opcode")
    yield wrong("instance", Raw(b"(ios\nsystem\n"), "blocked_opcode")
    yield wrong("extension", Raw(b"\x82\x01"), "blocked_opcode")
    yield wrong("state_of_tensor", Built(tensor("0", (3,), count=111), {}), "blocked_opcode")
    yield wrong("call_text", Call("posix.system", ("x",)), "blocked_opcode")
    yield wrong("pop_nothing", Raw(b"s"), "bad_field")
    yield wrong("no_mark", Raw(b"u"), "bad_field")
    yield wrong("text_beyond", Raw(b"X\xff\xff\xff\x7fab"), "truncated")
    yield wrong("endless_name", Raw(b"c" + b"a" * 10_000), "bad_field")
    yield wrong("nothing", {"a": 1}, "unsupported_format")
    yield wrong("key", Raw(b"}" + b"(" * 1 + b"]" + b"N" + b"u"), "bad_field")
    yield "goes_on", pt(program({"w": tensor("0", (3, 37))}) + b"N.", {"0": 444}), "trailing_data"
    yield "protocol", pt(b"\x80\x09N."), "unsupported_version"
    yield "no_stop", pt(b"\x80\x02N"), "truncated"
    yield "no_program", pt(b""), "truncated"


def _values() -> Iterator[Row]:
    def wrong(name: str, value: Any, codes: str) -> Row:
        return name, pt(program({"w": value}), {"0": 444}), codes

    yield wrong("outside", tensor("0", (3, 37), count=110), "bad_offsets")
    yield wrong("offset", tensor("0", (3, 37), count=111, offset=1), "bad_offsets")
    yield wrong("stride", view(storage("0", 111), 0, (3, 37), (100, 1)), "bad_offsets")
    yield wrong("negative", view(storage("0", 111), 0, (-3, 37), (37, 1)), "bad_field")
    yield wrong("negative_twice", view(storage("0", 111), 0, (-1, -111), (1, 1)), "bad_field")
    yield wrong("negative_stride", view(storage("0", 111), 110, (111,), (-1,)), "bad_field")
    yield wrong("boolean", view(storage("0", 111), 0, (True, 3), (37, 1)), "bad_field")
    yield wrong("rank", view(storage("0", 111), 0, (1,) * 9, (1,) * 9), "bad_field")
    yield wrong("strides", view(storage("0", 111), 0, (3, 37), (37,)), "bad_field")
    yield wrong("product", view(storage("0", 111), 0, (2**40, 2**40), (0, 0)), "overflow")
    yield wrong("count", tensor("0", (3,), count=2**62), "overflow")
    yield wrong("lacking", tensor("7", (3,)), "missing_tensor")
    yield wrong("small", tensor("0", (3, 38)), "size_mismatch")
    yield wrong("no_storage", view(5, 0, (3,), (1,)), "bad_field")
    yield wrong("kind", Persistent(("storage", "FloatStorage", "0", "cpu", 3)), "bad_field")
    yield wrong("other_id", Persistent(("module", 1, 2, 3, 4)), "bad_field")
    two = {"a": tensor("0", (3,), count=111), "b": tensor("0", (3,), count=110)}
    yield "two_ways", pt(program(two), {"0": 444}), "inconsistent"


def _archives() -> Iterator[Row]:
    sound = pt(program({"w": tensor("0", (3, 37))}), {"0": 444})
    yield "half", sound[: len(sound) // 2], "truncated"
    yield "appended", sound + b"x", "zip_invalid truncated"
    yield "prefixed", b"PK\x03\x04" + sound, "zip_invalid"
    yield "encrypted", _flipped(sound, 8, 1), "zip_invalid"
    yield "method", _flipped(sound, 10, 9), "zip_invalid"
    yield "checksum", sound.replace(b"\x80\x02}", b"\x80\x03}", 1), "zip_invalid"
    yield "no_pickle", sound.replace(b"data.pkl", b"data.pk2"), "zip_invalid"
    yield "climbing", sound.replace(b"model/byteorder", b"../../etc/passw"), "path_escape"
    yield "absolute", sound.replace(b"model/byteorder", b"/odel/byteorder"), "path_escape"
    row = ("m/data.pkl", program({"w": tensor("0", (3, 37))}))
    yield "doubled", zipped([row, ("m/data/0", bytes(444)), ("m/data/0", bytes(444))]), "duplicate"
    yield "two_programs", zipped([row, ("n/data.pkl", row[1]), ("m/data/0", bytes(444))]), "zip_invalid"
    yield "script", zipped([row, ("m/constants.pkl", b""), ("m/data/0", bytes(444))]), "unsupported_format"
    yield (
        "shared_bytes",
        _overlapping(zipped([row, ("m/data/0", bytes(444)), ("m/x", bytes(444))])),
        "zip_invalid",
    )
    end = sound.rindex(b"PK\x05\x06")
    yield "gap", sound[:end] + bytes(9) + sound[end:], "zip_invalid"
    yield "small_bomb", pt(bytes(20_000_000), packed=True), "zip_bomb"
    yield "bomb", pt(bytes(200_000_000), packed=True), "zip_bomb"
    yield "bare_pickle", pickle.dumps({"a": 1}), "unsupported_format"
    yield "tar", b"pickle".ljust(257, b"\0") + b"ustar" + bytes(300), "unsupported_format"
    yield "end_only", b"PK\x05\x06" + bytes(18), "zip_invalid"


def _flipped(archive: bytes, place: int, value: int) -> bytes:
    """Change a byte of the first entry of the directory."""
    start = archive.index(b"PK\x01\x02")
    return archive[: start + place] + bytes([value]) + archive[start + place + 1 :]


def _overlapping(archive: bytes) -> bytes:
    """Let the last entry of the directory begin where the one before it does."""
    last = archive.rindex(b"PK\x01\x02")
    before = archive.rindex(b"PK\x01\x02", 0, last)
    return archive[: last + 42] + archive[before + 42 : before + 46] + archive[last + 46 :]


def _work() -> Iterator[Row]:
    """Small programs that mean a lot of work."""
    doubled = b"N\x85q\x00" + b"".join(b"(" + b"h\x00" * 10 + b"tq\x00" for _ in range(30))
    many = "too_many_entries too_many_tensors too_deep unsupported_format bad_field string_too_long"
    rows = {
        "doubling": b"(" + doubled + b"t",
        "hashing": b"}(" + doubled.replace(b"q\x00", b"q\x00N") + b"u",
        "nones": b"N" * 3_000_000,
        "memos": b"N" + b"q\0" * 3_000_000,
        "marks": b"(" * 3_000_000,
        "dicts": b"]" + b"}a" * 2_000_000,
        "nesting": b"]" * 150_000 + b"a" * 149_999,
        "wrapping": b"N" + b"\x85" * 3_000_000,
        "frames": (b"\x95" + b"\0" * 8) * 1_000_000,
        "texts": b"]" + (b"X\x00\x01\x00\x00" + "é".encode() * 128 + b"a") * 100_000,
    }
    for name, code in rows.items():
        yield name, pt(program(Raw(code))), many
    one = encoded(tensor("0", (3, 37)))
    again = b"]" + encoded(Name("torch._utils", "_rebuild_tensor_v2")) + b"q\0"
    arguments = encoded(tensor("0", (3, 37)).arguments) + b"q\x01"
    calls = again + arguments + b"Ra" + b"h\0h\x01Ra" * 500_000
    yield "calls", pt(program(Raw(calls)), {"0": 444}), many
    long_key = b"X\x00\xff\x00\x00" + b"k" * 65_280 + b"q\x05"
    nest = b"(}" + long_key + one + b"s" + b"q\x06}h\x05h\x06s" * 900 + b"t"
    yield "names", pt(program(Raw(nest)), {"0": 444}), many
