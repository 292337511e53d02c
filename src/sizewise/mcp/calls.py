"""One call of a tool: arguments checked, the verb asked, the answer or its error as a result."""

import json
from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent
from pydantic import ValidationError

from sizewise.errors import SizewiseError, UsageError, did_you_mean
from sizewise.escaping import escape, shorten
from sizewise.service.answers import Reply, ask
from sizewise.service.schemas import accepted
from sizewise.service.verbs import Verb

WARNINGS_SHOWN = 20


def answered(asked: Verb, arguments: Mapping[str, Any], *, here: bool = False) -> CallToolResult:
    """Return the result of a call; an error is a result of one line too, so that an agent can mend it.

    ``here`` lets ``on`` mean the machine that the server runs on.
    """
    try:
        values = _checked(asked, arguments)
        return _result(ask(asked, values, here=here, also_markdown=True))
    except SizewiseError as error:
        return failed(error.code, error.message)
    except Exception as error:
        return failed("bug", f"{type(error).__name__} in {asked.name}; please report this with the arguments")


def failed(code: str, message: str) -> CallToolResult:
    """Return an error as a result: its code and one line."""
    return CallToolResult(content=[TextContent(text=f"error [{code}]: {message}")], is_error=True)


def _checked(asked: Verb, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as an answer takes them. Raises UsageError (bad_option)."""
    try:
        told = accepted(asked).model_validate(dict(arguments), strict=True)
    except ValidationError as error:
        raise UsageError("bad_option", _told(asked, error)) from None
    values = told.model_dump(exclude_unset=True, exclude_none=True)
    missing = [name for name, option in asked.options.items() if option.required and name not in values]
    if missing:
        raise UsageError("bad_option", f"{', '.join(missing)}: required")
    if "model" in values:
        models = values["model"]
        values["model"] = list(map(_inert, models)) if isinstance(models, list) else _inert(models)
    return values


def _inert(model: Any) -> Any:
    """Return a configuration as text, so that the bounds of a file hold for it: size, depth, names."""
    if not isinstance(model, Mapping):
        return model
    try:
        return json.dumps(model)
    except (RecursionError, ValueError):
        raise UsageError("bad_option", "model: a configuration of JSON values, not so deep") from None


def _told(asked: Verb, error: ValidationError) -> str:
    """Return the first thing that is wrong, in one line that quotes no value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = str(first["loc"][0]) if first["loc"] else "arguments"
    if first["type"] == "extra_forbidden":
        return f"no option {escape(shorten(place, 60))!r}{did_you_mean(place, asked.options)}"
    return f"{escape(shorten(place, 60))}: {first['msg']}"


def _result(reply: Reply) -> CallToolResult:
    """Return JSON as structured content beside its Markdown, any other format as a text alone."""
    if reply.format != "json":
        return CallToolResult(content=[_text(reply.text, reply)])
    return CallToolResult(
        content=[_text(reply.markdown, reply)], structured_content=json.loads(reply.text), is_error=False
    )


def _text(answer: str, reply: Reply) -> TextContent:
    said = [f"warning [{notice.code}]: {notice.message}" for notice in reply.notices[:WARNINGS_SHOWN]]
    return TextContent(text="\n".join([answer.rstrip("\n"), *([""] if said else []), *said]))
