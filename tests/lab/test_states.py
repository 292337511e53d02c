"""Trained tensors, gradients and optimizer state against torch and peft: small models with random weights."""

import json
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.recipe import PRECISIONS, Adapter, Recipe
from sizewise.states.optimizer import optimizer_state
from sizewise.states.step import step_temporaries
from sizewise.states.trained import trainable
from sizewise.states.weights import gradients, weights

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

SIZES = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "vocab_size": 320}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "pad_token_id": 0}
DENSE = {**SIZES, **HEADS}
EXPERTS = {"moe_intermediate_size": 48, "num_experts": 4, "num_experts_per_tok": 2}
MODELS: dict[str, dict[str, Any]] = {
    "llama": DENSE,
    "llama tied": {**DENSE, "model_type": "llama", "tie_word_embeddings": True},
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 320, "n_positions": 64},
    "phi3": DENSE,
    "gemma2": {**DENSE, "head_dim": 16},
    "opt": {**SIZES, "ffn_dim": 96, "num_attention_heads": 4, "word_embed_proj_dim": 64, "pad_token_id": 0},
    "mixtral": {**DENSE, "num_local_experts": 4},
    "qwen2_moe": {**DENSE, **EXPERTS, "shared_expert_intermediate_size": 80},
    "qwen3_moe": {**DENSE, **EXPERTS},
    "gpt_oss": {**DENSE, "num_local_experts": 4, "head_dim": 16},
    "mamba": {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 320, "pad_token_id": 0},
    "bert": {**SIZES, "num_attention_heads": 4, "architectures": ["BertForMaskedLM"]},
}
OPTIMIZERS: dict[str, Callable[[list[Any]], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd-momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adamw": torch.optim.AdamW,
    "adamw-amsgrad": lambda p: torch.optim.AdamW(p, amsgrad=True),
    "nadam": torch.optim.NAdam,
    "adafactor": torch.optim.Adafactor,
    "adafactor-hf": transformers.Adafactor,
}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@cache
def configured(name: str) -> Any:
    fields = dict(MODELS[name])
    return transformers.CONFIG_MAPPING[fields.pop("model_type", name)].from_dict(fields)


def architecture_of(name: str) -> Architecture:
    fields = json.loads(configured(name).to_json_string(use_diff=False))
    return describe(Config(fields, configured(name).model_type))


def built(name: str, dtype: Any = torch.float32) -> Any:
    auto = transformers.AutoModelForMaskedLM if name == "bert" else transformers.AutoModelForCausalLM
    torch.manual_seed(0)
    return auto.from_config(configured(name)).to(dtype).train()


def backward(model: Any) -> None:
    tokens = torch.randint(1, 300, (2, 16))
    model(input_ids=tokens, labels=tokens).loss.backward()


def storage_bytes(tensors: Iterator[Any]) -> int:
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def held(optimizer: Any) -> int:
    states = (value for state in optimizer.state.values() for value in state.values())
    return storage_bytes(value for value in states if isinstance(value, torch.Tensor))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", MODELS)
def test_gradients_and_states_of_a_whole_model(name: str, precision: str) -> None:
    architecture = architecture_of(name)
    model = built(name, DTYPES[precision])
    backward(model)
    parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
    recipe = Recipe(sequence=16, precision=PRECISIONS[precision])
    assert weights(architecture, recipe).value == storage_bytes(model.parameters())
    assert gradients(architecture, recipe).value == storage_bytes(one.grad for one in parameters)
    for optimizer, make in OPTIMIZERS.items():
        made = make(parameters)
        made.step()
        stated = Recipe(sequence=16, precision=PRECISIONS[precision], optimizer=optimizer)
        assert optimizer_state(architecture, stated).value == held(made), optimizer


@pytest.mark.parametrize("name", MODELS)
def test_muon_and_its_companion(name: str) -> None:
    architecture, model = architecture_of(name), built(name)
    backward(model)
    tables = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    products = {
        id(module.weight)
        for module in model.modules()
        if hasattr(module, "weight") and not isinstance(module, torch.nn.Embedding)
    }
    hidden = [p for p in model.parameters() if p.ndim == 2 and id(p) in products and id(p) not in tables]
    mine = {id(parameter) for parameter in hidden}
    muon = torch.optim.Muon(hidden)
    adamw = torch.optim.AdamW([p for p in model.parameters() if id(p) not in mine])
    muon.step()
    adamw.step()
    recipe = Recipe(sequence=16, precision=PRECISIONS["fp32"], optimizer="muon")
    assert optimizer_state(architecture, recipe).value == held(muon) + held(adamw)


@pytest.mark.parametrize(("name", "part"), [("llama", "model.embed_tokens"), ("mixtral", "model.layers.1")])
def test_frozen_parts_have_no_gradients(name: str, part: str) -> None:
    model = built(name)
    for parameter_name, parameter in model.named_parameters():
        parameter.requires_grad_(not parameter_name.startswith(part))
    backward(model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    made = torch.optim.AdamW(trained)
    made.step()
    recipe = Recipe(sequence=16, precision=PRECISIONS["fp32"], frozen=(part,))
    architecture = architecture_of(name)
    assert trainable(architecture, recipe).parameters == sum(one.numel() for one in trained)
    assert gradients(architecture, recipe).value == storage_bytes(one.grad for one in trained)
    assert optimizer_state(architecture, recipe).value == held(made)
    assert weights(architecture, recipe).value == storage_bytes(model.parameters())


class Temporaries(torch.utils._python_dispatch.TorchDispatchMode):
    """Bytes of storages that operators return, while they live; ``known`` ones apart."""

    def __init__(self, known: list[Any]) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.seen = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        returned = function(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(returned):
            if isinstance(tensor, torch.Tensor):
                self.see(tensor.untyped_storage())
        self.peak = max(self.peak, self.now)
        return returned

    def see(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self.seen:
            self.seen.add(key)
            self.now += size
            weakref.finalize(storage, self.free, key, size)

    def free(self, key: int, size: int) -> None:
        self.seen.discard(key)
        self.now -= size


STEPS = [
    *(("adamw", way) for way in ("loop", "foreach", "fused")),
    *((optimizer, "loop") for optimizer in ("sgd", "nadam", "adafactor", "adafactor-hf")),
]
CHOICES = {"loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("optimizer", "way"), STEPS)
@pytest.mark.parametrize("name", ["llama", "gpt2", "mixtral"])
def test_temporaries_of_a_step(name: str, optimizer: str, way: Any, precision: str) -> None:
    parameters = list(built(name, DTYPES[precision]).parameters())
    made = OPTIMIZERS[optimizer](parameters)
    for group in made.param_groups:
        group.update(CHOICES[way] if optimizer != "adafactor-hf" else {})
    for _ in range(2):
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        states = [v for state in made.state.values() for v in state.values() if isinstance(v, torch.Tensor)]
        gone = [parameter.grad for parameter in parameters]
        with Temporaries([*parameters, *gone, *states]) as counted:
            made.step()
    recipe = Recipe(sequence=16, precision=PRECISIONS[precision], optimizer=optimizer)
    expected = step_temporaries(architecture_of(name), recipe, way)
    factored = "adafactor" in optimizer
    assert expected == pytest.approx(counted.peak, rel=0.03 if factored else 0, abs=4096 if factored else 64)


ADAPTERS: list[tuple[str, tuple[str, ...], str]] = [
    ("llama", ("q_proj", "v_proj"), "lora"),
    ("llama", (), "lora"),
    ("llama", (), "dora"),
    ("llama", ("self_attn.o_proj", "embed_tokens", "lm_head"), "lora"),
    ("llama", ("embed_tokens", "down_proj"), "dora"),
    ("llama tied", ("q_proj", "lm_head"), "lora"),
    ("gpt2", ("c_attn",), "lora"),
    ("gpt2", ("attn.c_proj", "wte"), "lora"),
    ("gpt2", (), "dora"),
    ("phi3", ("qkv_proj", "gate_up_proj"), "lora"),
    ("gemma2", (), "lora"),
    ("opt", (), "dora"),
    ("mixtral", ("q_proj", "k_proj", "v_proj", "o_proj"), "dora"),
    ("mixtral", ("w1", "w2", "w3"), "lora"),
    ("mixtral", ("w2", "q_proj"), "lora"),
    ("qwen2_moe", ("q_proj", "gate_proj", "up_proj", "down_proj"), "lora"),
    ("qwen2_moe", ("shared_expert_gate", "k_proj"), "lora"),
    ("qwen3_moe", ("gate_proj", "up_proj", "v_proj"), "lora"),
    ("mixtral", ("all-linear",), "lora"),
    ("qwen2_moe", ("all-linear",), "lora"),
    ("qwen3_moe", ("all-linear",), "lora"),
    ("gpt_oss", ("all-linear",), "lora"),
    ("mamba", ("in_proj", "x_proj"), "lora"),
    ("bert", ("query", "value"), "lora"),
    ("bert", (), "lora"),
]


@pytest.mark.parametrize(("name", "targets", "method"), ADAPTERS)
def test_adapters_are_those_of_peft(name: str, targets: tuple[str, ...], method: Any) -> None:
    peft = pytest.importorskip("peft")
    modules = "all-linear" if targets in ((), ("all-linear",)) else list(targets)
    asked = peft.LoraConfig(r=4, target_modules=modules, use_dora=method == "dora")
    model = peft.get_peft_model(built(name), asked)
    recipe = Recipe(sequence=16, method=method, adapter=Adapter(rank=4, targets=targets))
    ours = Counter(
        tensor.shape for tensor in trainable(architecture_of(name), recipe) for _ in range(tensor.copies)
    )
    assert ours == Counter(tuple(p.shape) for p in model.parameters() if p.requires_grad)
    backward(model)
    made = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    made.step()
    assert optimizer_state(architecture_of(name), recipe).value == held(made)
