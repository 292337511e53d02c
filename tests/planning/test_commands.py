"""The command that starts each engine: golden lines, quoting, and that no option is lost."""

import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sizewise as sw
from sizewise.architecture import Model
from sizewise.catalog.formats import formats
from sizewise.catalog.rows import tables
from sizewise.catalog.starting import startings
from sizewise.listing import Place
from sizewise.planning.commands import start_command
from sizewise.planning.commands.start import shell
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.scenario import ENGINE_DEFAULTS, EngineOptions, Layout, Scenario

LLAMA = "meta-llama/Llama-3.1-8B"
GGUF = "Llama-3.1-8B-Q4_K_M.gguf"


def command(model: str, **asked: Any) -> str:
    answer = sw.memory_answer(model, **asked)
    assert answer.command is not None
    return answer.command


def scenario(model: Model, **asked: Any) -> Scenario:
    return scenario_for(model, Asked(**asked))[0]


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"runtime": "vllm"}, f"vllm serve {LLAMA} --max-model-len 8192"),
        (
            {
                "runtime": "vllm",
                "context": "32k",
                "sequences": 4,
                "quant": "fp8",
                "kv_cache_dtype": "fp8",
                "on": "h100-sxm:2",
            },
            f"vllm serve {LLAMA} --max-model-len 32768 --max-num-seqs 4 --tensor-parallel-size 2 "
            "--quantization fp8_per_tensor --kv-cache-dtype fp8",
        ),
        (
            {
                "runtime": "vllm",
                "quant": "fp32",
                "engine": {"utilization": 0.8, "batched_tokens": 4096, "block": 32, "eager": True},
            },
            f"vllm serve {LLAMA} --max-model-len 8192 --dtype float32 --gpu-memory-utilization 0.8 "
            "--max-num-batched-tokens 4096 --block-size 32 --enforce-eager",
        ),
        (
            {"runtime": "vllm", "engine": {"adapters": 4, "adapter_rank": 32, "running_sequences": 64}},
            f"vllm serve {LLAMA} --max-model-len 8192 --max-num-seqs 64 --enable-lora --max-loras 4 "
            "--max-lora-rank 32",
        ),
        (
            {"runtime": "sglang", "quant": "fp8", "kv_cache_dtype": "fp8", "on": "h100-sxm:2"},
            f"python -m sglang.launch_server --model-path {LLAMA} --context-length 8192 --tp-size 2 "
            "--quantization fp8 --kv-cache-dtype fp8_e4m3",
        ),
        (
            {"runtime": "sglang", "engine": {"eager": True, "utilization": 0.7}},
            f"python -m sglang.launch_server --model-path {LLAMA} --context-length 8192 "
            "--mem-fraction-static 0.7 --cuda-graph-backend-decode disabled "
            "--cuda-graph-backend-prefill disabled",
        ),
        (
            {"runtime": "llama.cpp", "quant": "q4_k_m", "context": 4096, "sequences": 3},
            f"llama-server -m {GGUF} -c 12288 -np 3",
        ),
        (
            {
                "runtime": "llama.cpp",
                "quant": "q4_k_m",
                "kv_cache_dtype": "q8_0",
                "value_cache_dtype": "q4_0",
                "on": "rtx-4090,rtx-3060-12gb",
                "engine": {"device_layers": 20, "ubatch": 256, "full_windows": True, "cache_on_host": True},
            },
            f"llama-server -m {GGUF} -c 8192 -np 1 -ngl 20 -ts 24052,11776 -ctk q8_0 -ctv q4_0 -fa on "
            "-nkvo -ub 256 --swa-full",
        ),
        (
            {"runtime": "llama.cpp", "quant": "q4_k_m", "engine": {"flash_attention": False}},
            f"llama-server -m {GGUF} -c 8192 -np 1 -fa off",
        ),
        (
            {"runtime": "transformers", "quant": "nf4", "on": "rtx-4090"},
            "python -c 'from transformers import BitsAndBytesConfig, LlamaForCausalLM; "
            f'model = LlamaForCausalLM.from_pretrained("{LLAMA}", dtype="bfloat16", device_map="cuda", '
            'quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", '
            'bnb_4bit_compute_dtype="bfloat16")); model.generation_config.max_length = 8192\'',
        ),
        (
            {"runtime": "transformers", "engine": {"attention": "eager", "static_cache": True}},
            "python -c 'from transformers import LlamaForCausalLM; "
            f'model = LlamaForCausalLM.from_pretrained("{LLAMA}", dtype="bfloat16", device_map="auto", '
            'attn_implementation="eager"); model.generation_config.cache_implementation = "static"; '
            "model.generation_config.max_length = 8192'",
        ),
    ],
)
def test_the_command_of_each_engine(asked: dict[str, Any], line: str) -> None:
    assert command("llama-3.1-8b", **asked) == line


