"""What most commands start from."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click
import dagster as dg

from pipeline.installation import Installation
from pipeline.service import prepare_dagster_home
from pipeline.settings import Settings
from pipeline.store.models import Organization


def open_installation() -> Installation:
    """The installation that the environment describes."""
    return Installation(Settings())


def open_dagster(settings: Settings) -> dg.DagsterInstance:
    """The Dagster instance of this installation: what runs here is seen in its UI."""
    os.environ["DAGSTER_HOME"] = str(prepare_dagster_home(settings))
    return dg.DagsterInstance.get()


def find_organization(installation: Installation, slug: str) -> Organization:
    """The organization of that name. Ends the command when there is none."""
    from pipeline.organizations import organizations

    found = organizations.find(installation.database, slug)
    if found is None:
        known = ", ".join(o.slug for o in organizations.list_all(installation.database)) or "none yet"
        raise click.ClickException(
            f"no organization {slug!r} (there are: {known}). Create it: fundingscout organizations create {slug}"
        )
    return found


def print_json(value: Any) -> None:
    """``value`` as JSON, for programs."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def print_table(names: list[str], rows: list[list[Any]]) -> None:
    """Rows in columns, for people."""
    if not rows:
        click.echo("none")
        return
    cells = [names] + [["" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
