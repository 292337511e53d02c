"""What kind of file this is: by its first bytes, then by its name.

Source: safetensors README ("Format"), ggml ``docs/gguf.md``, PKWARE APPNOTE 6.3.10 and what is found in
practice in place of a broken download.
"""

from typing import Literal

from sizewise.errors import InputError
from sizewise.sources.ranges import RangeReader

Kind = Literal["safetensors", "shard_index", "torch_zip", "gguf"]

HEAD_BYTES = 512
_CONVERT = "convert it to safetensors, e.g. with safetensors.torch.save_file"

_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "lfs_pointer", "is a Git LFS pointer, not the file; run: git lfs pull"),
    (b"lmgg", "unsupported_format", "is a GGML file from before GGUF; give the config.json"),
    (b"tjgg", "unsupported_format", "is a GGML file from before GGUF; give the config.json"),
    (b"\x89HDF", "unsupported_format", f"is an HDF5 file; {_CONVERT}"),
    (b"\x93NUMPY", "unsupported_format", f"is a NumPy file; {_CONVERT}"),
    (b"\x80", "unsupported_format", f"is a bare pickle, which runs code when it is loaded; {_CONVERT}"),
    (b"\x1f\x8b", "unknown_format", "is gzip-compressed; unpack it first"),
    (b"(\xb5/\xfd", "unknown_format", "is zstd-compressed; unpack it first"),
    (b"7z\xbc\xaf", "unknown_format", "is 7z-compressed; unpack it first"),
    (b"%PDF", "unknown_format", "is a PDF"),
    (b"\x7fELF", "unknown_format", "is a program"),
)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_TORCH_NAMES = (".pt", ".pth", ".bin", ".ckpt")


def sniff(source: RangeReader) -> Kind:
    """Return the kind of a checkpoint file.

    Raises InputError: truncated, lfs_pointer, bad_magic, unsupported_format, unknown_format.
    """
    head = source.read(0, min(HEAD_BYTES, HEAD_BYTES if source.size is None else source.size))
    return kind_of(head, source.name)


def kind_of(head: bytes, name: str) -> Kind:
    r"""Return the kind of a checkpoint by its first bytes and its name; raises as `sniff` does.

    >>> kind_of(b"PK\x03\x04", "model.bin")
    'torch_zip'
    """
    lowered = name.lower()
    if not head:
        raise InputError("truncated", f"{name} is empty; download it again")
    refuse_known(head, name)
    if head.startswith(_ZIP_STARTS):
        return "torch_zip"
    if head.startswith(b"GGUF"):
        return "gguf"
    if head[:8].lstrip().startswith(b"{") and b"\0" not in head:
        return _json_kind(lowered, name)
    if lowered.endswith(".safetensors") or _plausible_safetensors(head):
        return "safetensors"
    if lowered.endswith(".gguf"):
        raise InputError("bad_magic", f"{name} does not start with GGUF; download it again")
    if lowered.endswith(_TORCH_NAMES):
        raise InputError("unsupported_format", f"{name} is no zip archive of torch.save; {_CONVERT}")
    raise InputError(
        "unknown_format", f"{name} is no checkpoint that sizewise knows: safetensors, GGUF, torch zip"
    )


def refuse_known(head: bytes, name: str) -> None:
    """Raise InputError (lfs_pointer, unsupported_format, unknown_format) for what has its own words.

    A safetensors file begins with a length, which may begin like any of them.
    """
    if _plausible_safetensors(head):
        return
    for start, code, meaning in _STARTS:
        if head.startswith(start):
            raise InputError(code, f"{name} {meaning}")
    if head[257:262] == b"ustar":
        raise InputError("unsupported_format", f"{name} is a tar archive of an early torch; {_CONVERT}")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"\0" not in head[:64]:
        raise InputError(
            "unknown_format", f"{name} is a web page, not the file; log in and download it again"
        )


def _json_kind(lowered: str, name: str) -> Kind:
    if lowered.endswith(".safetensors"):
        raise InputError("unknown_format", f"{name} is JSON text, not a safetensors file; download it again")
    if lowered.endswith(("config.json", "tokenizer.json")):
        raise InputError(
            "unknown_format", f"{name} describes a model but holds no tensors; give a checkpoint"
        )
    return "shard_index"


def _plausible_safetensors(head: bytes) -> bool:
    length = int.from_bytes(head[:8], "little")
    return 2 <= length <= 100_000_000 and head[8:9] in (b"{", b" ", b"\t", b"\n", b"\r")
