"""What the page computes by itself, run by node: shell words, tokens, pictures' lines and rebuilt headers."""

import base64
import json
import shlex
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sizewise.counting import count
from sizewise.service.headers import SentHeader, model_of_header
from sizewise.sources.reference import load_reference
from sizewise.units import parse_context

from ..service.test_headers import PAIRS, TOKENIZER, header_end, sent_gguf

STATIC = Path(str(files("sizewise.web") / "static"))
NODE = shutil.which("node")


def runs_modules() -> bool:
    """Tell whether there is a node that takes a file with ``export`` for a module."""
    if NODE is None:
        return False
    script = f"await import({json.dumps((STATIC / 'numbers.js').as_uri())})"
    done = subprocess.run(
        [NODE, "--input-type=module"], input=script, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode == 0


pytestmark = pytest.mark.skipif(
    not runs_modules(), reason="no node of 20.19 or later: the browser's tests cover it"
)


def told(module: str, script: str, given: Any = None) -> Any:
    """Return what a script returns that has a module as ``m``, its ``url``, and values as ``given``."""
    assert NODE is not None
    text = f"""
      globalThis.location = {{ pathname: "/", search: "", hash: "" }};
      globalThis.ResizeObserver = class {{}};
      const url = {json.dumps((STATIC / module).as_uri())};
      const m = await import(url);
      const given = {json.dumps(given)};
      const found = await (async () => {{ {script} }})();
      console.log(JSON.stringify(found));
    """
    done = subprocess.run(
        [NODE, "--input-type=module", "--no-warnings"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_copied_command_is_safe_in_a_shell_and_means_the_same():
    values = {
        "model": 'it\'s; rm -rf $HOME `x` "y"',
        "context": "32k",
        "on": "rtx-4090:2,h100-sxm",
        "gpu_memory_utilization": 0.9,
        "set": "num_hidden_layers=16\nvocab_size=32000",
        "offload": True,
        "kv_cache_dtype": "",
        "mtp": False,
    }
    words = shlex.split(told("ask.js", "return m.commandOf('memory', given);", values))
    assert words == [
        "sizewise",
        "memory",
        "--context=32k",
        "--on=rtx-4090:2,h100-sxm",
        "--gpu-memory-utilization=0.9",
        "--set=num_hidden_layers=16",
        "--set=vocab_size=32000",
        "--offload",
        values["model"],
    ]


def test_a_pasted_configuration_is_the_commands_input():
    config = json.dumps({"model_type": "llama", "note": "it's"})
    line = told("ask.js", "return m.commandOf('memory', given);", {"model": config, "context": "8k"})
    done = subprocess.run(["sh", "-c", line.split(" | ")[0]], capture_output=True, text=True, check=True)
    assert done.stdout == config
    assert line.endswith("| sizewise memory --context=8k -")


def test_a_dropped_file_stands_under_its_own_name():
    line = told(
        "ask.js", "return m.commandOf('memory', given, { model: 'a b.gguf' });", {"model": "header:1"}
    )
    assert shlex.split(line) == ["sizewise", "memory", "a b.gguf"]


@pytest.mark.parametrize("text", ["8192", "32k", "128K", "1m", "1.5k", "131,072", " 4k "])
def test_tokens_are_read_as_the_command_line_reads_them(text: str):
    assert told("numbers.js", "return m.tokensOf(given);", text) == parse_context(text)


def test_every_stop_of_a_slider_is_a_context_that_the_command_line_takes():
    stops = told("slider.js", "return m.binaryStops(512, 2 ** 20);")
    assert [parse_context(str(stop)) for stop in stops] == stops
    assert stops == sorted(set(stops))


def test_an_address_says_every_value_and_is_read_back():
    values = {
        "model": "meta-llama/Llama-3.1-8B",
        "context": "32k",
        "set": "a=1\nb=2",
        "on": "",
        "offload": True,
    }
    script = """
      const address = m.addressOf("memory", given);
      const [path, hash] = address.split("#");
      const search = path.slice(path.indexOf("?"));
      globalThis.location = { pathname: "/", search, hash: hash ? `#${hash}` : "" };
      const tab = m.readAddress();
      return { address, tab, told: Object.fromEntries(m.told) };
    """
    found = told("state.js", script, values)
    assert found["tab"] == "memory"
    assert found["told"] == {name: value for name, value in values.items() if value not in ("", True)} | {
        "offload": "true"
    }
    assert "a%3D1" in found["address"].replace("=", "%3D")
    long = told("state.js", script, {"model": json.dumps({"model_type": "x" * 400})})
    assert "model" not in long["address"].split("#")[0]
    assert long["told"]["model"].startswith("{")


@pytest.mark.parametrize(
    ("detail", "code", "field"),
    [
        ("context: not accepted; write it like 32k", "bad_option", "context"),
        ("no device is called 'rtx-409'; did you mean rtx-4090-24gb?", "bad_option", "on"),
        ("'0' in 'rtx-4090:0' is not a count from 1 to 100,000", "bad_option", "draft"),
        ("'foo-bar' is no known model, file or size", "bad_reference", "model"),
        (
            "vllm does not run q4_k_m, a file type of llama.cpp; use --runtime llama.cpp",
            "bad_option",
            "runtime",
        ),
        (
            "vllm does not run q4_k_m, a file type of llama.cpp; use runtime llama.cpp",
            "bad_option",
            "runtime",
        ),
        ("context and tpot need what computes: on rtx-4090", "bad_option", "context"),
        ("llama config: hidden_size is -3", "bad_config", "model"),
        ("something else", "bad_option", ""),
    ],
)
def test_an_error_stands_beside_its_field(detail: str, code: str, field: str):
    values = {
        "model": "foo-bar",
        "on": "h100-sxm,rtx-409:2",
        "draft": "rtx-4090:0",
        "context": "abc",
        "runtime": "",
    }
    script = "return new m.Problem(409, given.problem).fieldOf(given.values);"
    problem = {"type": f"urn:sizewise:problem:{code}", "detail": detail}
    assert told("ask.js", script, {"problem": problem, "values": values}) == field


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100B", 1e11),
        ("1.4T", 1.4e12),
        ("5e6", 5e6),
        ("1e+21", 1e21),
        ("2,000,000", 2e6),
        ("50m", 5e7),
        ("1.3e25", 1.3e25),
    ],
)
def test_counts_are_read_as_the_command_line_reads_them(text: str, number: float):
    assert told("tab_parts.js", "return m.lettersOf(given);", text) == number


@pytest.mark.parametrize("text", ["", "many", "-5", "1e24 FLOP", "3 bananas"])
def test_other_texts_are_no_counts(text: str):
    assert told("tab_parts.js", "return Number.isNaN(m.lettersOf(given));", text) is True


@pytest.mark.parametrize("left_out", [[], TOKENIZER, TOKENIZER[:1]], ids=["short", "tokenizer", "tokens"])
def test_a_gguf_header_that_is_rebuilt_means_the_same_model(left_out: list[bytes], tmp_path: Path):
    whole, _ = sent_gguf(PAIRS, left_out)
    path = tmp_path / "tiny-q8_0.gguf"
    path.write_bytes(whole)
    script = """
      const { readFileSync } = await import("node:fs");
      const { header, end } = await m.gguf(new Blob([readFileSync(given)]));
      return { end, data: Buffer.from(await header.arrayBuffer()).toString("base64") };
    """
    found = told("gguf.js", script, str(path))
    data = base64.b64decode(found["data"])
    assert found["end"] == header_end(whole)
    assert len(data) <= found["end"] - 40_000 * bool(left_out)
    sent = SentHeader(kind="gguf", data=data, size=len(whole), end=found["end"], name=path.name)
    model, local = model_of_header(sent), load_reference(str(path))
    assert count(model).total.value == count(local).total.value
    assert model.architecture == local.architecture


@pytest.mark.parametrize("cut", [10, 40, 200, 900])
def test_a_gguf_file_that_is_cut_off_is_refused_in_one_line(cut: int, tmp_path: Path):
    whole, _ = sent_gguf(PAIRS, [])
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[:cut])
    script = """
      const { readFileSync } = await import("node:fs");
      return m.gguf(new Blob([readFileSync(given)])).then(() => "", (error) => error.message);
    """
    assert told("gguf.js", script, str(path)) == "the file ends within its header"


