"""``sizewise web``: the page and the REST service."""

import gc
import re

import click

from sizewise.errors import InputError, UsageError
from sizewise.escaping import shorten
from sizewise.streams import write_message

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?")


@click.command("web")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), default=8741, help="Port (8741); 0: any free one.")
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Answer requests for this name too, e.g. sizes.example.org; else for this machine's own alone.",
)
@click.option("--allow-hub", is_flag=True, help="Let askers name models of the hub; else nothing is fetched.")
@click.option(
    "--embed", multiple=True, metavar="ORIGIN", help="Pages that may show this one: https://example.org."
)
@click.option(
    "--proxy", "proxies", multiple=True, metavar="ADDRESS", help="A proxy whose X-Forwarded-For is believed."
)
def command(
    *,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    allow_hub: bool,
    embed: tuple[str, ...],
    proxies: tuple[str, ...],
) -> None:
    """Serve the page and the REST service until interrupted."""
    for given, pattern, like in (
        (hosts, _HOST, "sizes.example.org"),
        (embed, _ORIGIN, "https://example.org"),
    ):
        unfit = next((one for one in given if pattern.fullmatch(one) is None), None)
        if unfit is not None:
            raise UsageError("bad_option", f"{shorten(unfit)!r} is not accepted; write it like {like}")
    try:
        from sizewise.service.warm import warm
        from sizewise.web.app import create_app
        from sizewise.web.serving import address, as_host, is_local, listen, server
        from sizewise.web.settings import LOOPBACK, Settings
    except ModuleNotFoundError as error:
        raise InputError(
            "missing_extra", f"{error.name} is not installed: pip install 'sizewise[web]'"
        ) from None
    served = LOOPBACK | {one.lower() for one in (*hosts, as_host(host))}
    settings = Settings(hosts=served, embed=embed, allow_hub=allow_hub, proxies=proxies)
    listening = listen(host, port)
    if not is_local(host):
        write_message(
            f"sizewise: warning [open]: other machines can reach {shorten(host)}; it asks for no password"
        )
    write_message(f"sizewise: {address(listening, host)} (Ctrl-C ends it)")
    gc.enable()
    app = create_app(settings)
    warm()
    server(app, settings).run(sockets=[listening])
