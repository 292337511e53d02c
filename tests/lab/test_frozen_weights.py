"""What a class never trains, and how many experts it takes, are what transformers builds and runs."""

from copy import deepcopy

import pytest
import torch
import transformers
from transformers.models.phimoe.modeling_phimoe import sparsemixer

from sizewise.components.experts import Experts
from sizewise.configuration import Config
from sizewise.families import describe

from ..oracle.classes import configuration, resolved
from ..oracle.generators import configurations

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

FROZEN = (
    "audioflamingo3",
    "marian",
    "musicflamingo",
    "pegasus",
    "qwen2_audio",
    "roformer",
    "voxtral",
    "whisper",
    "afmoe",
    "laguna",
)
LEARNED = ("bart", "mbart", "blenderbot", "bert", "gpt2", "opt", "t5")


@pytest.mark.parametrize("model_type", FROZEN + LEARNED)
def test_frozen_weights_are_those_without_a_gradient(model_type: str) -> None:
    seen = set()
    for fields in configurations(model_type, "frozen 5.23", 3):
        settings = configuration(model_type, deepcopy(fields))
        ours = describe(Config(resolved(settings), model_type))
        with torch.device("meta"):
            model = getattr(transformers, ours.model_class)(settings)
        true = {name for name, entry in model.named_parameters() if not entry.requires_grad}
        assert {name for name, weight in ours.tensors() if weight.frozen} == true, fields
        seen |= true
    assert bool(seen) is (model_type in FROZEN)


def test_phimoe_takes_two_experts_whatever_it_is_told() -> None:
    weights, chosen = sparsemixer(torch.randn(6, 8), jitter_eps=0.01, training=True, top_k=4)
    assert weights.shape == chosen.shape == (6, 2)
    config = Config({"num_experts_per_tok": 4, "num_local_experts": 8}, "phimoe")
    parts = (place.component for place in describe(config).placed())
    active = {component.active for component in parts if isinstance(component, Experts)}
    assert active == {2}
    assert any("num_experts_per_tok is 4" in notice.message for notice in config.notices)
