"""Prune a real model: what goes, what that saves, what it costs."""

import os
from collections.abc import Sequence
from typing import Any

from sizewise.lab.columns import columns, dtype_of
from sizewise.lab.extras import required
from sizewise.lab.figures import Figure
from sizewise.lab.loading import Loaded, live_model, place_of
from sizewise.lab.memory import enough_memory
from sizewise.lab.outputs import check_absent, check_elsewhere
from sizewise.lab.pruning.answer import Pruned
from sizewise.lab.pruning.asked import Pruning, asked_pruning
from sizewise.lab.pruning.cuts import Cut, Tell, cut_model
from sizewise.lab.quality.windows import LENGTH, MOST, Windows
from sizewise.lab.saving import save_model, weight_file_bytes
from sizewise.lab.texts import Text, measuring_windows
from sizewise.notices import Notice

WIDTHS = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads")


def prune(
    model: Any,
    *,
    method: str,
    amount: str | float | None = None,
    axes: Sequence[str] = (),
    output: str | None = None,
    text: Text = None,
    calibration: Text = None,
    dtype: str = "auto",
    offline: bool = False,
    force: bool = False,
    tell: Tell | None = None,
) -> Pruned:
    """Prune a model, measure what it saves and costs, and write it into the folder ``output``.

    ``model`` is a reference or a live causal language model of transformers, which stays as it is.
    ``method`` is magnitude, wanda, 2:4 (zeros), layers or width (a smaller model along ``axes``: ffn, heads,
    hidden). ``amount`` is a share or a number of layers. Qualities are measured on the file ``text`` (or
    `Windows` of tokens), choices made on ``calibration``; both are shipped passages where not named. Raises
    UsageError (bad_option), InputError (missing_extra, exists, replaces_source, disk_full, out_of_memory,
    bad_data, reload_differs, unsupported_architecture and the codes of `load_module`).
    """
    asked = asked_pruning(method, amount, tuple(axes))
    if output is not None:
        check_absent(output, force=force)
        read = (one for one in (text, calibration) if isinstance(one, str))
        check_elsewhere(output, place_of(model), *read)
    required("torch", needed_for="sizewise prune")
    from sizewise.lab.profiling.untouched import untouched

    loaded = live_model(model, dtype=dtype, offline=offline, needed_for="sizewise prune")
    measuring = measuring_windows(loaded, text, length=LENGTH, most=MOST)
    hint = "prune a smaller model, or take --dtype bfloat16"
    with enough_memory(hint), untouched(loaded.module):
        cut = cut_model(loaded, asked, calibration, tell)
        return _answer(loaded, asked, cut, measuring, output=output, force=force)


def _answer(
    loaded: Loaded, asked: Pruning, cut: Cut, measuring: Windows, *, output: str | None, force: bool
) -> Pruned:
    from sizewise.lab.quality.measure import measured

    quality = measured(loaded.module, cut.module, measuring)
    tokens = measuring.length
    if output is None:
        after = columns(cut.module, tokens=tokens)
    else:
        after = save_model(cut.module, loaded.tokenizer, output, tokens=tokens, force=force)
    old, new = loaded.module.config.to_dict(), cut.module.config.to_dict()
    kl = None
    if cut.dropped:
        alone = sum(cut.sensitivity[layer] for layer in cut.dropped)
        kl = Figure(predicted=alone, measured=quality.kl_nats.value)
    return Pruned(
        name=loaded.name,
        model_class=type(loaded.module).__name__,
        asked=asked,
        dtype=dtype_of(cut.module),
        before=columns(loaded.module, tokens=tokens, disk=_disk(loaded)),
        after=after,
        quality=quality,
        calibrated_on=cut.calibrated_on,
        zeros=cut.zeros,
        dropped=cut.dropped,
        sensitivity=cut.sensitivity,
        kl=kl,
        widths={key: (old[key], new[key]) for key in WIDTHS if old.get(key) != new.get(key)},
        folder=output,
        notices=(*loaded.notices, *_notices(cut)),
    )


def _disk(loaded: Loaded) -> int | None:
    """Return the bytes of the weight files that a model was read from, where they are a folder's."""
    return weight_file_bytes(os.path.expanduser(loaded.name)) if loaded.origin == "folder" else None


def _notices(cut: Cut) -> list[Notice]:
    zeros = cut.zeros
    if zeros is None:
        return []
    found = [
        Notice(
            code="nothing_saved",
            message="zeros are stored, loaded and multiplied like other numbers: the model is as large "
            "and as fast as before; --method layers and width make a smaller one",
        )
    ]
    if zeros.left:
        text = f"{zeros.left:,} weights are in no linear layer that can be pruned so (experts in one tensor)"
        found.append(Notice(code="not_pruned", message=text))
    return found
