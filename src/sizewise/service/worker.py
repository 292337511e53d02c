"""A process that does one job after the other for the process that started it, and ends with it.

It ends with the pipe of its jobs, and where it is at work when the other is killed, within a second of that.
Frames are a length of 8 bytes and a pickle, both ways: only these two processes hold the pipes.
"""

import os
import pickle
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any, BinaryIO

from sizewise.errors import SizewiseError
from sizewise.service.jobs import Job

LENGTH_BYTES = 8
ADDRESS_SPACE = 4 * 2**30
"""Bytes beyond which a job's process gets no memory; the largest search takes a tenth."""
WARM = "warm"
"""The word that asks a process to load what most questions need before it is ready."""
LOOKING_SECONDS = 1.0
"""So often a process at work looks whether the one that asked lives."""


def framed(value: object) -> bytes:
    """Return a value as a frame."""
    packed = pickle.dumps(value, 5)
    return len(packed).to_bytes(LENGTH_BYTES, "big") + packed


def outcome(job: Job) -> tuple[str, Any]:
    """Return ``("done", answer)``, ``("error", (class, code, message))`` or ``("bug", class)``.

    Raises MemoryError: nothing is certain after it.
    """
    try:
        return "done", job.done()
    except SizewiseError as error:
        return "error", (type(error).__name__, error.code, error.message)
    except MemoryError:
        raise
    except Exception as error:
        return "bug", type(error).__name__


def _serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    answers.write(framed("ready"))
    answers.flush()
    while length := jobs.read(LENGTH_BYTES):
        job = pickle.loads(jobs.read(int.from_bytes(length, "big")))  # noqa: S301 - see the module
        answers.write(framed(outcome(job)))
        answers.flush()


def _bound_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def _end_with_asker() -> None:
    """End this process when the one that started it is gone, whatever is being computed."""
    asker = os.getppid()

    def look(_: int, __: FrameType | None) -> None:
        if os.getppid() != asker:
            os._exit(1)

    with suppress(AttributeError):
        signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, LOOKING_SECONDS, LOOKING_SECONDS)


def main() -> None:
    """Serve until the pipe of jobs is closed. What is printed goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_asker()
    _bound_memory()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if WARM in sys.argv[1:]:
        from sizewise.service.warm import warm

        warm()
    with suppress(BrokenPipeError, MemoryError):
        _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
