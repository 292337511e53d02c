"""One way to run the command line in tests."""

import json
from collections.abc import Callable
from dataclasses import dataclass
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


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def invoke(*arguments: str) -> Run:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Run(code=code, out=captured.out, err=captured.err)

    return invoke
