"""What can be named, in one small document: a page looks names up in it while somebody types."""

import gzip
import json
from functools import cache
from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request, Response

from sizewise import __version__
from sizewise.catalog.devices import Device, all_devices
from sizewise.catalog.formats import cache_formats, file_type_formats, formats
from sizewise.catalog.laws import PublishedLaw, published_laws
from sizewise.catalog.models import Preset, presets
from sizewise.families import known_types
from sizewise.runtimes.registry import RUNTIMES
from sizewise.units import GIB

HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
"""A browser keeps the document and asks each time whether it is still the one."""
LOSS_VARIABLES = (("params", "tokens"), ("params", "tokens", "unique_tokens"), ("flops", "tokens_per_param"))


def add_names(app: FastAPI) -> None:
    """Add ``/api/names``."""
    plain = json.dumps(names(), ensure_ascii=False, separators=(",", ":")).encode()
    packed = gzip.compress(plain, mtime=0)
    tags = {one: f'"{sha256(one).hexdigest()[:20]}"' for one in (plain, packed)}

    async def answer(request: Request) -> Response:
        is_packed = "gzip" in request.headers.get("accept-encoding", "")
        content = packed if is_packed else plain
        headers = HEADERS | {"ETag": tags[content]}
        if tags[content] in request.headers.get("if-none-match", "").replace(" ", "").split(","):
            return Response(status_code=304, headers=headers)
        headers |= {"Content-Encoding": "gzip"} if is_packed else {}
        return Response(content, media_type="application/json", headers=headers)

    app.add_api_route(
        "/api/names",
        answer,
        methods=["GET"],
        operation_id="get_names",
        summary="Models, devices, formats, runtimes and laws by name, small enough to search while typing.",
        response_class=Response,
        responses={304: {"description": "It is still the one that was named in If-None-Match."}},
    )


@cache
def names() -> dict[str, Any]:
    """Return what can be named: parameters and contexts in numbers, memory in usable bytes."""
    known = known_types()
    return {
        "version": __version__,
        "models": [_model(preset) for preset in presets() if preset.model_type in known],
        "devices": [_device(device) for device in all_devices()],
        "formats": [
            {"name": one.name, "bits": float(one.bits)}
            for one in (*formats().values(), *file_type_formats().values())
        ],
        "cache_formats": list(cache_formats()),
        "runtimes": ["auto", *RUNTIMES, "all"],
        "laws": [{"name": one.name, "title": one.title} for one in published_laws().values()],
        "loss_laws": [
            {"name": one.name, "title": one.title} for one in published_laws().values() if _gives_loss(one)
        ],
    }


def _gives_loss(law: PublishedLaw) -> bool:
    """Tell whether a law gives the loss of parameters and tokens, so that a budget has a best use."""
    return law.output == "loss" and law.variables in LOSS_VARIABLES and not law.unknown


def _model(preset: Preset) -> dict[str, Any]:
    maker, slash, _ = preset.id.partition("/")
    row: dict[str, Any] = {"id": preset.id, "parameters": preset.parameters}
    if preset.active is not None:
        row["active"] = preset.active
    if preset.context is not None:
        row["context"] = preset.context
    if slash:
        row["maker"] = maker
    if preset.aliases:
        row["aliases"] = list(preset.aliases)
    return row


def _device(device: Device) -> dict[str, Any]:
    """Return a device; where the buyer chooses its RAM, under a name that says the most it is sold with."""
    name = f"{device.id}-{device.nominal_bytes // GIB}gb" if device.memory_is_chosen else device.id
    return {"id": name, "name": device.name, "memory": device.memory_bytes, "class": device.kind}
