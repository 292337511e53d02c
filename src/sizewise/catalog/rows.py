"""Read the rows of ``facts/``: TOML written by people, JSON made by machines.

Parsing TOML is slow, so packaging writes every folder of TOML as one JSON file beside it (see
``hatch_build.py``); a source tree has none of these and reads the TOML itself.
"""

import json
import os
from functools import cache
from typing import Any

FACTS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "facts")
COMPILED = "compiled.json"


@cache
def machine_made(name: str) -> Any:
    """Return a JSON file of ``facts/``, e.g. ``models/class_defaults.json``."""
    with open(os.path.join(FACTS, *name.split("/")), encoding="utf-8") as file:
        return json.load(file)


@cache
def tables(folder: str) -> dict[str, Any]:
    """Return every TOML file of a folder of ``facts/`` as {file name without ending: contents}."""
    compiled = os.path.join(FACTS, folder, COMPILED)
    if os.path.exists(compiled):
        with open(compiled, encoding="utf-8") as file:
            document: dict[str, Any] = json.load(file)
            return document
    return parse_tables(folder)


def parse_tables(folder: str) -> dict[str, Any]:
    """Parse the TOML files of a folder, in the order of their names."""
    import tomllib

    documents = {}
    for name in sorted(os.listdir(os.path.join(FACTS, folder))):
        if name.endswith(".toml"):
            with open(os.path.join(FACTS, folder, name), "rb") as file:
                documents[name.removesuffix(".toml")] = tomllib.load(file)
    return documents


def normalised(name: str) -> str:
    """Return a name without case and punctuation, for look-ups.

    >>> normalised("Llama-3.1-8B") == normalised("llama3.1 8b")
    True
    """
    return "".join(character for character in name.lower() if character.isalnum())
