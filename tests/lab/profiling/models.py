"""Modules and numbers from outside that the tests of profiles share."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "lab" / "profiles.json").read_text("utf-8"))
MODELS = {row["name"]: row for row in GOLDEN["models"]}
MEASURED = {name: row for name, row in MODELS.items() if "memory" in row}


def built(config: dict[str, Any], **options: Any) -> Any:
    """Return a random model in evaluation mode."""
    fields = dict(config)
    settings = AutoConfig.for_model(fields.pop("model_type"), **fields)
    return AutoModelForCausalLM.from_config(settings, **options).eval()


_SMALL = {"hidden_size": 96, "num_hidden_layers": 2, "vocab_size": 500}
_ATTENDING = {"intermediate_size": 200, "num_attention_heads": 4, "num_key_value_heads": 2}
_HEADS = {"mamba_n_heads": 8, "mamba_d_head": 24, "mamba_d_state": 16, "mamba_chunk_size": 64}
_DELTA = {
    "layer_types": ["linear_attention", "full_attention"],
    "head_dim": 24,
    "linear_num_key_heads": 4,
    "linear_num_value_heads": 8,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
}
SCANS: dict[str, dict[str, Any]] = {
    "mamba": {**_SMALL, "state_size": 8, "time_step_rank": 6},
    "mamba2": {**_SMALL, "num_heads": 8, "head_dim": 24, "state_size": 16, "n_groups": 2, "chunk_size": 64},
    "bamba": {**_SMALL, **_ATTENDING, **_HEADS, "attn_layer_indices": [1]},
    "falcon_h1": {**_SMALL, **_ATTENDING, **_HEADS, "mamba_d_ssm": 192, "head_dim": 24},
    "qwen3_5_text": {**_SMALL, **_ATTENDING, **_DELTA},
}
"""By type: a model whose class scans in torch operations where no kernels are installed."""


class Mlp(torch.nn.Module):
    """Two layers that are no Sequential."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(1000, 500), torch.nn.Linear(500, 10)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return [B, 10]."""
        return self.second(torch.relu(self.first(features)))
