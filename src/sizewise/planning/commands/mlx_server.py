"""``mlx_lm.server``, after ``mlx_lm.convert`` where the format is one that it makes."""

import os

from sizewise.architecture import Model
from sizewise.catalog.starting import startings
from sizewise.planning.commands.start import (
    Start,
    cache_notes,
    cache_word,
    checkpoint_is,
    flag,
    hub_or_path,
    shell,
    told,
)
from sizewise.scenario import Scenario

CONVERT = ("mlx_lm.convert", "--hf-path")


def mlx_server(model: Model, scenario: Scenario) -> Start:
    """Return the commands that convert a model, where that is asked for, and serve it.

    The server has no limit of tokens: its caches grow with them.
    """
    engine, weights = startings()["mlx"], scenario.weights
    source = hub_or_path(model)
    notes, before = cache_notes(engine, scenario), ""
    if weights.name in engine.makes and not checkpoint_is(model, weights, scenario):
        stem = os.path.basename(os.path.abspath(source) if model.place.path else source)
        target = os.path.join(".", f"{stem}-{weights.name}")
        how = engine.makes[weights.name].split()
        before = shell([*CONVERT, source, "-q", *how, "--mlx-path", target]) + " && "
        source = target
    elif not checkpoint_is(model, weights, scenario):
        notes = (*notes, f"{source}: a checkpoint of it in {weights.name}")
    words = [*engine.program, *flag(engine, "model", source)]
    sequences = scenario.sequences if scenario.sequences > 1 else None
    keys = cache_word(engine, scenario.cache)
    words += told(engine, [("sequences", sequences, None), ("keys", keys, None)])
    tokens = f"mlx has no option for the context: give it at most {scenario.context:,} tokens"
    return Start(command=before + shell(words), notes=(*notes, tokens))
