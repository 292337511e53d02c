"""Write an answer where it was asked for: standard output or a new file; warnings to standard error."""

import os
from collections.abc import Callable, Iterable, Sequence

from sizewise.cli.caller import caller
from sizewise.cli.options import Output
from sizewise.errors import InputError, unwritable
from sizewise.escaping import shorten
from sizewise.notices import Notice
from sizewise.report.document import Document, compared, encode
from sizewise.streams import write_answer, write_message
from sizewise.whole_files import write_whole

WARNINGS_SHOWN = 20


def emit(
    output: Output,
    documents: Sequence[Document],
    *,
    text: Callable[[], str],
    markdown: Callable[[], str],
    csv: Callable[[], str],
    notices: Iterable[Notice] = (),
    refused: Sequence[Document] | None = None,
) -> None:
    """Write the answer in the chosen format; only that format is made."""
    if output.format == "json":
        answer = encode(compared(documents, refused)) + "\n"
    elif output.format == "jsonl":
        answer = "".join(encode(document) + "\n" for document in documents)
    else:
        answer = {"table": text, "md": markdown, "csv": csv}[output.format]()
        answer = answer if answer.endswith("\n") else answer + "\n"
    asking = caller()
    if asking is not None:
        asking.answer, asking.notices = answer, tuple(dict.fromkeys(notices))
        if asking.also_markdown:
            asking.markdown = markdown()
        return
    if output.file is None:
        write_answer(answer)
    else:
        _write_new(output.file, answer)
    if not output.quiet:
        for notice in list(dict.fromkeys(notices))[:WARNINGS_SHOWN]:
            write_message(f"sizewise: warning [{notice.code}]: {notice.message}")


def _write_new(path: str, answer: str) -> None:
    """Write a file that does not exist yet, whole or not at all."""
    shown = shorten(path, 120)
    if os.path.lexists(path):
        raise InputError("exists", f"{shown} exists; choose another name or remove it")
    try:
        write_whole(path, answer)
    except OSError as error:
        raise unwritable(shown, error) from None


def colour(output: Output) -> bool:
    """Tell whether colours are wanted."""
    return output.color and not os.environ.get("NO_COLOR")
