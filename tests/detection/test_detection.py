"""From what is found here to the devices that plans are made with."""

import subprocess
import sys
from dataclasses import replace

import pytest

from sizewise import detection
from sizewise.detection import detect, here_devices
from sizewise.detection.machine import DetectedDevice, Findings, Machine
from sizewise.errors import UsageError
from sizewise.units import GIB, MIB


def machine(*gpus, cpu="", cpu_device_id=None, ram=64 * GIB):
    return Machine(
        platform="Linux x86_64",
        cpu=cpu,
        cpu_device_id=cpu_device_id,
        cores=8,
        ram_bytes=ram,
        available_bytes=ram,
        gpus=gpus,
    )


def card(name="NVIDIA L4", device_id="l4-24gb", mib=23_034, **more):
    return DetectedDevice(
        name=name, found_by="NVML", memory_bytes=mib * MIB if mib else None, device_id=device_id, **more
    )


def test_this_machine_is_always_described():
    found = detect()
    assert found.platform
    assert found.gpus or found.notes
    assert here_devices(found)


def test_equal_cards_are_counted():
    ((device, count),) = here_devices(machine(card(), card()))
    assert (device.id, count, device.memory_bytes) == ("l4-24gb", 2, 23_034 * MIB)
    assert device.memory_status == "measured"
    assert device.memory_basis == "total that NVML reports here"


def test_different_cards_stay_apart():
    found = here_devices(machine(card(), card("Tesla T4", "t4-16gb", 15_360), card()))
    assert [(device.id, count) for device, count in found] == [("l4-24gb", 2), ("t4-16gb", 1)]


@pytest.mark.parametrize(("display", "reserve"), [(True, 512), (None, 512), (False, 0)])
def test_a_screen_keeps_its_part_of_a_consumer_card(display, reserve):
    ((device, _),) = here_devices(machine(card("RTX 4090", "rtx-4090-24gb", 24_564, display=display)))
    assert device.memory_bytes == (24_564 - reserve) * MIB


def test_a_card_that_the_catalogue_does_not_know():
    ((device, _),) = here_devices(machine(card("NVIDIA Graphics Device", None, 10_000)))
    assert (device.id, device.name, device.memory_bytes) == ("custom", "NVIDIA Graphics Device", 10_000 * MIB)
    assert device.bandwidth is None


def test_a_card_whose_total_is_not_told_has_that_of_the_catalogue():
    ((device, _),) = here_devices(machine(card("AMD Instinct MI300X", "mi300x-192gb", None)))
    assert (device.memory_bytes, device.memory_status) == (196_608 * MIB, "assumed")


def test_of_instances_the_largest_is_used_alone():
    small, large = (card(f"MIG {mib}", None, mib, is_instance=True) for mib in (4_864, 9_728))
    busy = replace(large, free_bytes=GIB)
    ((device, count),) = here_devices(machine(small, large, busy))
    assert (device.memory_bytes, count) == (9_728 * MIB, 1)


def test_graphics_of_a_processor_are_left_out_beside_a_card():
    graphics = card("Raphael", None, None, unified_memory="integrated")
    assert [device.id for device, _ in here_devices(machine(graphics, card()))] == ["l4-24gb"]


def test_graphics_of_a_processor_alone_leave_the_processor():
    graphics = card("Raphael", None, None, unified_memory="integrated")
    ((device, _),) = here_devices(machine(graphics, cpu="AMD Ryzen 9 7950X"))
    assert (device.id, device.name) == ("cpu", "AMD Ryzen 9 7950X")
    assert device.memory_bytes == 60 * GIB


def test_memory_shared_with_the_processor():
    spark = card("NVIDIA GB10", "dgx-spark-gb10-128gb", None, unified_memory="board")
    ((device, _),) = here_devices(machine(spark, ram=127_600_748 * 1024))
    assert device.id == "dgx-spark-gb10-128gb"
    assert device.memory_bytes == (127_600_748 // 1024 - 8_192) * MIB
    assert device.memory_status == "assumed"


def test_a_mac_grants_a_share_of_its_memory():
    apple = card("Apple M3 Max (40-core GPU)", "apple-m3-max-40c", None, unified_memory="apple")
    ((device, _),) = here_devices(machine(apple))
    assert (device.id, device.memory_bytes) == ("apple-m3-max-40c", 48 * GIB)


def test_a_mac_whose_owner_set_the_limit():
    apple = card("Apple M3 Max", "apple-m3-max-40c", 57_344, unified_memory="apple")
    ((device, _),) = here_devices(machine(apple))
    assert (device.memory_bytes, device.memory_status) == (57_344 * MIB, "measured")


def test_a_new_mac_grants_the_share_of_macs():
    apple = card("Apple M9", None, None, unified_memory="apple")
    ((device, _),) = here_devices(machine(apple, ram=16 * GIB))
    assert (device.name, device.memory_bytes) == ("Apple M9", 10_922 * MIB)


def test_a_processor_of_the_catalogue():
    ((device, _),) = here_devices(machine(cpu_device_id="epyc-9654-12ch-ddr5-4800", ram=768 * GIB))
    assert (device.id, device.memory_bytes) == ("epyc-9654-12ch-ddr5-4800", 764 * GIB)


def test_with_neither_card_nor_known_memory_a_device_has_to_be_named():
    with pytest.raises(UsageError, match="--on"):
        here_devices(machine(ram=None))


def test_a_card_without_its_driver_is_noted(monkeypatch):
    monkeypatch.setattr(detection.sys, "platform", "linux")
    monkeypatch.setattr(detection, "nvidia_findings", Findings)
    monkeypatch.setattr(detection.pci, "accelerator_vendors", lambda: frozenset({detection.pci.NVIDIA}))
    assert detect().notes == (
        "no GPU of NVIDIA or AMD found; a card of NVIDIA is there, but its driver is not",
    )


def test_importing_asks_nothing():
    heavy = "{'psutil', 'pynvml'}"
    code = f"import sys, sizewise.detection; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
