"""Weights set to zero where they are: by magnitude, by Wanda's score, two of every four.

Nothing gets smaller by it: zeros are stored, loaded and multiplied like other numbers, unless a format and
a kernel for them are used.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch

from sizewise.lab.pruning.asked import part_of
from sizewise.lab.pruning.stack import Matrix

GROUP, KEPT = 4, 2
"""2:4: of every four weights of a row, two are kept."""
INDEX_BITS = 2
CSR_INDEX_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Zeroed:
    """Weights of the matrices that were looked at, those that are zero now, matrices left as they were."""

    weights: int
    zeros: int
    left: tuple[str, ...] = ()

    def packed_bytes(self, width: int) -> int:
        """Bytes of the matrices in a packed 2:4 format, ``width`` bytes a value: half of them, 2 bits each.

        >>> Zeroed(weights=1024, zeros=512).packed_bytes(2) / (1024 * 2)
        0.5625
        """
        kept = self.weights * KEPT // GROUP
        return kept * width + kept * INDEX_BITS // 8

    def csr_bytes(self, width: int) -> int:
        """Bytes of the kept values and their 32-bit columns in compressed rows, without the row pointers."""
        return (self.weights - self.zeros) * (width + CSR_INDEX_BYTES)


def by_magnitude(matrices: Iterable[Matrix], share: float) -> Zeroed:
    """Set the smallest weights of each matrix to zero, ``share`` of them, rounded down."""

    def zero(matrix: Matrix) -> None:
        flat = matrix.weight.abs().flatten()
        lowest = flat.topk(part_of(flat.numel(), share), largest=False).indices
        columns = matrix.weight.shape[1]
        matrix.weight[lowest // columns, lowest % columns] = 0

    return _zeroed(matrices, zero)


def by_wanda(matrices: Iterable[Matrix], share: float, squares: Mapping[str, torch.Tensor]) -> Zeroed:
    """Set the weights with the least |weight| times input norm to zero, ``share`` of each output's row.

    Source: Sun et al. 2023, arXiv:2306.11695.
    """

    def zero(matrix: Matrix) -> None:
        lowest = part_of(matrix.weight.shape[1], share)
        indices = _scores(matrix, squares).topk(lowest, dim=1, largest=False).indices
        matrix.weight.scatter_(1, indices, 0.0)

    return _zeroed(matrices, zero)


def two_of_four(matrices: Iterable[Matrix], squares: Mapping[str, torch.Tensor]) -> Zeroed:
    """Set two of every four neighbouring weights of a row to zero, those with the lower Wanda score.

    Matrices whose rows are no multiple of four stay as they are.
    """

    def zero(matrix: Matrix) -> None:
        rows, columns = matrix.weight.shape
        scores = _scores(matrix, squares).reshape(rows, columns // GROUP, GROUP)
        lowest = scores.topk(GROUP - KEPT, dim=2, largest=False).indices
        keep = torch.ones_like(scores, dtype=torch.bool).scatter_(2, lowest, value=False)
        matrix.weight.mul_(keep.reshape(rows, columns))

    found = list(matrices)
    fitting = [matrix for matrix in found if matrix.weight.shape[1] % GROUP == 0]
    left = tuple(matrix.path for matrix in found if matrix.weight.shape[1] % GROUP)
    return _zeroed(fitting, zero, left)


def _zeroed(matrices: Iterable[Matrix], zero: Callable[[Matrix], None], left: tuple[str, ...] = ()) -> Zeroed:
    weights = zeros = 0
    with torch.no_grad():
        for matrix in matrices:
            zero(matrix)
            weights += matrix.weight.numel()
            zeros += int((matrix.weight == 0).sum())
    return Zeroed(weights=weights, zeros=zeros, left=left)


def _scores(matrix: Matrix, squares: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return |weight| times the norm of its input; of inputs that nothing reached, |weight| alone."""
    norms = squares[matrix.path].sqrt()
    return matrix.weight.abs().float() * (norms if norms.any() else torch.ones_like(norms))
