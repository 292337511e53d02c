"""Scaling laws: the loss that parameters, tokens and compute lead to, and what a budget is best spent on.

``forms`` has a file per functional form, ``registry`` gives published laws by name. Letters of the papers:
N parameters, D training tokens seen, C training FLOPs (6ND unless a law says otherwise), L loss in nats per
token. Logarithms are natural unless a form says otherwise.
"""

from sizewise.scaling.budget import Optimum
from sizewise.scaling.registry import Law, Outside, law, laws

__all__ = ["Law", "Optimum", "Outside", "law", "laws"]
