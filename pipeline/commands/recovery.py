"""``fundingscout backfill``."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from pipeline.commands.context import open_installation, print_json

if TYPE_CHECKING:
    from pipeline.installation import Installation
    from pipeline.main_job import SyncResult

DAY = click.DateTime(["%Y-%m-%d"])
SHOWN = 20
COLUMNS = ("change", "organization", "company_name", "match_type", "account_external_id", "score", "with_deliver")


@click.command()
@click.option("--from", "first", type=DAY, required=True, help="First day (UTC).")
@click.option("--to", "last", type=DAY, help="Last day, included; the first when not given.")
@click.option("--deliver", is_flag=True, help="Send what is found. Without it, new matches are held.")
@click.option(
    "--crm", type=click.Choice(["today", "of_that_day"]), default="today", show_default=True, help="Which state of the CRMs."
)
@click.option("--match-only", is_flag=True, help="Don't read the documents again: match their rounds as they were read.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Show what would change and be sent, and change and send nothing.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs; of a dry run, every change.")
def backfill(
    first: datetime, last: datetime | None, deliver: bool, crm: str, match_only: bool, is_dry_run: bool, is_json: bool
) -> None:
    """Work through days again: read their documents with today's extractor, match their rounds again.

    Finds what was missed and leaves what is known as it is. Whatever was told is never told again. In one process, recorded in
    Dagster; the same as materialising a range of days of the job `backfill` (or `backfill_dry_run`) in its UI.
    """
    from pipeline.main_job import open_dagster, run_backfill, run_dry_run

    installation = open_installation()
    days = (first.date(), (last or first).date())
    _check(installation, days, deliver=deliver, is_dry_run=is_dry_run)
    with open_dagster(installation.settings) as instance:
        if is_dry_run:
            result = run_dry_run(installation, instance, *days, crm=crm, reextract=not match_only)
        else:
            result = run_backfill(installation, instance, *days, deliver=deliver, crm=crm, reextract=not match_only)
    changes = _changes(installation, result) if is_dry_run and result.is_success else []
    if is_json:
        print_json(result.figures | {"run_id": result.run_id} | ({"changes": changes} if is_dry_run else {}))
    else:
        _print(result, changes)
    if not result.is_success:
        click.echo(f"Error: the run failed: {result.failure}", err=True)
        sys.exit(1)
    if not is_json and not is_dry_run and not deliver and result.figures.get("matches recovered"):
        until = f" --to {days[1]}" if last else ""
        click.echo(f"They are held. To send them: fundingscout deliveries release --from {days[0]}{until}")


def _check(installation: Installation, days: tuple[date, date], *, deliver: bool, is_dry_run: bool) -> None:
    from pipeline.store.closed_days import require_open

    if days[0] > days[1]:
        raise click.UsageError(f"--from {days[0]} is after --to {days[1]}")
    if days[0] < installation.settings.first_day:
        raise click.UsageError(f"days begin at {installation.settings.first_day} (FUNDINGSCOUT_FIRST_DAY)")
    require_open(installation.warehouse, days[0])
    if deliver and is_dry_run:
        raise click.UsageError("a dry run sends nothing: it shows what --deliver would send; leave one of the two out")


def _changes(installation: Installation, result: SyncResult) -> list[dict[str, object]]:
    from pipeline.recovery.dry_run import changes_of

    return changes_of(installation.warehouse, result.run_id)


def _print(result: SyncResult, changes: list[dict[str, object]]) -> None:
    for name, value in result.figures.items():
        click.echo(f"{name:<28} {value}")
    for change in changes[:SHOWN]:
        click.echo("  " + "  ".join(str(change[name]) for name in COLUMNS if change[name] not in (None, "")))
    if len(changes) > SHOWN:
        click.echo(f"  … and {len(changes) - SHOWN:,} more: --json prints them all")
