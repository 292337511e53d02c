"""Normalisation: RMSNorm has a scale, LayerNorm a scale and a bias, some have no weights at all.

Shapes: D width; weights are [D]. Source: Zhang and Sennrich 2019, arXiv:1910.07467 (RMSNorm);
Ba et al. 2016, arXiv:1607.06450 (LayerNorm).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sizewise.operations import Kept, Operation
from sizewise.tape.norms import layer_norm, rms_norm
from sizewise.tape.tape import Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight

NormKind = Literal["rms", "layer", "layer_no_bias", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """One normalisation over ``width`` features."""

    width: int
    kind: NormKind = "rms"

    def weights(self) -> Iterator[Weight]:
        """Yield the scale [D] and, for LayerNorm, the bias [D].

        >>> [weight.elements for weight in Norm(width=768, kind="layer").weights()]
        [768, 768]
        """
        if self.kind != "none":
            yield Weight(name="weight", role="norm", shape=(self.width,))
        if self.kind == "layer":
            yield Weight(name="bias", role="norm", shape=(self.width,))

    def operations(self) -> Iterator[Operation]:
        """Yield nothing: a norm multiplies no matrices."""
        return iter(())

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record the norm of ``source``, whose rows are D wide."""
        if self.kind == "rms":
            return rms_norm(tape, source, self.width)
        return layer_norm(tape, source, self.width, weighted=self.kind != "none")
