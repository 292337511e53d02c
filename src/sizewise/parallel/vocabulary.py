"""Vocabularies with the rows that engines add, on one device too: none of them is ever looked up."""

from dataclasses import replace

from sizewise.architecture import Architecture, Component
from sizewise.catalog.sharing import vocabulary_multiple
from sizewise.components.embeddings import Bias, Embedding, Head
from sizewise.parallel.division import padded
from sizewise.parallel.mapping import changed


def padded_vocabulary(architecture: Architecture) -> Architecture:
    """Return the architecture with token tables and head padded to a multiple of 64 rows.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> gpt2 = padded_vocabulary(describe(Config({}, "gpt2")))
    >>> max(weight.shape[0] for weight, _ in gpt2.weights())
    50304
    """
    return changed(architecture, _padded)


def _padded(component: Component) -> Component:
    multiple = vocabulary_multiple()
    if isinstance(component, Embedding) and component.role == "embedding":
        return replace(component, rows=padded(component.rows, multiple))
    if isinstance(component, Head):
        return replace(component, vocabulary=padded(component.vocabulary, multiple))
    if isinstance(component, Bias):
        return replace(component, width=padded(component.width, multiple))
    return component
