"""AMD accelerators: what amd-smi and rocm-smi print, and the files of the Linux driver."""

import json

import pytest

from sizewise.detection import amd
from sizewise.detection.amd import amd_findings, parse_amd_smi, parse_rocm_smi, read_drivers_files
from sizewise.units import MIB

INSTINCT = {
    "gpu": 0,
    "asic": {"market_name": "AMD Instinct MI300X", "vendor_id": "0x1002"},
    "vram": {"type": "HBM3", "vendor": "N/A", "size": {"value": 196592, "unit": "MB"}},
    "driver": {"name": "amdgpu", "version": "6.12.12"},
}
CARDS = {
    "card0": {
        "VRAM Total Memory (B)": "21458059264",
        "VRAM Total Used Memory (B)": "27856896",
        "Card Series": "Radeon RX 7900 XT",
        "Card Model": "0x744c",
    },
    "card1": {
        "VRAM Total Memory (B)": "67108864",
        "VRAM Total Used Memory (B)": "26079232",
        "Card Series": "Raphael",
    },
    "system": {"Driver version": "6.8.5"},
}


@pytest.mark.parametrize("document", [[INSTINCT], {"gpu_data": [INSTINCT]}], ids=["list", "object"])
def test_amd_smi(document):
    (device,) = parse_amd_smi(json.dumps(document))
    assert (device.name, device.device_id) == ("AMD Instinct MI300X", "mi300x-192gb")
    assert device.memory_bytes == 196_592 * MIB
    assert device.driver == "6.12.12"


def test_amd_smi_without_a_size():
    (device,) = parse_amd_smi(json.dumps([{**INSTINCT, "vram": {"size": "N/A"}}]))
    assert (device.device_id, device.memory_bytes, device.unified_memory) == ("mi300x-192gb", None, None)


def test_rocm_smi_with_a_card_and_a_processors_graphics():
    card, graphics = parse_rocm_smi(json.dumps(CARDS))
    assert (card.device_id, card.memory_bytes) == ("rx-7900-xt-20gb", 21_458_059_264)
    assert card.free_bytes == 21_458_059_264 - 27_856_896
    assert card.driver == "6.8.5"
    assert (graphics.unified_memory, graphics.memory_bytes) == ("integrated", None)


def test_rocm_smi_with_names_in_brackets():
    card = {"Card series": "Arcturus GL-XL [AMD Instinct MI100]", "VRAM Total Memory (B)": "34342961152"}
    assert parse_rocm_smi(json.dumps({"card0": card}))[0].device_id == "mi100-32gb"


@pytest.mark.parametrize("parse", [parse_amd_smi, parse_rocm_smi])
@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "null",
        "[]",
        "{}",
        "[1]",
        '{"card0": 3}',
        "WARNING: no GPU",
        "[" * 100_000,
        '{"gpu_data": 1}',
    ],
)
def test_other_words_are_no_cards(parse, text):
    assert [device for device in parse(text) if device.memory_bytes] == []


def test_files_of_the_driver(tmp_path):
    card = tmp_path / "card0" / "device"
    card.mkdir(parents=True)
    (card / "mem_info_vram_total").write_text("17163091968\n")
    (card / "mem_info_vram_used").write_text("63091968\n")
    (tmp_path / "card1-DP-1").mkdir()
    (device,) = read_drivers_files(str(tmp_path))
    assert (device.name, device.memory_bytes, device.device_id) == ("AMD GPU", 17_163_091_968, None)
    assert device.free_bytes == 17_100_000_000


@pytest.mark.parametrize(
    ("variable", "value", "names"),
    [
        ("HIP_VISIBLE_DEVICES", "1", ["Raphael"]),
        ("ROCR_VISIBLE_DEVICES", "", []),
        ("ROCR_VISIBLE_DEVICES", "0", ["Radeon RX 7900 XT"]),
        ("HIP_VISIBLE_DEVICES", "GPU-abc", ["Radeon RX 7900 XT", "Raphael"]),
    ],
)
def test_hidden_devices(monkeypatch, variable, value, names):
    answers = {"rocm-smi": json.dumps(CARDS)}
    monkeypatch.setattr(amd, "output_of", lambda program, *_: answers.get(program))
    monkeypatch.delenv("ROCR_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("HIP_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv(variable, value)
    findings = amd_findings()
    assert [device.name for device in findings.devices] == names
    assert any("hides" in note for note in findings.notes) == (len(names) < 2)
