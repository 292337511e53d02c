"""The page and its files: each by its exact name from a fixed table."""

from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI, Request, Response

from sizewise.web.modules import USUAL, needed, preloading, tabs

KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
PAGE = "index.html"
ASKED = "no-cache"
"""A browser keeps a file and asks whether it is still the same."""
KEPT = "max-age=86400"
"""The icon is looked up with each new address: a moving slider writes ten a second."""


class Sent:
    """A file as it is sent."""

    def __init__(self, content: bytes, kind: str) -> None:
        self.content, self.kind = content, kind
        self.headers = {
            "Cache-Control": KEPT if kind == KINDS["svg"] else ASKED,
            "ETag": f'"{sha256(content).hexdigest()[:20]}"',
        }

    def answer(self, request: Request) -> Response:
        """Return the file, or that the asker has it."""
        if self.headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, media_type=self.kind, headers=self.headers)


def add_page(app: FastAPI) -> None:
    """Add ``/`` and ``/static/NAME`` for the files of the page."""
    found = {entry.name: entry.read_bytes() for entry in (files("sizewise.web") / "static").iterdir()}
    modules = {name: content.decode() for name, content in found.items() if name.endswith(".js")}
    _add_tabs(app, found.pop(PAGE).decode(), modules)
    for name, content in found.items():
        kind = KINDS.get(name.rpartition(".")[2])
        if kind is not None:
            _add(app, f"/static/{name}", Sent(content, kind))


def _add_tabs(app: FastAPI, page: str, modules: dict[str, str]) -> None:
    """Add the page; the head asks for the modules of the tab that the address names."""
    sent = {
        tab: Sent(
            page.replace("</head>", f"{preloading(needed(modules, tab))}</head>").encode(), KINDS["html"]
        )
        for tab in tabs(modules)
    }

    async def tab(request: Request) -> Response:
        return sent.get(request.query_params.get("tab", USUAL), sent[USUAL]).answer(request)

    app.add_api_route("/", tab, methods=["GET"], include_in_schema=False)


def _add(app: FastAPI, path: str, sent: Sent) -> None:
    async def file(request: Request) -> Response:
        return sent.answer(request)

    app.add_api_route(path, file, methods=["GET"], include_in_schema=False)
