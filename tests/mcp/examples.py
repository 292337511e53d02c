"""A question to each tool, beside the command line that asks the same."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Example:
    """Arguments of a tool, and the words of the command."""

    arguments: dict[str, Any]
    words: str


LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 512,
    "intermediate_size": 1376,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 32000,
}


def runs() -> str:
    """Noiseless runs of a law, as CSV."""
    rows = [
        f"{size:.0f},{tokens:.0f},{1.69 + 406.4 / size**0.34 + 410.7 / tokens**0.28:.6f}"
        for size in (5e7, 1e8, 2e8, 4e8, 8e8, 1.6e9)
        for tokens in (1e9, 2e9, 4e9, 8e9, 16e9, 32e9)
    ]
    return "\n".join(["N,D,loss", *rows, ""])


EXAMPLES: dict[str, Example] = {
    "params": Example(arguments={"model": ["llama-3.1-8b", "7b"]}, words="params llama-3.1-8b 7b"),
    "memory": Example(
        arguments={"model": "llama-3.1-8b", "on": "rtx-4090", "context": "32k", "quant": "q4_k_m"},
        words="memory llama-3.1-8b --on rtx-4090 -c 32k -q q4_k_m",
    ),
    "speed": Example(
        arguments={"model": "llama-3.1-8b", "on": "h100-sxm", "runtime": "vllm"},
        words="speed llama-3.1-8b --on h100-sxm --runtime vllm",
    ),
    "choose": Example(
        arguments={"task": "code", "quality": "70", "on": "rtx-4090"},
        words="choose --task code --quality 70 --on rtx-4090",
    ),
    "recommend": Example(
        arguments={"on": "rtx-4090", "ram": "64GiB", "top": 2},
        words="recommend --on rtx-4090 --ram 64GiB --top 2",
    ),
    "plan_serve": Example(
        arguments={"model": "llama-3.1-8b", "rps": 2, "on": "l4:1", "quant": "fp8"},
        words="plan serve llama-3.1-8b --rps 2 --on l4:1 -q fp8",
    ),
    "plan_train": Example(
        arguments={"model": "llama-3.1-8b", "on": "rtx-4090:1", "method": "qlora", "recompute": "full"},
        words="plan train llama-3.1-8b --on rtx-4090:1 --method qlora --recompute full",
    ),
    "laws_list": Example(arguments={"words": ["hoffmann2022"]}, words="laws list hoffmann2022"),
    "laws_show": Example(
        arguments={"name": "besiroglu2024-published"}, words="laws show besiroglu2024-published"
    ),
    "laws_loss": Example(
        arguments={"params": "8b", "tokens": 15e12, "force": True},
        words="laws loss --params 8b --tokens 15T --force",
    ),
    "laws_optimal": Example(
        arguments={"flops": 5.88e21, "buildable": True}, words="laws optimal --flops 5.88e21 --buildable"
    ),
    "laws_overtrain": Example(
        arguments={"params": "8b", "tokens": "15T", "force": True},
        words="laws overtrain --params 8b --tokens 15T --force",
    ),
    "laws_data": Example(
        arguments={"unique_tokens": "25B", "params": "7b", "tokens": "300B"},
        words="laws data --unique-tokens 25B --params 7b --tokens 300B",
    ),
    "laws_experts": Example(
        arguments={"total": "47b", "active": "13b", "experts": 8, "top_k": 2, "tokens": "2T"},
        words="laws experts --total 47b --active 13b --experts 8 --top-k 2 --tokens 2T",
    ),
    "laws_precision": Example(
        arguments={"params": "7b", "tokens": "2T", "weight_bits": 4},
        words="laws precision --params 7b --tokens 2T --weight-bits 4",
    ),
    "laws_distill": Example(
        arguments={
            "student": "1b",
            "student_tokens": "100B",
            "teacher": "8b",
            "teacher_tokens": "2T",
        },
        words="laws distill --student 1b --student-tokens 100B --teacher 8b --teacher-tokens 2T",
    ),
    "laws_prune": Example(
        arguments={"params": "8b", "tokens": "15T", "keep": "4b", "further_tokens": "100B"},
        words="laws prune --params 8b --tokens 15T --keep 4b --further-tokens 100B",
    ),
    "laws_recipe": Example(arguments={"flops": "1e21"}, words="laws recipe --flops 1e21"),
    "laws_capability": Example(
        arguments={"params": "8b", "tokens": "15T"}, words="laws capability --params 8b --tokens 15T"
    ),
    "laws_fit": Example(
        arguments={"runs": runs(), "bootstrap": 20, "hold_out": "none"},
        words="laws fit runs --bootstrap 20 --hold-out none",
    ),
    "laws_design": Example(
        arguments={"target": "1e22", "budget": "1e21"}, words="laws design --target 1e22 --budget 1e21"
    ),
    "laws_compare": Example(
        arguments={"laws": ["hoffmann2022-a3-rounded", "besiroglu2024-published"], "at": "1e23"},
        words="laws compare hoffmann2022-a3-rounded besiroglu2024-published --at 1e23",
    ),
    "catalog": Example(arguments={"subject": "devices", "words": ["4090"]}, words="catalog devices 4090"),
    "validate": Example(arguments={"quantity": ["pool"]}, words="validate --quantity pool"),
}
"""Every tool has one; a test holds it so."""
