"""A service in a process of its own, and Debian's chromium to visit it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .visiting import PATIENCE_MS, WIDE, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """The address of a service on a free port."""
    command = [sys.executable, "-P", "-m", "sizewise", "web", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        address = next((found[0] for line in lines if (found := re.search(r"http://\S+/", line))), None)
        assert address is not None, "the service did not start"
        yield address
        process.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A browser without windows."""
    if not Path(CHROMIUM).exists():
        pytest.fail(
            f"there is no {CHROMIUM}: apt-get install --no-install-recommends chromium fonts-dejavu-core, "
            "or name another with SIZEWISE_CHROMIUM"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS, timeout=120_000
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: "Browser", service: str) -> Iterator[Callable[..., Visit]]:
    """Visit the page, in a window of its own each time; at the end every visit is checked."""
    visits: list[Visit] = []

    def begun(*, address: str = service, **window: Any) -> Visit:
        context = browser.new_context(**{"viewport": WIDE, "accept_downloads": True, **window})
        context.set_default_timeout(PATIENCE_MS)
        visits.append(Visit(page=context.new_page(), address=address).watch())
        return visits[-1]

    yield begun
    for one in visits:
        one.page.context.close()
        one.check()
