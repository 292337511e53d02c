"""One way to run the command line in tests, and one to say how much work something is without a clock."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from sizewise.__main__ import main


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are as wide as in a pipe, whatever started the tests."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def invoke(*arguments: str) -> Run:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Run(code=code, out=captured.out, err=captured.err)

    return invoke


@pytest.fixture
def calls() -> Callable[[Callable[[], object]], int]:
    """Count the functions that a piece of work calls: the same on every machine, however busy it is."""

    def count(work: Callable[[], object]) -> int:
        found = 0

        def called(frame: FrameType, event: str, argument: object) -> None:
            nonlocal found
            found += event in {"call", "c_call"}

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            work()
        finally:
            sys.setprofile(before)
        return found

    return count
