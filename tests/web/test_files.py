"""Files and texts that somebody gives the page, read by node: parts of models, configurations, words."""

import base64
import json
from typing import Any

import pytest

from sizewise.counting import count
from sizewise.service.headers import SentHeader, model_of_header

from ..service.test_headers import safetensors
from .test_modules import runs_modules, told

pytestmark = pytest.mark.skipif(
    not runs_modules(), reason="no node of 20.19 or later: the browser's tests cover it"
)
CONFIG = {"model_type": "llama", "hidden_size": 64}
FIRST = {"model.embed_tokens.weight": ("BF16", [100, 64], 12800), "model.a.weight": ("F32", [8], 32)}
SECOND = {"lm_head.weight": ("BF16", [100, 64], 12800)}
FILES = """
  const sent = [];
  globalThis.fetch = async (path, { body }) => {
    sent.push([path, Buffer.from(await body.arrayBuffer()).toString("base64")]);
    return { ok: true, json: async () => ({ model: "header:12" }) };
  };
  const files = Object.entries(given).map(([name, data]) =>
    Object.assign(new Blob([Buffer.from(data, "base64")]), { name }));
  const { fileNames, pathsOf } = await import(new URL("sent_files.js", url));
  const value = await m.modelOf(files).catch((error) => ({ error: error.message }));
  return { sent, value, name: fileNames.get(value), path: pathsOf({ model: value }).model };
"""


def chosen(**files: bytes) -> dict[str, Any]:
    packed = {name: base64.b64encode(data).decode() for name, data in files.items()}
    return told("files.js", FILES, packed)


def part(number: int, of: int, tensors: dict[str, Any]) -> dict[str, bytes]:
    size = sum(entry[2] for entry in tensors.values())
    return {f"model-{number:05}-of-{of:05}.safetensors": safetensors(tensors) + bytes(size)}


def test_the_parts_of_a_model_count_together():
    found = chosen(**part(2, 2, SECOND), **part(1, 2, FIRST), **{"model.safetensors.index.json": b"{}"})
    [(path, body)] = found["sent"]
    size = int(path.partition("size=")[2].partition("&")[0])
    sent = SentHeader(kind="safetensors", data=base64.b64decode(body), size=size, name="model.safetensors")
    assert count(model_of_header(sent)).total.value == 2 * 6400 + 8
    assert found["name"] == "model-*-of-00002.safetensors"
    assert found["path"] == "."


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (part(1, 2, FIRST), "1 of 2 parts of model: choose all of them together"),
        ({**part(1, 3, FIRST), **part(3, 3, SECOND)}, "2 of 3 parts"),
        ({**part(1, 2, FIRST), **part(2, 2, FIRST)}, "model.embed_tokens.weight is in another part too"),
        ({**part(1, 2, FIRST), "other.safetensors": b"x"}, "not the parts of one model"),
        ({**part(1, 2, FIRST), "model-00002-of-00002.safetensors": b"\2\0\0\0\0\0\0\0[}"}, "no JSON"),
    ],
)
def test_parts_that_make_no_model_are_refused(files: dict[str, bytes], said: str):
    found = chosen(**files)
    assert said in found["value"]["error"]
    assert not found["sent"]


