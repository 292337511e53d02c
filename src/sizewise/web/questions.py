"""A route for each verb: asked by a query string or by a JSON body, answered as the command line prints."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError

from sizewise import __version__
from sizewise.errors import SizewiseError
from sizewise.escaping import escape, shorten
from sizewise.service.answers import ask
from sizewise.service.schemas import accepted
from sizewise.service.verbs import OFFERED, Verb, verb
from sizewise.sources.json_text import parse_object
from sizewise.web.problems import problem, problem_of

MEDIA_TYPES = {
    "json": "application/json",
    "table": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def add_questions(app: FastAPI) -> None:
    """Add GET and POST of every verb below ``/api``, and health and version."""
    for name in OFFERED:
        asked = verb(name)
        path = f"/api/{asked.path}"
        identifier = asked.path.replace("/", "_")
        for method, handler in (("GET", _by_query(asked)), ("POST", _by_body(asked))):
            app.add_api_route(
                path,
                handler,
                methods=[method],
                operation_id=f"{method.lower()}_{identifier}",
                summary=asked.summary,
                description=asked.description,
                response_class=Response,
            )

    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    app.add_api_route("/api/health", health, methods=["GET"], summary="Whether the service answers.")


def _by_query(asked: Verb) -> Handler:
    async def by_query(request: Request) -> Response:
        values: dict[str, Any] = {}
        for name in request.query_params:
            given = request.query_params.getlist(name)
            option = asked.options.get(name)
            repeated = option is not None and (name == "model" or option.schema.get("type") == "array")
            if len(given) > 1 and not repeated:
                return problem(400, "bad_option", f"{escape(shorten(name, 60))} is given more than once")
            values[name] = given if repeated else given[0]
        return _answer(asked, values, strict=False)

    return by_query


def _by_body(asked: Verb) -> Handler:
    async def by_body(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return problem(415, "unknown_format", "send application/json")
        try:
            values, _ = parse_object(await request.body(), "the body")
        except SizewiseError as error:
            return problem(400, error.code, error.message)
        return _answer(asked, values, strict=True)

    return by_body


def _answer(asked: Verb, values: dict[str, Any], *, strict: bool) -> Response:
    try:
        told = accepted(asked).model_validate(values, strict=strict)
    except ValidationError as error:
        return problem(422, "bad_option", _told(error))
    try:
        reply = ask(asked, told.model_dump(exclude_unset=True, exclude_none=True))
    except SizewiseError as error:
        return problem_of(error)
    return Response(reply.text, media_type=MEDIA_TYPES[reply.format])


def _told(error: ValidationError) -> str:
    """Return the first thing that is wrong, in one line that quotes no value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"][:1])
    return f"{escape(shorten(place, 60))}: {first['msg']}"
