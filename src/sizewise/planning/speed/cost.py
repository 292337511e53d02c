"""What the tokens of an answer cost: by the hour of the devices, beside an API, and in energy."""

from dataclasses import dataclass

from sizewise.catalog.devices import Device
from sizewise.catalog.prices import ApiPrice, api_prices, device_quote, find_api_price
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.ledger import Line
from sizewise.planning.speed.asked import SpeedAsked
from sizewise.planning.speed.capacity import Capacity
from sizewise.planning.speed.rate import Rate
from sizewise.pricing.api_cost import api_usd_per_million
from sizewise.pricing.break_even import BreakEven, break_even
from sizewise.pricing.corners import stated, worked_out
from sizewise.pricing.energy import joules_per_token, rated_watts
from sizewise.pricing.hourly import given_per_hour, rented_per_hour
from sizewise.pricing.serving import USD_PER_MILLION, usd_per_million, usd_per_million_output

GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """An amount of money and the days of the prices behind it, ``given`` where the user states them."""

    line: Line
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """An API's USD per million tokens at the mix of the requests, and from where the devices cost less.

    ``even`` is None where the devices have no price; ``capacity`` is what they serve.
    """

    name: str
    price: Priced
    capacity: Capacity
    even: BreakEven | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCost:
    """Money and energy at the rates of the answer; None for what no price or power is known of.

    ``usd_per_hour`` is that of all devices. ``per_million_output`` leaves the tokens of prompts uncounted,
    ``per_million_total`` counts them too. ``joules`` are those of the devices per output token, with the
    prompts' work in them. ``utilization`` is the share of the paid time at these rates.
    """

    device: str
    utilization: float
    usd_per_hour: Priced | None
    per_million_output: Line | None
    per_million_total: Line | None
    joules: Line | None
    against: Against | None

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line that is known."""
        rent = None if self.usd_per_hour is None else self.usd_per_hour.line
        found = [rent, self.per_million_output, self.per_million_total, self.joules]
        if self.against is not None:
            found.append(self.against.price.line)
            found += [] if self.against.even is None else [self.against.even.tokens_per_day]
        return tuple(line for line in found if line is not None)


def serving_cost(
    asked: SpeedAsked, device: Device, devices: int, *, output: Rate, total: Rate, capacity: Capacity
) -> ServingCost:
    """Return what tokens cost at the rates of all devices, beside an API at the most that they serve.

    Raises UsageError (bad_option) for an API or a model of which no price is known.
    """
    rent = _rent(asked, device, devices)
    output_line, total_line = output.line("output tokens"), total.line("tokens")
    price = _api_price(asked)
    return ServingCost(
        device=device.id,
        utilization=asked.utilization,
        usd_per_hour=rent,
        per_million_output=(
            None if rent is None else usd_per_million_output(rent.line, output_line, asked.utilization)
        ),
        per_million_total=None if rent is None else usd_per_million(rent.line, total_line, asked.utilization),
        joules=_joules(device, devices, output_line),
        against=None if price is None else _against(price, rent, asked, capacity),
    )


def _rent(asked: SpeedAsked, device: Device, devices: int) -> Priced | None:
    """USD per hour of all devices: as stated, else the median of the catalogue's offers."""
    if asked.usd_per_hour is not None:
        return Priced(line=given_per_hour(asked.usd_per_hour, devices), as_of=GIVEN)
    quote = device_quote(device.id)
    return None if quote is None else Priced(line=rented_per_hour(quote, devices), as_of=quote.as_of)


def _joules(device: Device, devices: int, rate: Line) -> Line | None:
    """Joules of the devices per output token, all of the time drawn as in decoding."""
    if device.watts is None:
        return None
    return joules_per_token(rated_watts(device), rate, devices=devices, phase="decode")


def _api_price(asked: SpeedAsked) -> tuple[str, Priced] | None:
    """Return an API's name and USD per million tokens at the mix of the requests."""
    if asked.api_price is not None:
        return "the API", Priced(line=_stated_price(asked, *asked.api_price), as_of=GIVEN)
    if asked.against is None:
        return None
    known = [(price, _blended(price, asked)) for price in _named_prices(asked.against)]
    price, line = min(known, key=lambda pair: pair[1].value)
    return f"{price.model} at {price.provider}", Priced(line=line, as_of=price.source.as_of)


def _stated_price(asked: SpeedAsked, usd_per_input: float, usd_per_output: float) -> Line:
    return worked_out(
        "the API",
        USD_PER_MILLION,
        "(input_tokens * usd_per_input + output_tokens * usd_per_output) / (input_tokens + output_tokens)",
        lambda input_tokens, output_tokens, usd_per_input, usd_per_output: (
            (input_tokens * usd_per_input + output_tokens * usd_per_output) / (input_tokens + output_tokens)
        ),
        rising={
            "input_tokens": stated("input tokens", asked.prompt, "tokens"),
            "output_tokens": stated("output tokens", asked.answer, "tokens"),
            "usd_per_input": stated("input", usd_per_input, USD_PER_MILLION),
            "usd_per_output": stated("output", usd_per_output, USD_PER_MILLION),
        },
        falling={},
        source=GIVEN,
    )


def _blended(price: ApiPrice, asked: SpeedAsked) -> Line:
    """USD per million tokens; what is cached costs the full price where the provider names no other."""
    share = 0.0 if price.usd_per_million_cached_input is None else asked.cached
    return api_usd_per_million(price, input_per_output=asked.prompt / asked.answer, cached_share=share)


def _named_prices(named: str) -> tuple[ApiPrice, ...]:
    """Return the prices of ``MODEL:PROVIDER``, or those of all providers of ``MODEL``."""
    model, colon, provider = named.strip().partition(":")
    if model and colon:
        return (find_api_price(model, provider),)
    found = api_prices(model) if model else ()
    if not found:
        known = {price.model.rpartition("/")[2] for price in api_prices()}
        text = f"no API price is known of {shorten(named)!r}{did_you_mean(model, known)}"
        raise UsageError("bad_option", f"{text}; list them: sizewise catalog prices, or give --api-price")
    return found


def _against(api: tuple[str, Priced], rent: Priced | None, asked: SpeedAsked, capacity: Capacity) -> Against:
    name, price = api
    even = None
    if rent is not None:
        even = break_even(
            rent.line,
            price.line,
            tokens_per_second=capacity.rate.line("tokens"),
            tokens_per_request=asked.prompt + asked.answer,
            utilization=asked.utilization,
        )
    return Against(name=name, price=price, capacity=capacity, even=even)
