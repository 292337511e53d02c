"""Torch archives: programs that torch itself wrote, shared storage, and archives beyond 4 GiB."""

import base64
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from sizewise.listing import Listing
from sizewise.sources.checkpoint import listing_of
from sizewise.sources.ranges import BytesReader
from sizewise.sources.torch_files.archive import read_torch_zip
from sizewise.sources.torch_files.usual import UsualTensors
from sizewise.sources.torch_files.walk import run_pickle

from ..corpus.writers import Call, Name, encoded, program, pt, storage, tensor, view

# data.pkl of torch.save in torch 2.13.0, 2026-10: Linear(3, 2).state_dict(); float8_e4m3fn [3, 4] and
# uint16 [3]; Parameter [3, 4].
MODULE = (
    "fC6J<Z)|L3V{~b6ZgUDxa%5$4Wn@HYV{{5}04Y*&0Vr4o0001YWoc(<ba4V>bZ>HFXf9uMbZKmJ3SV+%Vs&Y3WM6b;ZgX#P"
    "Uv@GIaRVqQSO)+A0CRM2a$#p>aRg&@Z*pU33Px;iVRTb;Z*pO0WeRZxSOEY405EX|SOWk60Ap}<aR*BVba4n#O8`p(O9O^+"
    "2}=V@0fuo3iD&>RQgI7(aST#%4Oj#K003fXVRLZ~XaguHXar~lSOEY405Ne7Xa`FIba4<-O8`p(g>ex}0fliAiD&>RQgIV>"
    "aTHQ<6?J`a7FY=Y003WYWprU=VRT_}7ia(}QgIkq00000aT$Ga8dwJa004Gna&u{KZgCq+0dsS6VlD"
)
FLOAT8 = (
    "fC7DS04P`i0001YaRFm=Z*pU3E?;$YX>4-}Uvgz)b!lv5Uvy<|b8m8Ab~6fb0w^e02LJ#7b98TVVP|D=17mb=a${&Nb98TV"
    "VP|CuRc>^7aAjmubZ>HDXJra;1Xuw8001y?1y}<B003ifb#Vqu40Le^QA+?z14{&kaR^HUO96&)35jE4Z)|L3V{~b6ZgUDx"
    "a%5$4Wn@HYV{{5}3Mo=?3uAO|a${%;W^8X^bU0sSG;K3xZVGV>ba4$*aSm7k0001WaSvz$C@5$HXaraR0000naS&(*O9pgt"
    "5m8G3O9O>*5=#MvaTAGX3Mo=?6k~L6a${%;b!l#NF*XWu6?AbHQgIh`E&"
)
PARAMETER = (
    "fC7DS09XM4004J!0b_J;a${&NUv+e8Y;y`<a%Ez5X>4R)aA9&`ZDn+2atd(*V{~tFV`wg4b#!TLa|&N_Wny({Y-C?_Wo~nC"
    "a$j~b3ULD{C|Cyo0047zZ*pO0WpM;!bZ>HFXbMJbZ((#(bZ>HDXJra;1y}(9001y?23P|C003ifb#Vtv40Le_QA+?z14{&k"
    "aS2NVO96&)3W;N5Z)|L3V{~b6ZgUDxa%5$4Wn@HYV{{5}3n@}@40Le~QgIH5XbUM)aSw-a5K?gwb1n"
)


def listing(data: bytes) -> Listing:
    return read_torch_zip(BytesReader(data, name="x.pt", size=len(data)))


def shown(found: Listing) -> list[tuple[str, str, tuple[int, ...], int]]:
    return [(tensor.name, tensor.dtype, tensor.shape, tensor.counted) for tensor in found.tensors]


