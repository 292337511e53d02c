"""A visit of the page: what was shown, what it asked for, what it complained of."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

STATIC = Path(__file__).parents[2] / "src" / "sizewise" / "web" / "static"
PATIENCE_MS = 60_000
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
BUSY = re.compile(r"Failed to load resource: the server responded with a status of 503")
"""The page asks again by itself; how often a service is busy is the machine's affair."""
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


CHROMIUM = os.environ.get("SIZEWISE_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def served() -> Iterator[str]:
    """Run a service in a process of its own on a free port, and yield its address."""
    command = [sys.executable, "-P", "-m", "sizewise", "web", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        address = next((found[0] for line in lines if (found := re.search(r"http://\S+/", line))), None)
        assert address is not None, "the service did not start"
        try:
            yield address
        finally:
            process.terminate()


@contextmanager
def launched() -> Iterator["Browser"]:
    """Run Debian's chromium without windows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS, timeout=120_000
        )
        yield chromium
        chromium.close()


def tab_names() -> list[str]:
    """Return the tabs by their names in the address, as the page lists them."""
    return re.findall(r'^  tab\("(\w+)"', (STATIC / "tabs.js").read_text(encoding="utf-8"), re.M)


@dataclass(kw_only=True)
class Visit:
    """A page in a browser; what it complains of is checked at the end, refusals only where none is meant."""

    page: "Page"
    address: str
    is_refused: bool = False
    complaints: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)

    def watch(self) -> "Visit":
        """Keep what the page asks for and what it complains of."""
        self.page.on("request", self.note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        return self

    def note(self, request: Any) -> None:
        """Keep a request."""
        self.requests.append(request)

    def open(self, query: str = "") -> "Visit":
        """Go to an address of the page and wait until it has its answers."""
        self.page.goto(f"{self.address}{query}")
        return self.rest()

    def rest(self) -> "Visit":
        """Wait until no answer is under way."""
        self.page.wait_for_selector("body[data-ready='1']", timeout=PATIENCE_MS)
        return self

    def until(self, shown: Callable[[], bool]) -> None:
        """Wait until something is so."""
        for _ in range(PATIENCE_MS // 25):
            if shown():
                return
            self.page.wait_for_timeout(25)
        raise AssertionError("it never came to be so")

    def change(self, change: Callable[[], object]) -> None:
        """Change the form, and wait for the answers to it: until they differ and nothing is under way."""
        before = self.answers
        change()
        self.until(lambda: self.answers != before)
        self.rest()

    @property
    def answers(self) -> str:
        """All that is drawn as text, without what is read out a moment later."""
        return "\n".join(self.page.locator("#answers .drawn").all_inner_texts())

    @property
    def total(self) -> str:
        """The memory that the first answer says."""
        return self.page.locator("strong.total").first.inner_text()

    def field(self, label: str) -> "Locator":
        """Return the control of a field by its label."""
        return self.page.get_by_label(label, exact=True)

    def check(self) -> None:
        """Check that nothing went elsewhere and nothing was complained of."""
        strangers = [one.url for one in self.requests if not one.url.startswith((self.address, "blob:"))]
        assert not strangers
        unmeant = [one for one in self.complaints if not (self.is_refused and REFUSED.match(one))]
        assert not [one for one in unmeant if not BUSY.match(one)]
