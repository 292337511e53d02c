"""Random small models twice: as transformers builds them and as sizewise describes them."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sizewise.architecture import Model
from sizewise.configuration import Config
from sizewise.families import describe

from ..oracle.choices import Fields, of
from ..oracle.classes import CAUSAL, configuration, model, resolved
from ..oracle.generators import configurations
from ..oracle.runnable import changes
from .counter import Counted, count

SEED = "5.23"
SEQUENCES, TOKENS = 2, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A model of transformers with ordinary weights, in training mode, and ours of the same file."""

    torch: Any
    ours: Model
    place: str


def pairs(model_type: str, wanted: int = 2, *, attention: str = "eager", tries: int = 12) -> Iterator[Pair]:
    """Yield ``wanted`` models that a forward pass runs through, from at most ``tries`` configurations."""
    found = 0
    tables = (*changes(model_type), ALWAYS.get(model_type, {}))
    for index, fields in enumerate(configurations(model_type, SEED, tries, *tables)):
        try:
            made, file = built(model_type, fields, attention)
            made(input_ids=_ids(made), use_cache=False)
        except (ArithmeticError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError):
            continue
        yield Pair(torch=made, ours=described(model_type, file), place=f"{model_type} {index}: {fields}")
        found += 1
        if found == wanted:
            return
    raise AssertionError(f"{model_type}: {found} of {tries} configurations run")


ALWAYS = {"phimoe": {"num_experts_per_tok": of(2)}}
"""PhimoeForCausalLM takes two experts whatever its configuration says."""


def built(model_type: str, fields: Fields, attention: str) -> tuple[Any, Fields]:
    """Return the model of transformers, each expert a product of its own, and its resolved file."""
    configured = configuration(model_type, deepcopy(fields))
    file = resolved(configured)
    configured._attn_implementation = attention
    made = model(configured, CAUSAL).float().train()
    made.set_experts_implementation("eager")
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, 0.02)
    return made, file


def described(model_type: str, file: Fields) -> Model:
    return Model(
        name=model_type,
        model_type=model_type,
        architecture=describe(Config(file, model_type)),
        origin="a random configuration",
    )


def _ids(made: Any) -> torch.Tensor:
    vocabulary = made.config.get_text_config().vocab_size
    return torch.randint(0, min(vocabulary, 9), (SEQUENCES, TOKENS))


def step(made: Any) -> tuple[Counted, Counted]:
    """Return what torch does forward and backward, with a loss of all logits that multiplies nothing."""
    ids = _ids(made)
    kept: list[Any] = []
    forward = count(lambda: kept.append(made(input_ids=ids, use_cache=False)))
    backward = count(lambda: kept[0].logits.float().square().sum().backward())
    return forward, backward


class LowRank(nn.Module):
    """A frozen linear layer with two low-rank ones beside it."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return self.base(given) + self.up(self.down(given))


def adapt(made: Any, targets: Callable[[str], bool], rank: int) -> None:
    """Freeze a model and put low-rank layers beside those whose name is a target."""
    made.requires_grad_(False)
    for name, layer in list(made.named_modules()):
        if isinstance(layer, nn.Linear) and targets(name):
            parent, _, own = name.rpartition(".")
            setattr(made.get_submodule(parent), own, LowRank(layer, rank))
