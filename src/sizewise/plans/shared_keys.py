"""Layers that borrow keys and values: the last ``num_kv_shared_layers`` take those of an earlier layer.

Source: configuration files of Gemma 3n and Gemma 4, transformers 5.23.
"""

from collections.abc import Hashable, Sequence

from sizewise.configuration import Config
from sizewise.errors import InputError


def borrowing_layers(config: Config, kinds: Sequence[Hashable]) -> list[bool]:
    """Tell for each layer whether it borrows; there must be a lender of its kind of attention.

    Raises InputError (inconsistent) where a kind stands only among the borrowers, as the class does.
    """
    borrowers = config.count("num_kv_shared_layers")
    lenders = len(kinds) - borrowers
    if borrowers and (lenders < 1 or set(kinds[:lenders]) != set(kinds)):
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: num_kv_shared_layers {borrowers} of {len(kinds)} layers leaves no "
            "layer to borrow keys from for some kind of attention",
        )
    return [index >= lenders for index in range(len(kinds))]
