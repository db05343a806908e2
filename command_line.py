"""How every command line of the project ends: one line for bad input, and the exit status of the contract."""

import sys
from typing import Final

import click

from bad_input import BadInput

FAILED: Final = 1
BAD_INPUT: Final = 2
STOPPED_BY_RISK: Final = 3


class Failed(RuntimeError):  # noqa: N818 (reads as what it is at every raise)
    """Something broke while running, and the user can be told what in one line."""


def run(command: click.Command, name: str) -> None:
    """
    Run `command` with the process's arguments and exit.

    The status is 0 when done, 1 if it failed while running, 2 for bad input, or the number that the command returns.
    """
    try:
        status = command.main(prog_name=name, standalone_mode=False)
    except BadInput as error:
        _leave(f"error: {error}", BAD_INPUT)
    except click.UsageError as error:
        _leave(f"error: {error.format_message()}; see {name} --help", BAD_INPUT)
    except click.exceptions.Abort:
        _leave("stopped by the keyboard", FAILED)
    except (Failed, OSError) as error:  # a disk that is full or not there needs no traceback
        _leave(f"failed: {error}", FAILED)
    sys.exit(status if isinstance(status, int) else 0)


def _leave(line: str, status: int) -> None:
    click.echo(line, err=True)
    sys.exit(status)
