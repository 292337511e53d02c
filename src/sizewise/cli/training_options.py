"""The options of a training run, with the spellings of other tools as aliases."""

from typing import Any, get_args

import click

from sizewise.catalog.optimizers import optimizers
from sizewise.cli.options import Command, with_options
from sizewise.planning.training_values import DEVICES_LIMIT, FSDP, LAYERS_LIMIT, RANK_LIMIT
from sizewise.recipe import (
    AttentionKernel,
    LossKernel,
    Method,
    OptimizerKernel,
    PipelineSchedule,
    Recompute,
)
from sizewise.timing.training.amounts import Products
from sizewise.units import COUNT_LIMIT, SEQUENCES_LIMIT

PRECISION_HELP = (
    "fp32 or bf16: all in it · bf16-mixed: fp32 weights, gradients and states, bf16 work (FSDP) · "
    "bf16-autocast: the same by torch.amp · bf16-master: bf16 weights and gradients, fp32 copy and states "
    "(DeepSpeed) · megatron: the same with fp32 gradients."
)
RECOMPUTE_HELP = (
    "What is done again in backward instead of saved: none · attention: eager scores · selective: all but "
    "attention and every second product · full: all of a layer · offload: full, its inputs on the host. "
    "Searched for (none, selective, full) with --on or --memory, else none, if not named."
)


def training_options(function: Command) -> Command:
    """Add the options of a training run, under the names of `TrainingOptions`."""
    return with_options(*RUN, *BATCH, *METHOD, *OPTIMIZER, *ACTIVATIONS, *LAYOUT, *TIME)(function)


def _count(most: int, least: int = 1) -> click.IntRange:
    return click.IntRange(min=least, max=most)


def _one_of(kind: Any) -> click.Choice[str]:
    return click.Choice(list(get_args(kind)), case_sensitive=False)


