"""Processes that do jobs: deadlines, deaths, queues, ends."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sizewise.errors import InputError
from sizewise.service.workers import Failed, Unanswered, Workers, expected_wait

sys.path.insert(0, str(Path(__file__).parent))
from jobs_for_tests import Broken, Busy, Dying, Hungry, Loaded, Named, Refusing

LONG = 30.0


@pytest.fixture
def workers(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    workers = Workers(most=2, queue=2)
    yield workers
    workers.close()
    assert not workers.processes


def done(workers, *jobs, seconds=LONG):
    async def asked():
        return await asyncio.gather(*(workers.do(job, seconds) for job in jobs), return_exceptions=True)

    return asyncio.run(asked())


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_is_started_when_it_is_needed_and_kept(workers):
    assert workers.processes == []
    (first,) = done(workers, Named())
    assert done(workers, Named()) == [first]
    assert workers.processes == [first]
    assert first != os.getpid()


@pytest.mark.parametrize("warm", [True, False])
def test_a_warm_process_has_loaded_what_questions_need_before_its_first(warm):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    workers = Workers(most=1, environment=environment, warm=warm)
    assert done(workers, Loaded("sizewise.cli.memory")) == [warm]
    workers.close()


def test_errors_come_back_as_they_were_raised(workers):
    (error,) = done(workers, Refusing())
    assert isinstance(error, InputError)
    assert (error.code, error.message) == ("bad_config", "this is refused")
    assert len(workers.processes) == 1


def test_a_bug_is_told_as_one_and_its_process_kept(workers):
    (error,) = done(workers, Broken())
    assert isinstance(error, Failed)
    assert str(error) == "ZeroDivisionError"
    assert len(workers.processes) == 1


def test_who_finds_no_process_is_told_to_ask_again(monkeypatch):
    workers = Workers(
        environment={"PYTHONPATH": str(Path(__file__).parent / "none"), "PYTHONHOME": os.devnull}
    )
    (error,) = done(workers, Named())
    assert isinstance(error, Unanswered)
    assert error.retry_after
    workers.close()


ASKER = """
import asyncio, sys
from jobs_for_tests import Busy
from sizewise.service.workers import Workers
asyncio.run(Workers(most=1).do(Busy(sys.argv[1]), 600))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs the signals of Unix")
def test_a_process_at_work_does_not_outlive_who_asked(tmp_path):
    path = tmp_path / "process"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen([sys.executable, "-c", ASKER, str(path)], env=environment) as asker:
        while not path.exists() or not path.read_text().endswith("\n"):
            assert asker.poll() is None
            time.sleep(0.05)
        process = int(path.read_text())
        assert lives(process)
        asker.kill()
    end = time.monotonic() + LONG
    while lives(process):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_late_process_is_killed_and_replaced(workers):
    (first,) = done(workers, Named())
    (late,) = done(workers, Named(60), seconds=0.2)
    assert isinstance(late, Unanswered)
    assert "0.2 s" in late.message
    assert late.retry_after is None
    assert not lives(first)
    (second,) = done(workers, Named())
    assert isinstance(second, int)
    assert second != first


@pytest.mark.parametrize("job", [Dying(), Hungry()])
def test_a_dead_process_is_replaced(workers, job):
    (dead,) = done(workers, job)
    assert isinstance(dead, Unanswered)
    assert dead.retry_after is None
    assert isinstance(done(workers, Named())[0], int)


def test_a_process_that_died_while_it_waited_is_not_asked(workers):
    (first,) = done(workers, Named())
    workers._idle[0].process.kill()
    workers._idle[0].process.wait()
    (second,) = done(workers, Named())
    assert isinstance(second, int)
    assert second != first


@pytest.mark.filterwarnings("error")
def test_a_job_that_nobody_waits_for_is_dropped(tmp_path):
    workers = Workers(most=1, queue=2, environment=os.environ | {"PYTHONPATH": str(Path(__file__).parent)})

    async def asked():
        path = tmp_path / "process"
        running = asyncio.ensure_future(workers.do(Busy(str(path)), LONG))
        waiting = asyncio.ensure_future(workers.do(Named(60), LONG))
        while not path.exists() or not path.read_text().endswith("\n"):
            await asyncio.sleep(0.01)
        running.cancel()
        waiting.cancel()
        ended = await asyncio.gather(running, waiting, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)
        return int(path.read_text()), await workers.do(Named(), LONG)

    first, second = asyncio.run(asked())
    assert not lives(first)
    assert lives(second)
    workers.close()


def test_the_queue_is_bounded_and_says_when_to_come_again(workers):
    found = done(workers, *[Named(0.3)] * 6)
    refused = [one for one in found if isinstance(one, Unanswered)]
    assert len(refused) == 2
    assert all(one.retry_after for one in refused)
    assert len({one for one in found if isinstance(one, int)}) == 2


def test_no_one_waits_for_a_turn_longer_than_for_an_answer(workers):
    async def asked():
        long = [asyncio.ensure_future(workers.do(Named(60), LONG)) for _ in range(2)]
        await asyncio.sleep(0)
        try:
            await workers.do(Named(), 0.2)
        finally:
            workers.close()
            await asyncio.gather(*long, return_exceptions=True)

    with pytest.raises(Unanswered, match="ask again"):
        asyncio.run(asked())


@pytest.mark.parametrize(
    ("running", "waiting", "most", "wait"),
    [([], 0, 2, 0), ([9], 0, 2, 0), ([9, 1], 0, 2, 4.5), ([4, 4], 5, 2, 12), ([3], 1, 1, 6)],
)
def test_the_wait_is_told_by_those_who_are_before(running, waiting, most, wait):
    assert expected_wait(running, waiting, most) == wait


def test_who_would_wait_too_long_is_told_so_at_once(workers, monkeypatch):
    started = []

    async def asked():
        long = [asyncio.ensure_future(workers.do(Named(60), LONG)) for _ in range(2)]
        while len(workers._busy) < 2:
            await asyncio.sleep(0.01)
        workers._busy.update(dict.fromkeys(workers._busy, 0.0))
        monkeypatch.setattr("sizewise.service.workers.monotonic", lambda: 50.0)
        monkeypatch.setattr(workers._threads, "submit", lambda *_: started.append(_))
        try:
            await workers.do(Named(), 20.0)
        finally:
            workers.close()
            await asyncio.gather(*long, return_exceptions=True)

    with pytest.raises(Unanswered) as caught:
        asyncio.run(asked())
    assert caught.value.retry_after == 25
    assert started == []


def test_nothing_lives_after_the_end_and_nothing_starts(workers):
    (process,) = done(workers, Named())
    workers.close()
    assert not lives(process)
    (ended,) = done(workers, Named())
    assert isinstance(ended, Unanswered)


def test_the_loop_goes_on_while_a_job_is_done(workers):
    async def asked():
        job = asyncio.ensure_future(workers.do(Named(0.3), LONG))
        turns = 0
        while not job.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(asked()) > 5
