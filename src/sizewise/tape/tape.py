"""The tape: what autograd writes down while a model's forward pass runs, with torch's own rules.

Shapes: B sequences of S tokens on this device, T = B*S. Each method is one torch operation; what it saves
is what the derivative of that operation reads (torch 2.13, tools/autograd/derivatives.yaml): an input is
saved only if another input's gradient needs it. A mechanism records itself by calling these as its
transformers class calls torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from sizewise.tape.adapters import adapted
from sizewise.tape.setting import Setting
from sizewise.tape.style import PLAIN, Style
from sizewise.tape.tensors import WIDE, NotRecordable, Step, Storage, Tensor

__all__ = ["WIDE", "Keeps", "NotRecordable", "Setting", "Tape"]

Keeps = Literal["input", "output", "nothing"]
"""What the derivative of a function of one tensor reads."""

WIDE_FUNCTIONS = ("power", "rsqrt", "exp", "log", "softplus", "expm1")
"""What autocast computes in fp32 on a GPU, not on a CPU. Source: torch 2.13, ATen/autocast_mode.h."""


@dataclass(eq=False, slots=True)
class Tape:
    """Writes steps down in the order in which they are done."""

    setting: Setting
    style: Style = PLAIN
    steps: list[Step] = field(default_factory=list)
    _ranks: list[int] = field(default_factory=list)
    _once: dict[str, Tensor] = field(default_factory=dict)

    def enter(self, component: object) -> None:
        """Say whose products come next: they get the low-rank matrices of its weights, in their order."""
        self._ranks = list(self.setting.adapters.ranks.get(id(component), ()))

    @property
    def tokens(self) -> int:
        """T tokens on this device."""
        return self.setting.tokens

    @property
    def stream(self) -> int:
        """Tokens of the residual stream on this device."""
        return self.setting.tokens // self.setting.split

    def tensor(self, numbers: int, width: int | None = None, *, tracked: bool = True) -> Tensor:
        """Return a new tensor that no step makes: an input of the record."""
        width = self.setting.stored if width is None else width
        return Tensor(numbers=numbers, width=width, tracked=tracked, storage=Storage(bytes=numbers * width))

    def constant(self, name: str, numbers: int, width: int | None = None) -> Tensor:
        """Return memory that is made once for all layers, such as rotary tables."""
        width = self.setting.stored if width is None else width
        storage = Storage(bytes=numbers * width, shared=name)
        return Tensor(numbers=numbers, width=width, tracked=False, storage=storage)

    def once(self, name: str, numbers: int, width: int) -> Tensor:
        """Return memory that no gradient flows to and that a record makes a single time: a layer's mask."""
        if name not in self._once:
            self._once[name] = self.step(name, (), numbers, width)
        return self._once[name]

    def weight(self, numbers: int, *, width: int | None = None, trained: bool | None = None) -> Tensor:
        """Return a weight: saved by reference, never counted."""
        width = self.setting.stored if width is None else width
        tracked = self.setting.trained if trained is None else trained
        storage = Storage(bytes=numbers * width, permanent=True)
        return Tensor(numbers=numbers, width=width, tracked=tracked, storage=storage)

    def step(
        self,
        name: str,
        inputs: Iterable[Tensor],
        numbers: int,
        width: int,
        *,
        saved: Iterable[Tensor] = (),
        saves_output: bool = False,
        extra: int = 0,
        scratch: int = 0,
        forward_scratch: int = 0,
    ) -> Tensor:
        """Write down an operation that makes new memory; without a tracked input it saves nothing."""
        inputs = tuple(inputs)
        tracked = any(entry.tracked for entry in inputs)
        output = Tensor(numbers=numbers, width=width, tracked=tracked, storage=Storage(bytes=numbers * width))
        kept = [entry.storage for entry in saved] + [output.storage] * saves_output
        beside = (Storage(bytes=extra),) if extra else ()
        self.steps.append(
            Step(
                name=name,
                inputs=inputs,
                output=output,
                saved=(*dict.fromkeys(kept), *beside) if tracked else (),
                weight_gradients=tuple(
                    entry.bytes for entry in inputs if entry.tracked and entry.storage.permanent
                ),
                scratch=scratch,
                forward_scratch=forward_scratch,
                extra=beside,
            )
        )
        return output

    def works(self, macs: int, *, backward: int | None = None) -> None:
        """Say how many multiply-adds the last step does, and its gradients (None: twice as many)."""
        self.steps[-1].macs = macs
        self.steps[-1].backward_macs = 2 * macs if backward is None else backward

    def view(self, source: Tensor, numbers: int | None = None) -> Tensor:
        """Return another look at the same memory."""
        return self._look(source, source.numbers if numbers is None else numbers, "view")

    def split(self, source: Tensor, parts: Iterable[int]) -> list[Tensor]:
        """Return looks at neighbouring parts of a tensor; their gradients are joined in one copy."""
        return [self._look(source, numbers, "split") for numbers in parts]

    def _look(self, source: Tensor, numbers: int, name: str) -> Tensor:
        output = Tensor(numbers=numbers, width=source.width, tracked=source.tracked, storage=source.storage)
        self.steps.append(Step(name=name, inputs=(source,), output=output, aliases=numbers == source.numbers))
        return output

    def copy(self, source: Tensor, numbers: int | None = None) -> Tensor:
        """Return a copy: of what is not contiguous, or of repeated heads."""
        return self.step("copy", (source,), numbers or source.numbers, source.width)

    def cast(self, source: Tensor, width: int) -> Tensor:
        """Return the same numbers in another width; the same tensor where it has that width."""
        if source.width == width:
            return source
        return self.step("cast", (source,), source.numbers, width)

    def unary(self, name: str, source: Tensor, keeps: Keeps) -> Tensor:
        """Return a function of each number."""
        if self.setting.widens and name in WIDE_FUNCTIONS:
            source = self.cast(source, WIDE)
        saved = (source,) if keeps == "input" else ()
        return self.step(
            name,
            (source,),
            source.numbers,
            source.width,
            saved=saved,
            saves_output=keeps == "output",
            scratch=2 * source.bytes if name == "power" else 0,
        )

    def scale(self, source: Tensor) -> Tensor:
        """Return the product with, or sum with, a plain number."""
        return self.unary("scale", source, "nothing")

    def add(self, left: Tensor, right: Tensor, width: int | None = None) -> Tensor:
        """Return a sum; both get the gradient as it is."""
        wide = max(left.width, right.width) if width is None else width
        output = self.step("add", (left, right), max(left.numbers, right.numbers), wide)
        last = self.steps[-1]
        last.aliases = left.bytes == right.bytes == output.bytes
        return output

    def multiply(self, left: Tensor, right: Tensor) -> Tensor:
        """Return a product number by number, one of them repeated as often as needed.

        The gradient of the repeated one is made in the size of the product, then summed.
        """
        saved = [right] * left.tracked + [left] * right.tracked
        wide, numbers = max(left.width, right.width), max(left.numbers, right.numbers)
        repeated = sum(entry.tracked and entry.numbers < numbers for entry in (left, right))
        return self.step(
            "multiply", (left, right), numbers, wide, saved=saved, scratch=repeated * numbers * wide
        )

    def mean(self, source: Tensor, numbers: int) -> Tensor:
        """Return means or sums over a dimension: ``numbers`` are left."""
        return self.step("mean", (source,), numbers, source.width)

    def dropout(self, source: Tensor, probability: float) -> Tensor:
        """Return what dropout leaves; it keeps a mask: of the input's width on a CPU, of a byte on a GPU."""
        if not probability or not self.setting.training:
            return source
        if not source.tracked:
            return self.step("dropout", (source,), source.numbers, source.width)
        mask = source.bytes if self.setting.device == "cpu" else source.numbers
        return self.step("dropout", (source,), source.numbers, source.width, extra=mask)

    def linear(
        self,
        source: Tensor,
        outputs: int,
        *,
        joins: bool = False,
        bias: bool = False,
        trained: bool | None = None,
    ) -> Tensor:
        """Return tokens times a matrix of ``outputs`` rows; ``joins``: into the residual stream."""
        inputs = source.numbers // (self.tokens if joins else self.stream)
        output = self.product(source, outputs, inputs, joins=joins, bias=bias, trained=trained)
        if self.setting.split > 1:
            self._exchange((outputs if joins else inputs) * self.tokens * self.setting.width)
        return output

    def _exchange(self, whole: int) -> None:
        """Add what ranks that share tokens hold for a moment: all tokens, gathered or not yet summed."""
        step = self.steps[-1]
        step.forward_scratch += whole
        step.scratch += whole

    def product(
        self,
        source: Tensor,
        outputs: int,
        inputs: int,
        *,
        joins: bool = False,
        bias: bool = False,
        trained: bool | None = None,
        tokens: int | None = None,
        copies: int = 1,
    ) -> Tensor:
        """Return the product of tokens with a matrix [outputs, inputs]: it saves the tokens.

        With ``copies`` there are as many matrices, and each token meets one of them.
        """
        narrow, tracked = self.setting.width, self.setting.trained if trained is None else trained
        rank = self._ranks.pop(0) if self._ranks else 0
        weight = self.weight(copies * outputs * inputs, trained=tracked)
        read = self.cast(source, narrow)
        rows = (self.stream if joins else self.tokens) if tokens is None else tokens
        further = (self.weight(outputs, trained=tracked),) if bias else ()
        saved = ([read] if tracked else []) + ([self._cast_weight(weight)] if read.tracked else [])
        unpacked = outputs * inputs * narrow if self.setting.adapters.packed and not tracked else 0
        output = self.step(
            "product",
            (read, weight, *further),
            rows * outputs,
            narrow,
            saved=saved,
            scratch=unpacked,
            forward_scratch=unpacked,
        )
        if not rank:
            return output
        return adapted(self, source, output, rank=rank, inputs=inputs, outputs=outputs, bias=bias)

    def _cast_weight(self, weight: Tensor) -> Tensor:
        """Return the weight as a product reads it: under autocast a copy that stays until backward."""
        if weight.width == self.setting.width:
            return weight
        numbers, width = weight.numbers, self.setting.width
        return Tensor(numbers=numbers, width=width, tracked=False, storage=Storage(bytes=numbers * width))

    def matmul(
        self, left: Tensor, right: Tensor, numbers: int, *, wide: bool = False, width: int | None = None
    ) -> Tensor:
        """Return a batched product of two activations: it saves both; ``wide``: in fp32 unless autocast."""
        if width is None:
            width = WIDE if wide and not self.setting.autocast else self.setting.width
        left, right = self.cast(left, width), self.cast(right, width)
        saved = [right] * left.tracked + [left] * right.tracked
        return self.step("matmul", (left, right), numbers, left.width, saved=saved)

    def softmax(self, source: Tensor, width: int) -> Tensor:
        """Return probabilities in ``width``: their derivative reads them alone."""
        source = self.cast(source, width)
        return self.step("softmax", (source,), source.numbers, width, saves_output=True)

    def attention(
        self,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        heads: int,
        outputs: int,
        *,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Return fused attention: it saves its inputs, its output and an fp32 number per query and head."""
        queries, keys, values = (self.cast(entry, self.setting.width) for entry in (queries, keys, values))
        masks = () if mask is None else (mask,)
        return self.step(
            "attention",
            (queries, keys, values, *masks),
            outputs,
            queries.width,
            saved=(queries, keys, values, *masks),
            saves_output=True,
            extra=WIDE * heads * self.tokens,
        )
