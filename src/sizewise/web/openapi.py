"""The OpenAPI document: what the routes say, and the problems that each may answer with."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from sizewise.service.verbs import OFFERED, verb
from sizewise.web.operations import ANSWER, body_name, body_schema
from sizewise.web.problems import MEDIA_TYPE, TITLES

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "An error (RFC 9457); the code at the end of its type is stable.",
    "properties": {
        "type": {"type": "string", "pattern": "^urn:sizewise:problem:[a-z0-9_]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "The option that is meant, where one is."},
    },
    "required": ["type", "title", "status", "detail"],
}
OF_ALL = (400, 404, 408, 413, 414, 421, 429, 431, 500, 503)
OF_QUESTIONS = (409, 422)
OF_BODIES = (409, 415, 422)


def add_document(app: FastAPI) -> None:
    """Let an application describe itself; the document is made once."""
    made: list[dict[str, Any]] = []

    def document() -> dict[str, Any]:
        if not made:
            made.append(_document(app))
        return made[0]

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    components = found.setdefault("components", {})
    schemas = {name: one for name, one in components.get("schemas", {}).items() if "Validation" not in name}
    schemas |= {"Problem": PROBLEM, "Answer": dict(ANSWER)}
    schemas |= {body_name(asked): body_schema(asked) for asked in map(verb, OFFERED)}
    components["schemas"] = schemas
    components["responses"] = {_name(status): _response(status) for status in TITLES}
    for ways in found["paths"].values():
        for method, operation in ways.items():
            operation["responses"] = _answers(operation["responses"]) | _problems(method, operation)
    return found


def _answers(responses: dict[str, Any]) -> dict[str, Any]:
    """Return the answers that are no problems; an object where a route says no more."""
    content = {"application/json": {"schema": {"type": "object"}}}
    answers = {status: one for status, one in responses.items() if status.startswith(("2", "3"))}
    return {
        status: {"content": content, **one} if status == "200" else one for status, one in answers.items()
    }


def _problems(method: str, operation: dict[str, Any]) -> dict[str, Any]:
    statuses: Sequence[int] = OF_ALL
    if operation.get("parameters"):
        statuses = (*statuses, *OF_QUESTIONS)
    if method == "post":
        statuses = (*statuses, *OF_BODIES)
    declared = {
        int(status) for status in operation["responses"] if status.isdigit() and int(status) in TITLES
    }
    return {
        str(status): {"$ref": f"#/components/responses/{_name(status)}"}
        for status in sorted({*statuses, *declared})
    }


def _name(status: int) -> str:
    return f"Problem{status}"


def _response(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": TITLES[status], "content": content}
