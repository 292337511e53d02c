"""A service in a process of its own, and Debian's chromium to visit it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .visiting import CHROMIUM, PATIENCE_MS, WIDE, Visit, launched, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """The address of a service on a free port."""
    with served() as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A browser without windows."""
    if not Path(CHROMIUM).exists():
        pytest.fail(
            f"there is no {CHROMIUM}: apt-get install --no-install-recommends chromium fonts-dejavu-core, "
            "or name another with SIZEWISE_CHROMIUM"
        )
    with launched() as chromium:
        yield chromium


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
