"""Errors as problem documents (RFC 9457): a status, a code of the error tree, one line."""

import json
from collections.abc import Mapping

from fastapi import Response

from sizewise.errors import HubError, SizewiseError

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "The request cannot be read",
    404: "There is no such thing",
    405: "This method is not offered here",
    408: "The request took too long to arrive",
    409: "The question has no answer",
    413: "The request is too large",
    414: "The address is too long",
    415: "This content is not read here",
    421: "This host is not served",
    422: "A value is not accepted",
    429: "Too many requests",
    431: "The header is too large",
    500: "The service has a bug",
    502: "The hub did not answer",
    503: "The service is busy",
}
UNKNOWN = frozenset({"bad_reference", "not_found", "unknown_device", "unknown_format"})
"""Codes of names that nothing has."""
CLOSE = {"Connection": "close"}
"""Beside a problem before whose body is read: the rest of it is not."""
_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def problem_text(status: int, code: str, detail: str, field: str = "") -> str:
    """Return a problem document; nothing in it can be taken for markup."""
    document: dict[str, str | int] = {
        "type": f"urn:sizewise:problem:{code}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
    }
    if field:
        document["field"] = field
    return json.dumps(document).translate(_MARKUP)


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, *, field: str = ""
) -> Response:
    """Return a problem document as a response. ``detail`` is one line, escaped where it was made.

    ``field`` is the option that is meant, where one is.
    """
    text = problem_text(status, code, detail, field)
    return Response(text, status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def problem_of(error: SizewiseError, field: str = "") -> Response:
    """Return the problem that an error of the package is: 404, 409 or 502."""
    if isinstance(error, HubError):
        return problem(502, error.code, error.message)
    return problem(404 if error.code in UNKNOWN else 409, error.code, error.message, field=field)
