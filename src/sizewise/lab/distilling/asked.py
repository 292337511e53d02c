"""How a student is trained."""

from dataclasses import dataclass
from math import isfinite

from sizewise.errors import UsageError

MOST_SEEDS = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Schooling:
    """Steps of ``batch`` sequences of ``length`` tokens, and what the loss and the optimizer are given.

    ``temperature`` softens both models' answers, ``alpha`` is the weight of the teacher's against that of the
    text. The learning rate rises over ``warmup`` steps and falls as a cosine to a tenth. A checkpoint is
    written every ``checkpoint_every`` steps.
    """

    steps: int = 200
    batch: int = 8
    length: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: int = 20
    temperature: float = 2.0
    alpha: float = 0.5
    seed: int = 0
    checkpoint_every: int = 50
    clip: float = 1.0

    def __post_init__(self) -> None:
        """Raise UsageError (bad_option) for values that nothing can be trained with."""
        for name in ("steps", "batch", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise UsageError("bad_option", f"--{name.replace('_', '-')} is at least 1")
        if self.length < 2:
            raise UsageError("bad_option", "--length is at least 2: the first token is not scored")
        if not all(value > 0.0 and isfinite(value) for value in (self.temperature, self.learning_rate)):
            raise UsageError("bad_option", "--temperature and --learning-rate are numbers above 0")
        if not 0 <= self.seed < MOST_SEEDS:
            raise UsageError("bad_option", f"--seed is at least 0 and below {MOST_SEEDS:,}")
        if not 0.0 <= self.alpha <= 1.0:
            raise UsageError("bad_option", "--alpha is between 0 (the text alone) and 1 (the teacher alone)")

    @property
    def tokens(self) -> int:
        """Tokens of all steps, some of them more than once where the text is shorter."""
        return self.steps * self.batch * self.length
