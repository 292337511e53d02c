"""An even split: every device holds an n-th of weights and cache, and its own buffers and overhead.

Assumed: engines replicate norms and routers, round heads and vocabularies, and place whole layers.
"""

from sizewise.ledger import Line, leaf, total

SHARED = ("weights", "cache")


def even_share(line: Line, devices: int) -> Line:
    """Return what the fullest of ``devices`` equal devices holds; one device holds the line itself.

    >>> whole = total("total", [leaf("weights", 101, "bytes"), leaf("overhead", 7, "bytes")], "bytes")
    >>> even_share(whole, 2).value
    58
    """
    if devices == 1:
        return line
    parts = [_share(part, devices) if part.name in SHARED else part for part in line.parts]
    return total(line.name, parts, line.unit)


def _share(part: Line, devices: int) -> Line:
    whole = int(part.value)
    return leaf(
        part.name,
        -(-whole // devices),
        part.unit,
        formula="ceil(whole / devices)",
        inputs={"whole": whole, "devices": devices},
        source="even split over the devices",
        status="assumed",
    )
