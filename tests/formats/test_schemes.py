"""Schemes: what is packed, what stays, and how exceptions of a source are honoured."""

from dataclasses import replace

import pytest

from sizewise.catalog.formats import find_format
from sizewise.errors import InputError
from sizewise.formats.modules import told_apart
from sizewise.formats.quantization import PackingRule, Quantization
from sizewise.formats.scheme import Scheme, chosen_scheme, declared_scheme
from sizewise.tensors import Role, Weight

STACK = Weight(
    name="gate_up_proj",
    role="expert",
    shape=(4, 512, 256),
    kind="matrix",
    experts=4,
    active_experts=2,
    pieces=2,
)
STACK_NAME = "model.layers.3.mlp.experts.gate_up_proj"


def matrix(role: Role, rows: int = 256, columns: int = 256) -> Weight:
    return Weight(name="weight", role=role, shape=(rows, columns), kind="matrix")


def formats_of(scheme: Scheme, weight: Weight, name: str = "model.layers.0.x.weight") -> dict[str, int]:
    """Return {format: copies}."""
    return {packing.format.name: packing.copies for packing in scheme.packings(weight, name)}


def declared(ignored: tuple[str, ...], format: str = "w4a16", **more: object) -> Scheme:
    rule = PackingRule(format=format, ignored=ignored, lists_all=True)
    return declared_scheme(Quantization(method="test", rules=(rule,), **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("format", "packed"),
    [
        (
            "nf4",
            {"attention", "feed_forward", "shared_expert", "state_space", "vision", "audio", "projector"},
        ),
        ("awq", {"attention", "feed_forward", "shared_expert", "state_space", "expert"}),
        ("fp8-block", {"attention", "feed_forward", "shared_expert", "state_space", "expert"}),
        ("mxfp4", {"expert"}),
        (
            "mlx-4bit",
            {"attention", "feed_forward", "shared_expert", "state_space", "expert", "head", "embedding"},
        ),
        ("exl2-4.0", {"attention", "feed_forward", "shared_expert", "state_space", "expert", "head"}),
    ],
)
def test_roles_that_are_packed(format: str, packed: set[str]) -> None:
    roles: tuple[Role, ...] = ("attention", "feed_forward", "shared_expert", "state_space", "expert", "head")
    more: tuple[Role, ...] = ("embedding", "router", "norm", "vision", "audio", "projector")
    scheme = chosen_scheme(find_format(format))
    assert {role for role in (*roles, *more) if format in formats_of(scheme, matrix(role))} == packed


@pytest.mark.parametrize("format", ["nf4", "awq", "mlx-4bit", "fp8-block", "exl2-4.0"])
@pytest.mark.parametrize("kind", ["vector", "kernel"])
def test_small_tensors_are_never_packed(format: str, kind: str) -> None:
    weight = Weight(name="conv1d", role="state_space", shape=(256, 128), kind=kind)  # type: ignore[arg-type]
    assert formats_of(chosen_scheme(find_format(format)), weight) == {"bf16": 1}


def test_the_base_format_follows_the_checkpoint() -> None:
    packing = next(iter(chosen_scheme(find_format("nf4"), "fp16").packings(matrix("norm"))))
    assert packing.format.name == "fp16"
    assert packing.tensors[0].dtype == "F16"


def test_plain_formats_hold_everything() -> None:
    scheme = chosen_scheme(find_format("int4"))
    for weight in (matrix("embedding"), STACK, Weight(name="b", role="norm", shape=(7,))):
        (packing,) = scheme.packings(weight, "x")
        assert packing.format.name == "int4"
        assert packing.bytes == -(-weight.elements // 2)


def test_a_matrix_that_the_layout_cannot_hold_stays() -> None:
    assert formats_of(chosen_scheme(find_format("awq")), matrix("attention", 60, 100)) == {"bf16": 1}


def test_stacked_experts_are_packed_one_by_one() -> None:
    scheme = chosen_scheme(find_format("fp8-block"))
    (packing,) = scheme.packings(STACK, STACK_NAME)
    assert packing.copies == 8
    assert packing.tensors[0].shape == (256, 256)
    assert packing.tensors[1].shape == (2, 2)


def test_pieces_have_scales_of_their_own() -> None:
    fused = Weight(name="w", role="feed_forward", shape=(2 * 192, 256), kind="matrix", pieces=2)
    scheme = chosen_scheme(find_format("fp8-block"))
    (packing,) = scheme.packings(fused, "mlp.gate_up_proj")
    assert packing.copies * packing.tensors[1].elements == 2 * (2 * 2)
    (whole,) = scheme.packings(replace(fused, pieces=1), "mlp.gate_up_proj")
    assert whole.tensors[1].elements == 3 * 2


def test_transposed_weights_have_the_features_the_right_way() -> None:
    weight = Weight(name="c", role="attention", shape=(128, 384), kind="matrix", transposed=True)
    (packing,) = chosen_scheme(find_format("awq")).packings(weight)
    assert packing.tensors[0].shape == (128, 384 // 8)


def test_unknown_classes_of_linear_layers_are_not_packed() -> None:
    scheme = chosen_scheme(find_format("nf4"), "bf16", "FalconForCausalLM")
    assert formats_of(scheme, matrix("attention")) == {"bf16": 1}


def test_modules_left_alone_by_the_format() -> None:
    scheme = chosen_scheme(find_format("fp8-block"))
    name = "model.layers.0.self_attn.indexer.weights_proj.weight"
    assert formats_of(scheme, matrix("attention"), name) == {"bf16": 1}


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ("model.layers.3.mlp.experts", 8),
        ("model.layers.3.mlp.experts.gate_up_proj", 8),
        ("model.layers.3.mlp.experts.2", 2),
        ("model.layers.3.mlp.experts.2.up_proj", 1),
        (r"re:.*experts\.(0|1)\.gate_proj", 2),
        ("gate_proj", 4),
        ("model.layers.3.block_sparse_moe.experts.0.w1", 1),
        ("layers.3.ffn.experts*", 8),
        (r"re:.*experts\.[0-2]\.", 6),
        (r"re:.*experts\.\d\.up", 4),
        ("*experts.?.down_proj", 0),
        ("*.1.up_proj", 1),
        ("model.layers.30", 0),
        (r"re:.*mlp\.(gate|up|gate_up|down)_proj.*", 0),
        ("*.mlp.shared_experts.*", 0),
    ],
)
def test_exceptions_reach_split_experts(entry: str, left: int) -> None:
    found = formats_of(declared((entry,)), STACK, STACK_NAME)
    assert found.get("w4a16", 0) == 8 - left
    assert (found.get("bf16", 0) > 0) == (left > 0)


def test_experts_left_and_packed_add_up() -> None:
    packings = list(declared(("experts.2",)).packings(STACK, STACK_NAME))
    left = next(packing for packing in packings if packing.format.name == "bf16")
    assert left.elements == 2 * 256 * 256


def test_a_complete_list_packs_an_unlisted_head() -> None:
    head = matrix("head")
    assert formats_of(declared(()), head, "lm_head.weight") == {"w4a16": 1}
    assert formats_of(declared(("lm_head",)), head, "lm_head.weight") == {"bf16": 1}


def test_settings_of_the_language_model_leave_the_rest() -> None:
    vision = matrix("vision")
    assert formats_of(declared((), text_only=True), vision, "model.visual.qkv.weight") == {"bf16": 1}
    assert formats_of(declared(()), vision, "model.visual.qkv.weight") == {"w4a16": 1}


def test_the_first_rule_that_covers_decides() -> None:
    rules = (
        PackingRule(format="nvfp4", targets=("model.layers.0.mlp",)),
        PackingRule(format="fp8", ignored=("model.layers.1",)),
    )
    scheme = declared_scheme(Quantization(method="mixed", rules=rules))
    weight = matrix("feed_forward")
    assert formats_of(scheme, weight, "model.layers.0.mlp.up_proj.weight") == {"nvfp4": 1}
    assert formats_of(scheme, weight, "model.layers.1.mlp.up_proj.weight") == {"bf16": 1}
    assert formats_of(scheme, weight, "model.layers.2.mlp.up_proj.weight") == {"fp8": 1}


def test_settings_override_the_format() -> None:
    rule = PackingRule(format="gptq", bits=8, group=0)
    (packing,) = declared_scheme(Quantization(method="gptq", rules=(rule,))).packings(
        matrix("attention"), "x"
    )
    assert packing.tensors[0].shape == (64, 256)
    assert packing.tensors[2].shape == (1, 256)


def test_a_method_that_is_not_known_has_no_format() -> None:
    with pytest.raises(InputError) as caught:
        _ = Quantization(method="warp").format
    assert caught.value.code == "unsupported_format"


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        (r"re:model\.layers\.[0-3]\.", 4),
        (r"re:.*layers\.\d\.mlp", 10),
        (r"re:.*layers\.\d+\.mlp", 12),
        ("model.layers.?.mlp*", 10),
        ("model.layers.1*", 3),
        ("model.layers.1", 1),
        (r"re:.*layers\.(0|11)\..*", 2),
        ("model.layers.*.mlp*", 12),
        ("model.layers.12", 0),
    ],
)
def test_layers_that_entries_tell_apart(entry: str, left: int) -> None:
    scheme, weight = declared((entry,)), matrix("feed_forward")
    found = 0
    for layer, alike in told_apart(range(12), scheme.layer_numbers()):
        found += alike * formats_of(scheme, weight, f"model.layers.{layer}.mlp.up_proj.weight").get("bf16", 0)
    assert found == left


def test_too_many_modules_to_tell_apart() -> None:
    with pytest.raises(InputError) as caught:
        list(told_apart(range(100_000), {"7"}))
    assert caught.value.code == "too_many_entries"
    assert list(told_apart(range(2**31), set())) == [(0, 2**31)]


def test_a_rule_whose_targets_are_not_understood_packs_nothing() -> None:
    rules = (PackingRule(format="nvfp4", targets=("re:(?!x).*",)),)
    scheme = declared_scheme(Quantization(method="mixed", rules=rules))
    assert formats_of(scheme, matrix("attention")) == {"bf16": 1}
