"""The figures of the pages on training that no example prints, recomputed from the package."""

import csv
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from sizewise.activations.estimate import RANGE
from sizewise.api import load, plan_train_answer
from sizewise.catalog.optimizers import find_optimizer
from sizewise.catalog.overheads import overheads
from sizewise.catalog.rows import tables
from sizewise.flops.shortcuts import shortcuts
from sizewise.ledger import Line
from sizewise.planning.training.loads import ZERO_BUCKET
from sizewise.planning.training.memory import stage_memories
from sizewise.recipe import PRECISIONS, Recipe, Sharding
from sizewise.sources.config_json import from_config
from sizewise.sources.shapes import Shape, from_shape
from sizewise.states.optimizer import optimizer_state
from sizewise.states.step import step_temporaries
from sizewise.tape.loss import cross_entropy
from sizewise.tape.norms import layer_norm, rms_norm
from sizewise.tape.replay import saved_storages
from sizewise.tape.setting import Setting
from sizewise.tape.style import Style
from sizewise.tape.tape import Tape
from sizewise.tape.tensors import Tensor
from sizewise.units import GIB, MIB

_SPEC = importlib.util.spec_from_file_location("figures", Path(__file__).with_name("figures.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
figures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(figures)

MEMORY, ACTIVATIONS, COMPUTE = "training-memory.md", "activations.md", "compute.md"
GOLDEN = Path(__file__).parents[1] / "golden" / "training"
LLAMA = "llama-3.1-8b"


def highest(**options: Any) -> int:
    """Return the bytes of the highest moment of a step of Llama-3.1-8B in bf16, without overhead."""
    return max(plan_train_answer(LLAMA, precision="bf16", **options).phases.values())


def kept(**options: Any) -> int:
    return plan_train_answer(LLAMA, precision="bf16", **options).fullest.saved


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((GOLDEN / name).read_text(encoding="utf-8").splitlines()))


# activations.md: what each operation saves

T, D, F, V, N, K, H, E = 6, 24, 40, 101, 6, 2, 5, 2
LETTERS = {"T": T, "D": D, "F": F, "V": V, "N": N, "K": K, "H": H, "e": E}
ON_GPU = Setting(batch=1, sequence=T, width=E, device="cuda")


def saved(record: Callable[[Tape], Tensor], setting: Setting = ON_GPU, style: Style | None = None) -> int:
    tape = Tape(setting, style or Style())
    record(tape)
    return sum(storage.bytes for storage in saved_storages(tape.steps))


def stream(tape: Tape, features: int = D) -> Tensor:
    return tape.tensor(T * features)


def attention(tape: Tape) -> Tensor:
    queries, keys, values = (stream(tape, heads * H) for heads in (N, K, K))
    return tape.attention(queries, keys, values, N, T * N * H)


FUSED = Setting(batch=1, sequence=T, width=E, device="cuda", fused_norms=True)
OPERATIONS: dict[str, int] = {
    "product with a trained matrix": saved(lambda tape: tape.linear(stream(tape), F)),
    "product with a frozen matrix": saved(lambda tape: tape.linear(stream(tape), F, trained=False)),
    "product of two activations": saved(lambda tape: tape.matmul(stream(tape), stream(tape), T * T)),
    "sum, factor, cast, copy, view": saved(
        lambda tape: tape.view(tape.copy(tape.cast(tape.scale(tape.add(stream(tape), stream(tape))), 4)))
    ),
    "SiLU, GELU": saved(lambda tape: tape.unary("silu", stream(tape, F), "input")),
    "ReLU, sigmoid, tanh": saved(lambda tape: tape.unary("relu", stream(tape, F), "output")),
    "gate times up": saved(lambda tape: tape.multiply(stream(tape, F), stream(tape, F))),
    "dropout on an accelerator": saved(lambda tape: tape.dropout(stream(tape), 0.1)),
    "RMSNorm as Llama's class writes it": saved(lambda tape: rms_norm(tape, stream(tape), D)),
    "RMSNorm in one kernel": saved(lambda tape: rms_norm(tape, stream(tape), D), FUSED),
    "LayerNorm in one kernel": saved(lambda tape: layer_norm(tape, stream(tape), D)),
    "fused attention": saved(attention),
    "softmax in fp32": saved(lambda tape: tape.softmax(tape.tensor(N * T * T), 4)),
    "cross-entropy": saved(lambda tape: cross_entropy(tape, stream(tape, V))),
}


def test_operations_save_what_the_table_says() -> None:
    rows = figures.table(ACTIVATIONS, "operation")
    assert [name for name, _, _ in rows] == list(OPERATIONS)
    for name, _, cell in rows:
        formula = cell.strip("`").replace("·", "*")
        assert eval(formula, {}, LETTERS) == OPERATIONS[name], name


def policies() -> Iterator[str]:
    for options, words in (
        ({}, "| `none` | all that backward needs |"),
        (
            {"recompute": "selective"},
            "| `selective` | its input, attention's output, every second product |",
        ),
        ({"recompute": "full"}, "| `full` | its input |"),
        (
            {"recompute": "full", "recompute_group": 4},
            "| `full`, in pieces of 4 | the input of each four |",
        ),
        ({"recompute": "offload"}, "| `offload` | nothing: its input waits on the host |"),
    ):
        bytes_kept, most = kept(seq=8192, **options), highest(seq=8192, **options)
        yield f"{words} {figures.gib(bytes_kept)} | {figures.gib(most)} |"
    yield "1 × 8,192 tokens in bf16"
    yield "one layer of Llama-2-7B at 4,096 tokens in bf16"


def kernels() -> Iterator[str]:
    for name, _, cell in figures.table(ACTIVATIONS, "`--attention`"):
        assert cell == figures.gib(kept(seq=4096, attention=name.strip("`"))), name
        yield f"| {cell} |"
    yield "The same model at 4,096 tokens"


def losses() -> Iterator[str]:
    for name, _, cell in figures.table(ACTIVATIONS, "`--loss`"):
        assert cell == figures.gib(highest(seq=8192, loss=name.strip("`"))), name
        yield f"| {cell} |"
    yield "the loss at 8,192 tokens"


KINDS = {
    "dense": "dense decoders",
    "experts": "experts",
    "classic": "older decoders",
    "encoders": "encoders",
    "state_space": "state spaces and hybrids",
    "wrappers": "wrappers of a text model above",
}


def types_with_rows() -> Iterator[str]:
    found = tables("training")
    assert found.keys() == KINDS.keys()
    for name, types in found.items():
        yield f"| {KINDS[name]} | {sum('source' in row for row in types.values())} |"
    yield f"a range of {RANGE.low} to {RANGE.high} times"


def norms_in_one_kernel() -> Iterator[str]:
    per_feature = {}
    for fused in (False, True):
        record = plan_train_answer("llama-2-7b", precision="bf16", seq=4096, fused_norms=fused)
        two = plan_train_answer(without_a_layer(), precision="bf16", seq=4096, fused_norms=fused)
        per_feature[fused] = (record.fullest.saved - two.fullest.saved) / 4096**2
    yield f"bring {per_feature[False]:.1f} down to {per_feature[True]:.1f} bytes per token and feature"


def without_a_layer() -> dict[str, Any]:
    """Llama-2-7B with one layer less."""
    return {
        "model_type": "llama",
        "hidden_size": 4096,
        "num_hidden_layers": 31,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "intermediate_size": 11008,
        "vocab_size": 32000,
    }


# training-memory.md


def test_bytes_per_parameter_are_those_of_the_precisions() -> None:
    rows = figures.table(MEMORY, "precision")
    assert [row[0].strip("`") for row in rows] == list(PRECISIONS)
    for name, *cells, computes in rows:
        one = PRECISIONS[name.strip("`")]
        parts = (one.stored, one.gradient, one.master, 2 * one.state)
        assert [int(cell) for cell in cells] == [*parts, sum(parts)], name
        assert computes == {4: "fp32", 2: "bf16"}[one.compute]


def test_bytes_of_optimizers_are_those_of_their_rows() -> None:
    architecture = load(LLAMA).architecture
    numbers = figures.count(LLAMA)
    for name, *cells in figures.table(MEMORY, "optimizer | fp32"):
        optimizer = find_optimizer(name.strip("`"))
        recipes = [
            Recipe(sequence=1, optimizer=optimizer.name, precision=PRECISIONS[width])
            for width in ("fp32", "bf16")
        ]
        found = [f"{optimizer_state(architecture, recipe).value / numbers:.3f}" for recipe in recipes]
        at_once = "–"
        if "foreach" in optimizer.steps:
            at_once = f"{step_temporaries(architecture, recipes[0], 'foreach') / numbers:.3f}"
        assert cells == [*found, at_once], name


def small_states() -> Iterator[str]:
    yield "tensors below 4,096 numbers stay in fp32"
    yield f"two buckets of {ZERO_BUCKET:,} numbers at most"


def methods() -> Iterator[str]:
    for method in ("full", "lora", "dora", "qlora"):
        answer = plan_train_answer(LLAMA, method=method, seq=4096)
        line = answer.fullest.line
        parts = (line.part(name).value for name in ("weights", "gradients", "optimizer", "activations"))
        yield f"| `{method}` | {answer.trained:,} | {' | '.join(figures.gb(part) for part in parts)} |"
    yield "rank 16 on all products of the layers, 4,096 tokens"


def allowances() -> Iterator[str]:
    context, exchange = overheads("training")
    low, typical, high = (amount // MIB for amount in (context.low, context.typical, context.high))
    yield f"{typical} MiB of context and libraries ({low} to {high:,} MiB)"
    low, typical, high = (amount // MIB for amount in (exchange.low, exchange.typical, exchange.high))
    yield f"{typical} MiB for their exchange ({low} to {high:,} MiB)"


SHAPES: dict[str, dict[str, Any]] = {
    "Llama-3.2-1B": {
        "hidden_size": 2048,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 64,
        "intermediate_size": 8192,
        "vocab_size": 128256,
        "tie_word_embeddings": True,
    },
    "Llama-2-7B": {**without_a_layer(), "num_hidden_layers": 32},
}


def peaks_on_fake_tensors() -> Iterator[str]:
    for row in rows_of("step_peaks.csv"):
        recipe = Recipe(
            sequence=int(row["sequence"]),
            precision=PRECISIONS["bf16"],
            recompute="full" if row["recompute"] == "full" else "none",
            attention="sdpa-traced",
            implementation="loop",
        )
        model = from_config({"model_type": "llama", **SHAPES[row["model"]]}, name="model", origin="page")
        (stage,) = stage_memories(model, recipe)
        most, measured = max(stage.phases.values()), int(row["peak"])
        assert most == pytest.approx(measured, rel=1e-5)
        tokens = f"1 × {recipe.sequence:,}"
        yield f"| {row['model']} | {tokens} | {recipe.recompute} | {measured:,} | {most:,} |"


def reserved(row: dict[str, str], *, holds: bool = False) -> tuple[Line, float]:
    """Return what is predicted for a published run, and the bytes that its allocator reserved."""
    parts, ranks = int(row["context_parts"]), int(row["tensor_ranks"])
    data = int(row["devices"]) // (parts * ranks)
    recipe = Recipe(
        sequence=int(row["sequence"]),
        micro_batch=int(row["sequences"]),
        precision=PRECISIONS["bf16-mixed"],
        recompute="full" if row["recompute"] == "full" else "selective",
        fused_norms=row["compiled"] == "yes",
        attention="flash",
        keeps_outputs=holds,
        sharding=Sharding(data=data, tensor=ranks, context=parts, zero=3),
    )
    (stage,) = stage_memories(load(row["model"]), recipe)
    return stage.line, float(row["peak_gib"]) * GIB


def published_peaks() -> Iterator[str]:
    rows = rows_of("torchtitan.csv")
    lengths = sorted({int(row["sequence"]) for row in rows})
    yield f"{lengths[0]:,} to {lengths[-1]:,} tokens"
    small, large = rows[:10], rows[10:]
    held = [abs(line.value / peak - 1) for line, peak in (reserved(row, holds=True) for row in small)]
    yield f"within {100 * median(held):.1f} % in the median and {100 * max(held):.1f} % at most"
    pairs = [reserved(row) for row in small]
    shares = [1 - line.value / peak for line, peak in pairs]
    assert min(shares) > 0
    yield f"by {100 * median(shares):.1f} % in the median, {100 * max(shares):.1f} % at most"
    inside = sum(line.interval[0] <= peak <= line.interval[1] for line, peak in pairs)
    yield f"{inside} of the ten lie within the stated interval"
    ((line, first), (_, second)) = (reserved(row, holds=True) for row in large)
    low, high = line.interval
    assert low <= second < first <= high
    yield f"reserved {first / GIB:.2f} and {second / GIB:.2f} GiB; the value is {line.value / GIB:.2f} GiB"
    yield f"its interval {low / GIB:.2f} to {high / GIB:.2f} GiB"
    assert abs(line.value / first - 1) < 0.1
    yield "within 10 %, see below"


GPT = {
    "model_type": "gpt2",
    "n_embd": 512,
    "n_layer": 12,
    "n_head": 8,
    "vocab_size": 50000,
    "n_positions": 512,
    "attn_pdrop": 0,
    "resid_pdrop": 0,
    "embd_pdrop": 0,
}


def mib(amount: float) -> str:
    return f"{amount / MIB:.2f} MiB"


def popular_example() -> Iterator[str]:
    yield "12 layers, width 512 and 50,000 words as 61,423,616 parameters"
    shape = Shape(layers=12, hidden=512, heads=8, vocab=50_000)
    tied = Shape(layers=12, hidden=512, heads=8, vocab=50_000, tied=True)
    states = {}
    for one in (shape, tied):
        line = plan_train_answer(from_shape(one), precision="fp32", seq=512).fullest.line
        states[one] = [line.part(name).value for name in ("weights", "gradients", "optimizer")]
    weights, gradients, optimizer = states[shape]
    yield f"| parameters | 234 MB | {mib(weights)} | {figures.count(from_shape(shape)):,} of them, untied"
    yield f"tied {mib(states[tied][0])} |"
    yield f"| gradients | – | {mib(gradients)} |"
    yield f"| optimizer | 468 MB | {mib(optimizer)} |"
    yield f"| these states | 702 MB | {mib(sum(states[shape]))} | tied {mib(sum(states[tied]))}"
    layers = 12 * 512 * 512 * (34 + 5 * 8 * 512 // 512)
    yield f"| 200 MB | {mib(layers)} at 1 × 512 tokens, {mib(8 * layers)} at 8 × 512 |"
    yield f"| logits | – | {mib(8 * 512 * 50_000 * 4)} at 8 × 512 tokens"
    yield f"| 50 MB | {8 * 512 * 8 // 1024} KiB at 8 × 512 tokens |"
    totals = [most_of(from_shape(shape), sequences) for sequences in (1, 8)]
    yield f"| total | 952 MB | {mib(totals[0])} at 1 × 512 tokens, {mib(totals[1])} at 8 × 512 |"
    assert 234 + 234 + 468 + 200 + 50 == 1186
    yield "With its own figures and gradients it would be 1,186 MB"
    of_class = [most_of(GPT, sequences) for sequences in (1, 8)]
    yield f"takes {mib(of_class[0])} and {mib(of_class[1])}"
    yield f"{figures.count(GPT):,} parameters because it ties its head"


def most_of(model: Any, sequences: int) -> int:
    answer = plan_train_answer(model, precision="fp32", seq=512, micro_batch=sequences)
    return max(answer.phases.values())


# compute.md

MODELS = ("llama-2-7b", LLAMA, "llama-3.1-70b", "mixtral-8x7b-v0.1", "deepseek-v3")


def rules_of_thumb() -> Iterator[str]:
    found = {model: {one.rule.name: one for one in shortcuts(load(model), 4096)} for model in MODELS}
    for name, numbers, *cells in figures.table(COMPUTE, "rule"):
        rule = next(rule for rule in (f"{name}, {numbers}", name) if rule in found[LLAMA])
        errors = [100 * found[model][rule].error for model in MODELS]
        assert cells == [f"{error:+.1f} %".replace("-", "−") for error in errors], name
    yield "of the same sequence of 4,096 tokens"
    matmul = found[LLAMA]["6ND, matmul parameters"].error
    yield f"−{-100 * matmul:.0f} % at 4,096 tokens in an 8-billion model"


CLAIMS: dict[str, tuple[Callable[[], Iterator[str]], ...]] = {
    ACTIVATIONS: (policies, kernels, losses, types_with_rows, norms_in_one_kernel),
    MEMORY: (
        small_states,
        methods,
        allowances,
        peaks_on_fake_tensors,
        published_peaks,
        popular_example,
    ),
    COMPUTE: (rules_of_thumb,),
}


@pytest.mark.parametrize(
    ("page", "claims"),
    [
        pytest.param(page, one, id=f"{page}: {one.__name__}")
        for page, found in CLAIMS.items()
        for one in found
    ],
)
def test_page_states_what_the_package_answers(page: str, claims: Callable[[], Iterator[str]]) -> None:
    figures.check_claims(page, claims)


@pytest.mark.parametrize("page", CLAIMS)
def test_every_figure_of_a_page_is_claimed(page: str) -> None:
    figures.check_figures(page, CLAIMS[page])
