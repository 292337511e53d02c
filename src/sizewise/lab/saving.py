"""A model saved, read again in a fresh object and compared, before it appears at its place."""

import os
from math import isnan, nan
from typing import Any

from sizewise.errors import InputError
from sizewise.lab.columns import Columns, columns
from sizewise.lab.loading import load_module
from sizewise.lab.outputs import whole_folder
from sizewise.lab.passes import logits_of
from sizewise.lab.quiet import quiet_transformers

PROMPT_TOKENS = 24
NEARLY = 1e-6
"""KL in nats per token below which two answers differ by rounding alone."""


def save_model(module: Any, tokenizer: Any, path: str, *, tokens: int, force: bool = False) -> Columns:
    """Write a model and its tokenizer into a folder that appears once the reloaded model answers the same.

    Returns what the reloaded model takes, its FLOPs over ``tokens`` tokens.

    Raises InputError: exists, disk_full, unwritable, and reload_differs where the saved model is another.
    """
    with whole_folder(path, force=force) as folder:
        with quiet_transformers():
            module.save_pretrained(folder)
            if tokenizer is not None:
                tokenizer.save_pretrained(folder)
        again = load_module(folder).module
        check_same_answers(module, again)
        return columns(again, tokens=tokens, disk=weight_file_bytes(folder))


def check_same_answers(one: Any, other: Any) -> None:
    """Raise InputError (reload_differs) where two models say other things of two prompts."""
    divergence = divergence_on_prompts(one, other)
    if not abs(divergence) < NEARLY:
        raise InputError(
            "reload_differs",
            f"{type(one).__name__}: the saved model, read again, says something else "
            f"(KL {divergence:.3g} nats per token); nothing was written",
        )


def divergence_on_prompts(one: Any, other: Any) -> float:
    """Return KL(one || other) in nats per token, the larger of two prompts; 0 for equal answers."""
    import torch

    from sizewise.lab.profiling.untouched import untouched

    vocabulary = one.get_input_embeddings().weight.shape[0]
    first = torch.arange(PROMPT_TOKENS)[None] % vocabulary
    found = [0.0]
    with untouched(one), untouched(other), torch.inference_mode():
        for prompt in (first, (first.flip(1) * 7919 + 11) % vocabulary):
            said, says = (torch.log_softmax(logits_of(each, prompt).float(), dim=-1) for each in (one, other))
            if not torch.equal(said, says):
                found.append(float((said.exp() * (said - says)).sum(-1).mean()))
    return nan if any(isnan(value) for value in found) else max(found, key=abs)


def weight_file_bytes(folder: str) -> int:
    """Return the bytes of the safetensors files of a folder, headers included, the index of shards not."""
    files = [name for name in os.listdir(folder) if name.endswith(".safetensors")]
    return sum(os.path.getsize(os.path.join(folder, name)) for name in files)
