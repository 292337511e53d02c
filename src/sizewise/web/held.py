"""Models that a service holds for further questions: what was read of one, or why it was not."""

from collections.abc import Awaitable, Mapping
from typing import Any

from fastapi import Response

from sizewise.errors import SizewiseError
from sizewise.report.document import encode
from sizewise.service.workers import Unanswered
from sizewise.web.busy import busy
from sizewise.web.problems import problem_of


async def held(reading: Awaitable[Mapping[str, Any]]) -> Response:
    """Return the document of a model that is read, or the problem that keeps it from being read."""
    try:
        found = await reading
    except Unanswered as error:
        return busy(error)
    except SizewiseError as error:
        return problem_of(error)
    return Response(encode(dict(found)) + "\n", media_type="application/json")
