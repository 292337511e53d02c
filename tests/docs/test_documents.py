"""README and docs are executed: what they show is what the package prints."""

import importlib.util
import re
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("documents", Path(__file__).with_name("documents.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
documents = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(documents)

ALL_EXAMPLES = [
    pytest.param(command, expected, id=f"{page.name}: {command}")
    for page in documents.pages()
    for command, expected in documents.examples(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("command", "expected"), ALL_EXAMPLES)
def test_example_prints_what_the_page_shows(command: str, expected: str) -> None:
    assert documents.output(command) == expected


def test_there_are_examples() -> None:
    assert len(ALL_EXAMPLES) >= 10


@pytest.mark.parametrize("page", documents.pages(), ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
