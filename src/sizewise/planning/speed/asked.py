"""What is asked about speed, as it was written."""

from dataclasses import dataclass
from math import ceil, isfinite

from sizewise.errors import UsageError
from sizewise.planning.defaults import Asked
from sizewise.timing.serving.question import Speculation

DEFAULT_PROMPT, DEFAULT_ANSWER = 1024, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedAsked:
    """A run and its load: requests of ``prompt`` and ``answer`` tokens.

    ``concurrency`` of them at once, or ``rate`` per second. ``cached`` is the part of a prompt that a prefix
    cache holds, ``split`` says that other devices compute the prompts; ``acceptance_alone`` that a chance of
    drafts was named without drafts. ``ttft`` and ``tpot`` are targets in
    seconds. ``usd_per_hour`` is the price of a device where it is not the catalogue's, ``utilization`` the
    share of the paid time at the rates of the answer; costs are compared ``against`` an API's model
    (``MODEL`` or ``MODEL:PROVIDER``), or with an ``api_price`` in USD per million tokens of input and output.
    """

    run: Asked
    prompt: int = DEFAULT_PROMPT
    answer: int = DEFAULT_ANSWER
    concurrency: float = 1.0
    rate: float | None = None
    cached: float = 0.0
    split: bool = False
    speculation: Speculation | None = None
    acceptance_alone: bool = False
    ttft: float | None = None
    tpot: float | None = None
    calibrated: bool = True
    usd_per_hour: float | None = None
    utilization: float = 1.0
    api_price: tuple[float, float] | None = None
    against: str | None = None

    def __post_init__(self) -> None:
        """Refuse loads that no server has."""
        if self.prompt < 1 or self.answer < 1:
            raise UsageError("bad_option", "--input and --output take 1 token or more")
        if not self.concurrency > 0 or (self.rate is not None and not self.rate > 0):
            raise UsageError("bad_option", "--concurrency and --rps take numbers above 0")
        if self.rate is not None and self.concurrency != 1:
            raise UsageError("bad_option", "--rps and --concurrency are two ways to name a load; drop one")
        if self.answer == 1 and self.tpot is not None:
            raise UsageError("bad_option", "--tpot: an answer of 1 token has no time per token")
        for name, seconds in (("--ttft", self.ttft), ("--tpot", self.tpot)):
            if seconds is not None and not seconds > 0:
                raise UsageError("bad_option", f"{name} takes a time above 0, such as 1s or 50ms")
        self._check_money()

    @property
    def sequences(self) -> int:
        """Whole requests at once: what memory holds, and what a local engine runs."""
        return max(1, ceil(self.concurrency))

    @property
    def compared(self) -> bool:
        """Whether the price of an API is compared with."""
        return self.api_price is not None or self.against is not None

    def _check_money(self) -> None:
        prices = (*(() if self.usd_per_hour is None else (self.usd_per_hour,)), *(self.api_price or ()))
        if not all(price > 0 and isfinite(price) for price in prices):
            raise UsageError("bad_option", "--usd-per-hour and --api-price take USD above 0")
        if not 0 < self.utilization <= 1:
            raise UsageError("bad_option", "--utilization takes a share above 0 and up to 1")
        if self.api_price is not None and self.against is not None:
            raise UsageError("bad_option", "--api-price and --against both name an API's price; drop one")
