"""A wheel holds what the service needs beside its code: the page, licences, facts."""

from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "sizewise" / "web" / "static"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The contents of a wheel that is built as pip builds it."""
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(ROOT))
    (built,) = builder.build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with ZipFile(built) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def page() -> dict[str, bytes]:
    """Every file of the page, by its path below the folder of the page."""
    return {
        file.relative_to(STATIC).as_posix(): file.read_bytes() for file in STATIC.rglob("*") if file.is_file()
    }


def test_the_page_is_in_the_wheel(wheel: dict[str, bytes]) -> None:
    assert "index.html" in page()
    for name, content in page().items():
        assert wheel[f"sizewise/web/static/{name}"] == content


def test_the_page_is_in_what_is_installed() -> None:
    installed = files("sizewise.web") / "static"
    for name, content in page().items():
        assert installed.joinpath(name).read_bytes() == content


def test_licences_and_facts_are_in_the_wheel(wheel: dict[str, bytes]) -> None:
    (folder,) = {name.split("/")[0] for name in wheel if ".dist-info/" in name}
    for name in ("LICENSE", "NOTICE"):
        assert wheel[f"{folder}/licenses/{name}"] == (ROOT / name).read_bytes()
    assert "sizewise/facts/accelerators/compiled.json" in wheel
    assert "sizewise/py.typed" in wheel


def test_nothing_of_a_workplace_is_in_the_wheel(wheel: dict[str, bytes]) -> None:
    assert not [name for name in wheel if "__pycache__" in name or name.startswith(("tests/", "deploy/"))]
