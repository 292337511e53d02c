"""Prove that a written folder holds what its source packs into, and computes what was in memory.

The model that wrote the file is no witness of its own: a forward pass may have repacked its weights before.
So every tensor that was read back is compared with the source's weights, packed once more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.passes import logits_of
from sizewise.lab.quality.windows import random_windows
from sizewise.lab.quantizing.bitsandbytes_files import computing, torch_dtype
from sizewise.lab.quantizing.plan import Plan

PROMPTS = 2
PROMPT_TOKENS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was compared: tensors that are equal, prompts, and the largest difference of their logits.

    Of a GGUF file no prompts are computed (None): its packed data was compared.
    """

    tensors: int
    prompts: int
    difference: float | None


def prove(source: Any, packed: Any, again: Any, plan: Plan, base: str) -> tuple[Proof, Any]:
    """Compare what was read back (``again``) with the source's weights and with the model that was saved.

    ``again`` may not have computed anything yet; ``base`` is the format of what is not packed. Returns what
    was compared, and the model that was read back so that it computes here. Raises InputError (proof_failed)
    where a tensor or a logit differs.
    """
    compared = list(_differences(source, again, torch_dtype(base)))
    odd = [name for name, equal in compared if not equal]
    if odd:
        raise InputError(
            "proof_failed",
            f"{len(odd)} tensors read back otherwise than the source packs into: "
            f"{shorten(', '.join(odd[:3]), 200)}; nothing is kept",
        )
    packed, again = computing(packed, plan), computing(again, plan)
    difference = _logit_difference(packed, again)
    if not difference == 0:
        raise InputError(
            "proof_failed", f"what was read back computes other logits (by {difference:g}); nothing is kept"
        )
    return Proof(tensors=len(compared), prompts=PROMPTS, difference=difference), again


def _differences(source: Any, again: Any, dtype: Any) -> Iterator[tuple[str, bool]]:
    """Yield every tensor of the class, and whether it was read back as the source's packs into."""
    import torch
    from bitsandbytes.nn import Linear4bit, Linear8bitLt

    stored = dict(again.named_parameters()) | dict(again.named_buffers())
    for name, tensor in source.state_dict().items():
        part = again.get_submodule(name.rpartition(".")[0])
        if name.endswith(".weight") and isinstance(part, (Linear4bit, Linear8bitLt)):
            same = _same_4bit if isinstance(part, Linear4bit) else _same_int8
            yield name, same(_oriented(source, name, tensor).to(dtype), part.weight)
        elif name in stored:
            yield name, torch.equal(tensor.to(stored[name].dtype), stored[name])


def _oriented(source: Any, name: str, tensor: Any) -> Any:
    from transformers.pytorch_utils import Conv1D

    return tensor.T if isinstance(source.get_submodule(name.rpartition(".")[0]), Conv1D) else tensor


def _same_4bit(matrix: Any, weight: Any) -> bool:
    import torch
    from bitsandbytes import functional

    state = weight.quant_state
    packed, expected = functional.quantize_4bit(
        matrix.contiguous(),
        blocksize=state.blocksize,
        compress_statistics=state.nested,
        quant_type=state.quant_type,
    )
    return bool(
        torch.equal(packed.flatten(), weight.data.flatten()) and torch.equal(expected.absmax, state.absmax)
    )


def _same_int8(matrix: Any, weight: Any) -> bool:
    import torch
    from bitsandbytes import functional

    packed, scales, _ = functional.int8_vectorwise_quant(matrix.half().contiguous())
    return bool(torch.equal(packed, weight.data) and torch.equal(scales, weight.SCB))


def _logit_difference(packed: Any, again: Any) -> float:
    import torch

    prompts = random_windows(
        again.get_input_embeddings().num_embeddings, length=PROMPT_TOKENS, most=PROMPTS
    ).ids
    with torch.inference_mode():
        one, other = (logits_of(model, prompts).float() for model in (packed, again))
    return float((one - other).abs().max())
