"""What hardware is here. Nothing found is never an error: a note says what was looked for in vain."""

import sys
from dataclasses import replace

from sizewise.catalog.devices import Device, custom_device, device_by_id, with_ram, with_total
from sizewise.detection import host, pci
from sizewise.detection.amd import amd_findings
from sizewise.detection.apple import apple_findings
from sizewise.detection.identity import processor_id
from sizewise.detection.machine import DetectedDevice, Findings, Machine
from sizewise.detection.nvidia import nvidia_findings
from sizewise.errors import UsageError


def detect() -> Machine:
    """Return what is found on this machine; takes up to some seconds where tools of vendors are slow."""
    cpu = host.processor_name()
    ram, available = host.memory()
    findings = _accelerators()
    return Machine(
        platform=host.platform_name(),
        cpu=cpu,
        cpu_device_id=processor_id(cpu),
        cores=host.physical_cores(),
        ram_bytes=ram,
        available_bytes=available,
        gpus=tuple(device for finding in findings for device in finding.devices),
        notes=tuple(note for finding in findings for note in finding.notes),
    )


def here_devices(machine: Machine) -> tuple[tuple[Device, int], ...]:
    """Return the devices and counts to plan with: the accelerators, or else the processor with its RAM.

    Parts of processors that share RAM are left out beside cards; of the instances of partitioned cards
    the largest stays. Raises UsageError (bad_option) when neither accelerator nor RAM is known.
    """
    counts: dict[Device, int] = {}
    for gpu in _worth_planning_with(machine.gpus):
        device = _device(gpu, machine.ram_bytes)
        if device is not None:
            counts[device] = counts.get(device, 0) + 1
    if counts:
        return tuple(counts.items())
    if machine.ram_bytes is None:
        raise UsageError("bad_option", "nothing to run on was found here; name a device (--on rtx-4090)")
    return ((_processor(machine, machine.ram_bytes), 1),)


def _accelerators() -> tuple[Findings, ...]:
    if sys.platform == "darwin":
        return (apple_findings(),)
    vendors = pci.accelerator_vendors()
    found = (nvidia_findings(), amd_findings() if pci.AMD in vendors else Findings())
    if any(finding.devices or finding.notes for finding in found):
        return found
    reason = "; a card of NVIDIA is there, but its driver is not" if pci.NVIDIA in vendors else ""
    looked_for = "NVIDIA" if sys.platform == "win32" else "NVIDIA or AMD"
    return (Findings(notes=(f"no GPU of {looked_for} found{reason}",)),)


def _worth_planning_with(gpus: tuple[DetectedDevice, ...]) -> tuple[DetectedDevice, ...]:
    whole = [gpu for gpu in gpus if not gpu.is_instance]
    cards = tuple(gpu for gpu in whole if gpu.memory_bytes or (gpu.device_id and not gpu.shares_ram))
    instances = (gpu for gpu in gpus if gpu.is_instance and gpu.memory_bytes)
    largest = max(instances, key=lambda gpu: gpu.memory_bytes or 0, default=None)
    sharing = (gpu for gpu in whole if gpu.device_id or gpu.unified_memory in {"apple", "board"})
    if cards:
        return cards
    return (largest,) if largest else tuple(sharing)[:1]


def _device(gpu: DetectedDevice, ram_bytes: int | None) -> Device | None:
    """Return the device to plan with, or None where neither its memory nor the RAM is known."""
    if gpu.device_id and not gpu.memory_bytes and not gpu.shares_ram:
        return device_by_id(gpu.device_id)
    total = gpu.memory_bytes if gpu.memory_bytes is not None else ram_bytes
    if total is None:
        return None
    known = device_by_id(gpu.device_id) if gpu.device_id else custom_device(total, name=gpu.name)
    if gpu.memory_bytes is None:
        return with_ram(replace(known, unified_memory=known.unified_memory or gpu.unified_memory), total)
    attached = gpu.display is not False and not gpu.shares_ram
    return with_total(known, total, display=attached, basis=f"total that {gpu.found_by} reports here")


def _processor(machine: Machine, ram_bytes: int) -> Device:
    if machine.cpu_device_id:
        return with_ram(device_by_id(machine.cpu_device_id), ram_bytes)
    processor = custom_device(ram_bytes, name=machine.cpu or "CPU")
    return with_ram(replace(processor, id="cpu", kind="cpu", unified_memory="cpu"), ram_bytes)
