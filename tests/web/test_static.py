"""The page's files: they are small, ask nobody else, and hold nothing that the content policy refuses."""

import gzip
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from sizewise.runtimes.registry import RUNTIMES

from .asking import Service

STATIC = Path(str(files("sizewise.web") / "static"))
FILES = sorted(path for path in STATIC.iterdir() if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
NAMESPACE = "http://www.w3.org/2000/svg"
PAGE_BYTES = 150_000
LINES = 300

REFUSED = (
    r"\.style\b",
    r"[\"']style[\"']\s*,",
    r"\bstyle:\s",
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    r"document\.write",
    r"\beval\(",
    r"new Function",
    "localStorage",
    "sessionStorage",
    r"document\.cookie",
)
"""What the content policy refuses, what makes markup of text, and what stays behind in a browser."""


class Page(HTMLParser):
    """The elements of the page as lists of attributes by their names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.scripts += data.strip()


@pytest.fixture(scope="module")
def page() -> Page:
    return Page((STATIC / "index.html").read_text(encoding="utf-8"))


def test_the_page_with_all_its_files_is_small():
    assert sum(len(gzip.compress(path.read_bytes())) for path in FILES) <= PAGE_BYTES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_place(path: Path):
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    assert not re.findall(r"(?:https?:)?//[a-z0-9]+\.[a-z]", text)
    assert "@import" not in text
    assert "data:" not in text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_are_short_and_hold_nothing_that_is_refused(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < LINES
    assert text.startswith("/**"), "a module says what it is for"
    assert not [found for found in REFUSED if re.search(found, text)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_import_names_that_exist(path: Path):
    for names, other in re.findall(r"import (?:\{([^}]*)\}|\w+) from \"\./([^\"]+)\"", path.read_text()):
        text = (STATIC / other).read_text(encoding="utf-8")
        for name in filter(None, (part.split(" as ")[0].strip() for part in names.split(","))):
            defined = rf"export (?:async )?(?:function|class|const|let) {name}\b|export \{{[^}}]*\b{name}\b"
            assert re.search(defined, text), f"{other} exports no {name}"


def reached(first: str, imports: str) -> set[str]:
    """Return the modules that one leads to by imports of a form."""
    found: set[str] = set()
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += re.findall(imports, (STATIC / name).read_text(encoding="utf-8"))
    return found


AT_ONCE, EVER = r'from "\./([^"]+)"', r'(?:from |import\()"\./([^"]+)"'


def test_every_module_is_reached_from_the_page():
    assert reached("app.js", EVER) == {path.name for path in MODULES}


@pytest.mark.parametrize("tab", ["memory", "speed", "train", "laws", "size", "learn", "none", ""])
def test_the_modules_of_the_named_tab_are_asked_for_at_once(tab: str, service: Service):
    served = Page(service.get(f"/?tab={tab}").content.decode())
    preloaded = {
        attributes["href"]
        for tag, attributes in served.found
        if tag == "link" and attributes.get("rel") == "modulepreload"
    }
    usual = tab if tab in ("speed", "train", "laws", "size", "learn") else "memory"
    needed = reached("app.js", AT_ONCE) | reached(f"{usual}.js", AT_ONCE)
    assert preloaded == {f"static/{name}" for name in needed - {"app.js"}}


def test_the_page_has_no_script_and_no_style_of_its_own(page: Page):
    assert page.scripts == ""
    for _, attributes in page.found:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_what_the_page_points_to_is_there(page: Page, service: Service):
    made = {"answers"}
    ids = {attributes["id"] for _, attributes in page.found if "id" in attributes} | made
    for _, attributes in page.found:
        for name in ("href", "src"):
            target = attributes.get(name)
            if target is None:
                continue
            if target.startswith("#"):
                assert target[1:] in ids
            else:
                assert service.get(f"/{target}").status == 200, target


def test_every_label_names_a_control_and_every_picture_is_described(page: Page):
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    texts = {path.name: path.read_text(encoding="utf-8") for path in MODULES}
    for name, text in texts.items():
        for attributes in re.findall(r"h\(\"label\", (\{[^}]*\})", text):
            assert "for:" in attributes, name
        for found in re.finditer(r"svg\(\"svg\", ", text):
            attributes = text[found.end() : found.end() + 250]
            assert "aria-label" in attributes or "xmlns" in attributes, name


def test_the_page_says_its_language_and_scales_to_a_phone(page: Page):
    assert ("html", {"lang": "en"}) in page.found
    assert any(attributes.get("name") == "viewport" for tag, attributes in page.found if tag == "meta")
    assert any(tag == "noscript" for tag, _ in page.found)


@pytest.mark.parametrize("name", ["memory.js", "speed.js"])
def test_the_engines_of_the_page_are_known(name: str):
    text = (STATIC / name).read_text(encoding="utf-8")
    listed = re.search(r"(?:engineFields\(|ENGINES = )\[([^\]]*)\]", text)
    assert listed is not None
    assert set(re.findall(r"\"([^\"]+)\"", listed[1])) <= {"auto", *RUNTIMES}


def test_the_style_has_a_dark_and_a_printed_form():
    text = (STATIC / "style.css").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
