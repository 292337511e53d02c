"""One call of a tool: arguments checked, the verb asked, the answer or its error as a result."""

import json
from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

from sizewise.errors import SizewiseError, UsageError
from sizewise.service.answers import Reply, ask
from sizewise.service.schemas import checked
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
    """Return the arguments as an answer takes them; null is as good as nothing. Raises as `checked`."""
    values = checked(asked, {name: value for name, value in arguments.items() if value is not None})
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
