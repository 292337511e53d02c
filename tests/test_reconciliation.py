"""Checkpoints made by hand: what each tensor is, and that elements minus parameters have a name each."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import pytest

from sizewise.api import load
from sizewise.architecture import Model
from sizewise.listing import Listing, TensorTable
from sizewise.reconciliation import Item, nearest, reconcile, reconcile_listing
from sizewise.sources.config_json import from_config
from sizewise.sources.content.logical import logical_elements, logical_tensors, recognition_notices
from sizewise.tensors import Weight

Tensor = tuple[str, str, tuple[int, ...]]
Writer = Callable[[str, int, int], Iterator[Tensor]]
"""From a module and the rows and columns of its matrix to the tensors of the file."""


def listing(tensors: Iterator[Tensor] | list[Tensor]) -> Listing:
    names, dtypes, shapes = zip(*tensors, strict=True)
    elements = [prod(shape) for shape in shapes]
    return Listing(
        tensors=TensorTable(names=names, dtypes=dtypes, shapes=shapes, elements=elements, bytes=elements)
    )


def published(model: Model) -> Iterator[tuple[str, Weight, tuple[int, ...]]]:
    """Yield the tensors as files have them: a matrix per expert, gate and up apart."""
    for name, weight in model.architecture.tensors():
        if not weight.stacked:
            yield name, weight, weight.shape
            continue
        parent, _, leaf = name.rpartition(".")
        pieces = ("gate_proj", "up_proj") if leaf == "gate_up_proj" else (leaf,)
        for expert in range(weight.shape[0]):
            for piece in pieces:
                shape = (weight.rows // len(pieces), weight.columns)
                yield f"{parent}.{expert}.{piece}.weight", weight, shape


def packed(model: Model, write: Writer) -> Iterator[Tensor]:
    """Yield a checkpoint whose matrices in layers are packed, routers apart."""
    for name, weight, shape in published(model):
        if weight.kind == "matrix" and weight.role not in ("head", "router") and len(shape) == 2:
            yield from write(name.removesuffix(".weight"), *shape)
        else:
            yield name, "BF16", shape


def awq(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.qweight", "I32", (columns, rows // 8)
    yield f"{module}.qzeros", "I32", (columns // 128, rows // 8)
    yield f"{module}.scales", "F16", (columns // 128, rows)


def gptq(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.g_idx", "I32", (columns,)
    yield f"{module}.qweight", "I32", (columns // 8, rows)
    yield f"{module}.qzeros", "I32", (columns // 32, rows // 8)
    yield f"{module}.scales", "F16", (columns // 32, rows)


def gptq_3_bit_without_order(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.qweight", "I32", (columns * 3 // 32, rows)
    yield f"{module}.qzeros", "I32", (columns // 32, rows * 3 // 32)
    yield f"{module}.scales", "F16", (columns // 32, rows)


def nf4(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "U8", (rows * columns // 2, 1)
    yield f"{module}.weight.absmax", "F32", (rows * columns // 64,)
    yield f"{module}.weight.quant_map", "F32", (16,)
    yield f"{module}.weight.quant_state.bitsandbytes__nf4", "U8", (90,)


def nested_fp4(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "U8", (rows * columns // 2, 1)
    yield f"{module}.weight.absmax", "U8", (rows * columns // 64,)
    yield f"{module}.weight.nested_absmax", "F32", (-(-rows * columns // 64 // 256),)
    yield f"{module}.weight.nested_quant_map", "F32", (256,)
    yield f"{module}.weight.quant_map", "F32", (16,)
    yield f"{module}.weight.quant_state.bitsandbytes__fp4", "U8", (160,)


def int8(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "I8", (rows, columns)
    yield f"{module}.SCB", "F32", (rows,)
    yield f"{module}.weight_format", "U8", ()


def nvfp4(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "U8", (rows, columns // 2)
    yield f"{module}.weight_scale", "F8_E4M3", (rows, columns // 16)
    yield f"{module}.weight_scale_2", "F32", ()
    yield f"{module}.input_scale", "F32", ()


def nvfp4_of_compressed_tensors(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight_packed", "U8", (rows, columns // 2)
    yield f"{module}.weight_scale", "F8_E4M3", (rows, columns // 16)
    yield f"{module}.weight_global_scale", "F32", (1,)


def words(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight_packed", "I32", (rows, columns // 8)
    yield f"{module}.weight_scale", "BF16", (rows, columns // 32)
    yield f"{module}.weight_shape", "I64", (2,)


def mlx(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "U32", (rows, columns // 8)
    yield f"{module}.scales", "BF16", (rows, columns // 32)
    yield f"{module}.biases", "BF16", (rows, columns // 32)


def hqq(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    groups = rows * columns // 64
    yield f"{module}.W_q", "U8", (groups // 2, 64)
    yield f"{module}.scale", "BF16", (groups, 1)
    yield f"{module}.zero", "BF16", (groups, 1)
    yield f"{module}.nbits", "I64", ()


def short_floats(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "I8", (rows, columns // 2)
    yield f"{module}.scale", "F8_E8M0", (rows, columns // 32)


def fp8_blocks(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "F8_E4M3", (rows, columns)
    yield f"{module}.weight_scale_inv", "F32", (-(-rows // 128), -(-columns // 128))


def fp8_rows(module: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield f"{module}.weight", "F8_E4M3", (rows, columns)
    yield f"{module}.weight_scale", "F32", (rows, 1)


DENSE = {
    "model_type": "llama",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "tie_word_embeddings": False,
}
LATENT = {
    "model_type": "deepseek_v3",
    "hidden_size": 256,
    "intermediate_size": 512,
    "moe_intermediate_size": 192,
    "num_hidden_layers": 3,
    "first_k_dense_replace": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "q_lora_rank": 64,
    "kv_lora_rank": 64,
    "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 32,
    "v_head_dim": 32,
    "vocab_size": 1000,
    "tie_word_embeddings": False,
    "num_nextn_predict_layers": 1,
}


def model(config: dict[str, Any], **changes: object) -> Model:
    return from_config({**config, **changes}, name="small", origin="test")


def items(found: Any) -> dict[str, int]:
    return {item.name: item.elements for item in found.items}


def test_llama_in_awq_has_its_parameters_again() -> None:
    llama = load("llama-3.1-8b")
    file = listing(packed(llama, awq))
    assert file.elements == 1_984_696_320
    assert logical_elements(file) == logical_elements(file, llama) == 8_030_261_248
    found = reconcile_listing(llama, file)
    assert found.explained
    assert items(found) == {
        "awq_packing": 872_415_232 - 6_979_321_856,
        "awq_scales": 6_815_744 + 54_525_952,
    }
    assert found.line.value == found.total == file.elements


def gpt_oss_file(model: Model) -> Iterator[Tensor]:
    for name, weight in model.architecture.tensors():
        if weight.stacked:
            experts, groups = weight.shape[0], weight.columns // 32
            yield f"{name}_blocks", "U8", (experts, weight.rows, groups, 16)
            yield f"{name}_scales", "U8", (experts, weight.rows, groups)
        else:
            yield name, "BF16", weight.shape


def test_gpt_oss_in_mxfp4_has_its_parameters_again() -> None:
    gpt_oss = load("gpt-oss-20b")
    file = listing(gpt_oss_file(gpt_oss))
    assert logical_elements(file) == 20_914_757_184
    found = reconcile_listing(gpt_oss, file)
    assert found.explained
    assert items(found) == {
        "mxfp4_packing": -19_110_297_600 // 2,
        "mxfp4_scales": 19_110_297_600 // 32,
    }


WRITERS = {
    "awq": awq,
    "gptq": gptq,
    "nf4": nf4,
    "fp4_dq": nested_fp4,
    "bnb_int8": int8,
    "nvfp4": nvfp4,
    "w4a16": words,
    "mlx_4bit": mlx,
    "hqq": hqq,
    "mxfp4": short_floats,
    "fp8_block": fp8_blocks,
    "fp8_channel": fp8_rows,
}
EXACT = {"bnb_int8", "fp8_block", "fp8_channel"}
"""Formats with an element per weight."""


@pytest.mark.parametrize("stem", WRITERS)
def test_packed_matrices_hold_the_weights_of_the_class(stem: str) -> None:
    small = model(DENSE)
    file = listing(packed(small, WRITERS[stem]))
    found = reconcile_listing(small, file)
    assert logical_elements(file) == logical_elements(file, small) == found.parameters
    assert found.explained
    assert (f"{stem}_packing" in items(found)) is (stem not in EXACT)
    assert items(found)[f"{stem}_scales"] > 0
    assert {name.removesuffix("_packing").removesuffix("_scales") for name in items(found)} <= {
        stem,
        f"{stem}_constants",
    }


@pytest.mark.parametrize("write", [gptq_3_bit_without_order, nvfp4_of_compressed_tensors])
def test_other_layouts_of_the_same_formats(write: Writer) -> None:
    small = model(DENSE)
    assert (
        logical_elements(listing(packed(small, write)))
        == reconcile_listing(small, listing(packed(small, write))).parameters
    )


def test_settings_tell_the_width_of_words() -> None:
    def eight(module: str, rows: int, columns: int) -> Iterator[Tensor]:
        yield f"{module}.weight_packed", "I32", (rows, columns // 4)
        yield f"{module}.weight_scale", "BF16", (rows, 1)

    group = {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "int", "strategy": "channel"}}
    settings = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {"group_0": group},
        "ignore": ["lm_head"],
    }
    small = model(DENSE, quantization_config=settings)
    file = listing(packed(small, eight))
    assert logical_elements(file, small) == reconcile_listing(small, file).parameters
    assert reconcile_listing(small, file).explained


def test_guessed_widths_and_strange_tensors_are_said() -> None:
    tensors = [*words("a", 64, 64), ("b.packed", "I32", (4, 4)), ("position_ids", "I64", (1, 8))]
    notices = recognition_notices(logical_tensors(listing(tensors)))
    assert [notice.code for notice in notices] == ["assumed_width", "unknown_tensors"]


def test_words_that_fit_no_usual_group_are_not_guessed() -> None:
    tensors: list[Tensor] = [("a.weight_packed", "I32", (64, 8)), ("a.weight_scale", "BF16", (64, 1))]
    assert logical_elements(listing([*tensors, ("b", "F32", (2, 2))])) == 2 * 2 + 64 * 64
    tensors[1] = ("a.weight_scale", "BF16", (64, 3))
    assert logical_elements(listing([*tensors, ("b", "F32", (2, 2))])) == 2 * 2


def test_a_tied_head_that_is_stored_again() -> None:
    tied = model(DENSE, tie_word_embeddings=True)
    names = [(name, "BF16", weight.shape) for name, weight in tied.architecture.tensors()]
    again = listing([("lm_head.weight", "BF16", (1000, 256)), *names])
    assert items(reconcile_listing(tied, again)) == {"tied_lm_head_copy": 256_000}
    assert reconcile_listing(tied, again).explained
    assert items(reconcile(tied, again.elements)) == {"tied_lm_head_copy": 256_000}
    alone = [("lm_head.weight" if "embed_tokens" in name else name, *rest) for name, *rest in names]
    assert not items(reconcile_listing(tied, listing(alone)))
    assert logical_elements(again) == again.elements


def test_a_head_of_its_own_is_no_copy() -> None:
    untied = model(DENSE)
    names = [(name, "BF16", weight.shape) for name, weight in untied.architecture.tensors()]
    assert reconcile_listing(untied, listing(names)).items == ()


def test_masks_of_gpt2() -> None:
    gpt2 = load("gpt2")
    tensors: list[Tensor] = [
        (name.removeprefix("transformer."), "F32", weight.shape)
        for name, weight in gpt2.architecture.tensors()
    ]
    masks: list[Tensor] = [(f"h.{i}.attn.bias", "F32", (1, 1, 1024, 1024)) for i in range(12)]
    found = reconcile_listing(gpt2, listing([*masks, *tensors]))
    assert items(found) == {"causal_mask_buffers": 12_582_912}
    assert found.explained
    assert found.total == 137_022_720


def test_frequencies_of_older_llamas() -> None:
    small = model(DENSE)
    tensors: list[Tensor] = [(name, "F16", weight.shape) for name, weight in small.architecture.tensors()]
    name = "model.layers.{}.self_attn.rotary_emb.inv_freq"
    older = listing([*tensors, *((name.format(i), "F32", (32,)) for i in range(3))])
    assert items(reconcile_listing(small, older)) == {"rotary_inv_freq_buffers": 96}
    assert items(reconcile(small, older.elements)) == {"rotary_inv_freq_buffers": 96}


def deepseek_file(write: Writer) -> Iterator[Tensor]:
    """Yield a small DeepSeek-V3 with its further layer, whose projection is not packed."""
    longer = model(LATENT, num_hidden_layers=4)
    yield from packed(longer, write)
    for layer in range(1, 4):
        yield f"model.layers.{layer}.mlp.gate.e_score_correction_bias", "F32", (4,)
    yield "model.layers.3.embed_tokens.weight", "BF16", (1000, 256)
    yield "model.layers.3.shared_head.head.weight", "BF16", (1000, 256)
    yield "model.layers.3.eh_proj.weight", "BF16", (256, 512)
    for norm in ("enorm", "hnorm", "shared_head.norm"):
        yield f"model.layers.3.{norm}.weight", "BF16", (256,)


def test_a_deepseek_with_a_further_layer_both_ways() -> None:
    settings = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    small = model(LATENT, quantization_config=settings)
    file = listing(deepseek_file(fp8_blocks))
    read, found = reconcile_listing(small, file), reconcile(small, file.elements)
    assert read.explained
    assert found.explained
    of_file, of_config = items(read), items(found)
    further = sum(of_config.pop(name) for name in list(of_config) if name.startswith("mtp_"))
    assert of_file == {**of_config, "mtp_layers": further}
    assert logical_elements(file) == read.parameters


def test_layers_for_further_tokens_under_a_name_of_their_own() -> None:
    config = {
        "model_type": "qwen3_next",
        "hidden_size": 64,
        "num_hidden_layers": 4,
        "num_experts": 4,
        "vocab_size": 100,
        "tie_word_embeddings": False,
    }
    small = model(config)
    tensors: list[Tensor] = [(name, "BF16", weight.shape) for name, weight in small.architecture.tensors()]
    further: list[Tensor] = [("mtp.fc.weight", "BF16", (64, 128)), ("mtp.norm.weight", "BF16", (64,))]
    found = reconcile_listing(small, listing([*tensors, *further]))
    assert items(found) == {"mtp_layers": 64 * 128 + 64}
    assert found.explained


def test_missing_tensors_and_strangers_are_left_over() -> None:
    small = model(DENSE)
    tensors: list[Tensor] = [(name, "BF16", weight.shape) for name, weight in small.architecture.tensors()]
    stranger: Tensor = ("adapter.weight", "F32", (3, 5))
    assert reconcile_listing(small, listing([*tensors, stranger])).residual == 15
    assert reconcile_listing(small, listing(tensors[1:])).residual == -256_000
    line = reconcile_listing(small, listing(tensors[1:])).line
    assert line.part("residual").value == -256_000
    assert line.status == "assumed"


def test_nearest_prefers_most_items_and_stays_near() -> None:
    groups = tuple((Item(name=str(size), elements=size),) for size in (1, 2, 3, 10))
    assert nearest(groups, 6) == groups[:3]
    assert nearest(groups, 3) == groups[:2]
    assert nearest(groups, -5) == ()
    assert nearest(groups, 17) == groups
