"""The examples of README and docs: ``console`` blocks with ``$ sizewise …`` and what it prints.

Run as a script to write the present output into the pages: python tests/docs/documents.py
"""

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from sizewise.__main__ import main

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.S)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples(text: str) -> Iterator[tuple[str, str]]:
    """Yield (command line, expected output) of every example of a page."""
    for block in BLOCK.findall(text):
        for example in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, expected = example.partition("\n")
            yield command, expected.strip("\n")


def output(command: str) -> str:
    """Return what a command prints on both streams, as a user sees it in a pipe."""
    os.environ.pop("COLUMNS", None)
    arguments = shlex.split(command)
    assert arguments[0] == "sizewise", command
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        main(arguments[1:])
    return printed.getvalue().strip("\n")


def refreshed(text: str) -> str:
    """Return the page with every example's output as it is now."""

    def block(match: re.Match[str]) -> str:
        shown = "\n\n".join(f"$ {command}\n{output(command)}" for command, _ in examples(match.group()))
        return f"```console\n{shown}\n```"

    return BLOCK.sub(block, text)


if __name__ == "__main__":
    for page in pages():
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
