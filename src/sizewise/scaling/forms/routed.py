"""Routed language models: log10 L = a log10 N + b log10 E' + c log10 N log10 E' + d.

N parameters of the dense model, E experts, 1/E' = 1/(E - 1 + (1/E_s - 1/E_m)^-1) + 1/E_m. Base 10 throughout.
Source: Clark et al. 2022, arXiv:2202.01169, equation 1.
"""

from dataclasses import dataclass
from math import log10


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Slopes a, b, their interaction c, offset d; from E_s to E_m experts the loss gains."""

    a: float
    b: float
    c: float
    d: float
    Es: float
    Em: float

    def value(self, params: float, experts: float) -> float:
        """Return the loss in nats per token."""
        size, routed = log10(params), log10(self.saturated_experts(experts))
        return float(10 ** (self.a * size + self.b * routed + self.c * size * routed + self.d))

    def saturated_experts(self, experts: float) -> float:
        """Return E', which is E_s for one expert and nears E_m for many.

        >>> law = Routed(a=-0.082, b=-0.108, c=0.009, d=1.104, Es=1.847, Em=314.478)
        >>> round(law.saturated_experts(1), 3), round(law.saturated_experts(1e9), 3)
        (1.847, 314.478)
        """
        start = 1 / (1 / self.Es - 1 / self.Em)
        return 1 / (1 / (experts - 1 + start) + 1 / self.Em)
