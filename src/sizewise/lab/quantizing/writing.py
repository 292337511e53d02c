"""Write what was planned: whole or not at all, read back and compared before it appears at its place."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sizewise.errors import InputError, SizewiseError, unwritable
from sizewise.escaping import shorten
from sizewise.lab.loading import Loaded
from sizewise.lab.outputs import FULL, check_absent, whole_folder
from sizewise.lab.quantizing import bitsandbytes_files, gguf_files
from sizewise.lab.quantizing.answer import Saved
from sizewise.lab.quantizing.original import Original
from sizewise.lab.quantizing.plan import Plan
from sizewise.lab.quantizing.proof import Proof, prove
from sizewise.whole_files import whole_file

Tell = Callable[[str, int, int], None]


def write_folder(
    original: Original, plan: Plan, loaded: Loaded, path: str, *, force: bool, tell: Tell
) -> tuple[Saved, Any]:
    """Write a folder with bitsandbytes; return what was saved and the model that was read back from it.

    Raises InputError: exists, disk_full, unwritable, quantizer_failed, proof_failed. After any failure
    nothing is there.
    """
    base = original.base
    with whole_folder(path, force=force) as folder:
        with _checkpoint(original, loaded, folder) as (place, options):
            tell("models packed by bitsandbytes", 0, 1)
            with _failing("packing"):
                packed = bitsandbytes_files.load_packed(place, plan, original.blank, base, **options)
                packed.save_pretrained(folder)
        if loaded.tokenizer is not None:
            loaded.tokenizer.save_pretrained(folder)
        data, files = bitsandbytes_files.saved_bytes(folder)
        _check_bytes(plan, data, files)
        tell("files read back and compared", 0, 1)
        with _failing("reading back"):
            again = bitsandbytes_files.read_back(folder, base)
            proof, again = prove(loaded.module, packed, again, plan, base)
    return Saved(path=path, bytes=data, file_bytes=files, proof=proof), again


def write_file(original: Original, plan: Plan, path: str, *, force: bool, tell: Tell) -> Saved:
    """Write a GGUF file in the planned block types and compare it with the plan, tensor by tensor.

    Raises InputError: exists, disk_full, unwritable, missing_extra, quantizer_failed, proof_failed.
    """
    with _unwritable(path), whole_file(path) as temporary:
        sums = None
        if plan.maker == "gguf":
            sums = gguf_files.write_gguf(
                original.gguf, temporary, plan, lambda done, of: tell("tensors packed", done, of)
            )
        else:
            tell("files packed by llama.cpp", 0, 1)
            gguf_files.run_llama_cpp(original.gguf, temporary, plan, repack=bool(original.packed_as))
        tell("files read back and compared", 0, 1)
        data = gguf_files.read_back(temporary, plan, sums)
        files = os.path.getsize(temporary)
        _check_bytes(plan, data, files)
        _synchronize(temporary)
        check_absent(path, force=force)
    proof = Proof(tensors=len(plan.blocks), prompts=0, difference=None)
    return Saved(path=path, bytes=data, file_bytes=files, proof=proof)


@contextmanager
def _failing(what: str) -> Iterator[None]:
    """Turn what bitsandbytes or transformers fail with into an error of ours; a full disk is one already."""
    try:
        yield
    except (SizewiseError, OSError, MemoryError):
        raise
    except Exception as error:
        if FULL in str(error):
            raise
        reason = shorten(f"{type(error).__name__}: {error}", 240)
        raise InputError(
            "quantizer_failed", f"{what} fails in bitsandbytes or transformers: {reason}"
        ) from error


def _check_bytes(plan: Plan, data: int, files: int) -> None:
    """Raise InputError (proof_failed) where the saved bytes are not those that were said before."""
    if abs(data - plan.bytes) > plan.spread:
        raise InputError(
            "proof_failed", f"{data:,} bytes of tensors were written, planned were {plan.bytes:,}"
        )
    if plan.file_bytes is not None and abs(files - plan.file_bytes) > plan.spread:
        raise InputError("proof_failed", f"the file has {files:,} bytes, planned were {plan.file_bytes:,}")


@contextmanager
def _checkpoint(original: Original, loaded: Loaded, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where transformers reads the weights: their folder, the hub, or a copy that goes afterwards."""
    place = original.model.place
    if loaded.origin == "folder":
        yield place.path, {"local_files_only": True}
    elif loaded.origin == "hub" and not place.file:
        revision = {"revision": place.revision} if place.revision else {}
        yield place.repository, {"local_files_only": original.offline, **revision}
    else:
        with tempfile.TemporaryDirectory(prefix="source-", dir=folder) as copy:
            loaded.module.save_pretrained(copy)
            yield copy, {"local_files_only": True}


@contextmanager
def _unwritable(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(shorten(path, 120), error) from None


def _synchronize(path: str) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
