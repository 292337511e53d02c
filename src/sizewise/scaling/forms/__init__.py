"""Functional forms of scaling laws, a file each. A new form is a file and a line in FORMS."""

from collections.abc import Callable, Mapping
from typing import Protocol

from sizewise.scaling.forms.additive import Additive
from sizewise.scaling.forms.data_constrained import DataConstrained
from sizewise.scaling.forms.distillation import Distillation
from sizewise.scaling.forms.expert_sparsity import ExpertSparsity
from sizewise.scaling.forms.fine_grained_experts import FineGrainedExperts
from sizewise.scaling.forms.generalised_sum import GeneralisedSum
from sizewise.scaling.forms.kaplan_joint import KaplanJoint
from sizewise.scaling.forms.over_training import OverTraining
from sizewise.scaling.forms.power import Allocation, CriticalBatch, ScaledPower
from sizewise.scaling.forms.precision import QuantizationPenalty, TrainingPrecision
from sizewise.scaling.forms.routed import Routed
from sizewise.scaling.forms.size_and_steps import SizeAndSteps


class Form(Protocol):
    """A form with its coefficients."""

    @property
    def value(self) -> Callable[..., float]:
        """The law's output for its variables, in their order."""
        ...


FORMS: Mapping[str, Callable[..., Form]] = {
    "additive": Additive,
    "additive, logarithms": Additive.from_logarithms,
    "allocation": Allocation,
    "critical batch": CriticalBatch,
    "data-constrained": DataConstrained,
    "distillation": Distillation,
    "expert sparsity": ExpertSparsity,
    "fine-grained experts": FineGrainedExperts,
    "generalised sum": GeneralisedSum,
    "kaplan joint": KaplanJoint,
    "over-training": OverTraining,
    "quantization penalty": QuantizationPenalty,
    "routed": Routed,
    "scaled power": ScaledPower,
    "size and steps": SizeAndSteps,
    "training precision": TrainingPrecision,
}
"""Forms by the names that rows of ``facts/laws`` use; each is called with the coefficients."""
