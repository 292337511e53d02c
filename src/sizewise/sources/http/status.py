"""What an HTTP status of the hub means to a user, and what to do about it."""

from sizewise.errors import HubError

TRANSIENT = frozenset({429, 502, 503, 504})
"""Statuses that a second attempt may cure."""

_GATED = (
    "accept its licence on the model's page and give a token that may read it (HF_TOKEN or: hf auth login)"
)
_ADVICE = {
    401: "it is private, gated or misspelled; check the name, then give a token (HF_TOKEN or: hf auth login)",
    403: f"access is not granted; {_GATED}",
    404: "no such model, revision or file; check the spelling, and give a token if it is private",
    416: "the file is empty or shorter than asked",
    429: "too many requests; wait some minutes, or give a token (HF_TOKEN or: hf auth login)",
}
_NAMED = {
    "GatedRepo": f"it is gated; {_GATED}",
    "DisabledRepo": "the hub has disabled it",
    "RevisionNotFound": "no such revision; check the part after @",
    "EntryNotFound": "no such file in the repository",
    "RepoNotFound": "no such model, or it is private; check the spelling, then give a token "
    "(HF_TOKEN or: hf auth login)",
}


class FileMissingError(HubError):
    """The hub has the model, as far as it says, but not this file."""


def status_error(status: int, named: str | None, name: str) -> HubError:
    """Return the error for a status and the hub's own ``X-Error-Code``, whose text is never repeated.

    >>> status_error(401, "GatedRepo", "meta-llama/Llama-3.1-8B config.json").code
    'http_status'
    """
    fallback = "try again later" if status >= 500 else "an answer that cannot be used"
    advice = _NAMED.get(named or "", _ADVICE.get(status, fallback))
    if status == 416:
        return HubError("http_range", f"{name}: the hub answered {status}: {advice}")
    missing = status == 404 and named in (None, "EntryNotFound")
    kind = FileMissingError if missing else HubError
    return kind("http_status", f"{name}: the hub answered {status}: {advice}")
