"""Fine-grained experts: L = c + (g/G^gamma + a) N^-alpha + b D^-beta.

N parameters, D tokens, G granularity (into how many parts each expert is cut).
Source: Krajewski et al. 2024, arXiv:2402.07871, equation 9.
"""

from dataclasses import dataclass

from sizewise.scaling.forms.additive import Additive


@dataclass(frozen=True, slots=True, kw_only=True)
class FineGrainedExperts:
    """The additive law's coefficients, of which that of parameters falls with granularity."""

    a: float
    alpha: float
    b: float
    beta: float
    g: float
    gamma: float
    c: float

    def at(self, granularity: float) -> Additive:
        """Return the additive law of one granularity."""
        factor = self.g / granularity**self.gamma + self.a
        return Additive(E=self.c, A=factor, B=self.b, alpha=self.alpha, beta=self.beta)

    def value(self, params: float, tokens: float, granularity: float) -> float:
        """Return the loss in nats per token."""
        return self.at(granularity).value(params, tokens)
