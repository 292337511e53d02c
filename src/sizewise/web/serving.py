"""The server: a socket, uvicorn and the limits of connections."""

import socket
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.web.settings import Settings
from sizewise.web.slow_clients import bounded_connections

ENDING_SECONDS = 3
"""So long answers that are on their way have when the server ends."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises InputError (unwritable) where the address cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, UnicodeError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "no such address"
        found = f"{shorten(host)}:{port} cannot be listened on: {why}; take another --port"
        raise InputError("unwritable", found) from None


def address(listening: socket.socket, host: str) -> str:
    """Return the address that a browser takes: ``http://127.0.0.1:8741/``."""
    return f"http://{as_host(host)}:{listening.getsockname()[1]}/"


def as_host(host: str) -> str:
    """Return a host as an address names it.

    >>> as_host("::1"), as_host("localhost")
    ('[::1]', 'localhost')
    """
    return f"[{host}]" if ":" in host else host


def is_local(host: str) -> bool:
    """Tell whether only this machine reaches a host.

    >>> is_local("127.0.0.1"), is_local("0.0.0.0")
    (True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Return a server of an application; it runs on the sockets that it is given."""
    limits = settings.limits
    config = uvicorn.Config(
        app,
        http=bounded_connections(limits),
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        h11_max_incomplete_event_size=limits.url_bytes + limits.header_bytes + 8_192,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=ENDING_SECONDS,
    )
    return uvicorn.Server(config)