def test_a_configuration_is_found_beside_parts():
    text = json.dumps(CONFIG).encode()
    files = {"tokenizer.json": b"{}", "generation_config.json": b"{}", "Config.JSON": text}
    found = chosen(**part(1, 2, FIRST), **part(2, 2, SECOND), **files)
    [(path, body)] = found["sent"]
    assert f"config_bytes={len(text)}" in path
    assert base64.b64decode(body).startswith(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_configuration_is_read_in_any_encoding(encoding: str):
    text = json.dumps(CONFIG)
    assert chosen(**{"config.JSON": text.encode(encoding)})["value"] == text


def test_an_index_is_no_configuration():
    error = chosen(**{"model.safetensors.index.json": b'{"weight_map": {}}'})["value"]["error"]
    assert "not the config.json" in error


@pytest.mark.parametrize(
    "around",
    ["{}", "```json\n{}\n```", "Here it is:\n```\n{}\n```\n", "// a comment\n/* more */ {}", "\ufeff \n{}"],
)
def test_a_pasted_configuration_stands_without_what_is_around_it(around: str):
    text = '{"model_type": "llama"}'
    assert told("config_text.js", "return m.configText(given);", around.replace("{}", text)) == text


@pytest.mark.parametrize(
    ("verb", "model", "said"),
    [
        ("memory", "", "name a model"),
        ("memory", "x" * 201, "neither a name nor a configuration"),
        ("memory", '{"metadata": {}, "weight_map": {"a": "b"}}', "config.json is another file"),
        ("plan serve", "header:1", "GGUF"),
        ("memory", "header:1", None),
        ("memory", '{"model_type": "llama", "weight_map": {}}', None),
        ("memory", "llama-3.1-8b", None),
        ("choose", None, None),
    ],
)
def test_what_cannot_be_asked_is_told_in_the_pages_words(verb: str, model: str | None, said: str | None):
    script = "m.keepName('header:1', 'a.gguf'); return m.refusalOf(given[0], { model: given[1] });"
    found = told("sent_files.js", script, [verb, model])
    assert (found is None) if said is None else said in found["detail"]


@pytest.mark.parametrize("name", ["../../etc/small.gguf", "C:\\models\\small.gguf", "small.gguf"])
def test_a_link_names_a_file_without_its_folder(name: str):
    script = "m.keepName('header:1', given); return m.pathsOf({ model: 'header:1', on: 'a' });"
    assert told("sent_files.js", script, name) == {"model": "./small.gguf"}


def test_an_address_names_the_file_of_a_header_and_says_that_a_value_was_cleared():
    script = """
      globalThis.location = { pathname: "/", search: "?tab=memory&model=header:1&file=a.gguf", hash: "" };
      m.readAddress();
      return [[...m.told.keys()], m.addressOf("memory", { model: "header:1" }),
        m.addressOf("memory", { model: "", on: "" }, ["model"])];
    """
    assert told("state.js", script) == [
        ["model"],
        "/?tab=memory&model=header:1&file=a.gguf",
        "/?tab=memory&model=",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name one load: --users 50 or --rps 12", "name one load: “Users at once” 50 or --rps 12"),
        ("name one load: users 50 or rps 12", "name one load: “Users at once” 50 or rps 12"),
        ("users: not accepted", "“Users at once”: not accepted"),
        ("users and tpot need what computes", "“Users at once” and “Time” need what computes"),
        ("the users are more than tpot 3", "the users are more than “Time” 3"),
        ("use kv_cache_dtype fp8", "use “Cache format” fp8"),
        (
            "no device is called 'x'; sizewise catalog devices lists them",
            "no device is called 'x'; the field lists them as you type",
        ),
        (
            "no device is called 'x'; catalog, subject devices lists them",
            "no device is called 'x'; the field lists them as you type",
        ),
        (
            "no API price is known of 'x'; list them: catalog, subject prices, or give users",
            "no API price is known of 'x'; give “Users at once”",
        ),
        ("header:0a is no longer held", "the header of this file is no longer held"),
    ],
)
def test_messages_name_fields_by_their_labels(text: str, said: str):
    script = """
      const labels = { users: "Users at once", tpot: "Time", kv_cache_dtype: "Cache format" };
      return m.inPageWords(given, (name) => labels[name] ?? "");
    """
    assert told("words.js", script, text) == said


@pytest.mark.parametrize(("waits", "asked"), [(None, 1), ("0.01", 6)])
def test_a_question_is_asked_again_only_where_the_service_says_that_it_helps(waits: str | None, asked: int):
    script = """
      let asked = 0;
      globalThis.fetch = async () => { asked += 1; return { ok: false, status: 503, json: async () => ({}),
        headers: { get: () => given } }; };
      const { ask } = await import(new URL("ask.js", url));
      await m.keptAnswer(ask, "params", { model: "7b" }).catch(() => null);
      return asked;
    """
    assert told("later.js", script, waits) == asked


def test_what_is_not_known_is_written_so():
    script = "return ['short', 'count', 'gib', 'bytes', 'large', 'binary', 'seconds', 'dollars', 'percent']\
      .map((name) => m[name](null));"
    assert set(told("numbers.js", script)) == {"unknown"}
    assert told("numbers.js", "return [m.short(12.345), m.short(1.23456, 2), m.between(null, m.short)];") == [
        "12.3",
        "1.2",
        "",
    ]


def test_plans_take_what_they_can_and_say_what_they_leave_out():
    script = """
      const [, plan] = m.default.questions(given);
      return [plan.notes, plan.values.usd_per_hour, plan.values.runtime];
    """
    given = {"model": "7b", "usd_per_hour": "2", "runtime": "llama.cpp", "quant": "fp8", "utilization": "0.5"}
    notes, price, engine = told("speed.js", script, given)
    assert (len(notes), price, engine) == (4, "", "")
    own = {"model": "7b", "usd_per_hour": "2", "runtime": "vllm", "plan_on": "h100-sxm"}
    assert told("speed.js", script, own) == [[], "2", "vllm"]
