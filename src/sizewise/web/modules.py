"""Modules of the page: which of them an open tab needs, so that a browser asks for all of them at once."""

import re
from collections.abc import Mapping

FIRST = "app.js"
USUAL = "memory"
"""The tab that is open where an address names none."""
_TAB = re.compile(r'^  tab\("(\w+)"', re.MULTILINE)
_IMPORT = re.compile(r'^(?:import|export)\b[^"]*?"\./([\w.]+)"', re.MULTILINE)


def tabs(modules: Mapping[str, str]) -> list[str]:
    """Return the names of the tabs, of the texts of the modules by their names."""
    return _TAB.findall(modules["tabs.js"])


def needed(modules: Mapping[str, str], tab: str) -> list[str]:
    """Return the modules that the page needs for a tab but the first one, by their names."""
    found: set[str] = set()
    waiting = [FIRST, f"{tab}.js"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _IMPORT.findall(modules[name])
    return sorted(found - {FIRST})


def preloading(names: list[str]) -> str:
    """Return the lines of a page's head that ask for modules."""
    return "".join(f'<link rel="modulepreload" href="static/{name}">\n' for name in names)
