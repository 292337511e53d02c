"""The state of a training around a model: what optimizers, schedulers and averages keep is no parameter.

A trainer saves one dictionary; its keys are how the names of its tensors begin. Source: PyTorch Lightning
2.5 (``state_dict``, ``optimizer_states``), torch 2.13 ``torch/optim/optimizer.py`` (``state_dict``), and
the usual ``model``, ``ema``, ``optimizer``; read 2026-10.
"""

import math
import re
from array import array
from collections.abc import Iterator, Sequence

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Listing, Sharing, TensorTable
from sizewise.notices import Notice

CONTAINERS = frozenset(("state_dict", "model_state_dict", "model_state"))
"""Keys that hold a model and nothing else, and that no module is called by."""
_AVERAGES = re.compile(r"(?:\w+_)?ema(?:_\w+)?|swa_\w+")
_TRAINING = re.compile(
    r"optim\w*|\w+_optimizer\w*|opt_state\w*|(?:lr_)?scheduler\w*|lr_sched\w*|rng\w*|random_states?"
    r"|callbacks|loops"
)
_OPTIMIZER = re.compile(r"state\.\d+\.\w+")
_BESIDE_MODEL = re.compile(
    r"(?:optimizer|scheduler|rng_state|random_states|scaler|sampler|training_args|dist_optimizer)\w*"
    r"(?:\.[a-z]+)*",
    re.I,
)


def is_training_file(name: str) -> bool:
    """Tell whether trainers give a file of that name to what is no model.

    >>> is_training_file("rng_state_0.pth"), is_training_file("model.pt")
    (True, False)
    """
    return _BESIDE_MODEL.fullmatch(name) is not None


def without_training(listing: Listing, where: str) -> Listing:
    """Return the tensors of the model alone, with a warning that says what was left out.

    Moving averages count where there is nothing else. Raises InputError (missing_tensor) for the state of
    an optimizer alone.
    """
    names = listing.tensors.names
    keys = [name.partition(".")[0] for name in names]
    kept = _kept(list(dict.fromkeys(keys)))
    if not kept or all(map(_OPTIMIZER.fullmatch, names)):
        text = f"{where} holds what a training keeps beside a model, no parameters; give the model's file"
        raise InputError("missing_tensor", text)
    chosen = [place for place, key in enumerate(keys) if key in kept]
    if len(chosen) == len(names) and not any(map(_AVERAGES.fullmatch, kept)):
        return listing
    table = _selected(listing.tensors, chosen)
    left = len(names) - len(chosen), listing.bytes - sum(table.counted_bytes)
    notices = (*listing.notices, _notice(kept, set(keys) - kept, *left, where))
    return Listing(tensors=table, metadata=listing.metadata, notices=notices, files=listing.files)


def _kept(keys: Sequence[str]) -> set[str]:
    """Return the keys whose tensors are the model's; averages in the place of a model that is not there."""
    for wanted in (
        {key for key in keys if key in CONTAINERS},
        {key for key in keys if not _TRAINING.fullmatch(key) and not _AVERAGES.fullmatch(key)},
    ):
        if wanted:
            return wanted
    return {key for key in keys if not _TRAINING.fullmatch(key)}


def _notice(kept: set[str], left: set[str], tensors: int, size: int, where: str) -> Notice:
    counted = f"counted: {_shown(kept)}"
    if not left:
        return Notice(code="training_state", message=f"{where} holds moving averages alone; {counted}")
    text = f"{where}: left out {_shown(left)}, {tensors:,} tensors of {size:,} bytes; {counted}"
    return Notice(code="training_state", message=text)


def _shown(keys: set[str]) -> str:
    first = ", ".join(shorten(key, 40) for key in sorted(keys)[:4])
    return first if len(keys) <= 4 else f"{first} and {len(keys) - 4:,} more"


def _selected(table: TensorTable, chosen: Sequence[int]) -> TensorTable:
    """Return some of the tensors, which hold their storage alone where only left-out ones share it."""
    sharing = None
    if table.shares:
        sharing = Sharing(
            storages=[table.storage(place) for place in chosen],
            elements=array(
                "q", _recounted(table, chosen, [math.prod(shape) for shape in table.shapes], table.counted)
            ),
            bytes=array("q", _recounted(table, chosen, table.stored_bytes, table.counted_bytes)),
        )
    return TensorTable(
        names=[table.names[place] for place in chosen],
        dtypes=[table.dtypes[place] for place in chosen],
        shapes=[table.shapes[place] for place in chosen],
        elements=array("q", (math.prod(table.shapes[place]) for place in chosen)),
        bytes=array("q", (table.stored_bytes[place] for place in chosen)),
        sharing=sharing,
    )


def _recounted(
    table: TensorTable, chosen: Sequence[int], whole: Sequence[int], counted: Sequence[int]
) -> Iterator[int]:
    """Yield what each chosen tensor holds: all of it where it is the first of the chosen in its storage."""
    seen: set[str] = set()
    for place in chosen:
        storage = table.storage(place)
        yield counted[place] if storage is None or storage in seen else max(counted[place], whole[place])
        if storage is not None:
            seen.add(storage)
