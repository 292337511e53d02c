"""Precision of training and of stored weights.

Training: the additive power law of N' = N (1 - e^(-P_w/g_w)) (1 - e^(-P_a/g_a)) (1 - e^(-P_kv/g_kv)).
Quantizing afterwards adds C_T D^g_d / N^g_n e^(-P/g_post). N non-embedding parameters, D tokens, P bits.
Source: Kumar et al. 2024, arXiv:2411.04330.
"""

from dataclasses import dataclass
from math import exp

from sizewise.scaling.forms.additive import Additive


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPrecision:
    """The additive law's coefficients, and the bits by which each kind of number loses its worth."""

    A: float
    B: float
    E: float
    alpha: float
    beta: float
    g_w: float
    g_a: float
    g_kv: float

    def value(
        self, params: float, tokens: float, weight_bits: float, activation_bits: float, cache_bits: float
    ) -> float:
        """Return the loss in nats per token."""
        worth = params * _kept(weight_bits, self.g_w) * _kept(activation_bits, self.g_a)
        additive = Additive(E=self.E, A=self.A, B=self.B, alpha=self.alpha, beta=self.beta)
        return additive.value(worth * _kept(cache_bits, self.g_kv), tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizationPenalty:
    """Coefficients of the loss that rounding weights after training adds."""

    C_T: float
    g_d: float
    g_n: float
    g_post: float

    def value(self, params: float, tokens: float, weight_bits: float) -> float:
        """Return the added loss in nats per token."""
        return float(self.C_T * tokens**self.g_d / params**self.g_n * exp(-weight_bits / self.g_post))


def _kept(bits: float, scale: float) -> float:
    return 1 - exp(-bits / scale)
