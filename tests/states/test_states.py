"""Which tensors are trained and what is kept for them: published counts and errors that teach."""

from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.catalog.optimizers import find_optimizer, optimizers
from sizewise.catalog.rows import normalised, tables
from sizewise.configuration import Config
from sizewise.errors import UsageError
from sizewise.families import describe
from sizewise.ledger import leaf
from sizewise.recipe import PRECISIONS, Adapter, Method, Recipe
from sizewise.states.adapters import left_out
from sizewise.states.optimizer import optimizer_state, pageable_bytes
from sizewise.states.step import step_temporaries
from sizewise.states.trained import trainable
from sizewise.states.weights import ema, gradients, master_weights, weights

LLAMA_2_7B = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
}
LLAMA_3_8B = {**LLAMA_2_7B, "vocab_size": 128256, "intermediate_size": 14336, "num_key_value_heads": 8}
TINY = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 12, "num_attention_heads": 4}
SEVEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def model(model_type: str = "llama", **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def adapted(rank: int, *targets: str, method: Method = "lora", **changes: Any) -> Recipe:
    return Recipe(sequence=128, method=method, adapter=Adapter(rank=rank, targets=targets), **changes)


PUBLISHED = [
    ("llama", LLAMA_2_7B, adapted(8, "q_proj", "v_proj"), 4_194_304),
    ("llama", LLAMA_2_7B, adapted(16, *SEVEN), 39_976_960),
    ("llama", LLAMA_3_8B, adapted(16, *SEVEN), 41_943_040),
    ("llama", LLAMA_3_8B, adapted(8, "q_proj", "v_proj"), 3_407_872),
    ("gpt2", {}, adapted(8, "c_attn"), 294_912),
]
"""What peft prints as "trainable params" of these models, in its documentation and in logs of training."""


@pytest.mark.parametrize(("model_type", "fields", "recipe", "expected"), PUBLISHED)
def test_published_counts_of_trained_parameters(
    model_type: str, fields: dict[str, Any], recipe: Recipe, expected: int
) -> None:
    assert trainable(model(model_type, **fields), recipe).parameters == expected


def test_without_targets_every_linear_layer_but_the_head_is_adapted() -> None:
    llama = model(**LLAMA_2_7B)
    assert trainable(llama, adapted(16)).parameters == trainable(llama, adapted(16, *SEVEN)).parameters
    names = {tensor.name for tensor in trainable(model("gpt2"), adapted(4))}
    assert "transformer.h.{}.attn.c_attn.lora_A.weight" in names
    assert not any(name.startswith("lm_head") for name in names)


def test_dora_adds_a_number_per_output() -> None:
    plain, dora = (trainable(model(**LLAMA_2_7B), adapted(8, "k_proj", method=m)) for m in ("lora", "dora"))
    assert dora.parameters - plain.parameters == 32 * 4096


def test_stacked_experts_are_adapted_where_they_are_named() -> None:
    mixtral = model("mixtral", **TINY, num_local_experts=4, num_key_value_heads=4)
    attention = trainable(mixtral, adapted(4)).parameters
    assert attention == 12 * 4 * 4 * (64 + 64)
    named = trainable(mixtral, adapted(4, "experts.down_proj")).parameters
    assert named == trainable(mixtral, adapted(4, "w2")).parameters == 12 * 4 * 4 * (64 + 96)
    assert trainable(mixtral, adapted(4, "w1", "w3")).parameters == 12 * 4 * 8 * (64 + 2 * 96)
    notice = left_out(mixtral, Adapter(rank=4))
    assert notice is not None
    assert notice.message.startswith(
        "no adapters beside experts.down_proj, experts.gate_up_proj, gate.weight;"
    )
    assert left_out(mixtral, Adapter(rank=4, targets=("q_proj",))) is None
    assert left_out(model(), Adapter(rank=4)) is None


def test_adapters_have_their_own_width() -> None:
    llama = model(**LLAMA_2_7B)
    recipe = adapted(8, "q_proj", "v_proj", precision=PRECISIONS["bf16"])
    assert weights(llama, recipe).value == 2 * 6_738_415_616 + 4 * 4_194_304
    assert gradients(llama, recipe).value == 4 * 4_194_304
    assert optimizer_state(llama, recipe).value == 8 * 4_194_304 + 4 * 128
    narrow = Recipe(
        sequence=1,
        method="lora",
        adapter=Adapter(rank=8, targets=("q_proj", "v_proj"), width=2),
        precision=PRECISIONS["bf16-master"],
    )
    assert (gradients(llama, narrow).value, master_weights(llama, narrow).value) == (8_388_608, 16_777_216)


def test_packed_weights_come_from_the_caller() -> None:
    packed = leaf("packed", 123, "bytes")
    recipe = adapted(8, "q_proj", method="qlora")
    assert weights(model(**LLAMA_2_7B), recipe, packed).part("packed").value == 123


def test_classic_bytes_per_parameter() -> None:
    llama = model(**LLAMA_2_7B)
    for name, expected in (("bf16-mixed", 16), ("bf16-master", 16), ("megatron", 18), ("bf16", 8)):
        recipe = Recipe(sequence=1, precision=PRECISIONS[name])
        lines = [make(llama, recipe) for make in (weights, master_weights, gradients, optimizer_state)]
        assert sum(line.value for line in lines) == expected * 6_738_415_616 + 4 * 291


def test_frozen_parts_end_at_a_dot() -> None:
    llama = model(**TINY)
    whole = trainable(llama, Recipe(sequence=1))
    one = trainable(llama, Recipe(sequence=1, frozen=("model.layers.1",)))
    layer = sum(tensor.elements for tensor in whole if tensor.copies == 12)
    assert whole.parameters - one.parameters == one.frozen == layer
    both = trainable(llama, Recipe(sequence=1, frozen=("model.layers", "model.embed_tokens", "lm_head")))
    assert both.parameters == 64
    only = trainable(llama, adapted(4, "q_proj", frozen=("model.layers.1",)))
    assert only.parameters == 11 * 4 * 128


@pytest.mark.parametrize(
    ("model_type", "never"), [("ernie4_5_moe", 1728), ("laguna", 9984), ("hrm_text", 1536), ("afmoe", 1984)]
)
def test_what_the_class_never_trains_is_frozen(model_type: str, never: int) -> None:
    """Counted in transformers 5.23: parameters that need no gradient."""
    assert trainable(model(model_type), Recipe(sequence=1)).frozen == never


def test_a_moving_average_is_a_copy_of_the_trained_weights() -> None:
    llama = model(**TINY)
    assert ema(llama, Recipe(sequence=1)).value == 0
    kept = ema(llama, Recipe(sequence=1, ema=True))
    assert kept.value == weights(llama, Recipe(sequence=1)).value
    assert kept.status == "derived"
    assert ema(llama, Recipe(sequence=1, ema=True, frozen=("lm_head",))).status == "assumed"


def test_small_tensors_of_8_bit_optimizers_stay_in_32_bit() -> None:
    gpt2 = model("gpt2")
    state = optimizer_state(gpt2, Recipe(sequence=1, optimizer="adamw-8bit"))
    small = sum(
        tensor.elements * tensor.copies
        for tensor in trainable(gpt2, Recipe(sequence=1))
        if tensor.elements < 4096
    )
    assert state.part("tables").value == 2048
    assert {part.value for part in state.part("state1").parts} == {4 * small, 124_439_808 - small}
    assert pageable_bytes(gpt2, Recipe(sequence=1, optimizer="adamw-8bit")) == 0
    paged = pageable_bytes(gpt2, Recipe(sequence=1, optimizer="paged_adamw_8bit"))
    assert 0.99 * 2 * 124_439_808 < paged < 2 * 124_439_808


def test_a_step_by_the_loop_holds_the_largest_tensor_and_the_one_before() -> None:
    recipe = Recipe(sequence=1)
    llama, gpt2 = model(**LLAMA_2_7B), model("gpt2")
    assert step_temporaries(gpt2, recipe, "loop") == 4 * 2 * 50257 * 768
    assert step_temporaries(llama, recipe, "loop") == 4 * (2 * 32000 * 4096 + 4096)
    assert step_temporaries(llama, recipe, "foreach") == 4 * 6_738_415_616
    assert step_temporaries(llama, Recipe(sequence=1, optimizer="sgd"), "foreach") == 0


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(sequence=1, method="lora"), "lora needs the rank"),
        (adapted(4, "q_porj"), "no module to adapt is called 'q_porj'; did you mean q_proj"),
        (
            Recipe(sequence=1, frozen=("model.layer",)),
            "no weight's name begins with 'model.layer'; did you mean",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(recipe: Recipe, said: str) -> None:
    with pytest.raises(UsageError, match="bad_option") as caught:
        trainable(model(**TINY), recipe)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("model_type", "recipe", "said"),
    [
        ("mixtral", adapted(4, "w1"), "w1 and w3 are one stack here"),
        ("mixtral", adapted(4, "down_proj"), "for the experts: experts.down_proj"),
        ("mixtral", adapted(4, "w2", method="dora"), "which DoRA does not adapt"),
        ("mamba", adapted(4, "conv1d"), "convolves each channel alone"),
    ],
)
def test_what_is_not_adapted_is_refused(model_type: str, recipe: Recipe, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        trainable(model(model_type), recipe)
    assert said in caught.value.message


def test_unknown_optimizers_and_implementations_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        optimizer_state(model(**TINY), Recipe(sequence=1, optimizer="adamv"))
    assert "no optimizer is called 'adamv'; did you mean adam" in caught.value.message
    with pytest.raises(UsageError) as caught:
        step_temporaries(model(**TINY), Recipe(sequence=1, optimizer="nadam"), "fused")
    assert caught.value.message == "nadam has no fused implementation; known: loop, foreach"


def test_rows_of_optimizers_are_complete() -> None:
    rows = optimizers()
    written = [row["name"] for document in tables("optimizers").values() for row in document["optimizer"]]
    assert len(written) == len(rows) == 41
    spellings = [normalised(word) for row in rows.values() for word in (row.name, *row.aliases)]
    assert len(spellings) == len(set(spellings))
    for row in rows.values():
        assert "loop" in row.steps
        assert row.checked >= "2026-11"
        assert row.source.split()[1][0].isdigit()
        assert not row.rest or find_optimizer(row.rest).name == row.rest


def test_the_trainer_keeps_embeddings_of_8_bit_optimizers_in_32_bit() -> None:
    """transformers registers every embedding with bitsandbytes so: 8 bytes per number in place of 2."""
    llama = model("llama")
    tables = sum(tensor.elements for tensor in trainable(llama, Recipe(sequence=1)) if tensor.kind == "table")
    alone = optimizer_state(llama, Recipe(sequence=1, optimizer="adamw-8bit"))
    trainer = optimizer_state(llama, Recipe(sequence=1, optimizer="adamw_bnb_8bit"))
    scales = 2 * 4 * -(-tables // 256)
    assert trainer.value - alone.value == 6 * tables - scales
