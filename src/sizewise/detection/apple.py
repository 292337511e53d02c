"""Apple silicon: one memory for processor and graphics, of which the system grants a part."""

import json

from sizewise.detection.commands import output_of
from sizewise.detection.identity import accelerator_id
from sizewise.detection.machine import DetectedDevice, Findings
from sizewise.escaping import shorten
from sizewise.units import MIB


def apple_findings() -> Findings:
    """Return the graphics of this Mac; those of Macs with processors of Intel are left out."""
    chip = (output_of("sysctl", "-n", "machdep.cpu.brand_string") or "").strip()
    if not chip.startswith("Apple "):
        return Findings(notes=("graphics of Macs with processors of Intel are not looked at",))
    displays = output_of("system_profiler", "SPDisplaysDataType", "-json", timeout=15)
    limit = wired_limit(output_of("sysctl", "-n", "iogpu.wired_limit_mb"))
    return Findings(devices=(apple_device(chip, graphics_cores(displays), limit),))


def apple_device(chip: str, cores: int | None, limit_bytes: int | None) -> DetectedDevice:
    """Return the graphics of a chip; ``limit_bytes`` is what its owner has set aside for them."""
    name = f"{chip} ({cores}-core GPU)" if cores else chip
    return DetectedDevice(
        name=shorten(name),
        found_by="sysctl",
        memory_bytes=limit_bytes,
        device_id=accelerator_id(name, None) or accelerator_id(chip, None),
        unified_memory="apple",
        display=True,
    )


def graphics_cores(text: str | None) -> int | None:
    """Return the number of graphics cores in ``system_profiler SPDisplaysDataType -json``.

    >>> graphics_cores('{"SPDisplaysDataType": [{"sppci_cores": "40"}]}')
    40
    """
    try:
        cores = json.loads(text or "")["SPDisplaysDataType"][0]["sppci_cores"]
        return int(cores)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None


def wired_limit(text: str | None) -> int | None:
    """Return the bytes of ``iogpu.wired_limit_mb`` (MiB); None where it is not set (0).

    >>> wired_limit("28672"), wired_limit("0")
    (30064771072, None)
    """
    value = (text or "").strip()
    return int(value) * MIB or None if value.isascii() and value.isdigit() and len(value) < 12 else None
