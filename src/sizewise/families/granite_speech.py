"""Granite Speech: a conformer, learned queries that gather its features, and a Granite language model.

The adapter that published files hold beside the model (``has_lora_adapter``) is no parameter of the
class. Source: Saon et al. 2025, arXiv:2505.08699; Li et al. 2023, arXiv:2301.12597 (the Q-Former); the
modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, Tower, stack
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.audio_rules import granite_tokens
from sizewise.plans.conformers import granite_conformer
from sizewise.plans.fields import equal_heads
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import Body
from sizewise.plans.wrappers import Heard, Inner, SoundPlan, WrapperPlan, inner_section, wrapper

PROJECTOR = "model.projector"
PLUS_ENCODER = "granite_speech_plus_encoder"
QFORMER = Inner(field="projector_config", model_type="blip_2_qformer", only=True)


def query_former(config: Config, name: str) -> Body:
    """Return the Q-Former's layers, some of which look at the tower's features, and its norm."""
    hidden, layers = config.size("hidden_size"), config.layers()
    every = config.size("cross_attention_frequency")
    crossing = [index % every == 0 for index in range(layers)]

    def layer(index: int) -> tuple[Part, ...]:
        return _layer(config, crossing=crossing[index])

    return (norm(f"{name}.layernorm", hidden), stack(f"{name}.encoder.layer", crossing, layer))


def _layer(config: Config, *, crossing: bool) -> tuple[Part, ...]:
    hidden = config.size("hidden_size")
    ends = ("_query", "") if config.flag("use_qformer_text_input") else ("_query",)
    equal_heads(config)
    return (
        *_attention("attention", hidden, hidden),
        *(_attention("crossattention", hidden, config.size("encoder_hidden_size")) if crossing else ()),
        *(part for end in ends for part in _feed_forward(config, hidden, end)),
    )


def _attention(name: str, hidden: int, inputs: int) -> tuple[Part, ...]:
    """Return attention and its norm; keys and values come from ``inputs`` features."""
    return (
        dense(f"{name}.attention.query", hidden, hidden),
        dense(f"{name}.attention.key", inputs, hidden),
        dense(f"{name}.attention.value", inputs, hidden),
        dense(f"{name}.output.dense", hidden, hidden),
        norm(f"{name}.output.LayerNorm", hidden),
    )


def _feed_forward(config: Config, hidden: int, end: str) -> tuple[Part, ...]:
    """Return the feed-forward layer of the queries (``_query``) or of a text beside them."""
    width = config.size("intermediate_size")
    return (
        dense(f"intermediate{end}.dense", hidden, width),
        dense(f"output{end}.dense", width, hidden),
        norm(f"output{end}.LayerNorm", hidden),
    )


def towers(heard: Heard) -> tuple[Tower, ...]:
    """Return the conformer, the queries of a window, the Q-Former and the matrix to the text model."""
    config = heard.config
    former = inner_section(config, QFORMER)
    width, queries = former.size("hidden_size"), config.size("window_size") // config.size("downsample_rate")
    if queries == 0:
        raise config.bad("window_size", "is smaller than downsample_rate")
    _check_joined(heard.sound, former)
    projector = (
        learned(f"{PROJECTOR}.query", 1, queries, width, role="projector"),
        *query_former(former, f"{PROJECTOR}.qformer"),
        dense(f"{PROJECTOR}.linear", width, heard.text.hidden),
    )
    return (
        Tower(role="audio", body=granite_conformer(heard.sound, "model.encoder")),
        Tower(role="projector", body=projector),
    )


def _check_joined(sound: Config, former: Config) -> None:
    """Raise InputError (inconsistent) where the Q-Former does not take the layers that are joined for it."""
    joined = sound.entries("cat_hidden_layers") if sound.model_type == PLUS_ENCODER else None
    features = sound.size("hidden_dim") * (len(joined or ()) + 1)
    if joined is not None and former.size("encoder_hidden_size") != features:
        raise InputError(
            "inconsistent",
            f"{sound.model_type} config: cat_hidden_layers joins {features} features, "
            f"encoder_hidden_size is {former.size('encoder_hidden_size')}",
        )


def plan(name: str, prefix: str) -> WrapperPlan:
    """Return the plan of a type whose tower is always of its own type."""
    return WrapperPlan(
        model_class=f"{prefix}ForConditionalGeneration",
        text=Inner(field="text_config", model_type="granite"),
        sound=SoundPlan(
            inner=Inner(field="encoder_config", model_type=f"{name}_encoder", fixed=True),
            towers=towers,
            tokens=granite_tokens,
        ),
    )


MODEL_TYPES: dict[str, WrapperPlan] = {
    "granite_speech": plan("granite_speech", "GraniteSpeech"),
    "granite_speech_plus": plan("granite_speech_plus", "GraniteSpeechPlus"),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
