"""The command line's outermost layer: exit codes, one-line errors, quiet pipes."""

import gc
import sys
from collections.abc import Sequence

from sizewise.errors import SizewiseError
from sizewise.streams import silence_output, write_message

INTERRUPTED = 130
OUR_BUG = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    A known error is one line on standard error; a traceback comes before it only with ``--debug``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        return _run([argument for argument in given if argument != "--debug"])
    except SizewiseError as error:
        _trace(debug)
        _complain(error.code, error.message)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        silence_output()
        return 0
    except Exception as error:
        _trace(debug)
        _complain("bug", f"{type(error).__name__}: {error}; please report this with the output of --debug")
        return OUR_BUG


def _run(arguments: list[str]) -> int:
    import click

    from sizewise.cli import command

    try:
        result = command.main(arguments, prog_name="sizewise", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        _complain("bad_option", error.format_message())
        return 2
    except SystemExit:  # click's way to leave when the reader of a help page went away
        silence_output()
        return 0
    except OSError as error:
        silence_output()
        _complain("disk_full" if error.errno == 28 else "unwritable", f"standard output: {error.strerror}")
        return 3
    return result if isinstance(result, int) else 0


def _complain(code: str, message: str) -> None:
    write_message(f"sizewise: error [{code}]: {' '.join(message.split())[:560]}")


def _trace(debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()


def run() -> None:
    """Be the process: a command that answers once and ends needs no collector of cycles."""
    gc.disable()
    sys.exit(main())


if __name__ == "__main__":
    run()
