"""What most commands start from."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click
from dotenv import dotenv_values

from pipeline.installation import Installation
from pipeline.settings import Settings, misspelt


def open_installation() -> Installation:
    """The installation that the environment describes. Closed when the command ends, however it ends."""
    installation = Installation(Settings())
    if context := click.get_current_context(silent=True):
        context.call_on_close(installation.close)
    return installation


def misspelt_settings() -> list[str]:
    """A sentence for each name in the environment or in `.env` that looks like a setting and is none."""
    return misspelt([*os.environ, *dotenv_values(".env")])


def print_json(value: Any) -> None:
    """``value`` as JSON, for programs."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def printable(text: str) -> str:
    """``text`` that came from outside, for a terminal: what would steer it, or turn the writing around, becomes an escape."""
    text = text.replace("\r\n", "\n")
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_table(names: list[str], rows: list[list[Any]]) -> None:
    """Rows in columns, for people."""
    if not rows:
        click.echo("none")
        return
    cells = [names] + [["" if value is None else printable(str(value)) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
