"""How far a changed model is from its reference on the same windows: perplexity, KL, other first choices.

Per scored token, from fp32 log-probabilities over the whole vocabulary V: the negative log-likelihood of the
token that follows, KL(reference || candidate), whether the likeliest token is another (a flip), and the
change of the probability of the token that follows. Errors are standard errors over windows; the difference
of the two likelihoods is paired window by window, which leaves far less noise than either has.
Source: the set of llama.cpp's ``perplexity --kl-divergence``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, sqrt
from statistics import fmean, stdev
from typing import Any

from sizewise.errors import InputError
from sizewise.lab.passes import logits_of
from sizewise.lab.quality.windows import ENOUGH, Windows

MOST_NATS = 700
"""Losses above this have no perplexity that a number can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A mean over windows with its standard error (None: there is one window)."""

    value: float
    error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """A candidate beside its reference.

    ``added_nats`` is the paired difference of the negative log-likelihood per token, ``kl_nats`` the mean
    KL(reference || candidate), ``flips`` the share of tokens whose likeliest next token is another,
    ``delta_p`` the mean and root mean square change of the probability of the token that follows.
    """

    text: str
    random: bool
    tokens: int
    windows: int
    window_tokens: int
    reference_perplexity: Measured
    perplexity: Measured
    added_nats: Measured
    kl_nats: Measured
    flips: Measured
    delta_p: Measured
    rms_delta_p: float

    @property
    def enough(self) -> bool:
        """Tell whether enough tokens of a text were scored to say something of the quality."""
        return self.tokens >= ENOUGH and not self.random


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Windows with the fp32 log-probabilities [S - 1, V] of the reference in each."""

    windows: Windows
    scores: Sequence[Any]


def scored(module: Any, windows: Windows) -> Reference:
    """Return what a model says of windows; it is kept, S * V * 4 bytes for each."""
    return Reference(windows=windows, scores=[log_probabilities(module, ids) for ids in windows.ids])


def log_probabilities(module: Any, ids: Any) -> Any:
    """Return the fp32 log-probabilities [S - 1, V] of the tokens after each of a window but the last."""
    import torch

    device = next(module.parameters()).device
    with torch.inference_mode():
        logits = logits_of(module, ids[None].to(device))
        return torch.log_softmax(logits[0, :-1].float().cpu(), dim=-1)


def measured(reference: Any, candidate: Any, windows: Windows) -> Quality:
    """Return how far one module is from another; one window of each is held at a time."""
    pairs = ((log_probabilities(reference, ids), log_probabilities(candidate, ids)) for ids in windows.ids)
    return _quality(windows, pairs)


def compared(reference: Reference, candidate: Any) -> Quality:
    """Return how far a module is from a reference that was scored before."""
    windows = reference.windows
    pairs = (
        (said, log_probabilities(candidate, ids))
        for said, ids in zip(reference.scores, windows.ids, strict=True)
    )
    return _quality(windows, pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Means over the tokens of one window."""

    reference: float
    candidate: float
    kl: float
    flips: float
    delta: float
    delta_square: float


def _quality(windows: Windows, pairs: Iterable[tuple[Any, Any]]) -> Quality:
    rows = [_window(*pair, ids[1:]) for pair, ids in zip(pairs, windows.ids, strict=True)]
    if not all(isfinite(value) for row in rows for value in (row.reference, row.candidate, row.kl)):
        raise InputError("bad_data", "a model answers with what is no number (NaN or infinite)")
    if max(max(row.reference, row.candidate) for row in rows) > MOST_NATS:
        raise InputError(
            "bad_data", f"a model is wrong by more than {MOST_NATS} nats per token: it is broken"
        )
    return Quality(
        text=windows.title,
        random=windows.random,
        tokens=windows.scored,
        windows=windows.count,
        window_tokens=windows.length,
        reference_perplexity=_perplexity([row.reference for row in rows]),
        perplexity=_perplexity([row.candidate for row in rows]),
        added_nats=_mean([row.candidate - row.reference for row in rows]),
        kl_nats=_mean([row.kl for row in rows]),
        flips=_mean([row.flips for row in rows]),
        delta_p=_mean([row.delta for row in rows]),
        rms_delta_p=sqrt(fmean(row.delta_square for row in rows)),
    )


def _window(reference: Any, candidate: Any, following: Any) -> _Window:
    import torch

    said, says = (scores.gather(-1, following[:, None])[:, 0].double() for scores in (reference, candidate))
    divergence = torch.nn.functional.kl_div(candidate, reference, reduction="none", log_target=True)
    delta = says.exp() - said.exp()
    return _Window(
        reference=float(-said.mean()),
        candidate=float(-says.mean()),
        kl=float(divergence.sum(-1, dtype=torch.float64).mean()),
        flips=float((reference.argmax(-1) != candidate.argmax(-1)).double().mean()),
        delta=float(delta.mean()),
        delta_square=float(delta.square().mean()),
    )


def _mean(values: Sequence[float]) -> Measured:
    error = stdev(values) / sqrt(len(values)) if len(values) > 1 else None
    return Measured(value=fmean(values), error=error)


def _perplexity(losses: Sequence[float]) -> Measured:
    """Return exp of the mean loss; its error is the loss's, carried through."""
    loss = _mean(losses)
    value = exp(loss.value)
    return Measured(value=value, error=None if loss.error is None else value * loss.error)
