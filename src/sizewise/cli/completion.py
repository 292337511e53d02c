"""``sizewise completion``: the script that makes a shell complete commands and options."""

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script; e.g. eval "$(sizewise completion bash)"."""
    from click.shell_completion import get_completion_class

    from sizewise.cli import command as root

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(root, {}, "sizewise", "_SIZEWISE_COMPLETE").source())
