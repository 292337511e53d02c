"""What each layer is worth: how far the answers move when it alone is passed over."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sizewise.lab.pruning.stack import Stack
from sizewise.lab.quality.measure import compared, scored
from sizewise.lab.quality.windows import Windows


def layer_sensitivity(
    module: Any, stack: Stack, windows: Windows, tell: Callable[[int, int], None] | None = None
) -> tuple[float, ...]:
    """Return KL(model || model without the layer) in nats per token, for each layer alone.

    The model keeps no hooks, whatever happens.
    """
    reference = scored(module, windows)
    found = []
    for done, layer in enumerate(stack.layers):
        with passed_over(layer):
            found.append(compared(reference, module).kl_nats.value)
        if tell is not None:
            tell(done + 1, len(stack.layers))
    return tuple(found)


def least_sensitive(sensitivity: Sequence[float], count: int) -> tuple[int, ...]:
    """Return the layers whose loss alone moves the answers least, in their order.

    >>> least_sensitive([7.0, 0.2, 0.1, 0.3], 2)
    (1, 2)
    """
    ranked = sorted(range(len(sensitivity)), key=lambda layer: sensitivity[layer])
    return tuple(sorted(ranked[:count]))


@contextmanager
def passed_over(layer: Any) -> Iterator[None]:
    """Let a layer hand on what it is given."""
    hook = layer.register_forward_hook(_unchanged, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


def _unchanged(_: Any, given: tuple[Any, ...], named: dict[str, Any], made: Any) -> Any:
    arrived = given[0] if given else named["hidden_states"]
    return (arrived, *made[1:]) if isinstance(made, tuple) else arrived
