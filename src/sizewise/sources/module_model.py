"""A model from a live ``torch.nn.Module``: its parameters as they are, tied storages once."""

from dataclasses import replace

from sizewise.architecture import Model
from sizewise.sources.header_model import model_of_listing
from sizewise.sources.torch_module import Module, listing_of_module


def from_module(module: Module, *, name: str = "") -> Model:
    """Return the model of a module; the module is only looked at.

    Raises InputError as `listing_of_module` does.
    """
    held = listing_of_module(module)
    kind = type(module).__name__
    model = model_of_listing(held.parameters, name=name or f"module {kind}", origin=f"live module {kind}")
    return replace(model, trainable=held.trainable)
