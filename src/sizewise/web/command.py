"""``sizewise web``: the page and the REST service."""

import click

from sizewise.errors import InputError


@click.command("web")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), default=8741, help="Port (8741).")
def command(*, host: str, port: int) -> None:
    """Serve the page and the REST service until interrupted."""
    try:
        import uvicorn

        from sizewise.web.app import create_app
    except ModuleNotFoundError as error:
        raise InputError(
            "missing_extra", f"{error.name} is not installed: pip install 'sizewise[web]'"
        ) from None
    uvicorn.run(create_app(), host=host, port=port, log_level="warning")
