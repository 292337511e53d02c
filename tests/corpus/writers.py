"""Write checkpoints byte by byte, sound and broken, without the libraries that read them."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any

ITEM_BYTES = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "U8": 1, "I64": 8}


def entry(dtype: Any, shape: Any, begin: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def entries(tensors: Mapping[str, tuple[str, list[int]]]) -> dict[str, Any]:
    """Return sound entries, one after the other in the order given."""
    sizes = [ITEM_BYTES[dtype] * prod(shape) for dtype, shape in tensors.values()]
    ends = list(accumulate(sizes))
    return {
        name: entry(dtype, shape, end - size, end)
        for (name, (dtype, shape)), size, end in zip(tensors.items(), sizes, ends, strict=True)
    }


def st(header: Any, data: bytes = b"", n: int | None = None) -> bytes:
    """Return a safetensors file; ``header`` is bytes or data, ``n`` may lie about its length."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if n is None else n) + text + data


def sound_st(tensors: Mapping[str, tuple[str, list[int]]], metadata: Any = None) -> bytes:
    header = entries(tensors)
    size = max((row["data_offsets"][1] for row in header.values()), default=0)
    return st({"__metadata__": metadata, **header} if metadata else header, bytes(size))


@dataclass(frozen=True)
class Name:
    """A dotted name, by the opcode GLOBAL."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """A call, by the opcode REDUCE."""

    function: Any
    arguments: Any


@dataclass(frozen=True)
class Persistent:
    """A persistent id, by the opcode BINPERSID."""

    value: Any


@dataclass(frozen=True)
class Built:
    """A value whose state is set, by the opcode BUILD."""

    value: Any
    state: Any


@dataclass(frozen=True)
class Raw:
    """Opcodes as they are."""

    code: bytes


def encoded(value: Any) -> bytes:
    """Return the opcodes that make a value, as torch.save writes them but without a memo."""
    match value:
        case Name(module, name):
            return f"c{module}\n{name}\n".encode()
        case Call(function, arguments):
            return encoded(function) + encoded(arguments) + b"R"
        case Persistent(inner):
            return encoded(inner) + b"Q"
        case Built(inner, state):
            return encoded(inner) + encoded(state) + b"b"
        case Raw(code):
            return code
    return _plain(value)


def _plain(value: Any) -> bytes:
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        return b"X" + struct.pack("<I", len(text)) + text
    if isinstance(value, dict):
        return b"}(" + b"".join(encoded(key) + encoded(item) for key, item in value.items()) + b"u"
    if isinstance(value, tuple | list):
        start, end = (b"(", b"t") if isinstance(value, tuple) else (b"](", b"e")
        return start + b"".join(map(encoded, value)) + end
    return b"G" + struct.pack(">d", value) if isinstance(value, float) else _integer(value)


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    length = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([length]) + value.to_bytes(length, "little", signed=True)


def program(value: Any) -> bytes:
    return b"\x80\x02" + encoded(value) + b"."


TYPES = {"FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "ByteStorage": 1}


def storage(key: Any, count: Any, kind: str = "FloatStorage") -> Persistent:
    return Persistent(("storage", Name("torch", kind), key, "cpu", count))


def tensor(
    key: str, shape: tuple[int, ...], *, kind: str = "FloatStorage", count: int | None = None, offset: int = 0
) -> Call:
    """Return a tensor without gaps."""
    held = prod(shape) if count is None else count
    strides = tuple(prod(shape[place + 1 :]) for place in range(len(shape)))
    return view(storage(key, held, kind), offset, shape, strides)


def view(held: Any, offset: Any, shape: Any, strides: Any) -> Call:
    hooks = Call(Name("collections", "OrderedDict"), ())
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), (held, offset, shape, strides, False, hooks))


def pt(
    pickled: bytes, storages: Mapping[str, int] | None = None, *, packed: bool = False, name: str = "model"
) -> bytes:
    """Return an archive; ``storages`` maps keys to bytes."""
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(f"{name}/data.pkl", pickled)
        archive.writestr(f"{name}/byteorder", b"little")
        for key, size in (storages or {}).items():
            archive.writestr(f"{name}/data/{key}", bytes(size))
        archive.writestr(f"{name}/version", b"3\n")
    return file.getvalue()


def zipped(entries: Iterable[tuple[str, bytes]], *, deflated: bool = False) -> bytes:
    """Return a zip archive of any names, also twice the same; only a program is deflated."""
    body, directory, count = bytearray(), bytearray(), 0
    for name, content in entries:
        title = name.encode()
        method = 8 if deflated and name.endswith(".pkl") else 0
        packed = zlib.compress(content, 1, wbits=-15) if method else content
        sizes = (zlib.crc32(content), len(packed), len(content))
        places = (len(title), 0, 0, 0, 0, 0, len(body))
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, method, 0, 0, *sizes, *places) + title
        local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, method, 0, 0, *sizes, len(title), 0)
        body += local + title + packed
        count += 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory) + end
