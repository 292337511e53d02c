"""The machine around the accelerators: processor, cores, memory."""

import os
import platform
import sys

from sizewise.detection.commands import output_of, text_of
from sizewise.escaping import shorten


def platform_name() -> str:
    """Return the system and the kind of processor, e.g. ``Linux x86_64``."""
    return shorten(f"{platform.system()} {platform.machine()}".strip())


def processor_name() -> str:
    """Return what the system calls the processor; empty where it has no name for it."""
    if sys.platform == "darwin":
        name = output_of("sysctl", "-n", "machdep.cpu.brand_string") or ""
    elif sys.platform == "win32":
        name = _name_in_registry()
    else:
        name = parse_processor(text_of("/proc/cpuinfo"))
    return shorten(" ".join((name or platform.processor()).split()), 100)


def parse_processor(text: str) -> str:
    r"""Return the processor's name in the text of ``/proc/cpuinfo``; ARM boards name the board instead.

    >>> parse_processor("processor\t: 0\nmodel name\t: AMD EPYC 9654 96-Core Processor\n")
    'AMD EPYC 9654 96-Core Processor'
    """
    cells = [line.partition(":") for line in text.splitlines()]
    names = {key.strip().lower(): value.strip() for key, _, value in reversed(cells) if value.strip()}
    return names.get("model name") or names.get("model", "")


def physical_cores() -> int | None:
    """Return the number of physical cores, else of logical ones."""
    try:
        import psutil

        return psutil.cpu_count(logical=False) or os.cpu_count()
    except (ImportError, OSError, RuntimeError):
        return os.cpu_count()


def memory() -> tuple[int | None, int | None]:
    """Return the bytes of RAM in total and available now, no more than a container grants."""
    try:
        import psutil

        found = psutil.virtual_memory()
        total, available = int(found.total), int(found.available)
    except (ImportError, OSError, RuntimeError):
        return _memory_by_system(), None
    limit = container_limit()
    return (total, available) if limit is None else (min(total, limit), min(available, limit))


def container_limit(root: str = "/sys/fs/cgroup") -> int | None:
    """Return the bytes of memory that a Linux container may use, or None where nothing limits it."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        value = text_of(os.path.join(root, *name.split("/")))
        if value.isascii() and value.isdigit() and 0 < int(value[:20]) < 2**60:
            return int(value)
    return None


def _memory_by_system() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _name_in_registry() -> str:
    if sys.platform == "win32":
        import winreg

        path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
        except OSError:
            return ""
    return ""
