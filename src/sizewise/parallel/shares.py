"""What one device has to hold: a part of a model and a part of the sequences."""

from dataclasses import dataclass

from sizewise.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceShare:
    """A device's number (None: the host), the part of the model and how many sequences at once.

    Weights are those of ``architecture``, the cache is what ``cached`` keeps for ``sequences``.
    """

    device: int | None
    architecture: Architecture
    cached: Architecture
    sequences: int


def whole_share(architecture: Architecture, sequences: int) -> DeviceShare:
    """Return the share of a device that has the whole model and all sequences."""
    return DeviceShare(device=0, architecture=architecture, cached=architecture, sequences=sequences)
