"""``fundingscout restored``: what follows a restore."""

from __future__ import annotations

import click

from pipeline.commands.context import open_installation
from pipeline.service import held, prepare_dagster_home


@click.command()
@click.option("--ledger-is-whole", is_flag=True, help="The app database was not put back, only the warehouse: nothing is held.")
def restored(ledger_is_whole: bool) -> None:
    """Make the stores fit each other after one was put back from a backup, before the service is started.

    What the warehouse has lost is read again from the landed bodies. What the ledger has lost is recalled from the warehouse;
    what still waits, and news of today and before that is found again, is held until `fundingscout deliveries release`, for it
    may have been told after the backup was made. Safe to run again; the service must be stopped.
    """
    from pipeline.recovery.restored import bring_together

    installation = open_installation()
    with held(prepare_dagster_home(installation.settings) / "service.lock", wait=False):
        stores = (installation.database, installation.warehouse, installation.landing)
        report = bring_together(*stores, installation.now(), is_ledger_whole=ledger_is_whole)
    click.echo(f"{report.bodies} landed bodies and {report.rows} CRM rows are taken in again by the next `sync` run")
    if ledger_is_whole:
        return
    recalled = report.recalled
    click.echo(
        f"{report.rounds} rounds and {report.signals} signals that the app database lacked are published, without telling"
    )
    click.echo(
        f"{recalled.matches} matches and {recalled.attempts} attempts are in the ledger again, as the warehouse has them"
    )
    if recalled.lost:
        click.echo(f"{recalled.lost} matches are of rounds or organizations that the app database lacks: not taken", err=True)
    day = f"{installation.now():%Y-%m-%d}"
    click.echo(
        f"{report.held} deliveries are held, and so is news dated {day} (UTC) or before that is matched from now on: it may have "
        "been told after the backup was made. `deliveries list --status held` shows them, `deliveries release` sends them"
    )
