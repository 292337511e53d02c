"""Claims: pieces of a page with their figures put in by the package.

Each has to stand in the page, and every figure of a page outside its examples has to stand in a claim.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sizewise.api import Reference, load, memory, parameters
from sizewise.catalog.formats import find_format
from sizewise.formats.scheme import Scheme
from sizewise.planning.storage import asked_storage
from sizewise.units import GB, GIB, MIB

PAGES = Path(__file__).parents[2] / "docs" / "method"
FENCE = re.compile(r"```.*?```", re.S)
FIGURE = re.compile(r"(?<![-\w.])(?:\d{1,3}(?:,\d{3})+|\d+\.\d+(?=×| ?(?:GB|GiB|MB|MiB|B\b)))")

Claims = Callable[[], Iterator[str]]


def prose(page: str) -> str:
    """Return a page on one line, without its executed examples."""
    return " ".join(FENCE.sub("", (PAGES / page).read_text(encoding="utf-8")).split())


def table(page: str, header: str) -> list[list[str]]:
    """Return the cells of the rows below the first header that begins so."""
    lines = (PAGES / page).read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {header}")) + 2
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]


def check_claims(page: str, claims: Claims) -> None:
    """Assert that every claim stands in the page."""
    text = prose(page)
    for claim in claims():
        assert claim in text


def check_figures(page: str, claims: Iterable[Claims]) -> None:
    """Assert that every figure of the page stands in one of the claims."""
    backed = {figure for one in claims for claim in one() for figure in FIGURE.findall(claim)}
    assert set(FIGURE.findall(prose(page))) <= backed


def gb(amount: float) -> str:
    return f"{amount / GB:.2f} GB"


def gib(amount: float) -> str:
    return f"{amount / GIB:.2f} GiB"


def both(amount: float) -> str:
    return f"{gb(amount)} = {gib(amount)}"


def mega(amount: float) -> str:
    return f"{amount / 10**6:.2f} MB = {amount / MIB:.2f} MiB"


def count(model: Reference) -> int:
    return int(parameters(model).value)


def weight_bytes(name: str, format: str) -> int:
    return int(memory(name, context=1, quant=format, runtime="ideal").part("weights").value)


def cache_bytes(name: str, context: int, *, sequences: int = 1, runtime: str = "ideal") -> int:
    line = memory(name, context=context, sequences=sequences, runtime=runtime)
    return int(line.part("cache").value)


def scheme_of(name: str, format: str) -> Scheme:
    return asked_storage(load(name), find_format(format)).scheme
