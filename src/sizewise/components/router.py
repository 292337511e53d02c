"""Routers choose the k of E experts that a token uses.

Shapes: D hidden, E experts; the weight is [E, D], its bias [E]. A correction bias for load balancing
is a buffer in most classes and therefore not stored as a parameter; where it is one it is [1, E].
Source: Shazeer et al. 2017, arXiv:1701.06538; correction bias: Wang et al. 2024, arXiv:2408.15664.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tape.tape import WIDE, NotRecordable, Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight

INDEX = 8
"""Bytes of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One linear layer from a token to a score per expert."""

    hidden: int
    experts: int
    bias: bool = False
    correction: str = ""
    """Name of the correction bias where it is a parameter; it is set by counting, not by gradients."""
    groups: int = 1
    """Groups of neighbouring experts; a token's experts are chosen within the best of them."""
    groups_used: int = 1
    idle: bool = False
    """No token of text is routed here: these are experts for pictures."""

    def weights(self) -> Iterator[Weight]:
        """Yield the weight [E, D], the bias [E] and the correction bias [1, E] where there are some.

        >>> [weight.elements for weight in Router(hidden=4096, experts=8).weights()]
        [32768]
        """
        shape = (self.experts, self.hidden)
        used = 0 if self.idle else 1
        yield Weight(name="weight", role="router", shape=shape, kind="matrix", active_experts=used)
        if self.bias:
            yield Weight(name="bias", role="router", shape=(self.experts,))
        if self.correction:
            yield Weight(name=self.correction, role="router", shape=(1, self.experts), frozen=True)

    def operations(self) -> Iterator[Operation]:
        """Yield the product, if a token of text has one."""
        yield product("routing", "router", self.experts, self.hidden, times=0 if self.idle else 1)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())

    def record(self, tape: Tape, source: Tensor, active: int) -> Tensor:
        """Record the scores of the experts and the choice of ``active`` of them; return their weights."""
        if self.idle:
            raise NotRecordable("experts that no token is routed to")
        routing = tape.style.routing
        scores = self._record_scores(tape, source)
        if routing.wide_scores:
            scores = tape.cast(scores, WIDE)
        chosen = tape.tokens * active
        if routing.everywhere:
            return self._record_everywhere(tape, scores, chosen)
        if routing.scores == "sampled":
            weights = self._record_sampled(tape, scores, active)
        elif routing.scores == "chosen":
            best = tape.step("choice", (scores,), chosen, scores.width, extra=INDEX * chosen)
            weights = tape.softmax(best, scores.width)
        else:
            weights = self._record_choice(tape, scores, chosen)
        return tape.cast(weights, tape.setting.width) if routing.narrow else weights

    def _record_scores(self, tape: Tape, source: Tensor) -> Tensor:
        """Record the product with [E, D]; in fp32 it needs copies of both where the model is narrower."""
        if not tape.style.routing.wide_input or tape.setting.autocast:
            return tape.linear(source, self.experts, bias=self.bias)
        tokens = tape.cast(source, WIDE)
        stored = WIDE if tape.style.routing.wide_matrix else None
        matrix = tape.cast(tape.weight(self.experts * self.hidden, width=stored), WIDE)
        saved = [tokens] * matrix.tracked + [matrix] * tokens.tracked
        return tape.step("product", (tokens, matrix), tape.tokens * self.experts, WIDE, saved=saved)

    def _record_choice(self, tape: Tape, scores: Tensor, chosen: int) -> Tensor:
        """Record the best of all chances and their division by their sum."""
        routing = tape.style.routing
        if routing.scores == "sigmoid":
            chances = tape.unary("sigmoid", scores, "output")
        else:
            chances = tape.softmax(scores, scores.width)
        if routing.limited:
            chances = tape.step("limit", (chances,), chances.numbers, chances.width, extra=chances.numbers)
        best = tape.step("choice", (chances,), chosen, chances.width, extra=INDEX * chosen)
        if not routing.normed:
            return best
        sums = (2 if routing.floored else 1) * best.width * tape.tokens
        return tape.step(
            "share", (best, tape.mean(best, tape.tokens)), chosen, best.width, saved=(best,), extra=sums
        )

    def _record_everywhere(self, tape: Tape, scores: Tensor, chosen: int) -> Tensor:
        """Record sigmoids of all E scores where those that were not chosen are lowest."""
        best = tape.step("choice", (scores,), chosen, scores.width, extra=INDEX * chosen)
        indices = Tensor(numbers=chosen, width=INDEX, tracked=False, storage=tape.steps[-1].extra[0])
        lowest = tape.step("lowest", (best,), scores.numbers, scores.width, saved=(indices,))
        return tape.cast(tape.unary("sigmoid", tape.cast(lowest, WIDE), "output"), scores.width)

    def _record_sampled(self, tape: Tape, scores: Tensor, active: int) -> Tensor:
        """Record two experts drawn one after the other from masked scores.

        Source: Liu et al. 2024, arXiv:2409.12136.
        """
        if active != 2:
            raise NotRecordable(f"{active} sampled experts")
        drawn = []
        for _ in range(active):
            masked = tape.step("limit", (scores,), scores.numbers, scores.width, extra=scores.numbers)
            chances = tape.softmax(masked, scores.width)
            best = tape.step("choice", (chances,), tape.tokens, scores.width, extra=INDEX * tape.tokens)
            drawn.append(
                tape.step("multiplier", (scores, best), best.numbers, best.width, saved=(best, chances))
            )
        return tape.step("join", drawn, active * tape.tokens, scores.width)
