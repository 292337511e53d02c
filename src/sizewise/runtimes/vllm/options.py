"""How vLLM is started: the options that decide memory, under vLLM's own names.

Defaults that depend on the device come from `vllm_options`.
"""

from dataclasses import dataclass

from sizewise.catalog.serving import vllm_batch, vllm_defaults, vllm_keeps_fp32

BLACKWELL = 10
HOPPER = 9
FP32_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmOptions:
    """Options of one engine. Tokens, sequences, devices and bytes.

    ``block_size`` None lets the attention backend choose. ``number_bytes`` are those of a number in the
    model's precision, ``recurrent_bytes`` those of a number of a recurrent state. ``keeps_latent`` says
    that latent attention keeps its latent, not the expanded keys and values. ``encoder_tokens`` are
    the keys that cross-attention may keep of one input (None: as many as a step has tokens).
    ``capability`` is the major compute capability of the device; ``concurrent_batches`` None follows from
    ``async_scheduling`` and ``pipeline``.
    """

    max_model_len: int
    max_num_batched_tokens: int
    max_num_seqs: int
    gpu_memory_utilization: float
    kv_cache_dtype: str = "auto"
    block_size: int | None = None
    tensor: int = 1
    pipeline: int = 1
    decode_context: int = 1
    enforce_eager: bool = False
    hybrid_manager: bool = True
    prefix_caching: bool = True
    async_scheduling: bool = True
    concurrent_batches: int | None = None
    speculative_tokens: int = 0
    prefill_checkpoints: bool = True
    number_bytes: int = 2
    recurrent_bytes: int = 2
    keeps_latent: bool = True
    encoder_tokens: int | None = None
    capability: int = HOPPER
    num_gpu_blocks_override: int | None = None
    kv_cache_memory_bytes: int | None = None

    @property
    def tokens_in_flight(self) -> int:
        """Count the tokens that may be scheduled and not yet settled: a step per concurrent batch."""
        batches = self.concurrent_batches
        if batches is None:
            batches = self.pipeline + 1 if self.async_scheduling else self.pipeline
        return batches * self.max_num_batched_tokens

    @property
    def latest_encoder_tokens(self) -> int:
        """Count the keys of an encoder that one request may keep."""
        return self.max_num_batched_tokens if self.encoder_tokens is None else self.encoder_tokens


def vllm_options(
    *,
    device_bytes: int,
    device_name: str,
    max_model_len: int,
    server: bool = True,
    gpu_memory_utilization: float | None = None,
    max_num_batched_tokens: int | None = None,
    max_num_seqs: int | None = None,
) -> VllmOptions:
    """Return vLLM's own defaults on a device, for the API server or the offline class.

    >>> options = vllm_options(device_bytes=80 * 2**30, device_name="H100", max_model_len=8192)
    >>> options.max_num_batched_tokens, options.max_num_seqs, options.gpu_memory_utilization
    (8192, 1024, 0.92)
    """
    batch = vllm_batch(device_bytes, device_name)
    sequences = batch.sequences if max_num_seqs is None else max_num_seqs
    tokens = max_num_batched_tokens
    if tokens is None:
        tokens = batch.server_tokens if server else batch.offline_tokens
        tokens = min(tokens, sequences * max_model_len)
    if max_num_seqs is None:
        sequences = min(sequences, tokens)
    utilization = gpu_memory_utilization
    if utilization is None:
        utilization = float(vllm_defaults()["gpu_memory_utilization"])
    return VllmOptions(
        max_model_len=max_model_len,
        max_num_batched_tokens=tokens,
        max_num_seqs=sequences,
        gpu_memory_utilization=utilization,
    )


def recurrent_bytes(model_type: str, number_bytes: int) -> int:
    """Return the bytes of a number of a recurrent state: the model's own, or 4 where vLLM raises it.

    >>> recurrent_bytes("qwen3_next", 2), recurrent_bytes("qwen3_5_text", 2)
    (2, 4)
    """
    return FP32_BYTES if vllm_keeps_fp32(model_type) else number_bytes
