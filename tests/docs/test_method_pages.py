"""The figures of the method pages that no console example shows, recomputed from the package."""

import csv
import doctest
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sizewise.api import load, memory_answer, parameter_count, parameters, step_flops
from sizewise.catalog.devices import find_device
from sizewise.catalog.formats import find_format
from sizewise.catalog.models import presets
from sizewise.catalog.overheads import overheads
from sizewise.catalog.rows import tables
from sizewise.components.linear import Linear
from sizewise.footprint import buffers
from sizewise.footprint.weights import (
    constant_bytes,
    packed_weights,
    reduction,
    stored_elements,
    stored_weights,
)
from sizewise.formats.layouts import layout
from sizewise.operations import TokenCache
from sizewise.planning.storage import asked_storage
from sizewise.runtimes.llama_cpp import OTHER_DEVICES
from sizewise.runtimes.llama_estimate import BOUNDS
from sizewise.scenario import ENGINE_DEFAULTS
from sizewise.units import MIB, parse_context

_SPEC = importlib.util.spec_from_file_location("figures", Path(__file__).with_name("figures.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
figures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(figures)

PEAKS = "validation/results/transformers_buffers.csv"
PYTHON = re.compile(r"```python\n(.*?)```", re.S)


# counting.md


def totals_of_classes() -> Iterator[str]:
    for name in ("BertModel", "BertForMaskedLM"):
        total = parameters({"model_type": "bert", "architectures": [name]}).value
        yield f"{total:,} as `{name}`"
    layer = Linear(inputs=1000, outputs=500, role="feed_forward", bias=True)
    yield f"1000 → 500 has {sum(weight.elements for weight in layer.weights()):,}"


def active_parameters_by_convention() -> Iterator[str]:
    names = {
        "gpt-oss-120b": "gpt-oss-120b",
        "DeepSeek-V3": "deepseek-v3",
        "Mixtral-8x7B": "mixtral-8x7b-v0.1",
        "Qwen3-30B-A3B": "qwen3-30b-a3b",
    }
    for shown, name in names.items():
        found = parameter_count(name)
        cells = (found.total.value, *found.active_by_convention.values())
        yield f"| {shown} | " + " | ".join(f"{cell / 10**9:.2f}B" for cell in cells) + " |"


def published(preset_id: str) -> int:
    return next(preset.published or 0 for preset in presets() if preset.id == preset_id)


def published_minus_model() -> Iterator[str]:
    differences = {
        "Qwen/Qwen3-0.6B": ("Qwen3-0.6B", 151_936 * 1024),
        "openai-community/gpt2": ("GPT-2", 12 * 1024**2),
        "meta-llama/Llama-2-7b-hf": ("Llama-2-7B", 32 * 128 // 2),
    }
    for preset, (name, difference) in differences.items():
        model = figures.count(preset)
        assert model + difference == published(preset)
        yield f"{name}: {model:,} + {difference:,} = {published(preset):,}"
    minimax, corrections = "MiniMaxAI/MiniMax-M2.5", 62 * 256
    assert figures.count(minimax) + corrections + block_scales(minimax) == published(minimax)
    yield f"MiniMax-M2.5: 62 layers of 256, + {corrections:,}"
    yield f"Qwen3-30B-A3B: + {block_scales('qwen3-30b-a3b'):,}"


def block_scales(name: str) -> int:
    stored = stored_elements(load(name).architecture, figures.scheme_of(name, "fp8-block"))
    return stored - figures.count(name)


def deepseek_v3_item_by_item() -> Iterator[str]:
    model, longer = load("deepseek-v3"), load("deepseek-v3", settings=["num_hidden_layers=62"])
    hidden, vocabulary = model.architecture.hidden, model.architecture.vocabulary
    total = int(parameters(model).value)
    with_layer = int(parameters(longer).value)
    scheme = asked_storage(longer, find_format("fp8-block")).scheme
    items = {
        "model (`DeepseekV3ForCausalLM`)": total,
        "one more layer with experts": with_layer - total,
        "its projection of 2·D to D and three norms": 2 * hidden**2 + 3 * hidden,
        "its copies of embedding and head": 2 * vocabulary * hidden,
        "correction biases, 59 layers of 256": 59 * 256,
        "scales of the FP8 blocks": stored_elements(longer.architecture, scheme) - with_layer,
    }
    assert sum(items.values()) == published("deepseek-ai/DeepSeek-V3")
    for item, elements in items.items():
        yield f"| {item} | {elements:,} |"
    yield f"| published elements | {sum(items.values()):,} |"


def flops_of_torch() -> Iterator[str]:
    yield f"counts the same {step_flops('llama-2-7b', tokens=2048).value:,} for"


# weights.md


def three_counts_of_llama_awq() -> Iterator[str]:
    model, scheme = load("llama-3.1-8b"), figures.scheme_of("llama-3.1-8b", "awq")
    yield f"| parameters | {parameters(model).value:,} |"
    yield f"| stored elements | {stored_elements(model.architecture, scheme):,} |"
    yield f"| bytes | {figures.weight_bytes('llama-3.1-8b', 'awq'):,} |"
    found: dict[str, int] = {}
    for entry in stored_weights(model.architecture, scheme):
        unpacked = "norms" if entry.weight.role == "norm" else "embedding and head"
        for tensor in entry.packing.tensors:
            name = unpacked if tensor.name == "weight" else f"`{tensor.name}`"
            amount = tensor.elements * entry.packing.copies * entry.tensors
            found[name] = found.get(name, 0) + amount
    assert sum(found.values()) == stored_elements(model.architecture, scheme)
    rows = {row[0].split(" ")[0].rstrip(","): row[1] for row in figures.table("weights.md", "tensors")}
    assert {name.split(" ")[0]: f"{amount:,}" for name, amount in found.items()} == rows
    yield from rows.values()


def what_stays_at_16_bit() -> Iterator[str]:
    llama = packed_weights(load("llama-3.1-8b").architecture, figures.scheme_of("llama-3.1-8b", "awq"))
    kept = llama["bf16"]
    yield f"keeps {kept:,} of its weights, {kept / sum(llama.values()):.0%}".replace("%", " %")
    mixtral = "mixtral-8x7b-v0.1"
    packed = packed_weights(load(mixtral).architecture, figures.scheme_of(mixtral, "nf4"))
    yield f"NF4 packs {packed['nf4'] / sum(packed.values()):.0%} of Mixtral-8x7B".replace("%", " %")
    gpt_oss = packed_weights(load("gpt-oss-20b").architecture, figures.scheme_of("gpt-oss-20b", "mxfp4"))
    experts, rest, total = gpt_oss["mxfp4"], gpt_oss["bf16"], figures.weight_bytes("gpt-oss-20b", "mxfp4")
    assert experts * 17 // 32 + rest * 2 == total
    yield f"{experts:,} expert weights at 4.25 bits and {rest:,} at 16 are {total:,} bytes"


def reduction_of_llama_2() -> Iterator[str]:
    model = load("llama-2-7b")
    for name in ("fp32", "bf16", "bnb-int8", "nf4", "nf4-dq", "awq", "int4"):
        times = reduction(model.architecture, figures.scheme_of("llama-2-7b", name))
        shown = f"`{name}`, nominal" if name == "int4" else f"`{name}`"
        stored = f"{figures.weight_bytes('llama-2-7b', name):,}"
        yield f"| {shown} | {stored} | {times.from_fp32:.1f}× | {times.from_checkpoint:.1f}× |"
    single, double = (
        constant_bytes(model.architecture, figures.scheme_of("llama-2-7b", name))
        for name in ("nf4", "nf4-dq")
    )
    yield f"({single:,} bytes for Llama-2-7B, {double:,} with double quantization)"


def test_bits_of_each_format_are_those_of_its_layout() -> None:
    for name, _, bits, _ in figures.table("weights.md", "format"):
        format = find_format(name.strip("`"))
        if format.plain:
            assert bits == f"{float(format.bits):.3f}", name
            continue
        tensors = layout(format)(4096, 4096, format, "BF16") or ()
        stored = sum(tensor.bytes for tensor in tensors if not tensor.constant)
        assert bits == f"{8 * stored / 4096**2:.3f}", name


# cache.md


def bytes_per_token() -> Iterator[str]:
    llama = figures.cache_bytes("llama-3.1-8b", 1)
    assert llama == 2 * 8 * 128 * 32 * 2
    yield f"{llama:,} bytes per token: 2 · K · H · L · e = 2 · 8 · 128 · 32 · 2."
    for model, _, first, further, whole in figures.table("cache.md", "model | mechanism"):
        name = {"Qwen3-Next-80B-A3B": "qwen3-next-80b-a3b-instruct", "Mamba-2.8B": "mamba-2.8b-hf"}.get(model)
        at = {context: figures.cache_bytes(name or model, context) for context in (1, 32_767, 32_768)}
        assert first == f"{at[1]:,}", model
        assert further == f"{at[32_768] - at[32_767]:,}", model
        assert whole == figures.gib(at[32_768]), model
        yield f"| {first} | {further} | {whole} |"
    yield "token at 32,768"
    yield "A further token at 32,768 costs less"


def two_engines() -> Iterator[str]:
    for shown, name, context in (
        ("gpt-oss-20b", "gpt-oss-20b", 8192),
        ("Mamba-2.8B", "mamba-2.8b-hf", 8192),
        ("Falcon-40B", "falcon-40b", 2048),
    ):
        ideal, grown = (
            figures.cache_bytes(name, context, runtime=engine) for engine in ("ideal", "transformers")
        )
        length = "any" if shown.startswith("Mamba") else f"{context:,}"
        yield f"| {shown} | {length} | {ideal:,} | {grown:,} |"


def windows() -> Iterator[str]:
    assert figures.cache_bytes("mistral-7b-v0.1", 5000) == figures.cache_bytes("mistral-7b-v0.1", 4096)
    yield "| Mistral-7B-v0.1 | sliding, W = 4,096 |"
    yield "| Gemma-2-9B | half sliding, W = 4,096 |"


# memory.md


def peaks_under_fake_tensors() -> Iterator[str]:
    rows = list(csv.DictReader((figures.PAGES.parents[1] / PEAKS).read_text().splitlines()))
    inside = sum(int(row["low"]) <= int(row["measured"]) <= int(row["high"]) for row in rows)
    yield f"configurations of {len({row['family'] for row in rows})} families"
    yield f"{inside} of {len(rows)} lie in the interval"
    ratios = sorted(int(row["measured"]) / int(row["estimated"]) for row in rows)
    yield f"the middle one at {ratios[(len(ratios) - 1) // 2]:.2f} times"


def facts_behind_the_estimates() -> Iterator[str]:
    (context,) = overheads("transformers")
    low, typical, high = (amount // MIB for amount in (context.low, context.typical, context.high))
    yield f"{typical} MiB, between {low} and {high} MiB"
    low_factor, high_factor = buffers.ACTIVATIONS
    yield f"{low_factor} to {high_factor} times the value"
    yield f"hold up to {buffers.SCANS[1]} times as much"
    yield from peaks_under_fake_tensors()
    h100, rtx = find_device("h100-sxm"), find_device("rtx-4090")
    yield f'"80 GB" H100 has {h100.memory_bytes // MIB:,} MiB'
    yield f'"24 GB" RTX 4090 has {(rtx.memory_bytes + rtx.display_reserve_bytes) // MIB:,} MiB'
    yield f"{rtx.display_reserve_bytes // MIB} MiB on consumer cards, a guess within 0.3 to 1.5 GiB"


def test_stages_of_two_devices_hold_the_model_between_them() -> None:
    answer = memory_answer("llama-3.1-8b", context="32k", on="rtx-4090:2")
    for name in ("weights", "cache"):
        parts = [share.line.part(name).value for share in answer.shares]
        assert sum(parts) == answer.line.part(name).value


# gguf-sizes.md


def bits_per_weight() -> Iterator[str]:
    for shown, name, wanted in (
        ("Llama-3.1-8B", "llama-3.1-8b", "q4_k_m"),
        ("Qwen2.5-0.5B", "qwen2.5-0.5b", "q4_k_m"),
        ("Mixtral-8x7B", "mixtral-8x7b-v0.1", "q4_k_m"),
        ("Llama-3.1-8B", "llama-3.1-8b", "q8_0"),
        ("Llama-3.1-8B", "llama-3.1-8b", "iq2_xxs"),
    ):
        stored = figures.weight_bytes(name, wanted)
        bits = 8 * stored / figures.count(name)
        yield f"| {shown} | `{wanted}` | {stored:,} | {bits:.2f} |"


# runtimes.md


def one_model_in_all_engines() -> Iterator[str]:
    layers = load("gemma-3-12b-it").architecture.depth
    windows = [
        (kept.window, count)
        for kept, count in load("gemma-3-12b-it").architecture.kept()
        if isinstance(kept, TokenCache)
    ]
    sliding = sum(count for window, count in windows if window)
    assert sliding * 6 == layers * 5
    (window,) = {window for window, _ in windows if window}
    yield f"has {layers} layers; five of six slide over a window of {window:,} tokens"
    assert ENGINE_DEFAULTS.ubatch == 512
    yield "6,000 tokens of each of three sequences"
    low, high = OTHER_DEVICES
    yield f"from {low} to {high} times that"


# overheads.md


def fixed_amounts() -> Iterator[str]:
    for runtime in ("transformers", "llama.cpp"):
        (row,) = overheads(runtime)
        cells = (f"{amount // MIB} MiB" for amount in (row.low, row.typical, row.high))
        yield f"| {runtime} | {' | '.join(cells)} |"
    for engine in ("vllm", "sglang"):
        for name, row in tables("runtimes")[engine]["allowance"].items():
            if isinstance(row, dict):
                yield f"| {engine} | {name} | {row['low']:g} | {row['typical']:g} | {row['high']:g} |"
    low, high = OTHER_DEVICES
    yield f"({low} to {high} times)"
    low, high = BOUNDS
    yield f"({low} to {high} times)"


# README.md


def units() -> Iterator[str]:
    yield f"a context of `32k` is {parse_context('32k'):,} tokens"


# every page

CLAIMS = {
    "README.md": (units,),
    "counting.md": (
        totals_of_classes,
        active_parameters_by_convention,
        published_minus_model,
        deepseek_v3_item_by_item,
        flops_of_torch,
    ),
    "weights.md": (
        three_counts_of_llama_awq,
        what_stays_at_16_bit,
        reduction_of_llama_2,
    ),
    "cache.md": (
        bytes_per_token,
        two_engines,
        windows,
    ),
    "memory.md": (facts_behind_the_estimates,),
    "gguf-sizes.md": (bits_per_weight,),
    "runtimes.md": (one_model_in_all_engines,),
    "overheads.md": (fixed_amounts,),
}


@pytest.mark.parametrize(
    ("page", "claims"),
    [
        pytest.param(page, one, id=f"{page}: {one.__name__}")
        for page, found in CLAIMS.items()
        for one in found
    ],
)
def test_page_states_what_the_package_answers(page: str, claims: figures.Claims) -> None:
    figures.check_claims(page, claims)


@pytest.mark.parametrize("page", CLAIMS)
def test_every_figure_of_a_page_is_claimed(page: str) -> None:
    figures.check_figures(page, CLAIMS[page])


@pytest.mark.parametrize("page", sorted(path.name for path in figures.PAGES.glob("*.md")))
def test_python_examples_print_what_the_page_shows(page: str) -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    text = (figures.PAGES / page).read_text(encoding="utf-8")
    for number, code in enumerate(PYTHON.findall(text)):
        assert runner.run(parser.get_doctest(code, {}, f"{page}[{number}]", page, 0)).failed == 0
