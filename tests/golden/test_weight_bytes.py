"""Weight bytes and stored elements against published files and files that other tools saved.

- element counts of published checkpoints: the counter that the Hugging Face hub shows for their files
- saved files: bitsandbytes 0.50.2 and llm-compressor 0.14.0.1 through transformers 5.23.0, data bytes
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture, Part, stack
from sizewise.catalog.formats import find_format
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward
from sizewise.components.linear import Linear
from sizewise.configuration import Config
from sizewise.families import describe, known_types
from sizewise.footprint.weights import (
    constant_bytes,
    packed_weights,
    reduction,
    storage,
    stored_bytes,
    stored_elements,
    weight_bytes,
)
from sizewise.formats.declared import declared_quantization
from sizewise.formats.scheme import Scheme

DATA = Path(__file__).parent / "architectures"

LLAMA_2_7B = {
    "model_type": "llama",
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "tie_word_embeddings": False,
}
LLAMA_3_1_8B = {
    **LLAMA_2_7B,
    "vocab_size": 128256,
    "intermediate_size": 14336,
    "num_key_value_heads": 8,
}
QWEN3_235B = {
    "model_type": "qwen3_moe",
    "vocab_size": 151936,
    "hidden_size": 4096,
    "num_hidden_layers": 94,
    "num_attention_heads": 64,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "moe_intermediate_size": 1536,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "tie_word_embeddings": False,
}
GPT_OSS_20B = {
    "model_type": "gpt_oss",
    "vocab_size": 201088,
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "num_hidden_layers": 24,
    "num_local_experts": 32,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "tie_word_embeddings": False,
}


def build(raw: dict[str, Any]) -> Architecture:
    if raw["model_type"] not in known_types():
        pytest.skip("type not covered yet")
    return describe(Config(raw, raw["model_type"]))


def real(name: str) -> tuple[Architecture, Scheme]:
    """Return a published configuration's architecture, stored as the file itself declares."""
    raw = json.loads((DATA / "real_configs" / f"{name}.json").read_text())
    quantization, _ = declared_quantization(raw)
    assert quantization is not None
    architecture = build(raw)
    return architecture, storage(architecture, find_format(quantization.format), "bf16", quantization)


def scales(architecture: Architecture, scheme: Scheme) -> int:
    return stored_elements(architecture, scheme) - sum(packed_weights(architecture, scheme).values())


@pytest.mark.parametrize(
    ("format", "size"),
    [
        ("fp32", 26_953_662_464),
        ("bf16", 13_476_831_232),
        ("nf4", 4_167_573_504),
        ("nf4-dq", 3_865_591_808),
        ("bnb-int8", 7_000_825_856 + 4 * 32 * (4 * 4096 + 2 * 11008 + 4096)),
    ],
)
def test_llama_2_7b(format: str, size: int) -> None:
    """Int8 is one byte for each of 6,476,005,376 weights, and a scale of four bytes per row."""
    assert weight_bytes(build(LLAMA_2_7B), find_format(format)).value == size


@pytest.mark.parametrize(
    ("format", "size"),
    [("fp32", 355_794_944), ("fp16", 177_897_472), ("int8", 88_948_736), ("int4", 44_474_368)],
)
def test_a_plain_transformer_of_88948736_weights(format: str, size: int) -> None:
    """Width 512, 12 layers, 50,000 tokens, untied, weights only; int8 and int4 are nominal."""

    def layer(_: int) -> tuple[Part, ...]:
        square = Linear(inputs=512, outputs=512, role="attention")
        mlp = FeedForward(hidden=512, width=2048, gated=False)
        return (*(Part(name=name, component=square) for name in "qkvo"), Part(name="mlp", component=mlp))

    body = (
        Part(name="embed", component=Embedding(rows=50_000, width=512)),
        stack("layers", ["layer"] * 12, layer),
        Part(name="head", component=Head(hidden=512, vocabulary=50_000, tied=False)),
    )
    plain = Architecture(model_class="", body=body, hidden=512, vocabulary=50_000, context=None, tied=False)
    assert weight_bytes(plain, find_format(format)).value == size


def test_llama_2_7b_shrinks_by_the_known_factors() -> None:
    architecture = build(LLAMA_2_7B)
    single, double = (
        reduction(architecture, storage(architecture, find_format(n))) for n in ("nf4", "nf4-dq")
    )
    assert (round(single.from_fp32, 1), round(double.from_fp32, 1)) == (6.5, 7.0)
    assert (round(single.from_checkpoint, 1), round(double.from_checkpoint, 1)) == (3.2, 3.5)


