"""What tokens cost: the block of a document, and lines for people with a date beside every price."""

from collections.abc import Iterator

from sizewise.ledger import Line
from sizewise.planning.speed.cost import GIVEN, Against, Priced, ServingCost
from sizewise.report.document import Document, estimate_block
from sizewise.units import short_count


def cost_block(cost: ServingCost) -> Document:
    """Return money and energy as a document; null where no price or power is known."""
    return {
        "usd_per_hour": _priced(cost.usd_per_hour),
        "usd_per_million_output": estimate_block(cost.per_million_output),
        "usd_per_million_total": estimate_block(cost.per_million_total),
        "utilization": cost.utilization,
        "joules_per_output_token": estimate_block(cost.joules),
        "break_even": None if cost.against is None else _even_block(cost.against),
    }


def _even_block(against: Against) -> Document:
    even = against.even
    return {
        "against": against.name,
        "api_usd_per_million": _priced(against.price),
        "tokens_per_day": None if even is None else estimate_block(even.tokens_per_day),
        "requests_per_day": None if even is None else estimate_block(even.requests_per_day),
        "capacity_tokens_per_day": None if even is None else estimate_block(even.capacity_tokens_per_day),
        "capacity_basis": None if even is None else against.capacity.basis,
        "capacity_at": None if even is None else against.capacity.at,
        "share_of_capacity": None if even is None else estimate_block(even.utilization),
    }


def _priced(priced: Priced | None) -> Document | None:
    if priced is None:
        return None
    found = estimate_block(priced.line)
    return None if found is None else {**found, "as_of": priced.as_of, "source": priced.line.source}


def million_text(cost: ServingCost) -> str:
    """Return USD per million output tokens with the interval; a dash where no price is known."""
    return "-" if cost.per_million_output is None else _spread(cost.per_million_output)


def hour_note(cost: ServingCost) -> str:
    """Return what an hour of the devices costs, or how to say it."""
    if cost.usd_per_hour is None:
        return f"money: no price of {cost.device} is known; give one: --usd-per-hour 0.5"
    return f"USD {_spread(cost.usd_per_hour.line)} an hour: {_from(cost.usd_per_hour)}"


def cost_notes(cost: ServingCost) -> Iterator[str]:
    """Yield what an hour and a million tokens cost, from where an API costs more, and the energy."""
    if cost.per_million_output is None or cost.per_million_total is None:
        yield hour_note(cost)
    else:
        yield (
            f"money: USD {_spread(cost.per_million_output)} per million output tokens,"
            f" {_spread(cost.per_million_total)} per million of all, {cost.utilization:.0%} of the paid time"
            f" at this load; {hour_note(cost)}"
        )
    if cost.against is not None:
        yield _even_note(cost.against)
    if cost.joules is not None:
        yield f"energy: {_spread(cost.joules)} J per output token of the devices, prompts in it (assumed)"


def _even_note(against: Against) -> str:
    price, even = against.price, against.even
    text = f"{against.name}: USD {_spread(price.line)} per million tokens of this mix, {_from(price)}"
    if even is None:
        return text
    share, capacity = float(even.utilization.value), _tokens(even.capacity_tokens_per_day)
    needed, at = f"{_tokens(even.tokens_per_day)} tokens a day", against.capacity.at
    alone = against.capacity.basis == "this_load"
    if share > 1:
        doubt = "do not" if even.utilization.interval[0] > 1 else "may not"
        told = f"{'at this load ' if alone else ''}the devices {doubt} cost less"
        return f"{text}; {told}: it takes {needed} and they serve {capacity} with {at}"
    served = f"at this load, {at}" if alone else f"with {at}"
    requests = short_count(even.requests_per_day.value)
    return (
        f"{text}; the devices cost less from {needed}, {requests} requests, {share:.0%} of the {capacity}"
        f" that they serve {served}"
    )


def _tokens(line: Line) -> str:
    low, high = (short_count(end) for end in line.interval)
    between = f" ({low} to {high})" if low != high else ""
    return f"{short_count(line.value)}{between}"


def _from(priced: Priced) -> str:
    return GIVEN if priced.as_of == GIVEN else priced.line.source


def _spread(line: Line) -> str:
    low, high = line.interval
    text = _amount(line.value)
    return text if low == high else f"{text} ({_amount(low)} to {_amount(high)})"


def _amount(amount: float) -> str:
    """Print money or energy in three digits, a large amount without a fraction.

    >>> _amount(0.01234), _amount(2.5), _amount(12_345.6)
    ('0.0123', '2.5', '12,346')
    """
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:.3g}"
