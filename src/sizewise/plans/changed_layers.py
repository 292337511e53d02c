"""``per_layer_config``: sizes that single layers have of their own."""

from collections.abc import Collection, Mapping
from typing import Any

from sizewise.configuration import Config
from sizewise.errors import InputError


def changed_layers(config: Config, layers: int, known: Collection[str], what: str) -> list[Mapping[str, Any]]:
    """Return what ``per_layer_config`` changes in each layer; its keys are layer indices.

    ``known`` fields may be changed, named as ``what``. Raises InputError (bad_config) for what is no list of
    layers, (unsupported_architecture) for other fields.
    """
    listed = config.raw("per_layer_config") or {}
    if not isinstance(listed, Mapping):
        raise config.bad("per_layer_config", "is no object of layers")
    changes: list[Mapping[str, Any]] = [{} for _ in range(layers)]
    for key, fields in listed.items():
        if not str(key).isdecimal() or int(str(key)[:9]) >= layers or not isinstance(fields, Mapping):
            raise config.bad("per_layer_config", f"has an entry that is none of the {layers} layers")
        if not set(fields) <= set(known):
            raise InputError(
                "unsupported_architecture",
                f"{config.model_type} config: per_layer_config changes more than {what}",
            )
        changes[int(key)] = fields
    return changes