def test_llama_3_1_8b_nf4() -> None:
    assert weight_bytes(build(LLAMA_3_1_8B), find_format("nf4")).value == 6_027_747_328


def test_llama_3_1_8b_awq_has_the_elements_of_the_published_file() -> None:
    architecture = build(LLAMA_3_1_8B)
    scheme = storage(architecture, find_format("awq"))
    assert stored_elements(architecture, scheme) == 1_984_696_320
    parts: dict[str, int] = {}
    for _, line in stored_bytes(architecture, scheme).walk():
        for name, elements in line.inputs.items():
            if name != "tensors":
                parts[name] = parts.get(name, 0) + int(elements * line.inputs["tensors"])
    assert parts == {
        "qweight": 872_415_232,
        "qzeros": 6_815_744,
        "scales": 54_525_952,
        "weight": 1_050_673_152 + 266_240,
    }


def test_gpt_oss_20b_packs_its_experts_only() -> None:
    architecture = build(GPT_OSS_20B)
    counts = packed_weights(architecture, storage(architecture, find_format("mxfp4")))
    assert counts == {"mxfp4": 19_110_297_600, "bf16": 1_804_459_584}
    assert weight_bytes(architecture, find_format("mxfp4")).value == 13_761_264_768


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("Qwen__Qwen3-30B-A3B-FP8", 1_824_768),
        ("Qwen__Qwen3-32B-FP8", 1_904_640),
        ("MiniMaxAI__MiniMax-M2.5", 13_880_064),
    ],
)
def test_block_scales_of_published_fp8_files(name: str, count: int) -> None:
    assert scales(*real(name)) == count


def test_block_scales_of_qwen3_235b() -> None:
    architecture = build(QWEN3_235B)
    assert scales(architecture, storage(architecture, find_format("fp8-block"))) == 14_269_952


def with_prediction_layer(raw: dict[str, Any]) -> int:
    """Count the block scales with one more layer: the file's extra layer that predicts a second token."""
    architecture = build({**raw, "num_hidden_layers": raw["num_hidden_layers"] + 1})
    return scales(architecture, storage(architecture, find_format("fp8-block")))


def test_block_scales_of_deepseek_v3() -> None:
    """The published file's 41,540,496 include those of the prediction layer; eh_proj has none."""
    architecture = build({"model_type": "deepseek_v3"})
    assert scales(architecture, storage(architecture, find_format("fp8-block"))) == 40_838_232
    assert with_prediction_layer({"model_type": "deepseek_v3", "num_hidden_layers": 61}) == 41_540_496


def test_block_scales_of_glm_5() -> None:
    """The FP8 file has 753,910,024,032 elements, the bf16 file 753,864,139,008, both with that layer."""
    raw = json.loads((DATA / "real_configs" / "zai-org__GLM-5-FP8.json").read_text())
    assert with_prediction_layer(raw) == 753_910_024_032 - 753_864_139_008


PUBLISHED = {row["file"]: row for row in csv.DictReader((DATA / "truth.csv").read_text().splitlines())}


@pytest.mark.parametrize(
    "name",
    [
        "nvidia__GLM-5.1-NVFP4",
        "nvidia__Gemma-4-26B-A4B-NVFP4",
        "nvidia__MiniMax-M2.5-NVFP4",
        "nvidia__Qwen3.6-27B-NVFP4",
        "nvidia__Qwen3.6-35B-A3B-NVFP4",
    ],
)
def test_published_nvfp4_files_pack_what_their_settings_say(name: str) -> None:
    """Their counter has two 4-bit weights as one element and leaves scales out."""
    row = PUBLISHED[f"real_configs/{name}.json"]
    counts = packed_weights(*real(name))
    halved = counts.get("nvfp4", 0) + counts.get("nvfp4-w4a16", 0)
    assert int(row["meta_total"]) - int(row["params_published"]) == halved // 2


