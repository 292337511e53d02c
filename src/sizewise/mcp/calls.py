"""One call of a tool: arguments checked, the verb asked, the answer or its error as a result."""

import json
from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

from sizewise.errors import SizewiseError, UsageError
from sizewise.service.answerer import Answerer
from sizewise.service.answers import Reply
from sizewise.service.schemas import checked
from sizewise.service.verbs import Verb
from sizewise.service.workers import Unanswered, bug_kind

WARNINGS_SHOWN = 20


async def answered(asked: Verb, arguments: Mapping[str, Any], answerer: Answerer) -> CallToolResult:
    """Return the result of a call; an error is a result of one line too, so that an agent can mend it.

    ``answerer`` makes answers with their Markdown, within its deadlines.
    """
    try:
        return _result(await answerer.answer(asked, _checked(asked, arguments)))
    except Unanswered as error:
        return failed("too_slow" if error.retry_after is None else "busy", error.message)
    except SizewiseError as error:
        return failed(error.code, error.message)
    except Exception as error:
        return failed("bug", f"{bug_kind(error)} in {asked.name}; please report this with the arguments")


def failed(code: str, message: str) -> CallToolResult:
    """Return an error as a result: its code and one line."""
    return CallToolResult(content=[TextContent(text=f"error [{code}]: {message}")], is_error=True)


def _checked(asked: Verb, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as an answer takes them. Raises as `checked`, for null too.

    Clients write infinity as null: a number that was given, and is none.
    """
    values = checked(asked, arguments)
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
