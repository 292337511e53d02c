"""Reading ``dtype`` and ``quantization_config``: every known method, hostile values, real files."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.formats.declared import declared_dtype, declared_quantization
from sizewise.formats.quantization import PackingRule, Quantization
from sizewise.formats.scheme import declared_scheme

REAL = Path(__file__).parents[1] / "golden" / "architectures" / "real_configs"


def read(settings: Any, **more: Any) -> Quantization:
    quantization, _ = declared_quantization({"quantization_config": settings, **more})
    assert quantization is not None
    return quantization


def rule(settings: Any) -> PackingRule:
    (found,) = read(settings).rules
    return found


@pytest.mark.parametrize(
    ("raw", "format"),
    [
        ({"torch_dtype": "bfloat16"}, "bf16"),
        ({"dtype": "float16", "torch_dtype": "bfloat16"}, "fp16"),
        ({"torch_dtype": "torch.float32"}, "fp32"),
        ({"text_config": {"dtype": "bfloat16"}}, "bf16"),
        ({"dtype": None, "text_config": {"torch_dtype": "float16"}}, "fp16"),
        ({}, None),
        ({"dtype": "auto"}, None),
        ({"dtype": "warp"}, None),
        ({"dtype": 7}, None),
    ],
)
def test_dtypes(raw: dict[str, Any], format: str | None) -> None:
    assert declared_dtype(raw) == format


def test_an_unknown_dtype_is_reported() -> None:
    _, notices = declared_quantization({"dtype": "warp\x1b"})
    assert [notice.code for notice in notices] == ["unknown_dtype"]
    assert declared_quantization({"dtype": "auto"}) == (None, ())


@pytest.mark.parametrize(
    ("settings", "format"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8-block"),
        ({"quant_method": "fp8", "activation_scheme": "static"}, "fp8-static"),
        ({"quant_method": "fp8", "activation_scheme": "dynamic"}, "fp8"),
        ({"quant_method": "fbgemm_fp8"}, "fp8-channel"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq"),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq"),
        ({"quant_method": "auto-round", "packing_format": "auto_round:auto_awq"}, "awq"),
        ({"quant_method": "auto-round", "packing_format": "auto_round:auto_gptq"}, "gptq"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bnb-int8"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "fp4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "nf4"),
        ({"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}, "nf4-dq"),
        ({"quant_method": "mxfp4"}, "mxfp4"),
        (
            {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}},
            "hqq",
        ),
        ({"quant_method": "exl2", "bits": 4.25, "head_bits": 6}, "exl2-4.25"),
        ({"group_size": 64, "bits": 4}, "mlx-4bit"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
        ({"quant_algo": "FP8", "producer": {"name": "modelopt"}}, "fp8-static"),
    ],
)
def test_methods(settings: dict[str, Any], format: str) -> None:
    found = read(settings)
    assert found.format == format
    declared_scheme(found)


@pytest.mark.parametrize(
    ("packing", "weights", "format"),
    [
        ("pack-quantized", {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32}, "w4a16"),
        ("pack-quantized", {"num_bits": 8, "type": "int", "strategy": "channel"}, "w8a16"),
        ("int-quantized", {"num_bits": 8, "type": "int", "strategy": "channel"}, "w8a8"),
        ("float-quantized", {"num_bits": 8, "type": "float", "strategy": "channel"}, "fp8-channel"),
        ("float-quantized", {"num_bits": 8, "type": "float", "strategy": "tensor"}, "fp8"),
        (
            "nvfp4-pack-quantized",
            {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16},
            "nvfp4",
        ),
        (
            "mxfp4-pack-quantized",
            {"num_bits": 4, "type": "float", "strategy": "group", "group_size": 32},
            "mxfp4",
        ),
    ],
)
def test_compressed_tensors(packing: str, weights: dict[str, Any], format: str) -> None:
    group = {"targets": ["Linear"], "weights": {"symmetric": True, **weights}}
    found = rule(
        {
            "quant_method": "compressed-tensors",
            "format": packing,
            "config_groups": {"group_0": group},
            "ignore": ["lm_head"],
        }
    )
    assert found.format == format
    assert found.ignored == ("lm_head",)
    assert found.lists_all
    assert found.group == (0 if weights["strategy"] == "channel" else weights.get("group_size"))


def test_settings_are_kept() -> None:
    found = rule({"quant_method": "gptq", "bits": 8, "group_size": -1, "modules_to_not_convert": ["a"]})
    assert (found.bits, found.group, found.ignored) == (8, 0, ("a",))


def test_modules_of_mlx_have_settings_of_their_own() -> None:
    gate = "model.layers.0.mlp.gate"
    first, general = read(
        {"group_size": 64, "bits": 4, gate: {"group_size": 64, "bits": 8}, "lm_head": False}
    ).rules
    assert (first.targets, first.bits) == ((gate,), 8)
    assert general.ignored == ("lm_head",)


LLAMA_8B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128}
GPTQ_BYTES = 5_732_835_328
PACKED_HEAD = 777_728_000
"""Bytes that 4 bits in groups of 128 with zeros, 16-bit scales and g_idx save on a head [128256, 4096]."""
PACKED_DOWN = 86_876_160
"""The same on a feed-forward matrix [4096, 14336]."""
DOWN = "model.layers.{}.mlp.down_proj"


def weight_bytes(settings: dict[str, Any]) -> int:
    scheme = declared_scheme(read(settings))
    architecture = describe(Config(LLAMA_8B, "llama"))
    return sum(
        packing.bytes for name, weight in architecture.tensors() for packing in scheme.packings(weight, name)
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (GPTQ, GPTQ_BYTES),
        ({**GPTQ, "lm_head": True}, GPTQ_BYTES - PACKED_HEAD),
        ({**GPTQ, "dynamic": {}}, GPTQ_BYTES),
        ({"bits": 4, "group_size": 128, "desc_act": False, "sym": True, "damp_percent": 0.01}, GPTQ_BYTES),
        ({**GPTQ, "quant_method": "auto-round"}, GPTQ_BYTES),
        ({**GPTQ, "quant_method": "intel/auto-round", "data_type": "int"}, GPTQ_BYTES),
        ({**GPTQ, "quant_method": "auto-round", "block_name_to_quantize": "model.layers"}, GPTQ_BYTES),
        (
            {**GPTQ, "quant_method": "auto-round", "extra_config": {DOWN.format(0): {"bits": 16}}},
            GPTQ_BYTES + PACKED_DOWN,
        ),
        (
            {
                **GPTQ,
                "quant_method": "auto-round",
                "extra_config": {DOWN.format(3): {"bits": 8}, DOWN.format(5): {"bits": 8}},
            },
            GPTQ_BYTES + 2 * (4096 * 14336 // 2 + 4096 * 112 // 2),
        ),
        (
            {**GPTQ, "modules_in_block_to_quantize": [["self_attn.q_proj"], ["mlp.down_proj"]]},
            16_060_522_496 - 32 * (PACKED_DOWN + 4096 * 4096 * 2 - 8_732_672),
        ),
    ],
)
def test_settings_that_change_what_is_packed_are_counted(settings: dict[str, Any], expected: int) -> None:
    assert weight_bytes(settings) == expected


def linear_group(*targets: str) -> dict[str, Any]:
    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": True}
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {"group_0": {"targets": list(targets), "weights": weights}},
        "ignore": ["lm_head"],
    }


@pytest.mark.parametrize(
    "targets", [("Linear", "Linear"), ("Linear", "re:.*mlp.*"), ("re:.*q_proj", "Linear")]
)
def test_all_linear_layers_stay_all_of_them_beside_other_targets(targets: tuple[str, ...]) -> None:
    assert weight_bytes(linear_group(*targets)) == weight_bytes(linear_group("Linear"))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({**GPTQ, "dynamic": {"-:.*mlp.*": {}}}, "dynamic"),
        ({**GPTQ, "checkpoint_format": "marlin"}, "marlin"),
        ({**GPTQ, "quant_method": "auto-round", "data_type": "mx_fp"}, "mx_fp"),
        ({**GPTQ, "quant_method": "auto-round", "data_type": "nv_fp"}, "nv_fp"),
        ({**GPTQ, "quant_method": "auto-round", "extra_config": {".*mlp.*": {"bits": 8}}}, "extra_config"),
        ({**GPTQ, "quant_method": "auto-round", "to_quant_block_names": ["vision.blocks"]}, "block_names"),
        (linear_group("Linear", "Embedding"), "Embedding"),
        (linear_group("Linear") | {"sparsity_config": {"format": "sparse-24-bitmask"}}, "sparse-24-bitmask"),
        (
            {"quant_method": "hqq", "quant_config": {"q_proj": {"weight_quant_params": {"nbits": 4}}}},
            "single",
        ),
        (
            {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"group_size": None}}},
            "group_size",
        ),
        (
            {
                "quant_method": "hqq",
                "quant_config": {"weight_quant_params": {"nbits": 4}, "scale_quant_params": {"nbits": 8}},
            },
            "scale_quant_params",
        ),
    ],
)
def test_settings_that_are_not_modelled_are_refused_by_name(settings: dict[str, Any], named: str) -> None:
    found, notices = declared_quantization({"quantization_config": settings})
    assert found is not None
    assert not found.known
    assert [notice.code for notice in notices] == ["unknown_quantization"]
    assert named in notices[0].message


def test_settings_without_a_method_that_mlx_does_not_write_are_not_its() -> None:
    settings = {"bits": 4, "group_size": 128, "codebooks": 2}
    assert not read(settings).known


def test_the_section_of_the_language_model_is_found() -> None:
    settings = {"quant_method": "awq", "bits": 4}
    found, _ = declared_quantization({"text_config": {"quantization_config": settings}})
    assert found is not None
    assert found.text_only


def test_other_places_are_found() -> None:
    assert read(None, compression_config={"quant_method": "mxfp4"}).format == "mxfp4"
    assert read(None, quantization={"group_size": 64, "bits": 8}).rules[0].bits == 8
    assert declared_quantization({"quantization_config": None}) == (None, ())
    assert declared_quantization({"quantization_config": {}}) == (None, ())


@pytest.mark.parametrize(
    "settings",
    [
        {"quant_method": "warp"},
        {"quant_method": "quanto", "weights": "int4"},
        {"bits": 4},
        "warp",
        {"quant_method": "awq", "bits": 3},
        {"quant_method": "gptq", "bits": 5},
        {"quant_method": "exl2", "bits": 40},
        {"quant_method": "bitsandbytes"},
        {"quant_method": "modelopt", "quant_algo": "W2A2"},
        {
            "quant_method": "compressed-tensors",
            "config_groups": {"g": {"weights": {"num_bits": 3, "type": "float"}}},
        },
    ],
)
def test_an_unknown_method_is_reported_and_never_sixteen_bit(settings: Any) -> None:
    found, notices = declared_quantization({"quantization_config": settings})
    assert found is not None
    assert not found.known
    assert [notice.code for notice in notices] == ["unknown_quantization"]
    with pytest.raises(InputError) as caught:
        _ = found.format
    assert caught.value.code == "unsupported_format"


def test_patterns_that_are_not_understood_are_reported() -> None:
    settings = {"quant_method": "fp8", "modules_to_not_convert": ["re:(?=x)", "lm_head"]}
    _, notices = declared_quantization({"quantization_config": settings})
    assert [notice.code for notice in notices] == ["unknown_pattern"]


@pytest.mark.parametrize(
    "settings",
    [
        [1, 2],
        7,
        {"quant_method": 7},
        {"quant_method": "awq", "bits": "4"},
        {"quant_method": "awq", "bits": 4, "group_size": 0},
        {"quant_method": "gptq", "group_size": -2},
        {"quant_method": "fp8", "weight_block_size": [0, 128]},
        {"quant_method": "fp8", "weight_block_size": [128]},
        {"quant_method": "fp8", "weight_block_size": "ab"},
        {"quant_method": "fp8", "modules_to_not_convert": [1]},
        {"quant_method": "fp8", "modules_to_not_convert": "lm_head"},
        {"quant_method": "bitsandbytes", "load_in_4bit": "yes"},
        {"quant_method": "compressed-tensors", "config_groups": []},
    ],
)
def test_what_cannot_be_meant_is_a_bad_config(settings: Any) -> None:
    with pytest.raises(InputError) as caught:
        declared_quantization({"quantization_config": settings})
    assert caught.value.code == "bad_config"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
METHODS = [
    "fp8",
    "awq",
    "gptq",
    "bitsandbytes",
    "modelopt",
    "compressed-tensors",
    "hqq",
    "exl2",
    "mlx",
    "mxfp4",
]
FIELDS = [
    "bits",
    "group_size",
    "weight_block_size",
    "ignore",
    "config_groups",
    "quantized_layers",
    "quant_algo",
    "load_in_4bit",
    "head_bits",
    "quant_config",
    "modules_to_not_convert",
    "mode",
]


@given(method=st.sampled_from(METHODS), settings=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_any_settings_give_rules_a_notice_or_a_typed_error(method: str, settings: dict[str, Any]) -> None:
    try:
        found, notices = declared_quantization({"quantization_config": {"quant_method": method, **settings}})
    except InputError as error:
        codes = {error.code}
    else:
        assert found is not None
        codes = {notice.code for notice in notices}
        if found.known:
            declared_scheme(found)
            return
    assert codes & {"bad_config", "unknown_quantization"}


DECLARED = {
    "MiniMaxAI__MiniMax-M2.5": "fp8-block",
    "Qwen__Qwen3-30B-A3B-FP8": "fp8-block",
    "Qwen__Qwen3-32B-FP8": "fp8-block",
    "Qwen__Qwen3-32B-FP8-Static-PerTensor": "fp8-static",
    "XiaomiMiMo__MiMo-V2-Flash": "fp8-block",
    "deepseek-ai__DeepSeek-V3.2": "fp8-block",
    "deepseek-ai__DeepSeek-V4-Flash": "mxfp4 fp8-block",
    "moonshotai__Kimi-K2.5": "w4a16",
    "moonshotai__Kimi-K3": "mxfp4",
    "nvidia__DeepSeek-V4-Flash-NVFP4": "nvfp4 mxfp4 fp8-block",
    "nvidia__GLM-5.1-NVFP4": "nvfp4",
    "nvidia__Gemma-4-26B-A4B-NVFP4": "nvfp4",
    "nvidia__Kimi-K2.5-NVFP4": "nvfp4",
    "nvidia__Kimi-K2.6-NVFP4": "nvfp4",
    "nvidia__Kimi-K2.7-Code-NVFP4": "nvfp4",
    "nvidia__MiniMax-M2.5-NVFP4": "nvfp4",
    "nvidia__MiniMax-M3-NVFP4": "mxfp8",
    "nvidia__Qwen3.6-27B-NVFP4": "fp8-static nvfp4-w4a16",
    "nvidia__Qwen3.6-35B-A3B-NVFP4": "fp8-static nvfp4-w4a16",
    "sgl-project__DeepSeek-V4-Flash-FP8": "fp8-block",
    "zai-org__GLM-5-FP8": "fp8-block",
    "zai-org__GLM-5.1-FP8": "fp8-block",
}


@pytest.mark.parametrize("path", sorted(REAL.glob("*.json")), ids=lambda path: path.stem)
def test_real_files(path: Path) -> None:
    raw = json.loads(path.read_text())
    found, notices = declared_quantization(raw)
    assert notices == ()
    formats = " ".join(rule.format for rule in found.rules) if found else None
    assert formats == DECLARED.get(path.stem)
