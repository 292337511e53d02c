"""The engines' own sizing flags under their own names, collected into what the engines are told."""

from functools import wraps
from math import isnan
from typing import Any

import click

from sizewise.cli.options import Command, Tokens, with_options
from sizewise.scenario import HOST_GIB_LIMIT, EngineOptions, Layout

SWITCH = {"on": True, "off": False, "auto": True, "1": True, "0": False}
"""What llama.cpp's ``--flash-attn`` takes."""


def engine_options(function: Command) -> Command:
    """Add the engines' flags; the command receives ``engine`` and ``layout``."""

    @wraps(function)
    def collect(**options: Any) -> Any:
        told = {name: options.pop(name) for name in EngineOptions.__dataclass_fields__}
        told["flash_attention"] = SWITCH[told["flash_attention"]]
        shared = {name: options.pop(name) for name in Layout.__dataclass_fields__}
        return function(engine=EngineOptions(**told), layout=Layout(**shared), **options)

    return with_options(*LLAMA_CPP, *SERVERS, *TRANSFORMERS, *LAYOUT)(collect)


def _count(least: int = 1, most: int = 10**9) -> click.IntRange:
    return click.IntRange(min=least, max=most)


LLAMA_CPP: tuple[Any, ...] = (
    click.option(
        "--ubatch-size",
        "-ub",
        "ubatch",
        type=_count(),
        default=512,
        help="llama.cpp: tokens of a micro-batch.",
    ),
    click.option(
        "--batch-size", "-b", "batch", type=_count(), default=2048, help="llama.cpp: tokens of a batch."
    ),
    click.option(
        "--flash-attn",
        "-fa",
        "flash_attention",
        type=click.Choice(list(SWITCH)),
        default="auto",
        help="llama.cpp: flash attention.",
    ),
    click.option(
        "--swa-full", "full_windows", is_flag=True, help="llama.cpp: sliding layers keep every token."
    ),
    click.option("--kv-unified", "unified_cache", is_flag=True, help="llama.cpp: sequences share the cells."),
    click.option(
        "--n-gpu-layers",
        "--gpu-layers",
        "-ngl",
        "device_layers",
        type=_count(0),
        help="llama.cpp: layers on devices, the output counts as one.",
    ),
    click.option(
        "--n-cpu-moe",
        "-ncmoe",
        "host_expert_layers",
        type=_count(0),
        default=0,
        help="llama.cpp: first layers whose experts stay on the host.",
    ),
    click.option(
        "--no-kv-offload",
        "-nkvo",
        "cache_on_host",
        is_flag=True,
        help="llama.cpp: keep the cache on the host.",
    ),
)


class Fraction(click.FloatRange):
    """A number within limits; what is none is within no limits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; a usage error where it is beyond the limits or none."""
        number = float(super().convert(value, param, ctx))
        return self.fail(f"{value} is not a number", param, ctx) if isnan(number) else number


SHARE = Fraction(min=0, max=1, min_open=True)
SERVERS: tuple[Any, ...] = (
    click.option(
        "--gpu-memory-utilization",
        "--mem-fraction-static",
        "utilization",
        type=SHARE,
        help="vLLM, SGLang: share of the device to take.",
    ),
    click.option(
        "--max-num-batched-tokens",
        "--chunked-prefill-size",
        "batched_tokens",
        type=_count(),
        help="vLLM, SGLang: tokens of one step.",
    ),
    click.option(
        "--running-sequences",
        "running_sequences",
        type=_count(),
        help="vLLM, SGLang: sequences that a step is sized for.",
    ),
    click.option(
        "--block-size",
        "--page-size",
        "block",
        type=_count(most=4096),
        help="vLLM, SGLang: tokens of a block of the cache.",
    ),
    click.option(
        "--enforce-eager",
        "--disable-cuda-graph",
        "eager",
        is_flag=True,
        help="vLLM, SGLang: no CUDA graphs.",
    ),
    click.option(
        "--shared-prefix",
        "shared_prefix",
        type=Tokens(),
        default=0,
        metavar="TOKENS",
        help="vLLM, SGLang: tokens that all sequences begin with and keep once, e.g. 2k.",
    ),
    click.option(
        "--cpu-offload-gb",
        "host_weights_gib",
        type=Fraction(min=0, max=HOST_GIB_LIMIT),
        default=0,
        metavar="GIB",
        help="vLLM, SGLang: GiB of each device's weights that stay on the host.",
    ),
    click.option(
        "--max-loras",
        "adapters",
        type=_count(0, 10**4),
        default=0,
        help="Adapters held beside the model.",
    ),
    click.option(
        "--max-lora-rank",
        "adapter_rank",
        type=_count(most=4096),
        default=16,
        help="Rank of the adapters.",
    ),
)


ATTENTION = click.Choice(["auto", "eager", "sdpa", "flash_attention_2"])
TRANSFORMERS: tuple[Any, ...] = (
    click.option(
        "--static-cache", "static_cache", is_flag=True, help="transformers: a cache allocated at once."
    ),
    click.option(
        "--attn-implementation",
        "attention",
        type=ATTENTION,
        default="auto",
        help="transformers: how attention is computed.",
    ),
    click.option(
        "--offload",
        "offload",
        is_flag=True,
        help="transformers: layers that do not fit stay on the host (device_map auto).",
    ),
)


LAYOUT: tuple[Any, ...] = (
    click.option(
        "--tensor-parallel-size",
        "--tp",
        "-tp",
        "tensor",
        type=_count(),
        help="Devices that share every matrix.",
    ),
    click.option(
        "--pipeline-parallel-size",
        "--pp",
        "-pp",
        "pipeline",
        type=_count(),
        default=1,
        help="Stages of layers.",
    ),
    click.option(
        "--data-parallel-size",
        "--dp",
        "-dp",
        "data",
        type=_count(),
        default=1,
        help="Replicas of attention.",
    ),
    click.option(
        "--enable-expert-parallel", "--ep", "experts", is_flag=True, help="Devices hold whole experts."
    ),
)
