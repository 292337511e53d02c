"""The service that most tests ask."""

from collections.abc import Iterator

import pytest

from sizewise.web.settings import Settings

from .asking import Service, running


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A service with its usual limits."""
    with running(Settings()) as found:
        yield found
