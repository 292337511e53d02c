"""AMD accelerators, through ``amd-smi``, ``rocm-smi`` or, where both are missing, the files of Linux."""

import glob
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from sizewise.detection.commands import output_of, text_of
from sizewise.detection.identity import accelerator_id
from sizewise.detection.machine import DetectedDevice, Findings
from sizewise.escaping import shorten
from sizewise.units import GIB, MIB

INTEGRATED_LIMIT = 4 * GIB
"""Bytes of memory of its own below which a part of AMD is taken for one that shares RAM."""

_UNITS = {"B": 1, "KB": 2**10, "MB": MIB, "GB": GIB}


def amd_findings() -> Findings:
    """Return the accelerators of AMD that programs may see here."""
    devices = (
        parse_amd_smi(output_of("amd-smi", "static", "--asic", "--vram", "--driver", "--json"))
        or parse_rocm_smi(
            output_of(
                "rocm-smi", "--showproductname", "--showmeminfo", "vram", "--showdriverversion", "--json"
            )
        )
        or read_drivers_files()
    )
    chosen = _visible(devices)
    notes = [f"{device.name} shares the RAM of this machine" for device in chosen if device.shares_ram]
    if len(chosen) < len(devices):
        notes.append(
            f"ROCR_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES hides {len(devices) - len(chosen)} devices"
        )
    return Findings(devices=tuple(chosen), notes=tuple(notes))


def parse_amd_smi(text: str | None) -> list[DetectedDevice]:
    """Parse ``amd-smi static --asic --vram --driver --json``; sizes there are in MiB, written MB."""
    document = _json(text)
    entries = document.get("gpu_data", []) if isinstance(document, dict) else document
    devices = []
    for entry in entries if isinstance(entries, list) else ():
        name = _part(_part(entry, "asic"), "market_name")
        size = _part(_part(entry, "vram"), "size")
        total = _number(_part(size, "value")) * _UNITS.get(str(_part(size, "unit")), 0)
        driver = _part(_part(entry, "driver"), "version")
        devices.append(_device(str(name or ""), total, None, str(driver or ""), "amd-smi"))
    return devices


def parse_rocm_smi(text: str | None) -> list[DetectedDevice]:
    """Parse ``rocm-smi --showproductname --showmeminfo vram --showdriverversion --json`` (bytes)."""
    document = _json(text)
    if not isinstance(document, dict):
        return []
    driver = str(_part(document.get("system"), "Driver version") or "")
    devices = []
    for key, card in document.items():
        if key.startswith("card") and isinstance(card, dict):
            total = _number(card.get("VRAM Total Memory (B)"))
            used = _number(card.get("VRAM Total Used Memory (B)"))
            name = next((card[column] for column in ("Card Series", "Card series") if column in card), "")
            devices.append(_device(str(name), total, max(0, total - used), driver, "rocm-smi"))
    return devices


def read_drivers_files(root: str = "/sys/class/drm") -> list[DetectedDevice]:
    """Read what the amdgpu driver of Linux says of its cards (bytes)."""
    devices = []
    for folder in sorted(glob.glob(os.path.join(glob.escape(root), "card[0-9]*", "device"))):
        total = _number(text_of(os.path.join(folder, "mem_info_vram_total")))
        used = _number(text_of(os.path.join(folder, "mem_info_vram_used")))
        if total:
            name = text_of(os.path.join(folder, "product_name"))
            devices.append(_device(name, total, max(0, total - used), "", "amdgpu"))
    return devices


def _device(name: str, total: int, free: int | None, driver: str, found_by: str) -> DetectedDevice:
    shares_ram = 0 < total < INTEGRATED_LIMIT
    own = None if shares_ram else total or None
    return DetectedDevice(
        name=shorten(name or "AMD GPU"),
        found_by=found_by,
        memory_bytes=own,
        free_bytes=free if own else None,
        driver=shorten(driver),
        device_id=accelerator_id(name, own),
        unified_memory="integrated" if shares_ram else None,
    )


def _visible(devices: Sequence[DetectedDevice]) -> list[DetectedDevice]:
    """Keep what ROCR_VISIBLE_DEVICES and then HIP_VISIBLE_DEVICES select by number."""
    chosen = list(devices)
    for variable in ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        entries = [entry.strip() for entry in os.environ.get(variable, "").split(",")]
        if variable in os.environ and all(entry.isascii() and entry.isdigit() for entry in entries if entry):
            numbers = [int(entry[:9]) for entry in entries if entry]
            chosen = [chosen[number] for number in dict.fromkeys(numbers) if number < len(chosen)]
    return chosen


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


def _part(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _number(value: Any) -> int:
    """Read a count that tools write as a number or as text; 0 where they write N/A."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
