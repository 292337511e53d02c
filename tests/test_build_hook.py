"""What packaging compiles equals what people edit."""

import importlib.util
import json
from pathlib import Path

import pytest

from sizewise.catalog.rows import FACTS, parse_tables
from sizewise.families import scan_types

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hook():
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def included(hook, version, tmp_path):
    builder = hook.CustomBuildHook(str(ROOT), {}, None, None, str(tmp_path), "wheel")
    data = {"force_include": {}}
    builder.initialize(version, data)
    contents = {inside: Path(file).read_bytes() for file, inside in data["force_include"].items()}
    builder.finalize(version, data, "")
    assert not any(Path(file).exists() for file in data["force_include"])
    return contents


def test_a_wheel_gets_every_folder_of_facts_and_the_model_types(hook, tmp_path):
    contents = included(hook, "standard", tmp_path)
    folders = {path.parent.name for path in Path(FACTS).glob("*/*.toml")}
    assert set(contents) == {f"sizewise/facts/{folder}/compiled.json" for folder in folders} | {
        "sizewise/families/compiled.json"
    }
    for folder in folders:
        assert json.loads(contents[f"sizewise/facts/{folder}/compiled.json"]) == parse_tables(folder)
    types = json.loads(contents["sizewise/families/compiled.json"])
    assert types == scan_types(str(ROOT / "src" / "sizewise" / "families"))


def test_two_builds_are_alike(hook, tmp_path):
    assert included(hook, "standard", tmp_path) == included(hook, "standard", tmp_path)


def test_an_editable_installation_reads_the_sources(hook, tmp_path):
    assert included(hook, "editable", tmp_path) == {}
