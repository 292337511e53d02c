"""``--via transformers``: the class of transformers itself, built without memory, for types not modelled.

The type's own configuration and class are taken from the library; nothing that a configuration names is
imported or run. Needs the extra ``lab`` (torch, transformers).
"""

from collections.abc import Mapping
from typing import Any

from sizewise.architecture import Model
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.sources.module_model import from_module

_MAPPINGS = (
    "MODEL_FOR_CAUSAL_LM_MAPPING",
    "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING",
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING",
    "MODEL_FOR_MASKED_LM_MAPPING",
    "MODEL_MAPPING",
)
_CODE = ("auto_map", "trust_remote_code", "_attn_implementation_internal", "quantization_config")
"""Fields that name code, or that would make the class build something else than the model."""


def via_transformers(raw: Mapping[str, Any], *, name: str) -> Model:
    """Return the parameters of the class that transformers builds on the meta device.

    Raises InputError: missing_extra, unsupported_architecture, bad_config.
    """
    try:
        import torch
        import transformers
    except ImportError:
        message = "--via transformers needs torch and transformers; run: pip install 'sizewise[lab]'"
        raise InputError("missing_extra", message) from None
    model_type = raw.get("model_type")
    if model_type not in transformers.CONFIG_MAPPING:
        shown = shorten(str(model_type), 80)
        raise InputError("unsupported_architecture", f"transformers knows no model type {shown!r} either")
    fields = {key: value for key, value in raw.items() if key not in _CODE}
    try:
        config = transformers.CONFIG_MAPPING[model_type].from_dict(fields)
        chosen = next(
            mapping[type(config)]
            for mapping in (getattr(transformers, mapping) for mapping in _MAPPINGS)
            if type(config) in mapping
        )
        with torch.device("meta"):
            module = (chosen[0] if isinstance(chosen, tuple) else chosen)(config)
            module.tie_weights()
    except StopIteration:
        raise InputError(
            "unsupported_architecture", f"transformers has no model class for {model_type}"
        ) from None
    except Exception as error:
        reason = shorten(f"{type(error).__name__}: {error}", 200)
        raise InputError("bad_config", f"transformers refuses the configuration: {reason}") from None
    return from_module(module, name=name)
