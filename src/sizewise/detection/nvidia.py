"""NVIDIA accelerators, through the management library or, where that is missing, ``nvidia-smi``."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sizewise.detection.commands import output_of
from sizewise.detection.identity import accelerator_id
from sizewise.detection.machine import DetectedDevice, Findings
from sizewise.escaping import shorten
from sizewise.units import MIB

QUERY = (
    "uuid",
    "name",
    "memory.total",
    "memory.free",
    "driver_version",
    "mig.mode.current",
    "display_active",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An accelerator or an instance of one, with the number and the identifier that select it."""

    index: int
    uuid: str
    device: DetectedDevice


def nvidia_findings() -> Findings:
    """Return the accelerators of NVIDIA that programs may see here."""
    cards = _cards_by_library()
    if cards is None:
        listing = output_of("nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader,nounits")
        cards = parse_listing(listing) if listing else []
    chosen = visible(cards, os.environ.get("CUDA_VISIBLE_DEVICES"))
    return Findings(devices=tuple(card.device for card in chosen), notes=tuple(_notes(cards, chosen)))


def visible(cards: Sequence[Card], selection: str | None) -> list[Card]:
    """Return the cards that ``CUDA_VISIBLE_DEVICES`` selects, in its order.

    Numbers and beginnings of identifiers are understood. As in CUDA the first entry that selects nothing
    ends the list, and one that comes twice leaves nothing.
    """
    if selection is None:
        return list(cards)
    chosen: list[Card] = []
    for entry in selection.split(","):
        found = [card for card in cards if _selects(entry.strip(), card)]
        if not found:
            break
        if any(card in chosen for card in found):
            return []
        chosen += found
    return chosen


def parse_listing(text: str) -> list[Card]:
    """Parse what ``nvidia-smi`` prints for QUERY as CSV without header and units (memory in MiB).

    A card in MIG mode has no memory here: its instances are not in that listing.
    """
    cards = []
    for index, row in enumerate(csv.reader(text.splitlines(), skipinitialspace=True)):
        if len(row) == len(QUERY):
            uuid, name, total, free, driver, mig, display = (cell.strip() for cell in row)
            partitioned = bool(_switched(mig))
            device = _device(
                name=f"{name} in MIG mode" if partitioned else name,
                total=None if partitioned else _mebibytes(total),
                free=_mebibytes(free),
                driver=driver,
                found_by="nvidia-smi",
                display=_switched(display),
                is_instance=partitioned,
            )
            cards.append(Card(index=index, uuid=uuid, device=device))
    return cards


def read_library(library: Any) -> list[Card]:
    """Return the cards that an initialised management library (the module ``pynvml``) lists."""
    driver = _text(_answer(library, "nvmlSystemGetDriverVersion"))
    cards: list[Card] = []
    for index in range(_answer(library, "nvmlDeviceGetCount") or 0):
        handle = _answer(library, "nvmlDeviceGetHandleByIndex", index)
        if handle is not None:
            instances = _instances(library, handle)
            for part in instances or [handle]:
                device = _read_device(library, part, driver, is_instance=bool(instances))
                cards.append(
                    Card(index=index, uuid=_text(_answer(library, "nvmlDeviceGetUUID", part)), device=device)
                )
    return cards


def _cards_by_library() -> list[Card] | None:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError):
        return None
    try:
        return read_library(pynvml)
    finally:
        _answer(pynvml, "nvmlShutdown")


def _answer(library: Any, question: str, *arguments: Any) -> Any:
    """Ask the library; None where the driver or the card has no answer."""
    try:
        return getattr(library, question)(*arguments)
    except (library.NVMLError, AttributeError):
        return None


def _instances(library: Any, handle: Any) -> list[Any]:
    """Return the handles of the instances of a card in MIG mode."""
    modes = _answer(library, "nvmlDeviceGetMigMode", handle)
    if not modes or not modes[0]:
        return []
    most = _answer(library, "nvmlDeviceGetMaxMigDeviceCount", handle) or 0
    found = (_answer(library, "nvmlDeviceGetMigDeviceHandleByIndex", handle, index) for index in range(most))
    return [part for part in found if part is not None]


def _read_device(library: Any, handle: Any, driver: str, *, is_instance: bool) -> DetectedDevice:
    memory = _answer(library, "nvmlDeviceGetMemoryInfo", handle)
    display = _answer(library, "nvmlDeviceGetDisplayActive", handle)
    return _device(
        name=_text(_answer(library, "nvmlDeviceGetName", handle)),
        total=int(memory.total) if memory is not None else None,
        free=int(memory.free) if memory is not None else None,
        driver=driver,
        found_by="NVML",
        display=None if display is None else bool(display),
        is_instance=is_instance,
    )


def _device(
    *,
    name: str,
    total: int | None,
    free: int | None,
    driver: str,
    found_by: str,
    display: bool | None,
    is_instance: bool,
) -> DetectedDevice:
    """Return a card or an instance; a card without a total shares the machine's memory (GB10, Jetson)."""
    return DetectedDevice(
        name=shorten(name or "NVIDIA GPU"),
        found_by=found_by,
        memory_bytes=total or None,
        free_bytes=free if total else None,
        driver=shorten(driver),
        device_id=None if is_instance else accelerator_id(name, total or None),
        unified_memory=None if total or is_instance else "board",
        is_instance=is_instance,
        display=display,
    )


def _notes(cards: Sequence[Card], chosen: Sequence[Card]) -> Iterable[str]:
    if len(chosen) < len(cards):
        yield f"CUDA_VISIBLE_DEVICES hides {len(cards) - len(chosen)} of {len(cards)} NVIDIA devices"
        by_bus = os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        if len({card.device.name for card in cards}) > 1 and not by_bus:
            yield "CUDA counts the fastest device first, this list by bus (CUDA_DEVICE_ORDER=PCI_BUS_ID)"
    for device in dict.fromkeys(card.device for card in chosen):
        if device.is_instance and device.memory_bytes is None:
            yield f"{device.name}: the sizes of its instances are not known here; give --memory"
        elif device.is_instance:
            yield f"{device.name} is an instance of a partitioned card; a program uses one of them"
        elif device.shares_ram:
            yield f"{device.name} reports no memory of its own: it shares the RAM of this machine"


def _selects(entry: str, card: Card) -> bool:
    if entry.isascii() and entry.isdigit():
        return int(entry[:9]) == card.index
    return entry.startswith(("GPU-", "MIG-")) and card.uuid.startswith(entry)


def _mebibytes(text: str) -> int | None:
    return int(text) * MIB if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _switched(text: str) -> bool | None:
    return {"Enabled": True, "Disabled": False}.get(text)


def _text(answer: Any) -> str:
    """Older libraries answer in bytes."""
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer or "")
