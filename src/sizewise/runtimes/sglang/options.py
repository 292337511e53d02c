"""How SGLang is started: the options that decide memory, under SGLang's own names."""

from dataclasses import dataclass

FP32_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SglangOptions:
    """Options of one engine, under SGLang's own names; None: its default for the device.

    ``number_bytes`` are those of a number of the model, ``cache_bytes`` of a cached number and
    ``recurrent_bytes`` of a number of a recurrent state. ``window_pools`` says that sliding layers have
    a pool of their own, ``encoder`` that the model sees pictures.
    """

    context_length: int
    mem_fraction_static: float | None = None
    chunked_prefill_size: int | None = None
    cuda_graph_max_bs: int | None = None
    max_running_requests: int | None = None
    max_mamba_cache_size: int | None = None
    page_size: int | None = None
    swa_full_tokens_ratio: float | None = None
    mamba_full_memory_ratio: float | None = None
    tp_size: int = 1
    pp_size: int = 1
    disable_radix_cache: bool = False
    disable_cuda_graph: bool = False
    mamba_extra_buffer: bool = True
    window_pools: bool = False
    encoder: bool = False
    number_bytes: int = 2
    cache_bytes: int = 2
    recurrent_bytes: int = FP32_BYTES