SMALL = {
    "llama_tied_bias": {
        "model_type": "llama",
        "vocab_size": 1500,
        "hidden_size": 192,
        "intermediate_size": 500,
        "num_hidden_layers": 3,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
        "attention_bias": True,
        "mlp_bias": True,
    },
    "llama_untied": {
        "model_type": "llama",
        "vocab_size": 1500,
        "hidden_size": 160,
        "intermediate_size": 416,
        "num_hidden_layers": 2,
        "num_attention_heads": 5,
        "num_key_value_heads": 5,
        "tie_word_embeddings": False,
    },
    "gpt2": {
        "model_type": "gpt2",
        "vocab_size": 1000,
        "n_embd": 128,
        "n_layer": 2,
        "n_head": 4,
        "n_positions": 128,
    },
    "mixtral": {
        "model_type": "mixtral",
        "vocab_size": 1000,
        "hidden_size": 128,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
    },
    "qwen2": {
        "model_type": "qwen2",
        "vocab_size": 1000,
        "hidden_size": 128,
        "intermediate_size": 320,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    },
    "opt": {
        "model_type": "opt",
        "vocab_size": 1000,
        "hidden_size": 128,
        "ffn_dim": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "word_embed_proj_dim": 128,
        "max_position_embeddings": 128,
    },
    "SmolLM2-135M": {
        "model_type": "llama",
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "tie_word_embeddings": True,
    },
}
"""Random models of these shapes were saved by the tools; SmolLM2 is the published one."""

SAVED = [
    ("llama_tied_bias", "bf16", 2_906_736),
    ("llama_tied_bias", "bnb-int8", 1_768_293),
    ("llama_tied_bias", "nf4", 1_243_818),
    ("llama_tied_bias", "fp4", 1_243_818),
    ("llama_untied", "bf16", 2_169_920),
    ("llama_untied", "bnb-int8", 1_578_830),
    ("llama_untied", "nf4", 1_303_456),
    ("llama_untied", "fp4", 1_303_456),
    ("gpt2", "bf16", 1_082_368),
    ("gpt2", "bnb-int8", 698_376),
    ("gpt2", "nf4", 518_272),
    ("gpt2", "fp4", 518_272),
    ("mixtral", "bf16", 1_891_584),
    ("mixtral", "bnb-int8", 1_796_360),
    ("mixtral", "nf4", 1_751_420),
    ("mixtral", "fp4", 1_751_420),
    ("qwen2", "bf16", 946_432),
    ("qwen2", "bnb-int8", 611_598),
    ("qwen2", "nf4", 453_852),
    ("qwen2", "fp4", 453_852),
    ("opt", "bf16", 1_082_880),
    ("opt", "bnb-int8", 698_892),
    ("opt", "nf4", 519_360),
    ("opt", "fp4", 519_360),
    ("SmolLM2-135M", "bf16", 269_030_016),
    ("SmolLM2-135M", "bnb-int8", 163_483_986),
    ("SmolLM2-135M", "nf4", 116_443_386),
    ("SmolLM2-135M", "w8a16", 163_176_096),
]


@pytest.mark.parametrize(("model", "format", "saved"), SAVED)
def test_data_bytes_of_saved_files(model: str, format: str, saved: int) -> None:
    architecture = build(SMALL[model])
    scheme = storage(architecture, find_format(format))
    assert stored_bytes(architecture, scheme).value + constant_bytes(architecture, scheme) == saved


@pytest.mark.parametrize(
    ("model", "matrices", "saved"),
    [
        ("llama_tied_bias", 21, 1_213_202),
        ("llama_untied", 14, 1_290_919),
        ("gpt2", 8, 508_852),
        ("mixtral", 8, 1_755_758),
        ("qwen2", 14, 453_429),
        ("opt", 12, 514_394),
    ],
)
def test_data_bytes_of_saved_files_with_nested_scales(model: str, matrices: int, saved: int) -> None:
    """Each matrix holds a printed float whose length depends on the weights: two bytes either way."""
    architecture = build(SMALL[model])
    scheme = storage(architecture, find_format("nf4-dq"))
    predicted = stored_bytes(architecture, scheme).value + constant_bytes(architecture, scheme)
    assert abs(predicted - saved) <= 2 * matrices


@pytest.mark.parametrize(("bits", "file_bytes"), [(8, 169_712_285), (4, 116_627_997), (3, 106_037_085)])
def test_hqq_files_are_the_data_and_their_pickle(bits: int, file_bytes: int) -> None:
    """The pickle of 210 packed layers takes 0.8 to 1.2 kB each."""
    architecture = build(SMALL["SmolLM2-135M"])
    settings = {"quant_method": "hqq", "nbits": bits, "group_size": 64}
    quantization, _ = declared_quantization({"quantization_config": settings})
    data = weight_bytes(architecture, find_format("hqq"), "bf16", quantization).value
    assert 800 < (file_bytes - data) / 210 < 1200
