"""A feed-forward part with experts: router, routed experts, and what every token passes beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sizewise.architecture import Component, Stack
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.linear import Linear
from sizewise.components.router import Router
from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertLayer:
    """Experts behind a router, with shared experts that every token uses and a gate of these."""

    router: Router
    experts: Experts
    shared: FeedForward | None = None
    gate: Linear | None = None

    @property
    def components(self) -> tuple[Component, ...]:
        """What it consists of."""
        found = (self.router, self.experts, self.shared, self.gate)
        return tuple(component for component in found if component is not None)

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record routing, the chosen experts and their weighted sum, then the shared experts."""
        if tape.style.routing.jitter and tape.setting.training:
            noise = tape.tensor(source.numbers, source.width, tracked=False)
            source = tape.multiply(source, noise)
        tape.enter(self.router)
        chances = self.router.record(tape, source, self.experts.rows)
        tape.enter(self.experts)
        output = self.experts.record(tape, source, chances)
        if self.shared is None:
            return output
        tape.enter(self.shared)
        beside = self.shared.record(tape, source)
        if self.gate is not None:
            tape.enter(self.gate)
            share = tape.unary("sigmoid", tape.linear(source, 1), "output")
            beside = tape.multiply(share, beside)
        return tape.add(output, beside)


def expert_layer(components: Sequence[Component]) -> ExpertLayer | None:
    """Return the expert layer among the parts of a layer; None where there is none."""
    router = next((entry for entry in components if isinstance(entry, Router)), None)
    experts = next((entry for entry in components if isinstance(entry, Experts)), None)
    if router is None or experts is None:
        return None
    shared = next((entry for entry in components if isinstance(entry, FeedForward)), None)
    gate = next((entry for entry in components if isinstance(entry, Linear)), None)
    return ExpertLayer(router=router, experts=experts, shared=shared, gate=gate)


def balance_loss(tape: Tape, stacks: Sequence[Stack], loss: Tensor) -> Tensor:
    """Record the loss for balance over all routers, where the model has one: it keeps their chances."""
    routing = tape.style.routing
    if not routing.balance:
        return loss
    width = WIDE if routing.wide_logits else tape.setting.width
    routers = [
        part.component
        for stack in stacks
        for group in stack.groups
        for part in group.block.parts * len(group.layers)
        if isinstance(part.component, Router)
    ]
    if not routers:
        return loss
    experts = routers[0].experts
    total = _chances(tape, experts, width)
    for _ in routers[1:]:
        total = tape.add(total, _chances(tape, experts, width))
    counts = tape.tensor(experts, WIDE, tracked=False)
    return tape.add(loss, tape.mean(tape.multiply(total, counts), 1))


def _chances(tape: Tape, experts: int, width: int) -> Tensor:
    """Record how much chance each expert of a layer gets of all tokens together."""
    shares = tape.softmax(tape.tensor(tape.tokens * experts, width), width)
    return tape.mean(tape.cast(shares, WIDE), experts)
