"""Load ahead what most questions need, so that the first asker waits no longer than others."""

import gc

from sizewise.service.answers import ask
from sizewise.service.examples import EXAMPLES
from sizewise.service.verbs import verb

USUAL = ("memory", "speed", "laws optimal")
"""Verbs whose code and facts serve most questions."""


def warm() -> None:
    """Ask a few questions, and take what they have loaded out of the garbage collector's sight.

    What stays for good need not be looked through again: a full collection would hold up every asker.
    """
    for name in USUAL:
        ask(verb(name), EXAMPLES[name])
    gc.collect()
    gc.freeze()
