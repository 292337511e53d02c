"""Warnings about a file and its class: sizes that it leaves to the class, a class that is not counted."""

from sizewise.architecture import Architecture, Part
from sizewise.components.embeddings import Head
from sizewise.configuration import Config
from sizewise.escaping import shorten

_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
_SPARSE = frozenset({"gemma3_text"})
"""Types whose published files leave sizes to the class."""


def note_class(config: Config, architecture: Architecture) -> None:
    """Say so when the file names another class than the one that is counted, and what its head is worth."""
    named = config.raw("architectures")
    first = named[0] if isinstance(named, list) and named else None
    if not isinstance(first, str) or first == architecture.model_class:
        return
    text = f"the config names the class {shorten(first, 60)}; counted is {architecture.model_class}"
    head = _head_elements(architecture)
    if head and not first.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")):
        text += f", of which {head:,} parameters are the head of a language model"
    config.notice("other_class", text)


def _head_elements(architecture: Architecture) -> int:
    heads = [
        item.component
        for item in architecture.body
        if isinstance(item, Part) and isinstance(item.component, Head)
    ]
    return sum(weight.elements for head in heads for weight in head.weights())


def note_defaults(config: Config) -> None:
    """Say which sizes that were read the class's defaults gave because the file has none."""
    missing = [name for name in _SIZES if config.defaulted(name)]
    if missing and config.model_type not in _SPARSE:
        sizes = ", ".join(f"{name} {config.declared(name):,}" for name in missing)
        text = f"the {config.model_type} config does not say {sizes}: the class's defaults count"
        config.notice("class_defaults", text)
