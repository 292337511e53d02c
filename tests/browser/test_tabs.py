"""Every tab answers at once, on a phone and on a desk, and whoever looks or listens."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .pictures import MOST_BYTES
from .visiting import NARROW, WIDE, Visit, tab_names

VENDOR = Path(__file__).with_name("vendor")
AXE = (VENDOR / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
GRAVE = {"serious", "critical"}
TABS = tab_names()


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
    for name, entry in manifest.items():
        files = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (VENDOR / name).iterdir()
        }
        assert files == entry["sha256"]
        assert any(file.startswith("LICENSE") for file in files)


def test_every_tab_has_small_pictures() -> None:
    pictures = Path(__file__).parents[2] / "docs" / "pictures"
    sizes = {file.name: file.stat().st_size for file in pictures.glob("*.webp")}
    assert set(sizes) == {f"{tab}-{place}.webp" for tab in TABS for place in ("desk", "phone")}
    assert max(sizes.values()) <= MOST_BYTES


@pytest.mark.browser
@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(("window", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["desk", "phone"])
def test_a_tab_answers_without_a_question(
    tab: str, window: dict[str, int], scheme: str, visit: Callable[..., Visit]
) -> None:
    seen = visit(viewport=window, color_scheme=scheme).open(f"?tab={tab}")
    page = seen.page
    assert len(page.locator("main").inner_text()) > 300
    assert not [text for text in page.locator(".error").all_inner_texts() if text]
    for nonsense in ("undefined", "NaN", "[object", "Infinity"):
        assert nonsense not in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= window["width"]
    assert page.locator("[role=tab][aria-selected=true]").get_attribute("id") == f"tab-{tab}"
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in GRAVE]


@pytest.mark.browser
def test_without_scripts_there_are_answers_as_text(visit: Callable[..., Visit]) -> None:
    seen = visit(java_script_enabled=False)
    seen.page.goto(seen.address)
    links = [one.get_attribute("href") for one in seen.page.locator("noscript a").all()]
    assert links
    for link in links:
        answer = seen.page.request.get(f"{seen.address}{link}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.browser
def test_the_way_back_leads_to_the_tab_before(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=memory&model=llama-3.1-8b&context=8192")
    before = seen.answers
    seen.page.locator("#tab-train").click()
    seen.until(lambda: "tab=train" in seen.page.url)
    seen.rest()
    seen.page.go_back()
    seen.until(lambda: seen.answers == before)
    assert "context=8192" in seen.page.url
