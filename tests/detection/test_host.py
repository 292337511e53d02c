"""The machine around the accelerators, and Apple silicon."""

import sys

import pytest

from sizewise.detection import apple, commands, host, pci
from sizewise.detection.apple import apple_device, apple_findings, graphics_cores, wired_limit
from sizewise.detection.identity import accelerator_id, processor_id
from sizewise.units import GIB, MIB

DISPLAYS = (
    '{"SPDisplaysDataType": [{"_name": "Apple M3 Max", "sppci_cores": "40", "sppci_model": "Apple M3 Max"}]}'
)


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("AMD EPYC 9654 96-Core Processor", "epyc-9654-12ch-ddr5-4800"),
        ("AMD Ryzen 9 7950X 16-Core Processor", "ryzen-9-7950x-2ch-ddr5-5200"),
        ("AMD Ryzen Threadripper 7980X 64-Cores", "threadripper-7980x-4ch-ddr5-5200"),
        ("13th Gen Intel(R) Core(TM) i9-13900K", "core-i9-13900k-2ch-ddr5-5600"),
        ("12th Gen Intel(R) Core(TM) i7-12700", "core-i7-12700-2ch-ddr4-3200"),
        ("Intel(R) Xeon(R) Platinum 8480+", "xeon-platinum-8480plus-8ch-ddr5-4800"),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", "ryzen-ai-maxplus-395-radeon-8060s"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5-8gb"),
        ("Snapdragon(R) X Elite - X1E80100 - Qualcomm(R) Oryon(TM) CPU", "snapdragon-x-elite-lpddr5x-8448"),
        ("Intel(R) Xeon(R) Processor", None),
        ("NVIDIA GeForce RTX 4090", None),
        ("", None),
    ],
)
def test_processors(name, device):
    assert processor_id(name) == device


@pytest.mark.parametrize(
    ("name", "mib", "device"),
    [
        ("NVIDIA GeForce RTX 4060 Ti", 8_188, "rtx-4060-ti-8gb"),
        ("NVIDIA GeForce RTX 4060 Ti", 16_380, "rtx-4060-ti-16gb"),
        ("NVIDIA GeForce RTX 3060", 8_192, None),
        ("NVIDIA GeForce RTX 4090", 49_140, None),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 16_376, "rtx-4090-laptop-16gb"),
        ("NVIDIA A100-SXM4-80GB", 81_920, "a100-sxm-80gb"),
        ("NVIDIA A100 80GB PCIe", 81_920, "a100-pcie-80gb"),
        ("NVIDIA GH200 480GB", 97_871, "gh200-96gb"),
        ("NVIDIA H200", 143_771, "h200-sxm-141gb"),
        ("NVIDIA B200", 183_359, "b200-sxm-180gb"),
        ("NVIDIA A10G", 22_731, "a10g-24gb"),
        ("Tesla V100-PCIE-32GB", 32_768, None),
        ("Quadro RTX 6000", 24_576, None),
        ("AMD Instinct MI300X VF", 196_592, "mi300x-192gb"),
        ("AMD Radeon RX 9070 XT", 16_304, "rx-9070-xt-16gb"),
        ("AMD Radeon 780M Graphics", None, "radeon-780m-ddr5-5600"),
        ("NVIDIA GeForce RTX 3080", None, None),
        ("NVIDIA Graphics Device", 8_192, None),
    ],
)
def test_accelerators(name, mib, device):
    assert accelerator_id(name, mib * MIB if mib else None) == device


def test_a_mac():
    device = apple_device("Apple M3 Max", graphics_cores(DISPLAYS), None)
    assert (device.name, device.device_id) == ("Apple M3 Max (40-core GPU)", "apple-m3-max-40c")
    assert (device.unified_memory, device.memory_bytes) == ("apple", None)


def test_a_mac_whose_graphics_are_not_told():
    assert apple_device("Apple M3 Max", None, None).device_id == "apple-m3-max-30c"
    assert apple_device("Apple M9", 12, 48 * GIB).device_id is None


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"SPDisplaysDataType": []}', "[" * 100_000])
def test_no_graphics_cores(text):
    assert graphics_cores(text) is None


@pytest.mark.parametrize("text", [None, "", "0", "-1", "unknown oid", "9" * 30])
def test_no_limit(text):
    assert wired_limit(text) is None


def test_the_tools_of_a_mac(monkeypatch):
    answers = {
        "machdep.cpu.brand_string": "Apple M3 Max\n",
        "iogpu.wired_limit_mb": "40960\n",
        "-json": DISPLAYS,
    }
    monkeypatch.setattr(apple, "output_of", lambda *words, **_: answers.get(words[-1]))
    (device,) = apple_findings().devices
    assert (device.device_id, device.memory_bytes) == ("apple-m3-max-40c", 40 * GIB)


def test_a_mac_with_a_processor_of_intel(monkeypatch):
    monkeypatch.setattr(apple, "output_of", lambda *_, **__: "Intel(R) Core(TM) i9-9880H CPU @ 2.30GHz")
    assert apple_findings().devices == ()
    assert apple_findings().notes


def test_a_processors_name_in_the_files_of_linux():
    board = "processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
    assert host.parse_processor(board) == "Raspberry Pi 5 Model B Rev 1.0"
    assert (
        host.parse_processor("model\t\t: 143\nmodel name\t: Intel(R) Xeon(R) Processor\n")
        == "Intel(R) Xeon(R) Processor"
    )
    assert host.parse_processor("nothing") == ""


@pytest.mark.parametrize(
    ("value", "limit"),
    [("max", None), ("8589934592", 8 * GIB), ("9223372036854771712", None), ("", None), ("0", None)],
)
def test_the_limit_of_a_container(tmp_path, value, limit):
    (tmp_path / "memory.max").write_text(value + "\n")
    assert host.container_limit(str(tmp_path)) == limit


def test_memory_without_psutil(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    total, available = host.memory()
    assert total is None or total > 0
    assert available is None
    assert host.physical_cores()


def test_memory_here():
    total, available = host.memory()
    assert 0 < available <= total


def test_vendors_on_the_bus(tmp_path):
    for slot, (vendor, kind) in enumerate(
        [("0x10de", "0x030000"), ("0x1002", "0x120000"), ("0x8086", "0x020000")]
    ):
        folder = tmp_path / f"0000:0{slot}:00.0"
        folder.mkdir()
        (folder / "vendor").write_text(vendor + "\n")
        (folder / "class").write_text(kind + "\n")
    assert pci.accelerator_vendors(str(tmp_path)) == {pci.NVIDIA, pci.AMD}
    assert pci.accelerator_vendors(str(tmp_path / "none")) == frozenset()


def test_tools_that_are_missing_slow_or_failing_have_no_answer():
    assert commands.output_of("no-such-program-anywhere") is None
    assert commands.output_of(sys.executable, "-c", "raise SystemExit(9)") is None
    assert commands.output_of(sys.executable, "-c", "import time; time.sleep(30)", timeout=0.2) is None
    assert commands.output_of(sys.executable, "-c", "print('x')").strip() == "x"
    assert commands.text_of("/no/such/file") == ""