@pytest.mark.parametrize(
    ("text", "storages", "expected"),
    [
        (MODULE, {"0": 24, "1": 8}, [("weight", "F32", (2, 3), 6), ("bias", "F32", (2,), 2)]),
        (FLOAT8, {"0": 12, "1": 6}, [("w", "F8_E4M3", (3, 4), 12), ("u", "U16", (3,), 3)]),
        (PARAMETER, {"0": 48}, [("w", "F32", (3, 4), 12)]),
    ],
)
def test_what_torch_wrote(
    text: str, storages: dict[str, int], expected: list[tuple[str, str, tuple[int, ...], int]]
) -> None:
    found = listing(pt(base64.b85decode(text), storages))
    assert shown(found) == expected
    assert found.bytes == sum(storages.values())
    assert found.notices == ()


def test_tied_tensors_count_once_and_are_both_listed() -> None:
    tied = tensor("0", (100, 8))
    found = listing(
        pt(program({"embed": tied, "norm": tensor("1", (8,)), "head": tied}), {"0": 3200, "1": 32})
    )
    assert shown(found) == [
        ("embed", "F32", (100, 8), 800),
        ("norm", "F32", (8,), 8),
        ("head", "F32", (100, 8), 0),
    ]
    assert [tensor.storage for tensor in found.tensors] == ["0", "1", "0"]
    assert (found.elements, found.bytes) == (808, 3232)


def test_views_of_one_storage_count_their_union() -> None:
    parts = {"all": tensor("0", (6, 4)), "rows": tensor("0", (2, 4), count=24, offset=8)}
    assert listing(pt(program(parts), {"0": 96})).elements == 24
    overlapping = {"a": tensor("0", (10,), count=24), "b": tensor("0", (10,), count=24, offset=5)}
    assert listing(pt(program(overlapping), {"0": 96})).elements == 15
    transposed = {"a": tensor("0", (6, 4)), "b": view(storage("0", 24), 0, (4, 6), (1, 4))}
    assert listing(pt(program(transposed), {"0": 96})).elements == 24


def test_columns_of_a_fused_matrix_count_together() -> None:
    columns = {name: view(storage("0", 24), 2 * place, (4, 2), (6, 1)) for place, name in enumerate("qkv")}
    found = listing(pt(program(columns), {"0": 96}))
    assert (found.elements, found.notices) == (24, ())
    twice = {"q": columns["q"], "again": columns["q"]}
    assert listing(pt(program(twice), {"0": 96})).elements == 8


def test_an_expanded_tensor_counts_what_is_stored_and_says_so() -> None:
    found = listing(pt(program({"w": view(storage("0", 4), 0, (1000, 4), (0, 1))}), {"0": 16}))
    assert found.elements == 4
    assert found.tensors[0].elements == 4000
    gaps = listing(pt(program({"w": view(storage("0", 7), 0, (1000, 4), (0, 2))}), {"0": 28}))
    assert gaps.elements == 4
    assert [notice.code for notice in found.notices] == ["inconsistent"]


def test_tensors_without_data_are_counted_by_shape_and_reported() -> None:
    meta = Call(
        Name("torch._utils", "_rebuild_meta_tensor_no_storage"),
        (Name("torch", "bfloat16"), (3, 4), (4, 1), False),
    )
    found = listing(pt(program({"w": meta})))
    assert (found.elements, found.bytes, len(found.notices)) == (12, 0, 1)


ORDERED = Call(Name("collections", "OrderedDict"), ())


def test_parameters_and_buffers_with_attributes_of_their_own() -> None:
    plain = tensor("0", (3, 4))
    stated = Call(Name("torch._utils", "_rebuild_parameter_with_state"), (plain, True, ORDERED, {"tag": "x"}))
    typed = Call(
        Name("torch._tensor", "_rebuild_from_type_v2"),
        (plain.function, Name("torch", "Tensor"), plain.arguments, {"_is_buffer": True}),
    )
    for value in (stated, typed):
        assert shown(listing(pt(program({"w": value}), {"0": 48}))) == [("w", "F32", (3, 4), 12)]


