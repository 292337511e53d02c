"""A model cut by each method, and what is to be said of how it was done; the given model stays as it is."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.loading import Loaded
from sizewise.lab.pruning.answer import Zeros
from sizewise.lab.pruning.asked import Pruning
from sizewise.lab.quality.windows import LENGTH, MOST, Windows
from sizewise.lab.texts import Text, choosing_windows

Tell = Callable[[str, int, int], None]
"""Told how far a stage is: its name, steps done, steps in all."""
SENSITIVITY_WINDOWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A smaller or emptier model, and what is to be said of how it was made."""

    module: Any
    calibrated_on: str | None = None
    zeros: Zeros | None = None
    dropped: tuple[int, ...] = ()
    sensitivity: tuple[float, ...] = ()


def cut_model(loaded: Loaded, asked: Pruning, calibration: Text, tell: Tell | None) -> Cut:
    """Return a model cut as asked for, calibrated on the file ``calibration`` or the shipped passage.

    Raises UsageError (bad_option), InputError (unsupported_architecture, unsupported_format and the codes of
    `choosing_windows`).
    """
    _check_unpacked(loaded)
    if asked.method == "magnitude":
        return _zeroed(loaded.module, asked, None, tell)
    most = SENSITIVITY_WINDOWS if asked.method == "layers" else MOST
    windows = choosing_windows(loaded, calibration, length=LENGTH, most=most)
    if asked.method == "layers":
        return _without_layers(loaded.module, asked, windows, tell)
    if asked.method == "width":
        return _narrowed(loaded.module, asked, windows, tell)
    return _zeroed(loaded.module, asked, windows, tell)


def _check_unpacked(loaded: Loaded) -> None:
    """Raise InputError (unsupported_format) for weights that are packed: their zeros are no zeros."""
    if any(not weight.is_floating_point() for weight in loaded.module.parameters()):
        raise InputError(
            "unsupported_format",
            f"{shorten(loaded.name, 120)} is packed; prune the model that it was made of",
        )


def _zeroed(module: Any, asked: Pruning, windows: Windows | None, tell: Tell | None) -> Cut:
    from sizewise.lab.pruning.stack import layer_stack, matrices, other_weights
    from sizewise.lab.pruning.zeros import by_magnitude, by_wanda, two_of_four

    share = asked.share or 0.0
    squares: Mapping[str, Any] = {} if windows is None else _squares(module, windows, tell)
    emptied = copy.deepcopy(module)
    stack = layer_stack(emptied)
    found = list(matrices(stack))
    if windows is None:
        zeroed = by_magnitude(found, share)
    elif asked.method == "2:4":
        zeroed = two_of_four(found, squares)
    else:
        zeroed = by_wanda(found, share, squares)
    width = found[0].weight.element_size() if found else 0
    odd = sum(matrix.weight.numel() for matrix in found if matrix.path in zeroed.left)
    zeros = Zeros(
        weights=zeroed.weights,
        zeros=zeroed.zeros,
        dense=zeroed.weights * width,
        packed=zeroed.packed_bytes(width) if asked.method == "2:4" else None,
        compressed=zeroed.csr_bytes(width),
        left=other_weights(stack) + odd,
    )
    return Cut(module=emptied, calibrated_on=None if windows is None else windows.title, zeros=zeros)


def _without_layers(module: Any, asked: Pruning, windows: Windows, tell: Tell | None) -> Cut:
    from sizewise.lab.pruning.sensitivity import layer_sensitivity, least_sensitive
    from sizewise.lab.pruning.stack import layer_stack
    from sizewise.lab.pruning.surgery import drop_layers

    stack = layer_stack(module)
    count = asked.dropped_layers(len(stack.layers))
    sensitivity = layer_sensitivity(module, stack, windows, _stage(tell, "layers left out in turn"))
    dropped = least_sensitive(sensitivity, count)
    smaller = drop_layers(module, stack, dropped)
    return Cut(module=smaller, calibrated_on=windows.title, dropped=dropped, sensitivity=sensitivity)


def _narrowed(module: Any, asked: Pruning, windows: Windows, tell: Tell | None) -> Cut:
    from sizewise.lab.pruning.stack import layer_stack
    from sizewise.lab.pruning.width import check_parts, narrowed, shape_of

    stack = layer_stack(module)
    shape_of(module)
    check_parts(module, stack, asked.axes)
    squares = _squares(module, windows, tell)
    smaller = narrowed(module, stack, axes=asked.axes, share=asked.share or 0.0, squares=squares)
    return Cut(module=smaller, calibrated_on=windows.title)


def _squares(module: Any, windows: Windows, tell: Tell | None) -> Mapping[str, Any]:
    from sizewise.lab.pruning.calibration import input_squares
    from sizewise.lab.pruning.stack import layer_stack, matrices

    wanted = matrices(layer_stack(module))
    return input_squares(module, wanted, windows, _stage(tell, "windows of the calibration text"))


def _stage(tell: Tell | None, name: str) -> Callable[[int, int], None] | None:
    return None if tell is None else lambda done, count: tell(name, done, count)
