"""Saved activations of earlier decoders and of encoders are those of torch, byte for byte."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
import transformers
from torch.autograd.graph import saved_tensors_hooks

from sizewise.activations.pieces import pieces
from sizewise.activations.saved import saved_bytes, style_of
from sizewise.activations.wiring import NotRecordable
from sizewise.architecture import Model
from sizewise.sources.config_json import from_config
from sizewise.tape.tape import Setting

from ..oracle.choices import ABSENT, FLAG, Fields, Table, between, maybe, of
from ..oracle.classes import configuration, resolved
from ..oracle.generators import configurations
from ..oracle.runnable import changes

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

SEED = "saved 5.23"
CONFIGURATIONS = 2
DTYPES = {4: torch.float32, 2: torch.bfloat16}
SHAPES = ((2, 24), (1, 33))

DROPS = maybe(of(0.0, 0.1, 0.3), 0.75)
ACTIVATIONS = maybe(of("gelu", "relu", "gelu_new", "silu", "gelu_pytorch_tanh"))
LONG: Table = {"max_position_embeddings": between(40, 90)}
SHORT_NAMES: Table = {
    ("n_positions", "max_position_embeddings"): between(40, 90),
    "attn_pdrop": DROPS,
    "resid_pdrop": DROPS,
    "embd_pdrop": DROPS,
    "activation_function": ACTIVATIONS,
}
ENCODER: Table = {
    **LONG,
    "attention_probs_dropout_prob": DROPS,
    "hidden_dropout_prob": DROPS,
    "hidden_act": ACTIVATIONS,
    "architectures": ABSENT,
    "add_cross_attention": ABSENT,
}
SCALED: Table = {
    **LONG,
    "activation_dropout": DROPS,
    "scale_embedding": maybe(FLAG),
}
ENCODERS = (
    "albert",
    "bert",
    "bert-generation",
    "camembert",
    "data2vec-text",
    "electra",
    "megatron-bert",
    "rembert",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
)
TABLES: dict[str, Table] = {
    "gpt2": {**SHORT_NAMES, "reorder_and_upcast_attn": maybe(FLAG), "scale_attn_weights": maybe(FLAG)},
    "gpt_bigcode": SHORT_NAMES,
    "gptj": SHORT_NAMES,
    "codegen": SHORT_NAMES,
    "gpt_neox": {**LONG, "attention_dropout": DROPS, "hidden_dropout": DROPS, "hidden_act": ACTIVATIONS},
    "gpt_neo": {**LONG, "attention_dropout": DROPS, "resid_dropout": DROPS, "embed_dropout": DROPS},
    "opt": {**LONG, "attention_dropout": DROPS, "dropout": DROPS, "activation_function": ACTIVATIONS},
    "biogpt": {**SCALED, "attention_probs_dropout_prob": DROPS, "hidden_dropout_prob": DROPS},
    "xglm": {**SCALED, "attention_dropout": DROPS, "dropout": DROPS},
    "bloom": {
        "attention_dropout": DROPS,
        "hidden_dropout": DROPS,
        "apply_residual_connection_post_layernorm": maybe(FLAG),
    },
    "mpt": {},
    "falcon": {
        "alibi": of(False),
        "hidden_dropout": ABSENT,
        "attention_dropout": ABSENT,
        "activation": ACTIVATIONS,
    },
    "modernbert": {
        **LONG,
        "attention_dropout": DROPS,
        "embedding_dropout": DROPS,
        "mlp_dropout": DROPS,
        "hidden_activation": ACTIVATIONS,
        "classifier_activation": ACTIVATIONS,
        "local_attention": of(8, 12, 100),
        "architectures": ABSENT,
    },
    "distilbert": {**LONG, "attention_dropout": DROPS, "dropout": DROPS, "architectures": ABSENT},
    "ernie": {**ENCODER, "use_task_id": ABSENT},
    **dict.fromkeys(ENCODERS, ENCODER),
}


def chosen(model_type: str) -> Iterator[tuple[Fields, Model]]:
    """Yield configurations as a file has them, with what the file says and with every field of the class."""
    for fields in configurations(model_type, SEED, CONFIGURATIONS, *changes(model_type), TABLES[model_type]):
        yield fields, from_config({**fields, "model_type": model_type}, name=model_type, origin="random")
        whole = resolved(configuration(model_type, fields))
        yield fields, from_config(whole, name=model_type, origin="random")


def built(model_type: str, fields: Fields, model_class: str, attention: str, width: int) -> Any:
    """Return the model of transformers; eager where its class knows nothing else."""
    made = getattr(transformers, model_class)
    if attention == "sdpa" and not made._supports_sdpa:
        attention = "eager"
    settings = configuration(model_type, deepcopy(fields))
    settings.use_cache = False
    return made._from_config(settings, attn_implementation=attention, dtype=DTYPES[width]).train()


def kept(model: Any, batch: int, sequence: int, *, recompute: bool) -> int:
    """Count the bytes of the unique storages that a forward pass with labels saves."""
    if recompute:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    own = {entry.untyped_storage().data_ptr() for entry in (*model.parameters(), *model.buffers())}
    storages: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages.setdefault(storage.data_ptr(), storage)
        return tensor

    identifiers = torch.randint(3, 40, (batch, sequence))
    with saved_tensors_hooks(pack, lambda tensor: tensor):
        model(input_ids=identifiers, labels=identifiers.clone())
    return sum(storage.nbytes() for storage in storages.values())


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("model_type", TABLES)
def test_saved_bytes_are_those_of_torch(model_type: str, attention: str) -> None:
    for fields, ours in chosen(model_type):
        for width in DTYPES:
            model = built(model_type, fields, ours.architecture.model_class, attention, width)
            for recompute in (False, True)[: 1 + model.supports_gradient_checkpointing]:
                for batch, sequence in SHAPES:
                    setting = Setting(batch=batch, sequence=sequence, width=width, attention=attention)
                    found = pieces(ours.architecture, setting, style_of(ours))
                    place = (fields, setting, recompute)
                    true = kept(model, batch, sequence, recompute=recompute)
                    assert saved_bytes(found, every=int(recompute)) == true, place


@pytest.mark.parametrize(
    ("model_type", "fields"),
    [
        ("opt", {"layerdrop": 0.1}),
        ("bloom", {"slow_but_exact": True, "pretraining_tp": 2}),
        ("bert", {"is_decoder": True, "add_cross_attention": True}),
        ("bert", {"chunk_size_feed_forward": 8}),
        ("falcon", {"alibi": True}),
        ("falcon", {"alibi": False, "hidden_dropout": 0.1}),
        ("bert", {"architectures": ["BertForSequenceClassification"]}),
    ],
)
def test_modes_without_a_record_are_refused(model_type: str, fields: Fields) -> None:
    model = from_config({**fields, "model_type": model_type}, name=model_type, origin="refused")
    with pytest.raises(NotRecordable):
        pieces(model.architecture, Setting(batch=1, sequence=8), style_of(model))
