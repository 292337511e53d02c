"""Where an answer is made: kept, in this process, or in one of its own."""

import asyncio
import json

import pytest

from sizewise.errors import InputError, UsageError
from sizewise.service import answerer as module
from sizewise.service.answerer import LONG_SECONDS, SHORT_SECONDS, Answerer, is_long, seconds_for
from sizewise.service.answers import ask
from sizewise.service.headers import SentHeader
from sizewise.service.verbs import verb

from .test_headers import PAIRS, TOKENIZER, sent_gguf

LLAMA = {"model_type": "llama", "hidden_size": 256, "num_hidden_layers": 2}


@pytest.fixture
def answerer():
    answerer = Answerer()
    yield answerer
    answerer.close()


def told(answerer, name, **values):
    return asyncio.run(answerer.answer(verb(name), values))


def test_an_answer_is_that_of_the_command_wherever_it_is_made(answerer):
    for values in ({"model": "llama-3.1-8b", "on": "rtx-4090"}, {"model": LLAMA, "context": 512}):
        assert told(answerer, "memory", **values) == ask(verb("memory"), values)


def test_catalogue_names_need_no_process_and_configurations_do(answerer):
    told(answerer, "params", model="gpt2")
    assert answerer._workers.processes == []
    told(answerer, "params", model=LLAMA)
    assert len(answerer._workers.processes) == 1


@pytest.mark.parametrize(
    ("name", "values", "long"),
    [
        ("memory", {"model": "gpt2"}, False),
        ("speed", {"model": ["gpt2", "llama-3.1-8b"], "on": "rtx-4090"}, False),
        ("laws loss", {"params": "7b", "tokens": "1T"}, False),
        ("memory", {"model": '  {"model_type": "gpt2"}'}, True),
        ("memory", {"model": ["gpt2", {}]}, True),
        ("memory", {"model": "gpt2", "set": ["n_layer=100000"]}, True),
        ("memory", {"model": "gpt2", "largest_model": True}, True),
        ("memory", {"model": "gpt2", "on": "rtx-4090:16"}, False),
        ("memory", {"model": "gpt2", "on": "rtx-4090: 100000"}, True),
        ("speed", {"model": "gpt2", "on": "rtx-4090:9,l4:8"}, True),
        ("params", {"model": ["gpt2"] * 4}, True),
        ("params", {"layers": 100_000, "tensors": True}, True),
        ("memory", {"model": "gpt2", "runtime": "ALL "}, True),
        ("plan train", {"model": "gpt2"}, True),
    ],
)
def test_what_may_take_long_is_known_before_it_is_asked(name, values, long):
    assert is_long(verb(name), values) == long


def test_a_question_is_answered_once_whatever_the_order_of_its_values(answerer, monkeypatch):
    first = told(answerer, "memory", model="gpt2", context=512)
    monkeypatch.setattr(module, "ask", None)
    assert told(answerer, "memory", context=512, model="gpt2") is first
    with pytest.raises(TypeError):
        told(answerer, "memory", context=513, model="gpt2")


def test_errors_are_those_of_the_command_and_are_not_kept(answerer):
    with pytest.raises(UsageError, match="gpt-9"):
        told(answerer, "params", model="gpt-9")
    with pytest.raises(InputError, match="model_type"):
        told(answerer, "params", model={"hidden_size": 5})
    assert len(answerer._answers) == 0


def test_a_header_is_held_until_others_need_its_place(answerer, monkeypatch):
    _, sent = sent_gguf(PAIRS, TOKENIZER)
    document = asyncio.run(answerer.read_header(sent))
    assert json.loads(told(answerer, "params", model=sent.reference).text)["model"]["name"] == sent.name
    asked = {"model": "gpt2", "runtime": "vllm", "on": "rtx-4090"}
    alone, both = (told(answerer, "memory", **asked, **more) for more in ({}, {"draft": sent.reference}))
    assert json.loads(both.text)["memory"]["total"] > json.loads(alone.text)["memory"]["total"]
    assert document["model"] == sent.reference
    answerer._models.entries = 0
    _, other = sent_gguf(PAIRS, [])
    asyncio.run(answerer.read_header(other))
    with pytest.raises(InputError, match="drop the file again"):
        told(answerer, "params", model=[sent.reference], tensors=True)


def test_here_is_not_the_machine_of_the_service(answerer):
    with pytest.raises(UsageError, match="here"):
        told(answerer, "memory", model=LLAMA, on="here")


def test_questions_take_turns_so_that_new_ones_are_heard_between_two(answerer):
    answered: list[int] = []

    async def listen():
        while len(answerer._answers) < 4:
            answered.append(len(answerer._answers))
            await asyncio.sleep(0)

    async def together():
        asked = [answerer.answer(verb("laws loss"), {"params": "7b", "tokens": f"{i}T"}) for i in range(1, 5)]
        await asyncio.gather(*asked, listen())

    asyncio.run(together())
    assert set(answered) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("name", "values", "seconds"),
    [
        ("memory", {"model": LLAMA}, SHORT_SECONDS),
        ("memory", {"model": LLAMA, "runtime": "all"}, LONG_SECONDS),
        ("plan train", {"model": LLAMA}, LONG_SECONDS),
    ],
)
def test_searches_and_all_runtimes_may_take_long(name, values, seconds):
    assert seconds_for(verb(name), values) == seconds


ON = {"on": "h100-sxm"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("memory", ON),
        ("speed", ON),
        ("plan serve", ON | {"users": 3}),
        ("plan train", {"on": "h100-sxm:8", "tokens": "1B"}),
    ],
)
def test_a_header_with_its_configuration_is_asked_about_as_a_name_is(answerer, name, values):
    config = json.dumps(
        LLAMA | {"num_attention_heads": 4, "intermediate_size": 512, "vocab_size": 100}
    ).encode()
    tensors = {"lm_head.weight": {"dtype": "BF16", "shape": [100, 256], "data_offsets": [0, 51_200]}}
    header = json.dumps(tensors).encode()
    data = len(header).to_bytes(8, "little") + header
    sent = SentHeader(kind="safetensors", data=data, size=len(data) + 51_200, config=config)
    asyncio.run(answerer.read_header(sent))
    assert json.loads(told(answerer, name, model=sent.reference, **values).text)["schema_version"] == 1
