"""The kinds of components that hold all routed experts of a layer and nothing else."""

from sizewise.components.experts import Experts
from sizewise.components.flat_experts import FlatExperts
from sizewise.components.listed_experts import ListedExperts

ROUTED = (Experts, FlatExperts, ListedExperts)
