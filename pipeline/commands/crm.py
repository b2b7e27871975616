"""Commands for CRM rows."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from pipeline.commands.context import open_installation, print_json, print_table
from pipeline.crm.imports import import_file
from pipeline.organizations.organizations import get_organization


@click.group()
def crm() -> None:
    """Accounts and contacts that partners keep."""


@crm.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--organization", "-o", required=True, help="Whose CRM it is.")
@click.option(
    "--kind", type=click.Choice(["account", "contact"]), help="What the rows are; read off the headers when not given."
)
@click.option("--map", "pairs", multiple=True, metavar="FIELD=HEADER", help="Which column holds a field; repeat for each.")
@click.option("--keep-rest/--drop-rest", default=None, help="Columns beyond the mapping become metadata, or don't.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def import_(
    file: Path, organization: str, kind: str | None, pairs: tuple[str, ...], keep_rest: bool | None, is_json: bool
) -> None:
    """Take in a CSV, JSON Lines or Parquet FILE.

    HubSpot, Salesforce and Affinity exports are recognised by their headers, and so is our own layout (external_id, name, domain,
    metadata; external_id, email, first_name, last_name, account_external_id, metadata). Rows are updated by external id;
    rows that are not in the file stay. Bad rows are set aside with their reasons; the others are taken.
    """
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    report = import_file(installation.database, owner.id, file, installation.now(), kind, _mapping(pairs), keep_rest)
    if is_json:
        print_json(
            {
                "import_id": report.import_id,
                "kind": report.kind,
                "layout": report.layout,
                "rows": report.rows,
                "upserted": report.upserted,
                "unchanged": report.unchanged,
                "rejected": report.rejected,
                "rejects": [{"line": reject.line, "reason": reject.reason} for reject in report.rejects],
            }
        )
    else:
        click.echo(
            f"{report.rows} {report.kind} rows ({report.layout} layout): {report.upserted - report.unchanged} new or changed, "
            f"{report.unchanged} unchanged, {report.rejected} set aside"
        )
        for reject in report.rejects:
            click.echo(f"  line {reject.line}: {reject.reason}")
    sys.exit(1 if report.rows and report.rejected == report.rows else 0)


@crm.command("recopy")
def recopy() -> None:
    """Queue all rows of all CRMs for the warehouse again: after it was restored from a backup, or lost.

    The next `sync` run copies them; rows that the warehouse has as they are stay as they are.
    """
    from pipeline.crm.recopy import queue_all

    installation = open_installation()
    count = queue_all(installation.database, installation.warehouse, installation.now())
    click.echo(f"{count} rows queued; the next `sync` run copies them")


@crm.command("show")
@click.argument("organization")
@click.option(
    "--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="As it was at the end of that day (UTC); today when not given."
)
@click.option("--limit", default=20, show_default=True, help="How many accounts.")
def show(organization: str, day: datetime | None, limit: int) -> None:
    """The accounts of ORGANIZATION as the warehouse knows them, today or on a past day."""
    from pipeline.crm.history import accounts_on

    installation = open_installation()
    owner = get_organization(installation.database, organization)
    on = (day or installation.now()).date()
    with installation.warehouse.open() as connection:
        view = accounts_on(connection, on)
        of_owner = f"FROM {view} WHERE organization_id = ?"
        total = connection.execute(f"SELECT count(*) {of_owner}", [owner.id]).fetchall()[0][0]
        rows = connection.execute(
            f"SELECT external_id, name, domain, domain_key, valid_from {of_owner} ORDER BY external_id LIMIT ?",
            [owner.id, limit],
        ).fetchall()
    click.echo(f"{total} accounts of {owner.slug} at the end of {on}")
    print_table(["external_id", "name", "domain", "matched as", "since"], [list(row) for row in rows])


def _mapping(pairs: tuple[str, ...]) -> dict[str, str] | None:
    mapping = {}
    for pair in pairs:
        name, separator, header = pair.partition("=")
        if not separator or not header:
            raise click.BadParameter(f"{pair!r} is not FIELD=HEADER, such as domain=Website", param_hint="--map")
        mapping[name] = header
    return mapping or None
