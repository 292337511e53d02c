"""``sizewise doctor``: what was detected here, ready to paste into a report; no secrets."""

import sys

import click

from sizewise import __version__
from sizewise.cli.emit import colour, emit
from sizewise.cli.options import Output, output_options
from sizewise.detection import detect
from sizewise.detection.machine import DetectedDevice, Machine
from sizewise.report.document import SCHEMA_VERSION, Document
from sizewise.report.table import Table, csv_text, markdown
from sizewise.units import both_bytes


@click.command("doctor")
@output_options
def command(output: Output) -> None:
    """What was detected: devices, memory, driver, versions. Nothing is sent anywhere."""
    machine = detect()
    table = _table(machine)
    emit(
        output,
        [_document(machine)],
        text=lambda: _text(table, machine, output),
        markdown=lambda: markdown([table]),
        csv=lambda: csv_text(table.rows, table.columns),
    )


def _document(machine: Machine) -> Document:
    return {
        "schema_version": SCHEMA_VERSION,
        "sizewise": __version__,
        "python": sys.version.split()[0],
        "platform": machine.platform,
        "cpu": {"name": machine.cpu, "device": machine.cpu_device_id, "cores": machine.cores},
        "ram": {"total": machine.ram_bytes, "available": machine.available_bytes},
        "gpus": [_gpu(gpu) for gpu in machine.gpus],
        "notes": list(machine.notes),
    }


def _gpu(gpu: DetectedDevice) -> Document:
    return {
        "name": gpu.name,
        "device": gpu.device_id,
        "memory": gpu.memory_bytes,
        "free": gpu.free_bytes,
        "driver": gpu.driver,
        "found_by": gpu.found_by,
        "shares_ram": gpu.shares_ram,
    }


def _table(machine: Machine) -> Table:
    rows = [
        ("sizewise", __version__),
        ("Python", sys.version.split()[0]),
        ("platform", machine.platform),
        ("processor", machine.cpu),
        ("cores", _or_unknown(machine.cores)),
        ("RAM", _bytes(machine.ram_bytes)),
        ("RAM available", _bytes(machine.available_bytes)),
    ]
    for index, gpu in enumerate(machine.gpus):
        driver = f", driver {gpu.driver}" if gpu.driver else ""
        rows.append(
            (f"device {index}", f"{gpu.name}: {_bytes(gpu.memory_bytes)}{driver} (by {gpu.found_by})")
        )
    if not machine.gpus:
        rows.append(("devices", "no accelerator found"))
    return Table(title="", columns=("what", "found"), rows=tuple(rows))


def _text(table: Table, machine: Machine, output: Output) -> str:
    from sizewise.report.terminal import render

    return render([table], color=colour(output), notes=machine.notes)


def _bytes(amount: int | None) -> str:
    return "unknown" if amount is None else both_bytes(amount)


def _or_unknown(value: object) -> str:
    return "unknown" if value is None else str(value)
