"""FLOPs by role, operation and context: of a forward pass, a decode step and training; and rules for them."""

from sizewise.flops.forward import (
    Scores,
    decode_flops,
    forward_flops,
    keys_seen,
    matmul_parameters,
    multiply_adds,
    operation_flops,
)
from sizewise.flops.training import Recomputed, hardware_flops, model_flops, training_flops

__all__ = [
    "Recomputed",
    "Scores",
    "decode_flops",
    "forward_flops",
    "hardware_flops",
    "keys_seen",
    "matmul_parameters",
    "model_flops",
    "multiply_adds",
    "operation_flops",
    "training_flops",
]
