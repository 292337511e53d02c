"""The four texts worked through: every figure of the page, recomputed from the package."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sizewise.api import load, memory, memory_answer, parameter_count, parameters, step_flops
from sizewise.catalog.formats import find_format
from sizewise.components.linear import Linear
from sizewise.footprint.weights import reduction
from sizewise.formats.layouts import layout
from sizewise.sources.shapes import Shape, from_shape
from sizewise.units import GIB

_SPEC = importlib.util.spec_from_file_location("figures", Path(__file__).with_name("figures.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
figures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(figures)

PAGE = "worked-examples.md"
TEXTBOOK = Shape(layers=12, hidden=512, heads=8, vocab=50_000)
FULL = replace(TEXTBOOK, biases=True, norms=True)
TIED = replace(TEXTBOOK, tied=True)


def shape_count(shape: Shape) -> int:
    return figures.count(from_shape(shape))


def bytes_of_a_bare_size() -> Iterator[str]:
    for size, format, words in (
        ("7b", "fp16", "7B at 2 bytes"),
        ("70b", "fp16", "70B at 2 bytes"),
        ("7b", "int4", "7B at half a byte"),
        ("7b", "fp32", "7B at 4 bytes"),
        ("7b", "int8", "7B at 1 byte"),
    ):
        (row,) = (row for row in figures.table(PAGE, "question") if row[0] == words)
        assert row[2] == figures.both(figures.weight_bytes(size, format))
        yield row[2]


def models_called_7b() -> Iterator[str]:
    low, high = figures.count("llama-2-7b"), figures.count("gemma-7b")
    yield f"{low / 10**9:.2f} to {high / 10**9:.2f} billion parameters"
    llama = load("llama-2-7b").architecture
    yield f"{llama.depth} blocks and {len(list(llama.tensors()))} tensors"


def sizes_and_memory() -> Iterator[str]:
    names = {
        "Phi-3-mini, really 3.8B": "phi-3-mini-4k-instruct",
        "Phi-3-medium": "phi-3-medium-4k-instruct",
        "CodeLlama-34B": "codellama-34b-hf",
    }
    for _, _, model, *cells in figures.table(PAGE, "class"):
        name = names.get(model, model)
        sizes = [figures.gb(figures.weight_bytes(name, format)) for format in ("bf16", "bnb-int8", "awq")]
        assert cells == [f"{figures.count(name):,}", *sizes], model
        yield f"| {model} | {' | '.join(cells)} |"


def deepseek_v2() -> Iterator[str]:
    bf16, awq = (figures.weight_bytes("deepseek-v2", format) for format in ("bf16", "awq"))
    found = parameter_count("deepseek-v2")
    yield f"{found.total.value:,} parameters: {figures.both(bf16)} in 16 bit, {figures.gb(awq)} in AWQ"
    yield f"uses {found.active:,} of them for a token"


def running_locally() -> Iterator[str]:
    yield f"Llama-3.1-8B take {figures.gb(figures.weight_bytes('llama-3.1-8b', 'awq'))} in AWQ"
    per_token, whole = figures.cache_bytes("llama-3.1-8b", 1), figures.cache_bytes("llama-3.1-8b", 131_072)
    yield f"{per_token // 2**10} KiB more, so {figures.gib(whole)} at 131,072 tokens"
    larger = figures.gb(figures.weight_bytes("llama-3.1-70b", "awq"))
    yield f"{larger} in AWQ and {figures.cache_bytes('llama-3.1-70b', 1) // 2**10} KiB per token"
    yield f"Phi-3-mini keeps {figures.cache_bytes('phi-3-mini-4k-instruct', 1) // 2**10} KiB per token"


def the_explainer() -> Iterator[str]:
    distilbert = parameters({"model_type": "distilbert", "architectures": ["DistilBertModel"]}).value
    yield f"GPT-2 has {figures.count('gpt2'):,} to {figures.count('gpt2-xl'):,}, DistilBERT {distilbert:,}"
    sizes = [figures.gb(figures.weight_bytes("llama-2-13b", format)) for format in ("bf16", "awq")]
    yield f"Llama-2-13B: {sizes[0]} in 16 bit, {sizes[1]} in AWQ"
    (fit,) = memory_answer("llama-3.1-70b", quant="awq", context="4k", on="l40s").fits
    held = f"{figures.gib(fit.needed)} of {figures.gib(fit.usable)}"
    yield f"with 4,096 tokens: {held} that vLLM takes of one L40S"
    model = load("llama-2-7b").architecture
    int8, nf4 = (reduction(model, figures.scheme_of("llama-2-7b", name)) for name in ("bnb-int8", "nf4"))
    yield f"{int8.from_fp32:.1f}× and {nf4.from_fp32:.1f}× (NF4) against fp32"
    yield f"{int8.from_checkpoint:.1f}× and {nf4.from_checkpoint:.1f}× against the shipped 16 bit"


def gpt_2_to_gpt_3() -> Iterator[str]:
    gpt_3 = Shape(
        layers=96,
        hidden=12_288,
        heads=96,
        vocab=50_257,
        positions=2048,
        tied=True,
        biases=True,
        norms=True,
    )
    total = parameters(from_shape(gpt_3)).value
    yield f'GPT-2 XL, {figures.count("gpt2-xl"):,}; "175 billion" is {total:,}'
    yield f'"GPT-3" | {total:,} | belongs to 100B and more |'


def steps_of_the_blog_post() -> Iterator[str]:
    roles = parameter_count(from_shape(TEXTBOOK)).by_role
    full = parameter_count(from_shape(FULL)).by_role
    yield "vocabulary 50,000"
    yield f"50,000 · 512 = {roles['embedding']:,}"
    yield f"3 · 512 · 64 = {3 * 512 * 64:,} weights"
    yield f"12 · 4 · 512² = {roles['attention']:,}"
    yield f"12 · 2 · 512 · 2048 = {roles['feed_forward']:,}"
    yield f"{roles['head']:,}, tied {shape_count(TEXTBOOK) - shape_count(TIED) - roles['head']:,} |"
    attention, feed_forward = (full[role] - roles[role] for role in ("attention", "feed_forward"))
    assert (attention, feed_forward) == (12 * 4 * 512, 12 * (2048 + 512))
    yield f"{attention:,} + {feed_forward:,} |"
    assert full["norm"] == (2 * 12 + 1) * 2 * 512
    yield f"| {full['norm']:,} |"
    yield f"{shape_count(TEXTBOOK):,} | matrices only"
    yield f"{shape_count(TIED):,} | the same, tied"
    yield f"{shape_count(FULL):,} | with biases and norms"


def slips_of_the_blog_post() -> Iterator[str]:
    product, slip, feed_forward, table_size = 12 * 8 * 512 * 64, 15 * 512**2, 12 * 2 * 512**2, 50_000 * 512
    yield f"12 · 8 · 512 · 64 = {slip:,} | its product is {product:,} | {slip:,} = 15 · 512²"
    yield f"12 · 2 · 512² = {feed_forward:,}"
    yield f"| total | {2 * table_size + slip + feed_forward:,} |"
    yield f"computed right, add up to {2 * table_size + product + feed_forward:,}"
    yield f"Bytes of {shape_count(TEXTBOOK):,} weights, and of the {2 * table_size + slip + feed_forward:,}"


def bytes_of_the_blog_post() -> Iterator[str]:
    for name, size in (("FP32", 4), ("FP16", 2), ("INT8", 1)):
        amounts = (61_423_616, shape_count(TEXTBOOK), shape_count(TIED))
        (row,) = (row for row in figures.table(PAGE, "format") if row[0] == name)
        assert row[2:] == [figures.mega(amount * size) for amount in amounts]
        yield from row[2:]
    line = memory(from_shape(TEXTBOOK), context=1, quant="fp16", runtime="ideal")
    assert line.part("weights").value == 2 * shape_count(TEXTBOOK)
    yield f"{line.part('cache').value:,} bytes per token in 16 bit"


def batch_memory_of_the_lesson() -> Iterator[str]:
    yield f"{32 * 1024 * 4 * 1024 / GIB:.3f} GiB for 32 × 1,024 tokens"
    names = ("llama-2-7b", "llama-3.1-8b")
    older, newer = (figures.gib(figures.cache_bytes(name, 1024, sequences=32)) for name in names)
    yield f"Llama-2-7B {older}, Llama-3.1-8B {newer}"
    older, newer = (figures.cache_bytes(name, 1) // 2**10 for name in names)
    yield f"keys and values take {older} and {newer} KiB"


def reductions_of_the_lesson() -> Iterator[str]:
    fp32, int4 = (figures.weight_bytes("7b", format) for format in ("fp32", "int4"))
    yield f"{fp32 / GIB:.2f} to {figures.gib(int4)} nominal"
    single, double = (figures.gib(packed_bytes(name, 70_000, 100_000)) for name in ("nf4", "nf4-dq"))
    yield f"NF4 of every weight {single}, with double quantization {double}"
    model = load("llama-2-7b").architecture
    for name, shown in (("nf4", "NF4"), ("bnb-int8", "INT8")):
        stored = f"{figures.weight_bytes('llama-2-7b', name):,}"
        times = reduction(model, figures.scheme_of("llama-2-7b", name))
        yield f"in {shown}: {stored} bytes, {times.from_fp32:.1f}× and {times.from_checkpoint:.1f}×"


def packed_bytes(name: str, rows: int, columns: int) -> int:
    format = find_format(name)
    tensors = layout(format)(rows, columns, format, "BF16") or ()
    return sum(tensor.bytes for tensor in tensors if not tensor.constant)


def arithmetic_of_the_lesson() -> Iterator[str]:
    mixtral = parameter_count("mixtral-8x7b-v0.1")
    yield f"{mixtral.active:,} of {mixtral.total.value:,}"
    flops = step_flops(from_shape(TEXTBOOK), tokens=512).value
    yield f"{flops:,} for the 512-wide model above and 512 tokens"


def a_linear_layer() -> Iterator[str]:
    layer = Linear(inputs=1000, outputs=500, role="feed_forward", bias=True)
    yield f"1000 · 500 + 500 = {sum(weight.elements for weight in layer.weights()):,}"


CLAIMS = (
    a_linear_layer,
    bytes_of_a_bare_size,
    models_called_7b,
    sizes_and_memory,
    deepseek_v2,
    running_locally,
    the_explainer,
    gpt_2_to_gpt_3,
    steps_of_the_blog_post,
    slips_of_the_blog_post,
    bytes_of_the_blog_post,
    batch_memory_of_the_lesson,
    reductions_of_the_lesson,
    arithmetic_of_the_lesson,
)


@pytest.mark.parametrize("claims", CLAIMS, ids=lambda claims: claims.__name__)
def test_page_states_what_the_package_answers(claims: figures.Claims) -> None:
    figures.check_claims(PAGE, claims)


def test_every_figure_of_the_page_is_claimed() -> None:
    figures.check_figures(PAGE, CLAIMS)
