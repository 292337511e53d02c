"""The container's file as text: what it copies exists, its command is accepted, its port is the Space's."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from sizewise.web.command import command

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "deploy" / "space"
STEPS = [
    tuple(step.split(maxsplit=1))
    for step in (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    if step and not step.startswith("#")
]


def steps(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def started(tmp_path: Path, **environment: str) -> list[str]:
    """Return the words that the container's command starts sizewise with."""
    stand_in = tmp_path / "sizewise"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    (words,) = steps("CMD")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        json.loads(words), env={"PATH": path, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def parsed(words: list[str]) -> dict[str, object]:
    assert words[0] == "web"
    return command.make_context("web", words[1:]).params


def test_everything_that_is_copied_exists() -> None:
    sources = [name for rest in steps("COPY") if "--from" not in rest for name in rest.split()[:-1]]
    assert {"src", "pyproject.toml", "LICENSE"} <= set(sources)
    for name in sources:
        assert (ROOT / name).exists()


def test_it_runs_without_rights() -> None:
    assert steps("USER") == ["1000:1000"]
    assert STEPS.index(("USER", "1000:1000")) > max(n for n, (word, _) in enumerate(STEPS) if word == "RUN")


def test_the_base_is_one_that_the_package_supports() -> None:
    bases = {rest.split()[0] for rest in steps("FROM")}
    assert bases == {"python:3.11-slim"}
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_it_listens_where_it_says(tmp_path: Path) -> None:
    given = parsed(started(tmp_path))
    (port,) = steps("EXPOSE")
    assert (given["host"], given["port"]) == ("0.0.0.0", int(port))
    assert (given["hosts"], given["embed"], given["proxies"]) == ((), (), ())
    assert given["allow_hub"] is False
    (health,) = steps("HEALTHCHECK")
    assert f"http://127.0.0.1:{port}/api/health" in health


def test_a_public_host_is_named_by_the_environment(tmp_path: Path) -> None:
    given = parsed(started(tmp_path, SIZEWISE_ALLOW_HOST="sizes.example.org"))
    assert (given["hosts"], given["embed"]) == (("sizes.example.org",), ())


def test_a_space_is_answered_and_shown_by_the_hub(tmp_path: Path) -> None:
    given = parsed(started(tmp_path, SPACE_HOST="owner-name.hf.space"))
    assert given["hosts"] == ("owner-name.hf.space",)
    assert given["embed"] == ("https://huggingface.co",)
    assert given["proxies"] == ("10.0.0.0/8",)


def test_the_words_of_the_environment_stay_one_word(tmp_path: Path) -> None:
    assert started(tmp_path, SIZEWISE_ALLOW_HOST="a --allow-hub $(id)")[-1] == "a --allow-hub $(id)"


def test_the_space_asks_for_the_same_port() -> None:
    front = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    told = dict(re.findall(r"^(\w+): (.*)$", front, flags=re.M))
    assert told["sdk"] == "docker"
    assert [told["app_port"]] == steps("EXPOSE")
    assert len(told["short_description"]) <= 60


@pytest.mark.skipif(os.name != "posix", reason="a script of the POSIX shell")
def test_a_space_is_laid_out_with_all_that_is_copied(tmp_path: Path) -> None:
    folder = tmp_path / "space"
    subprocess.run([SPACE / "assemble", folder], check=True)
    assert (folder / "Dockerfile").read_bytes() == (ROOT / "Containerfile").read_bytes()
    for rest in steps("COPY"):
        if "--from" not in rest:
            assert all((folder / name).exists() for name in rest.split()[:-1])
    assert not list(folder.rglob("__pycache__"))
    assert subprocess.run([SPACE / "assemble", folder], capture_output=True, check=False).returncode != 0
