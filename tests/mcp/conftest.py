"""A client of the official SDK in the server's own process."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult

from sizewise.mcp.server import create_server

T = TypeVar("T")
Called = Callable[..., CallToolResult]


def within(work: Callable[[Client], Awaitable[T]], *, mode: str = "auto", here: bool = False) -> T:
    """Return what a piece of work with a connected client returns."""

    async def connected() -> T:
        async with Client(create_server(here=here), mode=mode) as client:
            return await work(client)

    return anyio.run(connected)


@pytest.fixture
def called() -> Called:
    """Call a tool and return its result."""

    def call(tool: str, arguments: dict[str, Any], **options: Any) -> CallToolResult:
        return within(lambda client: client.call_tool(tool, arguments), **options)

    return call
