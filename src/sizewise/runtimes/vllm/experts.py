"""What kernels of packed experts add to the weights: rows and columns padded to a multiple.

Only for experts kept in MXFP4 by the Marlin and TensorRT-LLM kernels; others take the sizes as they are.
Source: vLLM 0.33.0, ``model_executor/layers/fused_moe/oracle/mxfp4.py``.
"""

from sizewise.architecture import Architecture
from sizewise.catalog.serving import vllm_expert_padding
from sizewise.tensors import Weight


def expert_padding_bytes(architecture: Architecture, *, tensor: int = 1) -> int:
    """Return the bytes that padding adds to the experts of one device, in MXFP4."""
    facts = vllm_expert_padding()
    added = 0
    for place in architecture.language():
        for weight in place.weights():
            if weight.role == "expert" and weight.kind == "matrix":
                added += len(place.layers) * _added(weight, architecture.hidden, tensor)
    return added // int(facts["block_numbers"]) * int(facts["block_bytes"])


def _added(weight: Weight, hidden: int, devices: int) -> int:
    """Count the numbers that padding adds to a stack of experts on one device."""
    down = weight.rows == hidden
    outer, inner = (weight.rows, weight.columns) if down else (weight.columns, weight.rows)
    facts = vllm_expert_padding()
    each = -(-inner // (weight.pieces * devices))
    wide = _padded(each, int(facts["width"])) * weight.pieces
    return weight.experts * (_padded(outer, int(facts["hidden"])) * wide - outer * each * weight.pieces)


def _padded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
