"""What a model costs on the hub, and when the index stands in for the headers."""

import json
import math
import struct
from collections.abc import Mapping

import pytest

from sizewise.architecture import Model
from sizewise.errors import HubError, InputError
from sizewise.sources.config_json import from_config
from sizewise.sources.http.budget import Budget, Limits
from sizewise.sources.hub.agreement import predicted
from sizewise.sources.hub.checkpoint import hub_weights
from sizewise.sources.hub.model import from_hub
from sizewise.sources.hub.reference import HubReference, parse_hub_reference
from sizewise.sources.hub.repository import hub_config, hub_files

from .lying_hub import CASES, REPO, TOKEN, Case, Hub, says

INDEX = "model.safetensors.index.json"
LAYERS = 30
CONFIG = {
    "model_type": "llama",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
PARAMETERS = 2 * 1000 * 256 + LAYERS * (2 * 256 * 256 + 2 * 128 * 256 + 3 * 512 * 256 + 2 * 256) + 256
Shapes = Mapping[str, tuple[int, ...]]


def llama_shapes() -> dict[str, tuple[int, ...]]:
    """Return the tensors that transformers saves for a LlamaForCausalLM of these sizes."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (1000, 256)}
    for layer in range(LAYERS):
        inner = {
            "input_layernorm": (256,),
            "mlp.down_proj": (256, 512),
            "mlp.gate_proj": (512, 256),
            "mlp.up_proj": (512, 256),
            "post_attention_layernorm": (256,),
            "self_attn.k_proj": (128, 256),
            "self_attn.o_proj": (256, 256),
            "self_attn.q_proj": (256, 256),
            "self_attn.v_proj": (128, 256),
        }
        shapes |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in inner.items()}
    return {**shapes, "model.norm.weight": (256,), "lm_head.weight": (1000, 256)}


def shard(shapes: Shapes) -> bytes:
    """Return a file of BF16 tensors."""
    entries, place = {}, 0
    for name, shape in shapes.items():
        end = place + 2 * math.prod(shape)
        entries[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [place, end]}
        place = end
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + bytes(place)


def checkpoint(shapes: Shapes, shards: int, total: int | None = None) -> dict[str, bytes]:
    """Return one file, or an index and its shards as transformers names them."""
    if shards == 1:
        return {"model.safetensors": shard(shapes)}
    files, weight_map, names = {}, {}, list(shapes)
    for place in range(shards):
        file = f"model-{place + 1:05}-of-{shards:05}.safetensors"
        own = names[place::shards]
        files[file] = shard({name: shapes[name] for name in own})
        weight_map |= dict.fromkeys(own, file)
    size = sum(2 * math.prod(shape) for shape in shapes.values()) if total is None else total
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    return {INDEX: json.dumps(index).encode(), **files}


def served(
    hub: Hub, shapes: Shapes, shards: int, total: int | None = None, config: Mapping[str, object] = CONFIG
) -> None:
    hub.files[REPO] = {"config.json": json.dumps(config).encode(), **checkpoint(shapes, shards, total)}


def asked(text: str = REPO) -> Model:
    reference = parse_hub_reference(text)
    assert reference is not None
    return from_hub(reference, {}, offline=False)


def counted(model: Model) -> int:
    weights = (model.counted or model.architecture).weights()
    return sum(weight.elements * layers for weight, layers in weights)


def codes(model: Model) -> list[str]:
    return [notice.code for notice in model.notices]


@pytest.mark.parametrize("shards", [1, 2, 4, 6, 30])
@pytest.mark.parametrize("redirects", [False, True])
def test_no_model_that_is_as_its_configuration_says_takes_ten_requests(
    hub: Hub, shards: int, redirects: bool
) -> None:
    hub.redirects = redirects
    served(hub, llama_shapes(), shards)
    model = asked()
    assert counted(model) == PARAMETERS
    assert model.notices == ()
    per_file = 2 if redirects else 1
    assert len(hub.requests) == (2 * per_file if shards == 1 else 1 + 2 * per_file)
    assert hub.sent < 150_000


def test_the_origin_says_what_was_read(hub: Hub) -> None:
    served(hub, llama_shapes(), 30)
    model = asked()
    assert model.origin.endswith("no header needed: its shard index agrees on every name and on the bytes")
    assert (model.listing, model.published) == (None, PARAMETERS)
    served(hub, llama_shapes(), 1)
    assert asked().origin.endswith("config.json and the header")


@pytest.mark.parametrize("shards", [2, 6])
def test_where_the_bytes_differ_the_headers_decide(hub: Hub, shards: int) -> None:
    shapes = llama_shapes() | {"model.norm.weight": (300,)}
    served(hub, shapes, shards)
    model = asked()
    assert counted(model) == PARAMETERS + 44
    assert codes(model) == ["inconsistent"]
    assert model.origin.endswith(f"config.json and the headers of {shards} shards")
    assert len(hub.requests) == 3 + shards


def test_two_shards_that_disagree_behind_redirects_stay_below_ten_requests(hub: Hub) -> None:
    hub.redirects = True
    served(hub, llama_shapes() | {"model.norm.weight": (300,)}, 2)
    assert counted(asked()) == PARAMETERS + 44
    assert len(hub.requests) == 9


def test_an_index_that_lies_about_its_total_makes_the_headers_be_read(hub: Hub) -> None:
    served(hub, llama_shapes(), 2, total=2 * PARAMETERS + 2)
    model = asked()
    assert counted(model) == PARAMETERS
    assert model.listing is not None
    assert codes(model) == ["inconsistent"]


def renamed() -> dict[str, tuple[int, ...]]:
    return {name.replace("model.", "language_model."): shape for name, shape in llama_shapes().items()}


@pytest.mark.parametrize("shards", [4, 30])
def test_where_only_names_differ_the_count_of_the_hub_can_agree(hub: Hub, shards: int) -> None:
    hub.redirects = True
    hub.counts = {"BF16": PARAMETERS}
    served(hub, renamed(), shards)
    model = asked()
    assert (model.listing, model.notices) == (None, ())
    assert model.origin.endswith("its shard index agrees on the bytes, the hub's count on the elements")
    assert len(hub.requests) == 6
    address = hub.requests[-1]
    assert "expand=safetensors" in address.path
    assert address.authorization == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"BF16": PARAMETERS - 1},
        {"F16": PARAMETERS},
        {"BF16": PARAMETERS - 1, "F32": 1},
        {"BF16": -1},
        {"BF16": True},
    ],
)
def test_where_the_count_of_the_hub_does_not_agree_the_headers_decide(
    hub: Hub, counts: dict[str, int]
) -> None:
    hub.counts = counts
    served(hub, renamed(), 4)
    model = asked()
    assert model.listing is not None
    assert counted(model) == PARAMETERS
    assert len(hub.requests) == 8


@pytest.mark.parametrize("lie", [says(404), says(401), says(200, b'{"safetensors": 5}'), says(200, b"{}")])
def test_a_hub_without_a_count_is_no_error(hub: Hub, lie: object) -> None:
    served(hub, renamed(), 4)
    hub.lie = lambda it: lie(it) if it.path.startswith("/api/") else it.honest()  # type: ignore[operator]
    assert counted(asked()) == PARAMETERS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_lie_in_place_of_the_count_is_an_error_or_the_headers_decide(hub: Hub, case: Case) -> None:
    served(hub, renamed(), 4)
    hub.lie = lambda it: case.tell(it) if it.path.startswith("/api/") else it.honest()
    reference = HubReference(repo=REPO)
    budget = Budget(Limits(seconds=1.0, waiting_seconds=0.0))
    with hub_files(reference, budget=budget) as repository:
        raw, _ = hub_config(repository)
        prediction = predicted(from_config(raw, name=REPO, origin=""))
        try:
            weights = hub_weights(repository, prediction=prediction)
        except (HubError, InputError) as error:
            assert error.code in case.whole, error
            assert TOKEN not in str(error)
        else:
            assert weights.listing is not None
            assert weights.listing.elements == PARAMETERS
    assert len(hub.requests) < 20


def test_many_shards_that_disagree_are_said_to_be_unread(hub: Hub) -> None:
    hub.counts = {"BF16": PARAMETERS + 44}
    served(hub, llama_shapes() | {"model.norm.weight": (300,)}, 30)
    model = asked()
    assert codes(model) == ["headers_not_read"]
    assert f"{2 * PARAMETERS + 88:,}" in model.notices[0].message
    assert f"{2 * PARAMETERS:,}" in model.notices[0].message
    assert model.notices[0].message.endswith(f"{REPO}:{INDEX}")
    assert model.published == PARAMETERS + 44
    assert len(hub.requests) == 4
    assert counted(asked(f"{REPO}:{INDEX}")) == PARAMETERS + 44


def test_packed_weights_are_never_proved_by_an_index(hub: Hub) -> None:
    packed = {"quant_method": "awq", "bits": 4, "group_size": 128}
    served(hub, llama_shapes(), 2, config={**CONFIG, "quantization_config": packed})
    assert asked().listing is not None


def test_without_a_dtype_the_headers_decide(hub: Hub) -> None:
    served(hub, llama_shapes(), 2, config={k: v for k, v in CONFIG.items() if k != "torch_dtype"})
    assert asked().listing is not None


def test_a_long_header_of_a_shard_takes_one_range(hub: Hub) -> None:
    shapes = {f"model.layers.{place}.{'experts.' * 10}weight": (2, 2) for place in range(2_000)}
    served(hub, shapes, 2)
    assert counted(asked(f"{REPO}:{INDEX}")) == 8_000
    ranges = [request.range for request in hub.requests if request.range]
    assert len(ranges) == 2


def test_an_index_that_is_too_long_is_a_warning(hub: Hub) -> None:
    served(hub, llama_shapes(), 2)
    hub.files[REPO][INDEX] = b" " * 10_000_001
    model = asked()
    assert codes(model) == ["http_too_large"]
    assert len(hub.requests) == 3


def test_an_index_of_pickled_shards_agrees_too(hub: Hub) -> None:
    served(hub, llama_shapes(), 2)
    hub.files[REPO]["pytorch_model.bin.index.json"] = hub.files[REPO].pop(INDEX)
    model = asked()
    assert counted(model) == PARAMETERS
    assert model.listing is None
    assert len(hub.requests) == 5
