"""Which vendors' display controllers and accelerators sit on the bus of a Linux machine."""

import glob
import os

from sizewise.detection.commands import text_of

AMD = "0x1002"
NVIDIA = "0x10de"

_CLASSES = ("0x03", "0x12")  # display controllers, processing accelerators


def accelerator_vendors(root: str = "/sys/bus/pci/devices") -> frozenset[str]:
    """Return the PCI vendor numbers (``0x10de``) of display controllers and accelerators."""
    return frozenset(
        text_of(os.path.join(folder, "vendor"))
        for folder in glob.glob(os.path.join(glob.escape(root), "*"))
        if text_of(os.path.join(folder, "class")).startswith(_CLASSES)
    )
