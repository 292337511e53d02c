"""The names that a service may be asked as: others mean that a page of another site is asking."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from sizewise.web.problems import CLOSE, problem

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}?)\.?(:[0-9]{1,5})?")


class HostCheck:
    """Refuses requests for other hosts (421): a name may be pointed at this machine by anyone."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it is for one of the hosts."""
        if scope["type"] == "http" and not self.serves(scope):
            told = problem(421, "bad_host", "this host is not served here; name it with --allow-host", CLOSE)
            await told(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def serves(self, scope: Scope) -> bool:
        """Tell whether a request names one of the hosts, and names one alone."""
        named = [value for name, value in scope["headers"] if name == b"host"]
        match = _HOST.fullmatch(named[0]) if len(named) == 1 else None
        return match is not None and match[1].decode("ascii").lower() in self.hosts
