"""A question of each verb that has an answer, for documents of the service; a test asks them all."""

from collections.abc import Mapping
from typing import Any

_SIZES = (1e8, 2e8, 4e8, 8e8)
_TOKENS = (2e9, 4e9, 8e9, 1.6e10)
RUNS = "params,tokens,loss\n" + "".join(
    f"{n:.0f},{d:.0f},{1.8 + 480 / n**0.35 + 2100 / d**0.37:.4f}\n" for n in _SIZES for d in _TOKENS
)
"""Sixteen runs of a law, as a CSV file."""

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "params": {"model": "llama-3.1-8b"},
    "memory": {"model": "llama-3.1-8b", "context": "32k", "quant": "q4_k_m", "on": "rtx-4090"},
    "speed": {"model": "llama-3.1-8b", "on": "h100-sxm", "input": 1024, "output_tokens": 256},
    "choose": {"task": "code", "memory": "24GiB"},
    "recommend": {"on": "rtx-4090", "top": 3},
    "plan serve": {"model": "llama-3.1-8b", "users": 20, "on": "h100-sxm"},
    "plan train": {"model": "llama-3.1-8b", "on": "h100-sxm:8", "tokens": "1B"},
    "laws list": {},
    "laws show": {"name": "hoffmann2022-a2"},
    "laws loss": {"params": "7b", "tokens": "1.4T"},
    "laws optimal": {"flops": "1e22"},
    "laws overtrain": {"params": "7b", "tokens": "1.4T"},
    "laws data": {"unique_tokens": "100B", "flops": "1e22"},
    "laws experts": {"total": "47b", "active": "13b", "experts": 8, "top_k": 2, "tokens": "2T"},
    "laws precision": {"params": "1b", "tokens": "20B", "weight_bits": 8},
    "laws distill": {"student": "1b", "student_tokens": "100B", "teacher": "7b", "teacher_tokens": "1T"},
    "laws prune": {"params": "8b", "tokens": "15T", "keep": "4b", "further_tokens": "100B"},
    "laws recipe": {"flops": "1e22"},
    "laws capability": {"params": "7b", "tokens": "2T"},
    "laws fit": {"runs": RUNS, "bootstrap": 20},
    "laws design": {"target": "1e22", "budget": "1e20"},
    "laws compare": {"laws": ["hoffmann2022-a3-tex", "besiroglu2024-published"], "at": "1e22"},
    "catalog": {"subject": "formats"},
    "validate": {"quantity": ["pool"]},
}
"""Values by verb."""
