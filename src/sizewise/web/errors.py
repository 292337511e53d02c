"""What FastAPI itself refuses, and bugs, as problem documents."""

import logging
from asyncio import CancelledError
from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sizewise.escaping import shorten
from sizewise.service.schemas import refusal
from sizewise.service.workers import bug_kind
from sizewise.web.problems import CLOSE, TITLES, problem

ENDING = CLOSE | {"Retry-After": "5"}
log = logging.getLogger("sizewise.web")


def add_errors(app: FastAPI) -> None:
    """Answer unknown addresses, other methods and unfit values with problems, OPTIONS with the methods."""
    methods = _methods(app)

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        if status == 405:
            return _other_method(request, methods.get(request.url.path, ()))
        if status == 404:
            return problem(404, "not_found", f"there is nothing at {shorten(request.url.path)}")
        return problem(status if status in TITLES else 400, "bad_option", "the request cannot be read")

    async def unfit(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = first["loc"][-1] if first.get("loc") else "values"
        return problem(422, "bad_option", f"{shorten(str(place))}: {refusal(first)}", field=str(place))

    async def late(_: Request, __: Exception) -> Response:
        return problem(408, "timeout", "the body arrived too slowly", CLOSE)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(TimeoutError, late)


def _methods(app: FastAPI) -> Mapping[str, Sequence[str]]:
    """Return the methods of every address."""
    found: dict[str, set[str]] = {}
    for route in app.routes:
        if isinstance(route, Route):
            found.setdefault(route.path, set()).update(route.methods or ())
    return {
        path: sorted({*named, "OPTIONS", *(["HEAD"] if "GET" in named else [])})
        for path, named in found.items()
    }


def _other_method(request: Request, methods: Sequence[str]) -> Response:
    headers = {"Allow": ", ".join(methods)}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    return problem(405, "bad_method", f"methods here: {headers['Allow']}", headers)


class Bugs:
    """Answers what was not foreseen with a problem (500) and one line in the log, without a traceback.

    A question that is cut off by the end of the service is told to come again (503).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what is raised ends here."""
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except CancelledError:
            if scope["type"] != "http" or started:
                raise
            await problem(503, "busy", "the service is ending", ENDING)(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            name, place = bug_kind(error), shorten(scope["path"])
            log.error("bug: %s at %s", name, place)
            if not started:
                detail = f"{name}; please report this with what was asked"
                await problem(500, "bug", detail, CLOSE)(scope, receive, send)
