"""What is measured: models built at random from their configuration, and the ways to train and run them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

MODELS: dict[str, dict[str, Any]] = {
    "llama-3.2-1b": {
        "model_type": "llama",
        "hidden_size": 2048,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 64,
        "intermediate_size": 8192,
        "vocab_size": 128256,
        "tie_word_embeddings": True,
    },
    "qwen3-0.6b": {
        "model_type": "qwen3",
        "hidden_size": 1024,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 3072,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    },
    "gpt2-medium": {"model_type": "gpt2", "n_embd": 1024, "n_layer": 24, "n_head": 16, "vocab_size": 50257},
    "olmoe-1b-7b, 6 layers": {
        "model_type": "olmoe",
        "hidden_size": 2048,
        "num_hidden_layers": 6,
        "num_attention_heads": 16,
        "intermediate_size": 1024,
        "num_experts": 64,
        "num_experts_per_tok": 8,
        "vocab_size": 50304,
    },
}
SHAPES = ((1, 1024), (4, 1024), (1, 4096))
"""Sequences and tokens of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run to measure. ``decode``: one token after ``sequence`` that are cached already."""

    model: str
    work: Literal["train", "prefill", "decode"]
    batch: int
    sequence: int
    config: dict[str, Any] = field(hash=False)
    precision: Literal["bf16", "fp32", "bf16-autocast"] = "bf16"
    optimizer: Literal["fused", "foreach", "loop"] = "fused"
    recompute: Literal["none", "full"] = "none"
    attention: Literal["sdpa", "eager"] = "sdpa"
    adapters: bool = False


def cases(*, small: bool = False) -> Iterator[Case]:
    """Yield every case; ``small``: of two small models, for a run on fake tensors."""
    models = dict(_small(MODELS)) if small else MODELS
    for name, config in models.items():
        for batch, sequence in ((2, 64),) if small else SHAPES:
            usual = Case(model=name, work="train", batch=batch, sequence=sequence, config=config)
            yield usual
            yield replace(usual, precision="fp32")
            yield replace(usual, precision="bf16-autocast")
            yield replace(usual, optimizer="foreach")
            yield replace(usual, optimizer="loop")
            yield replace(usual, recompute="full")
            yield replace(usual, attention="eager")
            yield replace(usual, recompute="full", attention="eager")
            yield replace(usual, adapters=True)
            yield replace(usual, work="prefill")
            yield replace(usual, work="decode")


def _small(models: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("llama-3.2-1b", "gpt2-medium"):
        changed = {"num_hidden_layers": 2, "n_layer": 2, "vocab_size": 512}
        yield name, models[name] | {key: value for key, value in changed.items() if key in models[name]}
