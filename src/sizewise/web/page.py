"""The page and its files: each by its exact name from a fixed table."""

from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI, Request, Response

KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def add_page(app: FastAPI) -> None:
    """Add ``/`` and ``/static/NAME`` for the files of the page."""
    folder = files("sizewise.web") / "static"
    for entry in folder.iterdir():
        kind = KINDS.get(entry.name.rpartition(".")[2])
        if kind is not None:
            path = "/" if entry.name == "index.html" else f"/static/{entry.name}"
            _add(app, path, entry.read_bytes(), kind)


def _add(app: FastAPI, path: str, content: bytes, kind: str) -> None:
    """Add a file; a browser keeps it and asks whether it is still the same."""
    headers = {"Cache-Control": "no-cache", "ETag": f'"{sha256(content).hexdigest()[:20]}"'}

    async def file(request: Request) -> Response:
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    app.add_api_route(path, file, methods=["GET"], include_in_schema=False)
