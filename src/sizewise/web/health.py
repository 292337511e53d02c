"""Whether the service answers, and what it is; its own description."""

import json

from fastapi import FastAPI, Response

from sizewise import __version__
from sizewise.report.document import SCHEMA_VERSION

HEALTH = {"status": "ok", "version": __version__, "schema_version": SCHEMA_VERSION}


def add_health(app: FastAPI) -> None:
    """Add ``/api/health`` and ``/api/openapi.json``."""
    schema = {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["ok"]},
            "version": {"type": "string"},
            "schema_version": {"type": "integer", "minimum": 1, "maximum": 1000},
        },
        "required": list(HEALTH),
        "additionalProperties": False,
    }
    document: list[bytes] = []

    async def health() -> Response:
        return Response(json.dumps(HEALTH), media_type="application/json")

    async def openapi() -> Response:
        if not document:
            document.append(json.dumps(app.openapi(), ensure_ascii=True).encode())
        return Response(document[0], media_type="application/json")

    app.add_api_route(
        "/api/health",
        health,
        methods=["GET"],
        operation_id="get_health",
        summary="Whether the service answers, and its version.",
        response_class=Response,
        openapi_extra={
            "responses": {
                "200": {"description": "It does.", "content": {"application/json": {"schema": schema}}}
            }
        },
    )
    app.add_api_route("/api/openapi.json", openapi, methods=["GET"], include_in_schema=False)
