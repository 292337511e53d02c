"""How a class turns the scores of a router into the weights of a token's experts.

Shapes: T tokens, E experts, k of them per token. Source: modelling files of transformers 5.23, by model type.
"""

from dataclasses import dataclass, replace
from typing import Literal

ScoreStyle = Literal["softmax", "sigmoid", "chosen", "sampled"]
"""softmax, sigmoid: of all E scores, k of the results are chosen · chosen: softmax of the k chosen scores ·
sampled: two experts are drawn, each with the softmax of its masked scores as its weight."""

Decision = Literal["normed", "limited", "jitter", "balance"]
"""What a configuration may decide, where its class reads the field for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """What the class of a router does; every default is that of Mixtral."""

    wide_input: bool = False
    """Tokens and the router's matrix are cast to fp32 before they are multiplied."""
    wide_matrix: bool = False
    """The router's matrix is kept in fp32."""
    scores: ScoreStyle = "softmax"
    wide_scores: bool = True
    """Scores are cast to fp32 before anything is done with them."""
    wide_logits: bool = False
    """The loss for balance gets them in fp32."""
    normed: bool = True
    """The k weights are divided by their sum."""
    floored: bool = False
    """That sum has a lowest value."""
    narrow: bool = False
    """The weights leave in the model's width."""
    limited: bool = False
    """Experts outside of the best groups are masked out of what k are chosen from."""
    jitter: bool = False
    """The tokens are multiplied with noise when training."""
    balance: bool = False
    """A loss for balance over all layers is added to the model's."""
    everywhere: bool = False
    """Every expert gets every token, times its weight: 0 for those that were not chosen."""
    asks: tuple[Decision, ...] = ()
    """What of this the configuration decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTraits:
    """What a configuration says about routing; None: nothing."""

    normed: bool | None = None
    limited: bool | None = None
    jitter: bool | None = None
    balance: bool | None = None

    def over(self, routing: Routing) -> Routing:
        """Return the routing with what the configuration decides of it.

        >>> RoutingTraits(normed=False).over(Routing(asks=("normed",))).normed
        False
        >>> RoutingTraits(normed=False).over(Routing()).normed
        True
        """
        said = {name: getattr(self, name) for name in routing.asks}
        return replace(routing, **{name: value for name, value in said.items() if value is not None})


PLAIN_ROUTING = Routing()
NO_ROUTING_TRAITS = RoutingTraits()
