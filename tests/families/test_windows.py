"""Sliding windows of the dense families: which layers slide, and what they keep.

Expected patterns are those of the configuration classes and the dynamic cache of transformers 5.23.
"""

from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.operations import TokenCache


def build(model_type: str, **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def caches(architecture: Architecture) -> dict[int, TokenCache]:
    """The self-attention cache of each layer."""
    return {
        layer: kept
        for place in architecture.placed()
        for kept in place.component.kept()
        for layer in place.layers
        if isinstance(kept, TokenCache) and not kept.encoder
    }


def windows(architecture: Architecture) -> list[int | None]:
    return [kept.window for _, kept in sorted(caches(architecture).items())]


def code(model_type: str, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        build(model_type, **fields)
    return raised.value.code, raised.value.message


LLAMA = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "vocab_size": 100,
}


SLIDES, FULL = "sliding_attention", "full_attention"


W = 7


@pytest.mark.parametrize(
    ("model_type", "fields", "expected"),
    [
        ("llama", {"sliding_window": W, "layer_types": [SLIDES]}, [None] * 4),
        ("mistral", {}, [W] * 4),
        ("mistral", {"sliding_window": None}, [None] * 4),
        ("mistral", {"sliding_window": 0}, [None] * 4),
        ("mistral", {"layer_types": [FULL, SLIDES, FULL, SLIDES]}, [None, W, None, W]),
        ("ministral3", {"sliding_window": None}, [None] * 4),
        ("ministral", {"head_dim": 16}, [W] * 4),
        ("phi3", {}, [W] * 4),
        ("phi3", {"sliding_window": None}, [None] * 4),
        ("starcoder2", {}, [W] * 4),
        ("cwm", {}, [None, W, W, W]),
        ("gemma", {}, [None] * 4),
        ("gemma2", {}, [W, None, W, None]),
        ("gemma2", {"layer_types": None}, [W, None, W, None]),
        ("vaultgemma", {}, [W, None, W, None]),
        ("gemma3_text", {}, [W, W, W, W]),
        ("gemma3_text", {"sliding_window_pattern": 3}, [W, W, None, W]),
        ("gemma3_text", {"layer_types": [FULL, SLIDES, SLIDES, FULL]}, [None, W, W, None]),
        ("gemma3_text", {"use_bidirectional_attention": True}, [W // 2 + 1] * 4),
        ("cohere2", {}, [W, W, W, None]),
        ("cohere2", {"sliding_window_pattern": 2}, [W, None, W, None]),
        ("olmo3", {}, [W, W, W, None]),
        ("exaone4", {}, [W, W, W, None]),
        ("exaone4", {"sliding_window_pattern": "LG"}, [W, None, W, None]),
        ("exaone4", {"sliding_window": None}, [None] * 4),
        ("exaone4", {"sliding_window_pattern": None}, [None] * 4),
        ("qwen2", {}, [None] * 4),
        ("qwen2", {"use_sliding_window": True}, [None] * 4),
        ("qwen2", {"use_sliding_window": True, "max_window_layers": 3}, [None, None, None, W]),
        ("qwen3", {"use_sliding_window": True, "max_window_layers": 0}, [W] * 4),
        ("qwen3", {"use_sliding_window": False, "layer_types": [SLIDES] * 4}, [None] * 4),
        ("smollm3", {}, [None] * 4),
        ("smollm3", {"use_sliding_window": True}, [None, None, None, W]),
        ("smollm3", {"use_sliding_window": True, "no_rope_layer_interval": 2}, [None, W, None, W]),
        ("smollm3", {"use_sliding_window": True, "no_rope_layers": [0, 1, 1, 1]}, [W, None, None, None]),
    ],
)
def test_the_layers_that_slide(model_type: str, fields: dict[str, Any], expected: list[int | None]) -> None:
    given = {**LLAMA, "num_hidden_layers": 4, "sliding_window": W, **fields}
    assert windows(build(model_type, **given)) == expected


def test_local_layers_of_gpt_neo_look_back_but_keep_everything() -> None:
    fields = {"hidden_size": 64, "num_heads": 4, "num_layers": 3, "window_size": W}
    architecture = build("gpt_neo", **fields, attention_types=[[["global", "local"], 1]])
    reaches = [
        (place.layers, operation.reach)
        for place in architecture.placed()
        for operation in place.component.operations()
        if operation.kind == "scores"
    ]
    assert windows(architecture) == [None] * 3
    assert reaches == [((0, 2), None), ((1,), W)]


def test_a_count_in_attention_types_is_never_expanded_beyond_the_layers() -> None:
    build("gpt_neo", attention_types=[[["local"], 10**15]], num_layers=2)
    assert code("gpt_neo", attention_types=[[["local"], 0]])[0] == "bad_config"
    assert code("gpt_neo", attention_types=[[[], 2]])[0] == "bad_config"
    assert code("gpt_neo", attention_types=["local"])[0] == "bad_config"
    assert code("gpt_neo", attention_types=[[["narrow"], 2]])[0] == "bad_config"


def test_sliding_layers_without_a_window_are_noted() -> None:
    config = Config({**LLAMA, "layer_types": [SLIDES, FULL], "sliding_window": None}, "gemma2")
    assert windows(describe(config)) == [None, None]
    assert [notice.code for notice in config.notices] == ["inconsistent"]