def _split(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Return the names of comma lists."""
    return [name for value in values for name in value.split(",")]


RUN: tuple[Any, ...] = (
    click.option("--tokens", metavar="COUNT", help="Tokens to train on: 2T, 300B, 50M, 10K (decimal)."),
    click.option("--on", metavar="DEVICE[:COUNT]", help="Devices: h100-sxm:8; without a count the fewest."),
    click.option("--memory", metavar="SIZE", help="Memory per device, e.g. 24GiB."),
)

BATCH: tuple[Any, ...] = (
    click.option("--global-batch", type=_count(COUNT_LIMIT), help="Sequences of a step, on all devices."),
    click.option(
        "--global-tokens", metavar="COUNT", help="Tokens of a step, e.g. 4M; whole sequences of --seq."
    ),
    click.option(
        "--seq",
        "--sequence-length",
        "--context",
        "-c",
        "seq",
        metavar="TOKENS",
        help="Tokens of a sequence, e.g. 8k; 4,096 or the model's limit if not named.",
    ),
    click.option(
        "--micro-batch",
        type=_count(SEQUENCES_LIMIT),
        help="Sequences on a device at once; searched for with --global-batch, else 1, if not named.",
    ),
    click.option(
        "--accumulate",
        "--gradient-accumulation-steps",
        "accumulate",
        type=_count(SEQUENCES_LIMIT),
        help="Micro-batches of a step.",
    ),
)

METHOD: tuple[Any, ...] = (
    click.option(
        "--method",
        type=_one_of(Method),
        default="full",
        help="Every weight, low-rank adapters (lora, dora), or adapters beside packed weights (qlora).",
    ),
    click.option("--rank", type=_count(RANK_LIMIT), help="Rank of the adapters (16 if not named)."),
    click.option(
        "--target",
        multiple=True,
        callback=_split,
        metavar="NAME",
        help="Modules to adapt: q_proj,v_proj or all-linear; all products of the layers if not named.",
    ),
    click.option(
        "--adapter-dropout", type=float, default=0.0, metavar="SHARE", help="Dropout before the adapters."
    ),
    click.option("--quant", "-q", "quant", help="Format of packed weights (qlora), e.g. nf4, nf4-dq."),
    click.option("--freeze", multiple=True, metavar="PREFIX", help="Weights that are not trained, by name."),
)

OPTIMIZER: tuple[Any, ...] = (
    click.option("--precision", metavar="NAME", help=PRECISION_HELP),
    click.option(
        "--optimizer",
        default="adamw",
        metavar="NAME",
        help=f"Also by the names of transformers' Trainer: {', '.join(optimizers())}.",
    ),
    click.option(
        "--optimizer-kernel",
        type=_one_of(OptimizerKernel),
        help="How a step updates: one kernel, all tensors at once, one after another (the first there is).",
    ),
    click.option("--ema", is_flag=True, help="Keep a moving average of the weights."),
    click.option("--offload-optimizer", is_flag=True, help="Optimizer states in the host's memory."),
    click.option("--offload-weights", is_flag=True, help="Weights in the host's memory."),
)

ACTIVATIONS: tuple[Any, ...] = (
    click.option("--recompute", type=_one_of(Recompute), help=RECOMPUTE_HELP),
    click.option(
        "--recompute-every",
        type=_count(LAYERS_LIMIT),
        default=1,
        metavar="K",
        help="Every K-th layer is done again, the others keep all.",
    ),
    click.option(
        "--recompute-group",
        type=_count(LAYERS_LIMIT),
        default=1,
        metavar="LAYERS",
        help="Neighbouring layers that are done again as one piece.",
    ),
    click.option(
        "--attention",
        "--attn-implementation",
        "attention",
        type=_one_of(AttentionKernel),
        default="sdpa",
        help="How attention is computed.",
    ),
    click.option("--fused-norms", is_flag=True, help="Norms in one kernel, in the width of their input."),
    click.option(
        "--loss",
        type=_one_of(LossKernel),
        default="full",
        help="Logits of all tokens, a chunk at a time, or never whole (Liger).",
    ),
)

LAYOUT: tuple[Any, ...] = (
    click.option("--zero", type=_count(FSDP, 0), help="Stage of ZeRO: 1 states, 2 gradients, 3 weights."),
    click.option("--fsdp", is_flag=True, help="Same as --zero 3."),
    click.option("--dp", "--data-parallel-size", "dp", type=_count(DEVICES_LIMIT), help="Replicas."),
    click.option(
        "--tp", "--tensor-parallel-size", "tp", type=_count(DEVICES_LIMIT), help="Ranks of every matrix."
    ),
    click.option(
        "--pp", "--pipeline-parallel-size", "pp", type=_count(DEVICES_LIMIT), help="Stages of layers."
    ),
    click.option(
        "--cp", "--context-parallel-size", "cp", type=_count(DEVICES_LIMIT), help="Parts of a sequence."
    ),
    click.option(
        "--ep",
        "--expert-parallel-size",
        "ep",
        type=_count(DEVICES_LIMIT),
        help="Devices that share the experts.",
    ),
    click.option(
        "--virtual-stages",
        type=_count(DEVICES_LIMIT),
        help="Pieces of a pipeline on each device, interleaved; if not named 1, with --tuned or --precision "
        "megatron as many as come out even.",
    ),
    click.option(
        "--schedule",
        type=_one_of(PipelineSchedule),
        default="1f1b",
        help="Order of a pipeline's micro-batches: 1f1b, interleaved by --virtual-stages · zero-bubble: "
        "backward in two halves · dualpipe: from both ends, exchange of experts hidden.",
    ),
    click.option(
        "--shard-group", type=_count(DEVICES_LIMIT), help="Devices that share states (hybrid sharding)."
    ),
    click.option(
        "--no-sequence-parallel",
        "sequence_parallel",
        flag_value=False,
        default=True,
        help="Ranks keep norms and dropouts of whole sequences.",
    ),
)

TIME: tuple[Any, ...] = (
    click.option(
        "--products",
        type=_one_of(Products),
        default="bf16",
        help="Format that matrices are multiplied in; what is kept stays in 16 bit.",
    ),
    click.option(
        "--tuned", is_flag=True, help="A stack tuned by its vendor, as NVIDIA's Megatron-Bridge is: faster."
    ),
    click.option(
        "--network",
        metavar="RATE",
        help="Between machines, per device, e.g. 50GB/s; assumed if not named.",
    ),
    click.option(
        "--mfu", type=float, metavar="SHARE", help="Utilization that you measured, e.g. 0.41: no prediction."
    ),
    click.option(
        "--goodput",
        type=float,
        metavar="SHARE",
        help="Part of the time that makes progress; 0.95 if not named.",
    ),
    click.option(
        "--usd-per-hour", type=float, metavar="USD", help="Price of a device; the catalogue's if not named."
    ),
)