def test_ollama_takes_its_settings_from_the_environment() -> None:
    found = command("llama3.1:8b", runtime="ollama", context=16384, sequences=2, kv_cache_dtype="q8_0")
    assert found == (
        "OLLAMA_CONTEXT_LENGTH=16384 OLLAMA_NUM_PARALLEL=2 OLLAMA_KV_CACHE_TYPE=q8_0 "
        "OLLAMA_FLASH_ATTENTION=1 ollama serve & sleep 3 && ollama run llama3.1:8b"
    )
    few = command("llama3.1:8b", runtime="ollama", engine={"device_layers": 10})
    assert few.endswith(
        "printf '%s\\n' 'FROM llama3.1:8b' 'PARAMETER num_gpu 10' > Modelfile && "
        "ollama create sized && ollama run sized"
    )


@pytest.mark.parametrize("runtime", ["vllm", "sglang", "transformers"])
@pytest.mark.parametrize(
    ("model", "own"), [("deepseek-ai/DeepSeek-V3", "fp8-block"), ("openai/gpt-oss-20b", "mxfp4")]
)
def test_a_packed_checkpoint_is_not_packed_anew(runtime: str, model: str, own: str) -> None:
    quant = "nf4" if runtime == "transformers" else "fp8"
    answer = sw.memory_answer(model, runtime=runtime, quant=quant)
    assert answer.start is not None
    (note,) = answer.start.notes
    assert note.startswith(f"{model} is already in {own}, of which {runtime} makes no {quant}")
    assert answer.command == command(model, runtime=runtime)
    own_start = sw.memory_answer(model, runtime=runtime).start
    assert own_start is not None
    assert own_start.notes == ()


@pytest.mark.parametrize("model", ["gpt-oss:20b", "openai/gpt-oss-20b"])
def test_ollama_runs_a_tag_that_ships_mxfp4_by_its_name(model: str) -> None:
    found = command(model, runtime="ollama", context=8192, quant="mxfp4_moe")
    assert found == "OLLAMA_CONTEXT_LENGTH=8192 ollama serve & sleep 3 && ollama run gpt-oss:20b"


@pytest.mark.parametrize(
    ("model", "quant", "tag"),
    [
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "q4_k_m", "qwen3-coder:30b"),
        ("google/codegemma-7b-it", "q4_0", "codegemma:7b"),
        ("google/gemma-1.1-7b-it", "q4_0", "gemma:7b"),
        ("HuggingFaceH4/zephyr-7b-beta", "q4_0", "zephyr:7b"),
        ("microsoft/Phi-3.5-mini-instruct", "q4_0", "phi3.5:3.8b"),
        ("Qwen/Qwen2.5-7B-Instruct", "q4_k_m", "qwen2.5:7b"),
    ],
)
def test_ollama_runs_the_tag_that_ships_the_checkpoint(model: str, quant: str, tag: str) -> None:
    assert command(model, runtime="ollama", quant=quant).endswith(f"ollama run {tag}")


@pytest.mark.parametrize(
    "model", ["Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen/Qwen3-30B-A3B-Thinking-2507", "google/gemma-7b"]
)
def test_ollama_makes_a_model_that_no_tag_is_known_to_ship(model: str) -> None:
    assert command(model, runtime="ollama", quant="q4_k_m").endswith("ollama run sized")


@pytest.mark.parametrize(
    ("model", "repository"),
    [
        ("google/gemma-4-26B-A4B-it", "google/gemma-4-26B-A4B-it"),
        ("deepseek-ai/deepseek-v3.1", "deepseek-ai/DeepSeek-V3.1"),
        ("gemma 2 9b it", "google/gemma-2-9b-it"),
        ("gemma-2-9b", "google/gemma-2-9b"),
        ("meta-llama/Llama-3-8B", "meta-llama/Meta-Llama-3-8B"),
        ("llama-2-7b", "meta-llama/Llama-2-7b-hf"),
        ("zephyr:7b", "HuggingFaceH4/zephyr-7b-beta"),
    ],
)
def test_a_name_starts_its_own_checkpoint(model: str, repository: str) -> None:
    assert command(model, runtime="vllm", quant="bf16").startswith(f"vllm serve {repository} ")


def test_mlx_converts_what_it_makes_itself() -> None:
    model = sw.load("llama-3.1-8b")
    asked = replace(scenario(model, quant="mlx-4bit", runtime="ideal", sequences=4), runtime="mlx")
    started = start_command(model, asked)
    assert started is not None
    assert started.command == (
        f"mlx_lm.convert --hf-path {LLAMA} -q --q-bits 4 --q-group-size 64 --mlx-path "
        "./Llama-3.1-8B-mlx-4bit && mlx_lm.server --model ./Llama-3.1-8B-mlx-4bit --decode-concurrency 4"
    )


def test_layouts_are_told_in_each_engines_words() -> None:
    layout = {"tensor": 2, "data": 2, "experts": True}
    found = command("deepseek-v3", runtime="vllm", on="h200:4", layout=layout)
    assert "--tensor-parallel-size 2 --data-parallel-size 2 --enable-expert-parallel" in found
    found = command("deepseek-v3", runtime="sglang", on="h200:4", layout=layout)
    assert "--tp-size 4 --attn-dp-size 2 --ep-size 4" in found


def test_the_ideal_is_nobodys_engine() -> None:
    assert sw.memory_answer("gpt2", runtime="ideal").command is None


