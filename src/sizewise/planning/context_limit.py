"""The longest sequence that a model was made for, and the one that it cannot leave behind."""

from collections.abc import Iterable
from functools import cache

from sizewise.architecture import Model, Part
from sizewise.catalog.models import Preset, find_preset
from sizewise.components.embeddings import Embedding
from sizewise.errors import UsageError
from sizewise.notices import Notice
from sizewise.scenario import Scenario
from sizewise.sources.config_json import from_config


def context_limit(preset: Preset) -> int | None:
    """Return the tokens of the longest sequence: the row's, or its configuration's with declared defaults.

    None where neither names one, as of models without attention.

    >>> [context_limit(find_preset(name)) for name in ("llama-3.1-8b", "mamba-130m-hf")]
    [131072, None]
    """
    return _declared(preset.id) if preset.context is None else preset.context


def holds(preset: Preset, context: int | None) -> bool:
    """Tell whether a model was made for so many tokens; one without a limit is, and all are for None."""
    limit = context_limit(preset)
    return context is None or limit is None or limit >= context


def last_position(model: Model) -> int | None:
    """Return the tokens that a table of absolute positions has rows for; None where nothing ends there.

    Rotary positions go on beyond what a model was trained for, if badly; a table has no further row.

    >>> from sizewise.sources.reference import load_known
    >>> [last_position(load_known(name)) for name in ("gpt2", "opt-125m", "llama-3.1-8b")]
    [1024, 2048, None]
    """
    parts = (item.component for item in model.architecture.body if isinstance(item, Part))
    bounded = any(isinstance(one, Embedding) and one.absolute for one in parts)
    return model.architecture.context if bounded else None


def check_positions(model: Model, tokens: int, options: str) -> None:
    """Raise UsageError (bad_option) for a sequence that a model has not enough positions for."""
    last = last_position(model)
    if last is not None and tokens > last:
        text = (
            f"{options}: {model.name} has a table of {last:,} positions, so that {tokens:,} tokens cannot run"
        )
        raise UsageError("bad_option", f"{text}; ask for {last:,} or fewer")


def check_context(model: Model, scenario: Scenario) -> None:
    """Raise UsageError (bad_option) for a run with more tokens than a model has positions for."""
    media = scenario.image_tokens or scenario.audio is not None
    check_positions(model, scenario.context, "--context, with pictures and sound" if media else "--context")


def without_limit(found: Iterable[Preset], context: int | None) -> Iterable[Notice]:
    """Yield what is said of models whose longest sequence is not known, where a context was named."""
    names = [row.id for row in found if context is not None and context_limit(row) is None]
    if names:
        text = (
            f"the longest sequence of {', '.join(dict.fromkeys(names))} is not known: {context:,} are counted"
        )
        yield Notice(code="context_unknown", message=text)


@cache
def _declared(preset_id: str) -> int | None:
    preset = find_preset(preset_id)
    assert preset is not None
    return from_config(preset.config, name=preset_id, origin="catalogue").context
