"""``fundingscout backfill``."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from pipeline.commands.context import open_installation

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--from", "first", type=DAY, required=True, help="First day (UTC).")
@click.option("--to", "last", type=DAY, help="Last day, included; the first when not given.")
@click.option("--deliver", is_flag=True, help="Send what is found. Without it, new matches are held.")
@click.option(
    "--crm", type=click.Choice(["today", "of_that_day"]), default="today", show_default=True, help="Which state of the CRMs."
)
def backfill(first: datetime, last: datetime | None, deliver: bool, crm: str) -> None:
    """Work through days again: read their documents with today's extractor, match their rounds again.

    Finds what was missed and leaves what is known as it is. Whatever was told is never told again. In one process, recorded in
    Dagster; the same as materialising a range of days of the job `backfill` in its UI.
    """
    from pipeline.main_job import open_dagster, run_backfill

    installation = open_installation()
    days = (first.date(), (last or first).date())
    if days[0] > days[1]:
        raise click.UsageError(f"--from {days[0]} is after --to {days[1]}")
    if days[0] < installation.settings.first_day:
        raise click.UsageError(f"days begin at {installation.settings.first_day} (FUNDINGSCOUT_FIRST_DAY)")
    with open_dagster(installation.settings) as instance:
        result = run_backfill(installation, instance, *days, deliver=deliver, crm=crm)
    for name, value in result.figures.items():
        click.echo(f"{name:<28} {value}")
    if not result.is_success:
        click.echo(f"Error: the run failed: {result.failure}", err=True)
        sys.exit(1)
    if not deliver and result.figures.get("matches recovered"):
        until = f" --to {days[1]}" if last else ""
        click.echo(f"They are held. To send them: fundingscout deliveries release --from {days[0]}{until}")
