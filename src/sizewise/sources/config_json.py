"""A model from a configuration: standard input or a dictionary. Read as data only."""

import sys
from collections.abc import Mapping
from typing import Any

from sizewise.architecture import Model
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.families import describe
from sizewise.formats.declared import declared_dtype, declared_quantization
from sizewise.notices import Notice
from sizewise.sources.json_text import CONFIG_BYTES, parse_object
from sizewise.sources.rope import declared_experts, rope_scaling
from sizewise.sources.settings import apply_settings
from sizewise.sources.traits import traits


def standard_input() -> dict[str, Any]:
    """Return the configuration on standard input; the last of repeated keys counts."""
    return _standard_input()[0]


def from_standard_input(settings: Mapping[str, Any]) -> Model:
    """Return the model of the configuration on standard input."""
    raw, duplicates = _standard_input()
    return from_config(
        raw, name="standard input", origin="standard input", settings=settings, duplicates=duplicates
    )


def _standard_input() -> tuple[dict[str, Any], list[str]]:
    if sys.stdin is None:
        raise InputError("not_found", "standard input is closed; pipe a config.json into it")
    return parse_object(sys.stdin.buffer.read(CONFIG_BYTES + 1), "standard input")


def from_config(
    raw: Mapping[str, Any],
    *,
    name: str,
    origin: str,
    settings: Mapping[str, Any] | None = None,
    duplicates: list[str] | None = None,
    context: int | None = None,
    published: int | None = None,
    default_format: str | None = None,
) -> Model:
    """Return the model of a configuration given as plain data.

    Raises InputError: bad_config, inconsistent, unsupported_architecture; UsageError for a setting
    of an unknown field.
    """
    changed = apply_settings(raw, settings or {})
    model_type = changed.get("model_type")
    if not isinstance(model_type, str) or not model_type:
        raise InputError(
            "bad_config", "the config does not say its model_type; add it, e.g. with --set model_type=llama"
        )
    config = Config(changed, model_type)
    architecture = describe(config)
    dtype = declared_dtype(changed)
    quantization, notices = declared_quantization(changed)
    doubled = [
        Notice(
            code="duplicate", message=f"the config holds {shorten(key)!r} more than once; the last one counts"
        )
        for key in duplicates or []
    ]
    return Model(
        name=name,
        model_type=config.model_type,
        architecture=architecture,
        origin=origin,
        dtype=dtype,
        quantization=quantization,
        context=context or architecture.context,
        published=published,
        default_format=default_format,
        rope=rope_scaling(changed),
        traits=traits(changed),
        declared_experts=declared_experts(changed),
        notices=(*doubled, *config.notices, *notices),
    )