@pytest.mark.parametrize(("value", "said"), [(999_885_952, "1 B"), (999.7e9, "1 T"), (999.4e6, "999 M")])
def test_a_large_number_takes_the_letter_that_it_rounds_to(value: float, said: str):
    assert told("numbers.js", "return m.large(given);", value) == said


def test_a_chance_next_to_none_and_large_bytes_are_readable():
    assert told("numbers.js", "return [m.percent(9.8e-12), m.percent(0), m.bytes(1318989332480)];") == [
        "< 0.01 %",
        "0 %",
        "1,228.40 GiB (1,318.99 GB)",
    ]


def test_more_parts_than_colours_keep_their_sum():
    given = [{"name": f"part {value}", "value": value} for value in range(1, 12)]
    found = told("speed.js", "return m.joined(given);", given)
    assert [one["name"] for one in found] == [f"part {value}" for value in range(5, 12)] + ["others"]
    assert sum(one["value"] for one in found) == sum(range(1, 12))
    assert told("speed.js", "return m.joined(given);", given[:8]) == given[:8]


def test_short_flags_are_said_as_fields():
    text = "vllm runs no nf4 weights; name others with -q"
    script = "return m.inPageWords(given, (name) => ({ quant: 'Weight format' })[name] ?? '');"
    assert told("words.js", script, text).endswith("with “Weight format”")


def test_runs_of_one_ratio_are_said_to_tell_no_best_size():
    answer = {
        "fit": {
            "points": 12,
            "coefficients": {"E": 1.9, "K": 1376.9, "gamma": 0.162},
            "params_exponent": None,
        },
        "line": {"ratio": 20.0, "power": 1.0, "formula": "D = 20 N"},
    }
    summary = told("laws_fit.js", "return m.fitSummary(given);", answer)
    assert summary == "All 12 runs have D = 20 N: they tell the loss along it, no best size."
    usual = {"fit": {"points": 240, "params_exponent": 0.5139}}
    assert told("laws_fit.js", "return m.fitSummary(given);", usual).startswith(
        "The best size grows as budget^0.51"
    )
