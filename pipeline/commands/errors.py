"""How the command line ends: expected errors as one clear line, unexpected ones with their traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from pydantic import ValidationError

from pipeline.store.warehouse import WarehouseBusy


class Failed(click.ClickException):
    """A command that could not do what it was asked for. The text says what and what to do."""


def explain_errors(command: click.Command) -> Callable[[], None]:
    """The entry point around ``command``: settings that don't hold and a busy warehouse are no tracebacks."""

    def run() -> None:
        try:
            command()
        except ValidationError as error:
            for problem in error.errors():
                name = "_".join(str(part) for part in problem["loc"]).upper()
                click.echo(f"Error: {error.title} {name}: {problem['msg']} (got {problem['input']!r})", err=True)
            sys.exit(2)
        except WarehouseBusy as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(1)

    return run
