"""The command line's outermost layer: exit codes, one-line errors, quiet pipes."""

import os
import sys
from collections.abc import Sequence

from sizewise.errors import SizewiseError
from sizewise.escaping import escape

INTERRUPTED = 130
OUR_BUG = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    A known error is one line on standard error; a traceback appears only with ``--debug``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        return _run([argument for argument in given if argument != "--debug"])
    except SizewiseError as error:
        if debug:
            raise
        _complain(error.code, error.message)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        _complain("bug", f"{type(error).__name__}: {error}; please report this with the output of --debug")
        return OUR_BUG


def _run(arguments: list[str]) -> int:
    import click

    from sizewise.cli import command

    try:
        result = command.main(arguments, prog_name="sizewise", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        _complain("bad_option", error.format_message())
        return 2
    return result if isinstance(result, int) else 0


def _complain(code: str, message: str) -> None:
    line = escape(" ".join(message.split()))[:560]
    print(f"sizewise: error [{code}]: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
