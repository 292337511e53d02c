"""What to say when a name fits several devices, or none."""

from sizewise.catalog.device_names import device_index, device_key
from sizewise.catalog.device_rows import Row, device_rows
from sizewise.escaping import shorten


def differences(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return what devices differ in: memory, bandwidth, compute (its bf16 rate), link.

    Memory that the buyer chooses is no difference.

    >>> differences(("a100-sxm-80gb", "a100-pcie-80gb"))
    ('bandwidth', 'link')
    """
    rows = [device_rows()[device] for device in ids]
    chosen = all(row.get("memory_is_chosen") for row in rows)
    facts = [_facts(row) for row in rows]
    differing = [what for what in facts[0] if len({fact[what] for fact in facts}) > 1]
    return tuple(what for what in differing if what != "memory" or not chosen)


def described(ids: tuple[str, ...]) -> str:
    """Name the candidates with what they differ in."""
    facts = {device: _facts(device_rows()[device]) for device in ids}
    differing = differences(ids)
    return "; ".join(f"{device} ({', '.join(facts[device][what] for what in differing)})" for device in ids)


def _facts(row: Row) -> dict[str, str]:
    link = row.get("link")
    return {
        "memory": f"{row['memory']['gb']} GB",
        "bandwidth": f"{row['bandwidth_gb_s']:,} GB/s",
        "compute": f"{row['dense_tflops']['bf16']:,} TFLOP/s bf16",
        "link": f"{link['kind']} {link['gb_s']:,} GB/s" if link else "no link",
    }


def stands_for(name: str, ids: tuple[str, ...]) -> str:
    """Say which of several devices a name is read as, and what the others differ in."""
    others = ", ".join(ids[1:])
    verb = "differs" if len(ids) == 2 else "differ"
    return f"{shorten(name)!r} is read as {ids[0]}; {others} {verb} in {', '.join(differences(ids))}"


def nearest(name: str) -> str:
    """Return ``"; did you mean …?"`` with the ids of the nearest names."""
    from difflib import get_close_matches

    near = get_close_matches(device_key(name[:100]), list(device_index()), n=12, cutoff=0.6)
    ids = list(dict.fromkeys(device for key in near for device in device_index()[key]))
    return f"; did you mean {', '.join(ids[:3])}?" if ids else "; sizewise catalog devices lists them"
