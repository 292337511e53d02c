"""Query strings of routes whose names are few: none is passed over."""

from collections import Counter
from collections.abc import Collection

from fastapi import Request, Response

from sizewise.errors import did_you_mean
from sizewise.escaping import shorten
from sizewise.web.problems import problem


def unfit_query(request: Request, names: Collection[str]) -> Response | None:
    """Return the problem of an address with unknown or repeated names; None where it has neither."""
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in names:
            near = did_you_mean(name, names)
            return problem(422, "bad_option", f"{shorten(name, 60)}: no such option{near}")
        if times > 1:
            return problem(422, "bad_option", f"{name}: given more than once", field=name)
    return None
