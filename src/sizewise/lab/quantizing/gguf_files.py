"""Write a GGUF file in other block types, by the package gguf or llama.cpp's quantizer, and read it back."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.util import find_spec
from typing import Any

from sizewise.catalog.ggml import file_types
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.quantizing.gguf_plan import FILE_TYPE, VERSION
from sizewise.lab.quantizing.plan import Plan

QUANTIZATION_VERSION = 2
"""Version of ggml's packing."""
PROGRAM = "llama-quantize"

Step = Callable[[int, int], None]
"""Told how many of all tensors are written."""


def open_gguf(path: str) -> Any:
    """Return the package gguf's reader of a file. Raises InputError (bad_data)."""
    import gguf

    try:
        return gguf.GGUFReader(path)
    except (ValueError, IndexError, OSError) as error:
        reason = shorten(f"{type(error).__name__}: {error}", 200)
        raise InputError("bad_data", f"{shorten(path, 120)} cannot be read as GGUF: {reason}") from None


def write_gguf(source: str, target: str, plan: Plan, step: Step) -> Mapping[str, str]:
    """Write the planned file with the package gguf; return the SHA-256 of each tensor's packed data."""
    import gguf

    reader = open_gguf(source)
    writer = gguf.GGUFWriter(target, str(reader.fields["general.architecture"].contents()))
    _copy_metadata(reader, writer, plan)
    for tensor in reader.tensors:
        _announce(writer, tensor, plan.blocks[tensor.name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    sums = {}
    for done, tensor in enumerate(reader.tensors):
        data = packed_data(tensor, plan.blocks[tensor.name])
        sums[tensor.name] = sha256(data.tobytes()).hexdigest()
        writer.write_tensor_data(data)
        step(done + 1, len(reader.tensors))
    writer.close()
    return sums


def packed_data(tensor: Any, block: str) -> Any:
    """Return a tensor's data in a block type; what has it already is copied."""
    import gguf

    if tensor.tensor_type.name.lower() == block:
        return tensor.data
    numbers = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return gguf.quants.quantize(numbers, gguf.GGMLQuantizationType[block.upper()])


def quantizer() -> str:
    """Return who can write K-quants here: ``cyllama``, the path of llama-quantize, or nothing."""
    return "cyllama" if find_spec("cyllama") else shutil.which(PROGRAM) or ""


def check_quantizer(plan: Plan) -> str:
    """Return who can write K-quants here. Raises InputError (missing_extra) where nobody can."""
    found = quantizer()
    if not found:
        raise InputError(
            "missing_extra",
            f"{plan.format.name} of this model needs llama.cpp's quantizer; run: pip install cyllama, or put "
            f"{PROGRAM} on the path (the package gguf writes q8_0, q4_0, q4_1, q5_0, q5_1)",
        )
    return found


def run_llama_cpp(source: str, target: str, plan: Plan, *, repack: bool) -> None:
    """Write the planned file with llama.cpp's quantizer; ``repack`` allows packed sources.

    Raises InputError: missing_extra where there is none, quantizer_failed.
    """
    found = check_quantizer(plan)
    run = _run_cyllama if found == "cyllama" else _run_program
    run(source, target, plan, repack=repack)
    if not os.path.exists(target):
        raise InputError("quantizer_failed", f"{shorten(found, 80)} wrote nothing")


def read_back(path: str, plan: Plan, sums: Mapping[str, str] | None) -> int:
    """Return the bytes of the tensors of a written file after it was compared with the plan.

    ``sums`` are those of the data in memory, where it was packed here. Raises InputError (proof_failed).
    """
    reader = open_gguf(path)
    found = {tensor.name: tensor for tensor in reader.tensors}
    if found.keys() != plan.blocks.keys():
        odd = sorted(found.keys() ^ plan.blocks.keys())[:3]
        raise InputError("proof_failed", f"the file holds other tensors than planned: {', '.join(odd)}")
    for name, block in plan.blocks.items():
        made = found[name].tensor_type.name.lower()
        if made != block:
            raise InputError("proof_failed", f"{name} was written in {made}, planned was {block}")
        if sums is not None and sha256(found[name].data.tobytes()).hexdigest() != sums[name]:
            raise InputError("proof_failed", f"{name} reads back otherwise than it was packed")
    return sum(int(tensor.n_bytes) for tensor in reader.tensors)


def command(plan: Plan, usual: Plan, source: str, target: str, *, repack: bool) -> tuple[str, ...]:
    """Return llama-quantize with a ``--tensor-type`` for every tensor that a file type stores otherwise.

    ``usual`` is the plan of that file type alone, which has to be a packed one: llama.cpp chooses no types
    for single tensors of others. Names are patterns there, and would be found within longer ones.
    """
    flags = [
        f"--tensor-type '^{re.escape(name)}$={block}'"
        for name, block in plan.blocks.items()
        if block != usual.blocks[name]
    ]
    allowed = ("--allow-requantize",) if repack else ()
    return (PROGRAM, *allowed, *flags, shlex.quote(source), shlex.quote(target), usual.format.name.upper())


def _copy_metadata(reader: Any, writer: Any, plan: Plan) -> None:
    """Copy every key but those that the writer sets itself and those of the file type."""
    import gguf

    for field in reader.fields.values():
        if field.name == "general.architecture" or field.name.startswith("GGUF."):
            continue
        if field.name in (FILE_TYPE, VERSION):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)
    writer.add_file_type(file_types()[plan.format.name].id)
    writer.add_quantization_version(QUANTIZATION_VERSION)
    writer.data_alignment = int(reader.alignment)


def _announce(writer: Any, tensor: Any, block: str) -> None:
    """Write down name, sizes and block type of a tensor whose data comes later."""
    import numpy

    import gguf

    kind = gguf.GGMLQuantizationType[block.upper()]
    shape = tuple(int(size) for size in reversed(tensor.shape))
    plain = {"f32": numpy.float32, "f16": numpy.float16}.get(block)
    if plain is None:
        shape = gguf.quants.quant_shape_to_byte_shape(shape, kind)
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    count = int(tensor.n_elements) // weights * size
    writer.add_tensor_info(tensor.name, shape, numpy.dtype(plain or numpy.uint8), count, raw_dtype=kind)


def _run_program(source: str, target: str, plan: Plan, *, repack: bool) -> None:
    program = shutil.which(PROGRAM) or PROGRAM
    flags = ["--allow-requantize"] if repack else []
    command = [program, *flags, source, target, plan.format.name.upper()]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a program of the user's
    if done.returncode:
        raise InputError("quantizer_failed", f"{PROGRAM}: {_last(done.stderr.decode('utf-8', 'replace'))}")


def _last(text: str) -> str:
    """Return the last line of what a program said."""
    lines = text.strip().splitlines() or ["no reason given"]
    return shorten(lines[-1], 300)


def _run_cyllama(source: str, target: str, plan: Plan, *, repack: bool) -> None:
    from cyllama.llama import llama_cpp

    params = llama_cpp.LlamaModelQuantizeParams()
    params.ftype = file_types()[plan.format.name].id
    params.allow_requantize = repack
    said: list[str] = []
    llama_cpp.set_log_callback(lambda _level, line: said.append(line))
    try:
        llama_cpp.model_quantize(source, target, params)
    except RuntimeError:
        raise InputError("quantizer_failed", f"llama.cpp: {_last(''.join(said))}") from None
    finally:
        llama_cpp.disable_logging()
