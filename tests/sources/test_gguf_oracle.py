"""The GGUF reader beside the package that writes the files: gguf (extra: oracle)."""

import random
from pathlib import Path
from typing import Any

import pytest

from sizewise.sources.checkpoint import gguf_of

gguf: Any = pytest.importorskip("gguf")
numpy: Any = pytest.importorskip("numpy")

WORDS = ["word", "", "é😀", "x" * 300]


def written(path: Path, draw: random.Random) -> None:
    """Write a random file with the package."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(draw.randint(0, 9))
    writer.add_context_length(draw.randint(1, 2**31))
    writer.add_token_list([draw.choice(WORDS) + str(place) for place in range(draw.choice((1, 500, 20_000)))])
    writer.add_head_count_kv([draw.randint(0, 8) for _ in range(draw.randint(1, 9))])
    writer.add_layer_norm_rms_eps(draw.random())
    writer.add_bool("a.flag", draw.random() < 0.5)
    types = [name for name in gguf.GGMLQuantizationType if name.name not in ("Q8_1", "Q8_K")]
    for number in range(draw.randint(1, 12)):
        kind = draw.choice(types)
        size = gguf.GGML_QUANT_SIZES[kind][1]
        rows = [draw.randint(1, 5) for _ in range(draw.randint(0, 3))]
        data = numpy.zeros((*rows, draw.randint(1, 4) * size), dtype=numpy.uint8)
        writer.add_tensor(f"blk.{number}.w", data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(40))
def test_files_as_the_package_reads_them(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "x.gguf"
    written(path, random.Random(seed))
    reader = gguf.GGUFReader(str(path))
    found = gguf_of(str(path))
    theirs = {
        tensor.name: (tuple(reversed(tensor.shape.tolist())), tensor.tensor_type.name, int(tensor.n_bytes))
        for tensor in reader.tensors
    }
    ours = {tensor.name: (tensor.shape, tensor.dtype, tensor.bytes) for tensor in found.listing.tensors}
    assert ours == theirs
    assert found.listing.elements == sum(int(tensor.n_elements) for tensor in reader.tensors)
    fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    for name, value in found.metadata.values.items():
        assert (list(value) if isinstance(value, tuple) else value) == fields[name]
    for name, length in found.metadata.lengths.items():
        assert length == len(fields[name])
