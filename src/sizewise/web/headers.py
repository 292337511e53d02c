"""``POST /api/header``: the first bytes of a file that somebody chose, and the model that they mean."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response

from sizewise.service.answerer import Answerer
from sizewise.service.headers import CONFIG_BYTES, HEADER_BYTES, Kind, SentHeader
from sizewise.web.held import held
from sizewise.web.problems import problem
from sizewise.web.queries import unfit_query

MEDIA_TYPE = "application/octet-stream"
NAMES = frozenset({"kind", "size", "end", "name", "config_bytes"})
AT_ONCE = 2
"""Bodies that are in memory at once."""

Size = Annotated[int, Query(ge=0, le=2**63 - 1, description="Bytes of the whole file.")]
End = Annotated[
    int | None,
    Query(ge=0, le=2**63 - 1, description="GGUF: where the header ends in the file, if pairs were left out."),
]
Name = Annotated[str, Query(max_length=300, description="The file's name, for messages.")]
ConfigBytes = Annotated[
    int,
    Query(ge=0, le=CONFIG_BYTES, description="safetensors: so many first bytes of the body are config.json."),
]
BODY = {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}}


def add_headers(app: FastAPI, answerer: Answerer) -> None:
    """Add ``/api/header``."""
    places = asyncio.Semaphore(AT_ONCE)

    async def header(
        request: Request,
        *,
        kind: Kind,
        size: Size,
        end: End = None,
        name: Name = "",
        config_bytes: ConfigBytes = 0,
    ) -> Response:
        unfit = unfit_query(request, NAMES)
        if unfit is not None:
            return unfit
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            return problem(415, "unknown_format", f"send {MEDIA_TYPE}")
        async with places:
            body = await _body(request, HEADER_BYTES + config_bytes)
            if body is None:
                text = f"a header of over {HEADER_BYTES:,} bytes is read by the command line"
                return problem(413, "header_too_large", text)
            if config_bytes and (kind == "gguf" or config_bytes > len(body)):
                return problem(409, "bad_option", "config_bytes: the body does not begin with a config.json")
            sent = SentHeader(
                kind=kind,
                data=body[config_bytes:],
                size=size,
                end=end,
                name=name,
                config=body[:config_bytes],
            )
            return await held(answerer.read_header(sent))

    app.add_api_route(
        "/api/header",
        header,
        methods=["POST"],
        operation_id="post_header",
        summary="Read a file's header: 8 + n bytes of safetensors, GGUF up to the end of its tensor infos.",
        description="The model that it means is held for a while; name it as model=header:… in any question.",
        response_class=Response,
        openapi_extra=BODY,
    )


async def _body(request: Request, most: int) -> bytes | None:
    """Return the body, None where it is longer; no more than that is ever in memory."""
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and len(said) < 20 and int(said) > most:
        return None
    pieces, length = [], 0
    async for piece in request.stream():
        length += len(piece)
        if length > most:
            return None
        pieces.append(piece)
    return b"".join(pieces)
