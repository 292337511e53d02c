"""Ask the tools and files of vendors and systems; what is missing or fails is no answer, never an error."""

import os
import shutil
import subprocess

TIMEOUT_SECONDS = 5.0
FILE_LIMIT = 1_000_000


def output_of(program: str, *arguments: str, timeout: float = TIMEOUT_SECONDS) -> str | None:
    """Return what a program prints, or None when it is missing, fails or takes too long (seconds)."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program with fixed arguments, no shell
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def text_of(path: str) -> str:
    """Return what a file of the system says, without white space around it; empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(FILE_LIMIT).strip()
    except OSError:
        return ""
