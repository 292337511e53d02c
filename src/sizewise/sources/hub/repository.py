"""The files of a model on the Hugging Face hub.

huggingface_hub gives the token, the cache's look-up, the endpoint and the addresses of files; the bytes
come through `http_ranges`. What its cache holds is read there. Nothing is written: sizewise keeps no
cache of its own. The first answer names a commit, and all later requests ask for that one.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sizewise.errors import HubError, UsageError
from sizewise.escaping import shorten
from sizewise.sources.files import read_bounded
from sizewise.sources.http.budget import Budget
from sizewise.sources.http.status import FileMissingError
from sizewise.sources.hub.reference import HubReference
from sizewise.sources.json_text import CONFIG_BYTES, parse_object
from sizewise.sources.ranges import LocalFile, RangeReader

if TYPE_CHECKING:
    from sizewise.sources.http.ranges import RangeClient

CONFIG = "config.json"
JSON_BYTES = 10_000_000
_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubRepository:
    """The files of one model at one commit: from the cache where they are there, else from the hub.

    Raises UsageError (bad_reference) on opening; HubError (offline) where the network is needed and
    may not be used, and what `RangeClient` raises.
    """

    def __init__(
        self, reference: HubReference, *, offline: bool = False, budget: Budget | None = None
    ) -> None:
        """Look nothing up yet. ``budget`` may be shared with other models of the same run."""
        self.reference = reference
        self.revision = reference.revision
        self._hub = _library()
        self._offline = offline or bool(self._hub.constants.HF_HUB_OFFLINE)
        self._budget = budget
        self._client: RangeClient | None = None
        self._address(CONFIG)

    @property
    def budget(self) -> Budget | None:
        """What the network took so far, None if it was not used."""
        return self._budget

    def cached(self, file: str) -> str | None:
        """Return the path of a file in huggingface_hub's cache.

        Raises FileMissingError where the cache knows that the repository has no such file.
        """
        try:
            path = self._hub.try_to_load_from_cache(self.reference.repo, file, revision=self.revision)
        except (OSError, ValueError):
            return None
        if path is None:
            return None
        if not isinstance(path, str):
            raise FileMissingError("http_status", f"{self._named(file)}: no such file, says the cache")
        commit = path.removesuffix(file.replace("/", os.sep)).rstrip(os.sep).rpartition(os.sep)[2]
        self._pin(commit)
        return path

    def is_cached(self, file: str) -> bool:
        """Tell whether the cache holds a file."""
        try:
            return self.cached(file) is not None
        except FileMissingError:
            return False

    def content(self, file: str, limit: int) -> bytes:
        """Return a small file as a whole, at most ``limit`` bytes (one more from the cache)."""
        path = self.cached(file)
        if path is not None:
            return read_bounded(path, limit)
        part = self._network(file).whole(self._address(file), self._named(file), limit)
        self._pin(part.commit)
        return part.data

    @contextmanager
    def opened(self, file: str, header_bytes: int = 0) -> Iterator[RangeReader]:
        """Open a large file for reading by range, the first of ``header_bytes`` if that is known."""
        path = self.cached(file)
        if path is not None:
            with LocalFile(path) as local:
                yield local
            return
        remote = self._network(file).open(self._address(file), self._named(file), header_bytes)
        self._pin(remote.commit)
        yield remote

    def files(self) -> tuple[str, ...]:
        """Return the names of all files, as the hub lists them; names that no file can have are left out."""
        rows = self._described("siblings").get("siblings")
        if not isinstance(rows, list):
            raise HubError(
                "http_error", f"{self.reference.repo}: the hub's list of files is none; check HF_ENDPOINT"
            )
        names = (row.get("rfilename") for row in rows if isinstance(row, dict))
        return tuple(sorted(name for name in names if isinstance(name, str) and _is_file_name(name)))

    def stored_elements(self) -> dict[str, int]:
        """Return the elements of the safetensors files by dtype as the hub counts them, none if it does not.

        Of packed weights the hub counts what they stand for in some formats and not in others.
        """
        try:
            found = self._described("safetensors").get("safetensors")
        except HubError as error:
            if error.code in ("http_status", "offline"):
                return {}
            raise
        rows = found.get("parameters") if isinstance(found, dict) else None
        if not isinstance(rows, dict) or not all(type(count) is int and count > 0 for count in rows.values()):
            return {}
        return rows

    def _described(self, what: str) -> dict[str, Any]:
        """Return one field of what the hub tells about the model."""
        address = f"{self._hub.constants.ENDPOINT}/api/models/{self.reference.repo}"
        if self.revision:
            address += f"/revision/{quote(self.revision, safe='')}"
        where = f"{self.reference.repo}: what the hub tells about it"
        client = self._network("what the hub tells about it")
        part = client.whole(f"{address}?expand={what}&expand=sha", where, JSON_BYTES)
        return parse_object(part.data, where, limit=JSON_BYTES)[0]

    def allow_shards(self, shards: int) -> None:
        """Make room in the budget for a model of several files."""
        if self._budget is not None:
            self._budget.allow_shards(shards)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _pin(self, commit: str | None) -> None:
        if commit is not None and _COMMIT.fullmatch(commit):
            self.revision = commit

    def _named(self, file: str) -> str:
        return f"{self.reference.repo} {shorten(file, 80)}"

    def _address(self, file: str) -> str:
        try:
            return str(self._hub.hf_hub_url(self.reference.repo, file, revision=self.revision))
        except ValueError:
            raise UsageError(
                "bad_reference", f"{shorten(self.reference.repo)!r} cannot be the name of a model on the hub"
            ) from None

    def _network(self, file: str) -> "RangeClient":
        """Return the client, made when the network is needed for the first time."""
        if self._offline:
            raise HubError(
                "offline",
                f"{self._named(file)} is not in the Hugging Face cache and the network is off (--offline or "
                f"HF_HUB_OFFLINE); run once: hf download {self.reference.repo} {shorten(file, 80)}",
            )
        if self._client is None:
            from sizewise.sources.http.ranges import RangeClient

            token = _token(self._hub)
            self._budget = self._budget or Budget()
            self._client = RangeClient(self._hub.constants.ENDPOINT, token, self._budget)
        return self._client


@contextmanager
def hub_files(
    reference: HubReference, *, offline: bool = False, budget: Budget | None = None
) -> Iterator[HubRepository]:
    """Open the repository that a reference names; nothing is asked of the network yet."""
    repository = HubRepository(reference, offline=offline, budget=budget)
    try:
        yield repository
    finally:
        repository.close()


def hub_config(repository: HubRepository) -> tuple[dict[str, Any], list[str]]:
    """Return the config.json and the keys that it holds more than once.

    Raises HubError, and InputError as `parse_object` does.
    """
    data = repository.content(CONFIG, CONFIG_BYTES)
    return parse_object(data, f"{repository.reference.repo} {CONFIG}")


def _is_file_name(name: str) -> bool:
    """Tell whether a listed name can be a file of a repository; nothing is ever written under it."""
    plain = name.isprintable() and len(name) <= 400 and not set(name) & set("\\:")
    return plain and not any(part in ("", ".", "..") for part in name.split("/"))


def _library() -> ModuleType:
    """Import huggingface_hub, which takes 0.2 s and is needed for hub references alone."""
    try:
        import huggingface_hub
        from huggingface_hub import constants  # noqa: F401 — read as huggingface_hub.constants
    except (ImportError, ValueError) as error:
        raise HubError(
            "http_error",
            f"huggingface_hub cannot be loaded ({type(error).__name__}: {shorten(str(error), 120)}); "
            "install it again, and check the HF_ variables",
        ) from None
    return huggingface_hub


def _token(hub: ModuleType) -> str | None:
    """Return the user's token, None without a login or where its use is switched off."""
    if hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return None
    try:
        token = hub.get_token()
    except Exception as error:  # a login by file, environment or CI fails in many ways
        raise HubError(
            "http_error",
            f"the Hugging Face token cannot be read ({type(error).__name__}); run: hf auth login",
        ) from None
    return str(token) if token else None
