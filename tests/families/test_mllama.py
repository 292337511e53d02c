"""Llama 3.2 Vision: what its cross-attention keeps of pictures, against the class of transformers 5.23.

The bytes are those of the keys and values in the DynamicCache of a small random model after a prompt of
7 tokens for 2 sequences in fp32, with one and two pictures of four tiles, and without a picture.
"""

from typing import Any

import pytest

from sizewise.architecture import Model
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.flops import forward_flops
from sizewise.operations import TokenCache
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.runtimes import CacheRequest
from sizewise.runtimes.transformers import Transformers

TEXT = {
    "num_hidden_layers": 5,
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 50,
    "vocab_size": 100,
    "cross_attention_layers": [1, 3],
}
VISION = {
    "hidden_size": 32,
    "attention_heads": 2,
    "num_hidden_layers": 2,
    "num_global_layers": 1,
    "intermediate_size": 30,
    "image_size": 42,
    "patch_size": 14,
    "vision_output_dim": 64,
}
SMALL = {"text_config": TEXT, "vision_config": VISION}
PATCHES = 4 * (3 * 3 + 1)
"""Keys of a picture: nine patches and a class token in each of four tiles."""


def small_model(**changes: Any) -> Model:
    config = Config({**SMALL, **changes}, "mllama")
    return Model(name="small", model_type="mllama", architecture=describe(config), origin="test")


@pytest.mark.parametrize(("pictures", "held"), [(0, 10_752), (1, 51_712), (2, 92_672)])
def test_the_cache_holds_the_bytes_of_the_class(pictures: int, held: int) -> None:
    architecture = small_model().architecture
    assert architecture.crossed is not None
    request = CacheRequest(
        context=7,
        sequences=2,
        cache_bytes=4,
        state_bytes=4,
        encoder_tokens=pictures * architecture.crossed.tokens(1000, 700),
    )
    assert Transformers().cache(architecture.kept(), request).value == held


@pytest.mark.parametrize("pictures", [0, 1, 3])
def test_a_question_counts_the_keys_of_its_pictures(pictures: int) -> None:
    scenario, _ = scenario_for(small_model(), Asked(context=100, images=pictures))
    assert scenario.encoder_tokens == pictures * PATCHES
    assert scenario.context == 100 + pictures


def test_the_text_model_alone_sees_no_picture() -> None:
    text = small_model(architectures=["MllamaForCausalLM"])
    assert text.architecture.images is None
    scenario, _ = scenario_for(text, Asked(context=100))
    assert scenario.encoder_tokens == 0


def test_only_the_listed_layers_cross() -> None:
    kept = [(entry, layers) for entry, layers in small_model().architecture.kept()]
    crossing = sum(layers for entry, layers in kept if isinstance(entry, TokenCache) and entry.encoder)
    assert (crossing, sum(layers for _, layers in kept)) == (2, 5)


def test_text_alone_has_no_scores_with_pictures() -> None:
    attention = next(
        part for part in forward_flops(small_model(), tokens=1).parts if part.name == "attention"
    )
    projections, scores = 5 * (2 * 64 * 64 + 2 * 32 * 64), 3 * 2 * 64
    assert attention.value == 2 * (projections + scores)
