"""Distillation: L_S = L_T + L_T^-c0 (1 + (L_T/(L d1))^(1/f1))^(-c1 f1) (A N^-alpha + B D^-beta)^gamma.

L_T loss of the teacher, L loss of the student had it been trained on data, N its non-embedding parameters,
D tokens distilled. Source: Busbridge et al. 2025, arXiv:2502.08606, equation 8.
"""

from dataclasses import dataclass

from sizewise.scaling.forms.generalised_sum import GeneralisedSum


@dataclass(frozen=True, slots=True, kw_only=True)
class Distillation:
    """Coefficients of the student's own terms and of how the teacher's strength bears on them."""

    A: float
    B: float
    alpha: float
    beta: float
    gamma: float
    c0: float
    c1: float
    f1: float
    d1: float

    def value(self, params: float, tokens: float, teacher_loss: float, student_loss: float) -> float:
        """Return the loss of the distilled student in nats per token."""
        own = GeneralisedSum(
            E=0.0, A=self.A, B=self.B, alpha=self.alpha, beta=self.beta, gamma=self.gamma
        ).value(params, tokens)
        gap = 1 + (teacher_loss / (student_loss * self.d1)) ** (1 / self.f1)
        return float(teacher_loss + teacher_loss**-self.c0 * gap ** (-self.c1 * self.f1) * own)
