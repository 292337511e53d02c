"""What a configuration says about training that tensors do not show: activation, dropouts, rotary share."""

from collections.abc import Iterator, Mapping
from typing import Any

from sizewise.sources.rope import language_section
from sizewise.tape.routing import RoutingTraits
from sizewise.tape.style import Scalar, Traits

_ACTIVATIONS = ("hidden_activation", "hidden_act", "activation_function", "activation", "mlp_hidden_act")
_ROTARY = ("partial_rotary_factor", "rotary_pct", "rotary_percent")
_ATTENTION = ("attention_dropout", "attn_pdrop", "attention_probs_dropout_prob", "attn_dropout")
_RESIDUAL = (
    "resid_pdrop",
    "residual_dropout",
    "hidden_dropout",
    "hidden_dropout_prob",
    "dropout",
    "resid_dropout",
)
_EMBEDDING = ("embd_pdrop", "embed_dropout", "embedding_dropout", "emb_pdrop", "embed_pdrop")


def traits(raw: Mapping[str, Any]) -> Traits:
    """Return what a raw configuration says; what it does not say is None.

    >>> traits({"hidden_act": "silu", "resid_pdrop": 0.1}).residual_dropout
    0.1
    """
    text = language_section(raw)
    rope = text.get("rope_parameters")
    tables = (rope, text) if isinstance(rope, Mapping) else (text,)
    activation = next((text[name] for name in _ACTIVATIONS if isinstance(text.get(name), str)), None)
    return Traits(
        activation=activation,
        rotary_share=next(
            (share for table in tables if (share := _number(table, _ROTARY)) is not None), None
        ),
        attention_dropout=_number(text, _ATTENTION),
        residual_dropout=_number(text, _RESIDUAL),
        embedding_dropout=_number(text, _EMBEDDING),
        unrotated=_unrotated(text.get("no_rope_layers")),
        unrotated_every=_count(text.get("no_rope_layer_interval")),
        routing=_routing(text),
        said=tuple(_plain(text)),
    )


def _plain(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Scalar]]:
    """Yield the fields that are plain values, those of sections one level down as ``section.field``."""
    for name, value in table.items():
        if value is None or isinstance(value, bool | int | float | str):
            yield f"{prefix}{name}", value
        elif isinstance(value, Mapping) and not prefix:
            yield from _plain(value, f"{name}.")


def _unrotated(listed: Any) -> tuple[int, ...] | None:
    """Return the layers that do not rotate, from a list that has a 1 for those that do."""
    if not isinstance(listed, list) or not listed:
        return None
    return tuple(layer for layer, turns in enumerate(listed) if not turns)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _routing(text: Mapping[str, Any]) -> RoutingTraits:
    method = text.get("topk_method")
    noise = text.get("router_jitter_noise")
    return RoutingTraits(
        normed=_answer(text, "norm_topk_prob"),
        limited=method == "group_limited_greedy" if isinstance(method, str) else None,
        jitter=noise > 0 if isinstance(noise, int | float) else None,
        balance=_answer(text, "output_router_logits"),
    )


def _answer(table: Mapping[str, Any], name: str) -> bool | None:
    value = table.get(name)
    return value if isinstance(value, bool) else None


def _number(table: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    """Return the first field that is a share between 0 and 1."""
    for name in names:
        value = table.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
    return None