def test_a_compressed_sparse_tensor_counts_its_values() -> None:
    parts = tuple(tensor(str(key), (size,)) for key, size in enumerate((4, 3, 5)))
    layout = Call(Name("torch.serialization", "_get_layout"), ("torch.sparse_csr",))
    sparse = Call(Name("torch._utils", "_rebuild_sparse_tensor"), (layout, (*parts, (3, 3))))
    found = listing(pt(program({"w": sparse}), {"0": 16, "1": 12, "2": 20}))
    assert [(row.name, row.elements) for row in found.tensors] == [
        ("w.compressed_indices", 4),
        ("w.plain_indices", 3),
        ("w.values", 5),
    ]


def memoized(count: int) -> bytes:
    """Return a program of many tensors as torch writes it: words recalled, consecutive places in the memo."""
    words = (encoded("storage"), b"ctorch\nFloatStorage\n", encoded("cpu"), b"ccollections\nOrderedDict\n")
    start = b"\x80\x02](" + b"".join(word + b"q%c" % place for place, word in enumerate(words)) + b"e"
    rows, place = [], 1_000

    def put() -> bytes:
        nonlocal place
        place += 1
        return b"r" + struct.pack("<I", place)

    for key in range(count):
        sizes = b"K\x02K" + bytes([key % 7])
        identity = b"((h\0h\x01" + encoded(str(key)) + put() + b"h\x02J" + struct.pack("<i", 2 * (key % 7))
        body = identity + b"t" + put() + b"QK\0" + sizes + b"\x86" + put()
        body += b"K" + bytes([key % 7]) + b"K\x01\x86" + put() + b"\x89h\x03)R" + put() + b"t" + put() + b"R"
        rows.append(b"ctorch._utils\n_rebuild_tensor_v2\n" + body + put() + b"a")
    return start + b"".join(rows) + b"."


def test_usual_tensors_read_whole_are_what_their_opcodes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    data = memoized(100)
    whole = run_pickle(data, "x", tensor_limit=100)
    monkeypatch.setattr(UsualTensors, "read", lambda self: False)
    single = run_pickle(data, "x", tensor_limit=100)
    assert (whole.result[4:], whole.storages, whole.tensors) == (
        single.result[4:],
        single.storages,
        single.tensors,
    )
    assert whole.memo == single.memo


def test_an_archive_beyond_4_gib(tmp_path: Path) -> None:
    path = tmp_path / "large.pt"
    size = 5 * 2**30
    write_large(path, program({"w": tensor("0", (size,), kind="ByteStorage")}), size)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("m/data/0").file_size == size
    found = listing_of(str(path))
    assert (found.elements, found.bytes) == (size, size)


def write_large(path: Path, content: bytes, size: int) -> None:
    """Write an archive whose storage is sparse and whose directory is of the 64-bit kind."""

    def local(name: bytes, crc: int, length: int) -> bytes:
        return struct.pack("<4s5H3L2H", b"PK\3\4", 45, 0, 0, 0, 0, crc, length, length, len(name), 0) + name

    def row(name: bytes, crc: int, length: int, offset: int, extra: bytes) -> bytes:
        sizes = (crc, length, length, len(name), len(extra), 0, 0, 0, 0, offset)
        return struct.pack("<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 0, 0, 0, *sizes) + name + extra

    limit = 0xFFFFFFFF
    wide = struct.pack("<HHQQ", 1, 16, size, size)
    start = local(b"m/data/0", 0, limit)
    second = len(start) + size
    crc = zlib.crc32(content)
    place = second + len(local(b"m/data.pkl", crc, len(content))) + len(content)
    directory = row(b"m/data/0", 0, limit, 0, wide)
    directory += row(b"m/data.pkl", crc, len(content), limit, struct.pack("<HHQ", 1, 8, second))
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, len(directory), place)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, place + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, limit, limit, 0)
    with path.open("wb") as file:
        file.write(start)
        file.seek(second)
        file.write(local(b"m/data.pkl", crc, len(content)) + content)
        file.write(directory + end64 + locator + end)
