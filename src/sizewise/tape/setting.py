"""The setting of a record: tokens, widths, kernels."""

from dataclasses import dataclass, field
from typing import Literal

from sizewise.tape.adapters import NO_ADAPTERS, Adapters
from sizewise.tape.tensors import WIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a forward pass runs on and with.

    ``width`` bytes per number of the model, ``trained``: its weights need gradients, ``attention`` kernel.
    ``autocast``: weights and residual stream are fp32, products in ``width``. ``split`` ranks share the
    tokens of the residual stream (sequence parallelism). ``fused_norms``: a norm keeps its input and one
    number per token. ``training``: dropouts drop.

    >>> Setting(batch=2, sequence=8, width=2, autocast=True).stored
    4
    """

    batch: int
    sequence: int
    width: int = 2
    trained: bool = True
    attention: str = "sdpa"
    autocast: bool = False
    split: int = 1
    fused_norms: bool = False
    training: bool = True
    device: Literal["cpu", "cuda"] = "cpu"
    """Whose kernels torch calls; they differ in dropouts, statistics of norms and what autocast casts."""
    kernels: bool = True
    """Scans and short convolutions run as fused kernels, not as torch operations."""
    ranks: int = 1
    """Ranks that share each matrix, and the vocabulary."""
    loss: Literal["full", "chunked", "fused"] = "full"
    """Whether logits of all tokens are made, or of a part at a time."""
    adapters: Adapters = field(default=NO_ADAPTERS, hash=False, compare=False)
    """Low-rank matrices beside the products of a device's components."""

    @property
    def tokens(self) -> int:
        """T = B*S."""
        return self.batch * self.sequence

    @property
    def widens(self) -> bool:
        """Tell whether autocast computes some functions in fp32."""
        return self.autocast and self.device == "cuda"

    @property
    def stored(self) -> int:
        """Bytes per number of the weights and the residual stream."""
        return WIDE if self.autocast else self.width
