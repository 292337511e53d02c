"""Sparsity of experts: L = a N^-alpha + b D^-beta + c (1-S)^-lambda + d (1-S)^-delta N^-gamma + e.

N total parameters, D tokens, S = 1 - active experts / experts. C is not 6ND here, as N counts idle experts.
Source: Abnar et al. 2025, arXiv:2501.12370.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertSparsity:
    """Factors a, b, c, d of the four terms, their exponents, and the irreducible loss e."""

    a: float
    b: float
    c: float
    d: float
    e: float
    alpha: float
    beta: float
    lam: float
    delta: float
    gamma: float

    def value(self, params: float, tokens: float, sparsity: float) -> float:
        """Return the loss in nats per token."""
        active = 1 - sparsity
        size = self.a * params**-self.alpha + self.d * active**-self.delta * params**-self.gamma
        return float(size + self.b * tokens**-self.beta + self.c * active**-self.lam + self.e)
