"""What commands say to a person at a terminal, said to who asks a service: no flags, no other commands."""

import re
from collections.abc import Collection

_FLAG = re.compile(r"(?<![\w-])--(?P<flag>[a-z][a-z0-9-]*)")
_CATALOG = re.compile(r"\bsizewise catalog (?P<subject>[a-z]+)\b(?! --)")
_RULE = re.compile(r" \(LAW[0-9]{2}\)")


def for_service(message: str, names: Collection[str]) -> str:
    """Return a message in which options have the names that a service has for them.

    >>> for_service("--kv-cache-dtype needs --on; run: sizewise catalog devices", {"kv_cache_dtype", "on"})
    'kv_cache_dtype needs on; ask: catalog, subject devices'
    """

    def named(found: re.Match[str]) -> str:
        name = found["flag"].replace("-", "_")
        return name if name in names else found[0]

    plain = _FLAG.sub(named, _RULE.sub("", message))
    return _CATALOG.sub(r"catalog, subject \g<subject>", plain).replace("run: catalog,", "ask: catalog,")
