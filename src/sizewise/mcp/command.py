"""``sizewise mcp``: the questions as tools for agents."""

import gc
import signal

import click

from sizewise.errors import InputError


@click.command("mcp")
@click.option(
    "--allow-here", is_flag=True, help="Let the device here mean this machine: its hardware is read."
)
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="NAME",
    help="Offer this tool alone, or these; all if not named.",
)
def command(*, allow_here: bool, tools: tuple[str, ...]) -> None:
    """Serve the questions as read-only tools for agents (Model Context Protocol).

    Messages come on standard input and go to standard output, as agents start such servers; the server ends
    with its input.
    """
    try:
        from sizewise.mcp.server import create_server, serve
    except ModuleNotFoundError as error:
        missing = (error.name or "mcp").partition(".")[0]
        raise InputError(
            "missing_extra", f"{missing} is not installed: pip install 'sizewise[mcp]'"
        ) from None
    server = create_server(here=allow_here, only=tools)
    gc.enable()
    # the thread that waits for input cannot be woken: Ctrl-C ends the process itself, nothing is left behind
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    serve(server)
