"""The examples of README and docs: ``console`` blocks, ``$ sizewise …`` or ``$ curl …``, and what is printed.

Run as a script to write the present output into the pages, and the pictures that they show (matplotlib):
python tests/docs/documents.py
"""

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sizewise.__main__ import main
from sizewise.web.app import create_app
from sizewise.web.serving import listen, server
from sizewise.web.settings import Settings

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.S)
PICTURES = {
    ROOT / "docs" / "method" / "memory.svg": "sizewise memory llama-3.1-8b -q q4_k_m --on rtx-4090",
}
"""The pictures of the pages, and what draws them with --plot."""
SERVICE = "http://127.0.0.1:8741"
"""Where a service listens unless told otherwise."""
TEXT = re.compile(r"<text [^>]*>(.*?)</text>")


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
    if arguments[0] == "curl":
        return fetched(arguments[1:])
    assert arguments[0] == "sizewise", command
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        main(arguments[1:])
    return printed.getvalue().strip("\n")


def fetched(arguments: list[str]) -> str:
    """Return what ``curl -s [-d BODY] ADDRESS`` prints of a service that runs for this question alone."""
    address = next(one for one in arguments if one.startswith(SERVICE))
    body = arguments[arguments.index("-d") + 1].encode() if "-d" in arguments else None
    listening = listen("127.0.0.1", 0)
    running = server(create_app(Settings()), Settings())
    thread = Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        port = listening.getsockname()[1]
        there = address.replace(SERVICE, f"http://127.0.0.1:{port}", 1)
        asked = Request(there, data=body, headers={"Content-Type": "application/json"})
        with urlopen(asked) as answer:
            return answer.read().decode().strip("\n")
    except HTTPError as problem:
        return problem.read().decode().strip("\n")
    finally:
        running.should_exit = True
        thread.join()


def refreshed(text: str) -> str:
    """Return the page with every example's output as it is now."""

    def block(match: re.Match[str]) -> str:
        shown = "\n\n".join(f"$ {command}\n{output(command)}" for command, _ in examples(match.group()))
        return f"```console\n{shown}\n```"

    return BLOCK.sub(block, text)


def picture(command: str) -> str:
    """Return the SVG that a command draws, its names and numbers as text."""
    from matplotlib import rc_context

    with TemporaryDirectory() as folder, rc_context({"svg.fonttype": "none"}):
        drawn = Path(folder) / "drawn.svg"
        output(f"{command} --plot {shlex.quote(str(drawn))}")
        return drawn.read_text(encoding="utf-8")


if __name__ == "__main__":
    for file, command in PICTURES.items():
        file.write_text(picture(command), encoding="utf-8")
    for page in pages():
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
