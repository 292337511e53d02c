"""What flows into the linear layers of a model on a calibration text."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from sizewise.lab.passes import logits_of
from sizewise.lab.pruning.stack import Matrix
from sizewise.lab.quality.windows import Windows


def input_squares(
    module: Any, wanted: Iterable[Matrix], windows: Windows, tell: Callable[[int, int], None] | None = None
) -> Mapping[str, torch.Tensor]:
    """Return the sum of squares of every input channel of linear layers, over all tokens of the windows.

    Its root is the norm that Wanda weighs with (Sun et al. 2023, arXiv:2306.11695). The model keeps no
    hooks, whatever happens.
    """
    sums: dict[str, torch.Tensor] = {}
    hooks = []
    for matrix in wanted:
        sums[matrix.path] = torch.zeros(matrix.weight.shape[1], dtype=torch.float32)
        hooks.append(matrix.module.register_forward_pre_hook(_adding(sums[matrix.path])))
    try:
        with torch.inference_mode():
            for done, ids in enumerate(windows.ids):
                logits_of(module, ids[None])
                if tell is not None:
                    tell(done + 1, windows.count)
    finally:
        for hook in hooks:
            hook.remove()
    return sums


def _adding(held: torch.Tensor) -> Callable[[Any, tuple[Any, ...]], None]:
    def add(_: Any, given: tuple[Any, ...]) -> None:
        rows = given[0].detach().float().flatten(0, -2)
        held.add_(rows.square().sum(0))

    return add
