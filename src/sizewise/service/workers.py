"""A few processes that do jobs with a deadline; one that is late or dead is replaced by the next.

They are started when they are first needed, and end when the process that started them does, however it
ends. A thread for each waits for its pipe, so that no event loop does.
"""

import asyncio
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from math import ceil
from threading import BoundedSemaphore, Timer
from time import monotonic
from typing import Any

from sizewise import errors
from sizewise.service.jobs import Job
from sizewise.service.worker import LENGTH_BYTES, WARM, framed

WORKERS = 2
QUEUE = 8
"""Jobs that wait for a process; the next is refused."""
START_SECONDS = 30.0
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Unanswered(Exception):  # noqa: N818 - it is no fault of the question
    """No answer in time; ``message`` says why, and ``retry_after`` (seconds) when to ask again.

    None: the same question would come to the same.
    """

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class Failed(Exception):  # noqa: N818 - what a bug is called belongs to the bug
    """A job that came to a bug; its text is the kind of the bug."""


def bug_kind(error: Exception) -> str:
    """Return what a bug is called, wherever it happened.

    >>> bug_kind(Failed("KeyError")), bug_kind(ZeroDivisionError())
    ('KeyError', 'ZeroDivisionError')
    """
    return str(error) if isinstance(error, Failed) else type(error).__name__


def expected_wait(running: Collection[float], waiting: int, most: int) -> float:
    """Return the seconds until a turn after ``waiting`` others, each expected to take what the longest does.

    ``running`` are the seconds that jobs have taken so far; as long again is the best guess at what is left.

    >>> expected_wait([4.0, 1.0], 4, 2), expected_wait([4.0], 0, 2)
    (10.0, 0.0)
    """
    return max(running) * (waiting + 1) / most if len(running) >= most else 0.0


class Worker:
    """A process and its pipes. Raises OSError where it cannot be started, and EOFError where it ends."""

    def __init__(self, environment: Mapping[str, str], *, warm: bool = False) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - a module of this package
            [sys.executable, "-P", "-m", "sizewise.service.worker", *([WARM] if warm else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, **ONE_THREAD},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._jobs, self._answers = self.process.stdin, self.process.stdout
        self.is_late = False
        self.is_ready = False

    @property
    def lives(self) -> bool:
        """Whether the process can be given a job."""
        return self.process.poll() is None

    def do(self, job: Job, seconds: float) -> Any:
        """Return what a job comes to; after so many seconds the process is killed, its start aside.

        Raises SizewiseError as the job, and Failed for a bug in it.
        """
        if not self.is_ready:
            self._within(START_SECONDS)
            self.is_ready = True
        kind, found = self._within(seconds, framed(job))
        if kind == "done":
            return found
        if kind == "bug":
            raise Failed(found)
        name, code, message = found
        raise getattr(errors, name)(code, message)

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()

    def end(self) -> None:
        """Kill the process, wait until it is gone and close its pipes."""
        self.process.kill()
        self.process.wait()
        self._answers.close()
        with suppress(OSError):
            self._jobs.close()

    def _within(self, seconds: float, frame: bytes = b"") -> Any:
        timer = Timer(seconds, self._stop)
        timer.start()
        try:
            self._jobs.write(frame)
            self._jobs.flush()
            return pickle.loads(self._read(int.from_bytes(self._read(LENGTH_BYTES), "big")))  # noqa: S301
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self.is_late = True
        self.process.kill()

    def _read(self, length: int) -> bytes:
        """Return so many bytes of our own process."""
        found = self._answers.read(length)
        if len(found) != length:
            raise EOFError
        return found


class Workers:
    """At most so many processes, and a bounded queue before them.

    ``warm`` ones load what most questions need as they start, which no deadline counts.
    """

    def __init__(
        self,
        *,
        most: int = WORKERS,
        queue: int = QUEUE,
        environment: Mapping[str, str] | None = None,
        warm: bool = False,
    ) -> None:
        self._environment = environment
        self._warm = warm
        self._most = most
        self._asked: set[Future[Any]] = set()
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="worker")
        self._places = BoundedSemaphore(most + queue)
        self._idle: deque[Worker] = deque()
        self._busy: dict[Worker, float] = {}
        self._is_closed = False

    @property
    def processes(self) -> list[int]:
        """The processes that live."""
        return [one.process.pid for one in (*self._idle, *self._busy) if one.lives]

    async def do(self, job: Job, seconds: float) -> Any:
        """Return what a job comes to within so many seconds, waiting no longer than that for its turn.

        Where who asks is cancelled, the job is dropped, and its process ended if it is at work.

        Raises Unanswered, at once where that is to be expected, SizewiseError as the job, and Failed.
        """
        wait = self._wait()
        if wait > seconds:
            raise Unanswered("long questions are being answered; ask again", retry_after=ceil(wait))
        if not self._places.acquire(blocking=False):
            raise Unanswered("too many questions wait; ask again in a moment", retry_after=1)
        at_work: list[Worker] = []
        try:
            future = self._threads.submit(self._done, job, seconds, at_work)
        except RuntimeError:
            self._places.release()
            raise Unanswered("the service is ending", retry_after=5) from None
        self._asked.add(future)
        future.add_done_callback(self._answered)
        answer = asyncio.wrap_future(future)
        try:
            await asyncio.wait((answer,), timeout=seconds)
            if future.cancel():
                raise Unanswered("long questions are being answered; ask again", retry_after=2)
            return await answer
        except asyncio.CancelledError:
            answer.cancel()
            for worker in at_work:
                worker.kill()
            raise

    def close(self) -> None:
        """End all processes, those at work too; jobs that wait are dropped."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in tuple(self._busy):
            worker.kill()
        self._threads.shutdown(wait=True)
        while self._idle:
            self._idle.pop().end()

    def _wait(self) -> float:
        """Return the seconds until a turn, as far as can be told."""
        now, starts = monotonic(), tuple(self._busy.values())
        return expected_wait([now - start for start in starts], len(self._asked) - len(starts), self._most)

    def _answered(self, future: Future[Any]) -> None:
        self._asked.discard(future)
        self._places.release()

    def _done(self, job: Job, seconds: float, at_work: list[Worker]) -> Any:
        worker = self._free()
        at_work.append(worker)
        self._busy[worker] = monotonic()
        try:
            if self._is_closed:
                raise EOFError
            found = worker.do(job, seconds)
        except (errors.SizewiseError, Failed):
            self._idle.append(worker)
            raise
        except (EOFError, OSError):
            worker.end()
            if not worker.is_ready:
                raise Unanswered("no process could be started for this question", retry_after=5) from None
            if worker.is_late:
                raise Unanswered(f"the answer takes more than {seconds:g} s; ask for less at once") from None
            raise Unanswered("the process that answered has ended; ask for less at once") from None
        finally:
            at_work.clear()
            self._busy.pop(worker, None)
        self._idle.append(worker)
        return found

    def _free(self) -> Worker:
        """Return a process that waits for a job, or a new one."""
        with suppress(IndexError):
            while True:
                worker = self._idle.pop()
                if worker.lives:
                    return worker
                worker.end()
        try:
            return Worker(os.environ if self._environment is None else self._environment, warm=self._warm)
        except OSError:
            raise Unanswered("no process could be started for this question", retry_after=5) from None
