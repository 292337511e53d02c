"""The problem of a question that was not answered in time."""

from fastapi import Response

from sizewise.service.workers import Unanswered
from sizewise.web.problems import problem


def busy(error: Unanswered) -> Response:
    """Return a problem document: 503 and when to ask again, 409 where that would not help."""
    if error.retry_after is None:
        return problem(409, "too_slow", error.message)
    return problem(503, "busy", error.message, {"Retry-After": str(error.retry_after)})
