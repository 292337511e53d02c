"""Live modules of transformers that are not what their configuration describes, and what they read."""

from typing import Any

import pytest
import torch
import transformers

from sizewise.lab import profile

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

SIZES: dict[str, Any] = {
    "vocab_size": 500,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
LLAMA = transformers.LlamaConfig(**SIZES, num_key_value_heads=2)
TIED = transformers.LlamaConfig(**SIZES, num_key_value_heads=2, tie_word_embeddings=True)
HEAD = 2 * 2 * 32 * 500 * 64
"""FLOPs of a head over the vocabulary, 2 sequences of 32 tokens."""


def both(module: Any) -> tuple[Any, float, float]:
    found = profile(module.eval(), batch=2, sequence=32, timed=False)
    compute = found.figures("compute")["forward_flops"]
    assert compute.predicted is not None
    assert compute.measured is not None
    return found, compute.predicted, compute.measured


@pytest.mark.parametrize("config", [LLAMA, TIED], ids=["untied", "tied"])
def test_a_body_without_its_head(config: Any) -> None:
    _, with_head, _ = both(transformers.LlamaForCausalLM(config))
    found, predicted, measured = both(transformers.LlamaModel(config))
    assert predicted == measured == with_head - HEAD
    assert found.figures("parameters")["total"].ratio == 1
    assert found.predicted.source == "tensors without data"
    assert [notice.code for notice in found.notices] == ["other_class"]


def test_a_classifier_is_trained_on_what_it_answers() -> None:
    config = transformers.LlamaConfig(**SIZES, num_key_value_heads=2, pad_token_id=0)
    found, predicted, measured = both(transformers.LlamaForSequenceClassification(config))
    assert predicted == measured
    assert found.figures("compute")["training_flops"].ratio == 1


def test_a_layer_that_was_taken_out() -> None:
    module = transformers.LlamaForCausalLM(LLAMA)
    module.model.layers = module.model.layers[:1]
    _, predicted, measured = both(module)
    assert predicted == measured


def test_a_module_around_a_model() -> None:
    class Around(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.config = transformers.LlamaForCausalLM(LLAMA), LLAMA
            self.further = torch.nn.Linear(500, 500, bias=False)

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return self.further(self.inner(input_ids).logits)

    found, predicted, measured = both(Around())
    assert predicted == measured
    assert found.figures("parameters")["total"].ratio == 1


def test_an_encoder_keeps_no_cache() -> None:
    config = transformers.T5Config(vocab_size=500, d_model=64, d_ff=128, num_layers=2, num_heads=4, d_kv=16)
    found, predicted, measured = both(transformers.T5EncoderModel(config))
    assert predicted == measured
    assert "cache" not in found.measured.memory


def test_pictures_have_the_size_of_the_configuration() -> None:
    sizes = {name: size for name, size in SIZES.items() if name != "vocab_size"}
    config = transformers.ViTConfig(**sizes, image_size=32, patch_size=8)
    _, predicted, measured = both(transformers.ViTForImageClassification(config))
    tokens, patch = 16 + 1, 3 * 8 * 8
    layer = tokens * (4 * 64 * 64 + 2 * 64 * 128) + 2 * tokens * tokens * 64
    assert predicted == measured == 2 * 2 * (16 * patch * 64 + 2 * layer + 64 * 2)


def test_the_class_that_the_configuration_describes_is_made() -> None:
    """T5 is no causal language model of transformers."""
    raw = {"model_type": "t5", "vocab_size": 500, "d_model": 64, "d_ff": 128, "num_layers": 2, "num_heads": 4}
    found = profile({**raw, "d_kv": 16, "dtype": "float32"}, batch=2, sequence=32, timed=False)
    assert found.predicted.source == "architecture"
    assert found.figures("compute")["forward_flops"].ratio == 1
    assert found.figures("parameters")["total"].ratio == 1
