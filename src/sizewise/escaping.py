r"""Make text from files safe to print: names, architectures and server messages are data.

Control characters, bidirectional overrides, line separators and lone surrogates are written as
``\uXXXX`` so that no file can move the cursor, hide text or break a line of output.
"""

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape(text: str) -> str:
    r"""Return the text with every unsafe character written as ``\uXXXX``; idempotent.

    >>> escape("a\x1b[2Jb")
    'a\\u001b[2Jb'
    """
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def shorten(text: str, width: int = 60) -> str:
    """Return the escaped text cut to ``width`` characters, for tables and messages.

    >>> shorten("x" * 70, 10)
    'xxxxxxxxx…'
    """
    safe = escape(text[: 4 * width])
    return safe if len(safe) <= width else safe[: width - 1] + "…"