def test_files_of_the_hub_and_here_are_named_as_they_are(tmp_path: Path) -> None:
    model = replace(sw.load("llama-3.1-8b"), default_format="q4_k_m")
    asked = scenario(model, quant="q4_k_m", runtime="llama.cpp")

    def at(place: Place) -> str:
        started = start_command(replace(model, place=place), asked)
        assert started is not None
        return started.command

    end = " -c 8192 -np 1"
    assert at(Place(repository="org/x-GGUF", file="Q4_K_M")) == f"llama-server -hf org/x-GGUF:Q4_K_M{end}"
    assert at(Place(repository="org/x", file="a.gguf")) == f"llama-server -hf org/x -hff a.gguf{end}"
    assert at(Place(path=str(tmp_path / "a.gguf"))) == f"llama-server -m {tmp_path}/a.gguf{end}"
    assert at(Place(path="-v.gguf")) == f"llama-server -m ./-v.gguf{end}"


def test_a_checkpoint_here_is_its_folder_and_a_revision_stays() -> None:
    model = sw.load("llama-3.1-8b")
    asked = scenario(model, runtime="vllm")
    for place, line in (
        (Place(path="models/it/config.json"), "vllm serve models/it --max-model-len 8192"),
        (Place(repository="a/b", revision="v1"), "vllm serve a/b --revision v1 --max-model-len 8192"),
    ):
        started = start_command(replace(model, place=place), asked)
        assert started is not None
        assert started.command == line


@pytest.mark.parametrize("reference", ["7b", {"model_type": "gpt2", "n_embd": 48}])
def test_a_model_without_files_is_a_placeholder(reference: Any) -> None:
    found = sw.memory_answer(reference, runtime="vllm").command
    assert found is not None
    assert found.startswith("vllm serve MODEL ")
    changed = sw.memory_answer(sw.load("gpt2", settings=["n_layer=3"]), runtime="vllm").command
    assert changed is not None
    assert changed.startswith("vllm serve MODEL ")


hostile = st.text(min_size=1, max_size=30).filter(lambda name: "\0" not in name)


@settings(max_examples=100, deadline=None)
@given(hostile, st.sampled_from(sorted(set(startings()) - {"ollama"})))
def test_hostile_names_stay_one_word(name: str, runtime: str) -> None:
    model = replace(sw.load("llama-3.1-8b"), place=Place(path=f"./{name}/config.json"))
    weights = "q4_k_m" if runtime == "llama.cpp" else "bf16"
    asked = replace(scenario(model, quant=weights, runtime="ideal"), runtime=runtime)
    started = start_command(model, asked)
    assert started is not None
    assert started.command.isprintable()
    if name.isprintable():
        assert len(shlex.split(started.command)) <= 16


def test_unprintable_words_are_escaped() -> None:
    assert shell(["a\nb", "é\x1b", "\udcff"]) == r"$'a\x0ab' $'\xc3\xa9\x1b' $'\xff'"


OWN = {
    "llama.cpp": {
        "ubatch": 77,
        "batch": 777,
        "full_windows": True,
        "unified_cache": True,
        "device_layers": 7,
        "host_expert_layers": 17,
        "cache_on_host": True,
    },
    "vllm": {
        "utilization": 0.77,
        "batched_tokens": 7777,
        "running_sequences": 77,
        "block": 37,
        "eager": True,
        "host_weights_gib": 2.0,
    },
    "transformers": {"attention": "sdpa"},
}
OWN["sglang"] = OWN["vllm"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_option_that_is_not_a_default_appears(data: st.DataObject) -> None:
    runtime = data.draw(st.sampled_from(sorted(OWN)))
    names = data.draw(st.sets(st.sampled_from(sorted(OWN[runtime]))))
    context = data.draw(st.integers(1, 131_072))
    chosen = {name: OWN[runtime][name] for name in names}
    model = sw.load("llama-3.1-8b")
    quant = "q8_0" if runtime == "llama.cpp" else None
    asked = scenario(model, quant=quant, runtime=runtime, context=context, engine=EngineOptions(**chosen))
    started = start_command(model, asked)
    assert started is not None
    words = started.command.replace('"', " ").replace("'", " ").split()
    assert str(context) in words
    flags = startings()[runtime].flags
    for option, value in chosen.items():
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        expected = shown if value is not True else flags[option].split()[0]
        assert expected in words or (option, runtime) == ("running_sequences", "transformers")
    for option in set(OWN[runtime]) - names & set(flags):
        assert getattr(asked.engine, option) == getattr(ENGINE_DEFAULTS, option)


def test_rows_name_known_formats_and_options() -> None:
    options = {field.name for field in (*fields(EngineOptions), *fields(Layout))}
    words = {
        "model", "repository", "file", "context", "sequences", "split", "device", "keys", "values",
        "revision", "dtype", "lora", "quantization",
    }  # fmt: skip
    for name, row in startings().items():
        assert row.source, name
        assert row.checked, name
        assert set(row.flags) <= options | words
        assert set(row.loads) <= set(formats())
        assert set(row.makes) <= set(row.loads)
    assert set(tables("runtimes")["commands"]) == set(startings())
