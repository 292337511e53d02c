"""vLLM 0.33.0: one pool of blocks for the caches of all layers, sized from what start-up leaves.

`layers` says what each layer asks for per block, `groups` how layers share the pool and what a request
takes of it, `startup` what is left of a device for the pool, `adapters` what LoRA adapters reserve.
Source: vLLM 0.33.0 (Apache-2.0), ``vllm/v1``; constants in ``facts/runtimes/vllm.toml``.
"""

from typing import Final

NAME: Final = "vllm"
VERSION = "0.33.0"
SOURCE = "vLLM 0.33.0"
