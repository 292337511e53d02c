"""A route for each verb: asked by a query string or by a JSON body, answered as the command line prints."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response

from sizewise.errors import InputError, SizewiseError
from sizewise.escaping import shorten
from sizewise.service.answerer import Answerer
from sizewise.service.schemas import UnfitError, checked, read_query
from sizewise.service.verbs import OFFERED, Verb, verb
from sizewise.service.wording import field_of
from sizewise.service.workers import Unanswered
from sizewise.sources.json_text import parse_object
from sizewise.web.busy import busy
from sizewise.web.operations import MEDIA_TYPES, QUERY_LIMIT, by_body_operation, by_query_operation
from sizewise.web.problems import problem, problem_of
from sizewise.web.settings import CONFIG_BODY_BYTES, QUESTION_BYTES, Bodies

MOST_FIELDS = 400
"""Names in a query string."""
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def add_questions(app: FastAPI, answerer: Answerer) -> None:
    """Add GET and POST of every verb below ``/api``."""
    for name in OFFERED:
        asked = verb(name)
        ways: tuple[tuple[str, Handler, dict[str, Any]], ...] = (
            ("GET", _by_query(asked, answerer), by_query_operation(asked)),
            ("POST", _by_body(asked, answerer), by_body_operation(asked)),
        )
        for method, handler, operation in ways:
            app.add_api_route(
                _path(asked),
                handler,
                methods=[method],
                operation_id=f"{method.lower()}_{asked.path.replace('/', '_')}",
                summary=asked.summary,
                description=asked.description,
                response_class=Response,
                openapi_extra=operation,
            )


def question_bodies() -> Bodies:
    """Return the most bytes of a body of each question, by its path."""
    return {_path(asked): _most(asked) for asked in map(verb, OFFERED)}


def _path(asked: Verb) -> str:
    return f"/api/{asked.path}"


def _most(asked: Verb) -> int:
    return CONFIG_BODY_BYTES if asked.takes_runs or "model" in asked.options else QUESTION_BYTES


def _by_query(asked: Verb, answerer: Answerer) -> Handler:
    async def by_query(request: Request) -> Response:
        query = request.scope["query_string"]
        try:
            fields = parse_qsl(
                query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        except ValueError:
            told = f"the query string is no list of at most {MOST_FIELDS} names and texts in UTF-8"
            return problem(400, "bad_option", told)
        if any(len(text) > QUERY_LIMIT for _, text in fields):
            return problem(
                422, "too_long", f"a text in an address has at most {QUERY_LIMIT:,} characters; post it"
            )
        try:
            values = read_query(asked, fields)
        except UnfitError as error:
            return _refused(error)
        return await _answer(answerer, asked, values)

    return by_query


def _by_body(asked: Verb, answerer: Answerer) -> Handler:
    async def by_body(request: Request) -> Response:
        if request.scope["query_string"]:
            return problem(422, "bad_option", "options are in the body of a POST, none in its address")
        if not _is_json(request.headers.get("content-type", "")):
            return problem(415, "unknown_format", "send application/json")
        body = await request.body()
        try:
            values = _object(body)
        except SizewiseError as error:
            return problem(400, error.code, error.message)
        if len(body) > QUESTION_BYTES and not {"model", "runs"} & values.keys():
            return problem(413, "too_large", f"options have at most {QUESTION_BYTES:,} bytes")
        return await _answer(answerer, asked, values)

    return by_body


def _object(body: bytes) -> dict[str, Any]:
    """Return the options of a body. Raises InputError as `parse_object`, and for names that come twice."""
    if not body.strip():
        raise InputError("truncated", "the body is empty; send an object of options, {} for none")
    values, doubled = parse_object(body, "the body")
    if doubled:
        raise InputError("bad_json", f"the body holds {shorten(doubled[0])} more than once")
    return values


def _is_json(content_type: str) -> bool:
    kind, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return kind.strip().lower() == "application/json" and charset in ("", "charset=utf-8")


async def _answer(answerer: Answerer, asked: Verb, values: dict[str, Any]) -> Response:
    try:
        told = checked(asked, values)
    except UnfitError as error:
        return _refused(error)
    try:
        reply = await answerer.answer(asked, told)
    except Unanswered as error:
        return busy(error)
    except SizewiseError as error:
        return problem_of(error, field_of(error.code, error.message, told, asked.options))
    return Response(reply.text, media_type=MEDIA_TYPES[reply.format])


def _refused(error: UnfitError) -> Response:
    return problem(422, error.code, error.message, field=error.field)
