"""Saved activations of language models inside wrappers, trained on tokens of text alone, byte for byte."""

from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
import transformers

from sizewise.activations.pieces import pieces
from sizewise.activations.saved import recorded_in, saved_bytes, style_of
from sizewise.sources.config_json import from_config
from sizewise.tape.tape import NotRecordable, Setting

from .saved_tensors import DTYPES
from .saved_tensors import saved_bytes as kept

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

Fields = dict[str, Any]

TEXT: Fields = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "num_hidden_layers": 3,
    "vocab_size": 97,
    "intermediate_size": 24,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "max_position_embeddings": 128,
    "tie_word_embeddings": False,
}
VISION: Fields = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
EXPERTS: Fields = {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
ROTARY: Fields = {
    "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
}
QWEN_VISION: Fields = {"depth": 1, "num_heads": 2, "intermediate_size": 16}
QWEN_TOKENS: Fields = {
    "image_token_id": 90,
    "video_token_id": 91,
    "vision_start_token_id": 92,
    "vision_end_token_id": 93,
}


def _wrapper(model_type: str, tower: str, text_type: str, **text: Any) -> Fields:
    return {
        "model_type": model_type,
        "text_config": {**TEXT, "model_type": text_type, **text},
        "vision_config": {**VISION, "model_type": tower},
        "image_token_index": 90,
        "tie_word_embeddings": False,
    }


def _qwen(model_type: str, *, grown: bool = True, **text: Any) -> Fields:
    widths = {"hidden_size": 16, "out_hidden_size": 32} if grown else {"hidden_size": 32, "embed_dim": 16}
    return {
        "model_type": model_type,
        "text_config": {**TEXT, **ROTARY, "model_type": f"{model_type}_text", **text},
        "vision_config": {**QWEN_VISION, **widths},
        "tie_word_embeddings": False,
        **QWEN_TOKENS,
    }


def _named(*wrappers: Fields) -> dict[str, Fields]:
    """Name each after its text model, numbered where several are alike."""
    names: Counter[str] = Counter()
    found = {}
    for wrapper in wrappers:
        name = f"{wrapper['model_type']}-{wrapper['text_config']['model_type']}"
        names[name] += 1
        found[f"{name}-{names[name]}"] = wrapper
    return found


WRAPPERS = _named(
    *(_wrapper("llava", "clip_vision_model", text) for text in ("llama", "mistral", "qwen2")),
    _wrapper("llava", "clip_vision_model", "mixtral", num_local_experts=4, output_router_logits=True),
    _wrapper("mistral3", "pixtral", "mistral"),
    _wrapper("aya_vision", "siglip_vision_model", "cohere2", sliding_window=12),
    _wrapper("gemma3", "siglip_vision_model", "gemma3_text", sliding_window=12, num_hidden_layers=7),
    _wrapper("gemma3", "siglip_vision_model", "gemma3_text", final_logit_softcapping=30.0),
    {
        **_wrapper("llama4", "llama4_vision_model", "llama4_text"),
        "text_config": {**TEXT, "model_type": "llama4_text", "num_local_experts": 4, "num_hidden_layers": 4},
    },
    _qwen("qwen2_vl", grown=False),
    _qwen("qwen2_5_vl", num_key_value_heads=1, attention_dropout=0.1),
    _qwen("qwen3_vl", attention_bias=True),
    _qwen("qwen3_vl_moe", **EXPERTS),
    _qwen("qwen3_vl_moe", **EXPERTS, output_router_logits=True),
)


def _built(fields: Fields, model_class: str, attention: str, width: int) -> Any:
    given = deepcopy(fields)
    settings = transformers.AutoConfig.for_model(given.pop("model_type"), **given)
    settings.use_cache = False
    made = getattr(transformers, model_class)
    return made._from_config(settings, attn_implementation=attention, dtype=DTYPES[width]).train()


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("name", WRAPPERS)
def test_saved_bytes_are_those_of_torch(name: str, attention: str) -> None:
    fields = WRAPPERS[name]
    ours = from_config(deepcopy(fields), name=name, origin="small")
    for width in DTYPES:
        model = _built(fields, ours.architecture.model_class, attention, width)
        for recompute in (False, True):
            for batch, sequence in ((2, 24), (1, 33)):
                setting = Setting(batch=batch, sequence=sequence, width=width, attention=attention)
                found = pieces(ours.architecture, setting, style_of(ours))
                true = kept(model, batch, sequence, recompute=recompute)
                assert saved_bytes(found, every=int(recompute)) == true, (setting, recompute)


@pytest.mark.parametrize(
    "fields",
    [
        _wrapper("paligemma", "siglip_vision_model", "gemma"),
        _wrapper("shieldgemma2", "siglip_vision_model", "gemma3_text"),
        _wrapper("llava", "clip_vision_model", "phi3"),
    ],
)
def test_wrappers_that_were_not_compared_are_estimated(fields: Fields) -> None:
    ours = from_config(deepcopy(fields), name="wrapper", origin="small")
    with pytest.raises(NotRecordable):
        pieces(ours.architecture, Setting(batch=1, sequence=8), style_of(ours))
    assert recorded_in(ours, Setting(batch=1, sequence=8)).assumed
