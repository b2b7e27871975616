"""Commands that run the product: up, sync."""

from __future__ import annotations

import signal
import sys

import click

from pipeline.commands.context import misspelt_settings, open_installation
from pipeline.installation import Installation
from pipeline.recovery.restored import require_memory
from pipeline.service import Service
from pipeline.store.warehouse import Warehouse, WarehouseBusy


@click.command()
@click.option("--port", type=int, help="Port of the Dagster UI, instead of FUNDINGSCOUT_UI_PORT (0: any free one).")
def up(port: int | None) -> None:
    """The embedded default as a service on this machine.

    Starts Dagster's code servers, daemon and web UI, and keeps them running until Ctrl-C. Sources are those of
    data/sources.yaml; state is under $FUNDINGSCOUT_HOME.
    """
    installation = open_installation()
    for complaint in misspelt_settings():
        click.echo(f"fundingscout: {complaint}", err=True)
    _look_before(installation)
    settings = installation.settings
    if port is not None:
        settings = settings.model_copy(update={"ui_port": port})
    service = Service(settings, write=lambda line: click.echo(line))
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, service.stop)
    click.echo(f"fundingscout: starting; state in {settings.home.absolute()}")
    api = f"http://{settings.api_host}:{settings.api_port}" if settings.api_port else "on a free port, named above"
    service.run(on_ready=lambda url: click.echo(f"fundingscout: ready. Dagster UI: {url}  API: {api}  (Ctrl-C stops)"))
    click.echo("fundingscout: stopped")


def _look_before(installation: Installation) -> None:
    """Raises what the parts would end with, each in a traceback of its own, were the service started: one line instead."""
    if not installation.sources:
        click.echo(f"fundingscout: {installation.settings.sources_file} names no source: nothing will come in", err=True)
    _ = installation.secret_box
    try:
        require_memory(installation.database, Warehouse(installation.settings.warehouse_path, 1.0))
    except WarehouseBusy as error:
        click.echo(f"fundingscout: {error}", err=True)  # which is waited for, step by step


@click.command()
@click.option("--poll/--no-poll", default=True, help="Poll the sources that are due first, as the sensor does.")
def sync(poll: bool) -> None:
    """One pass of the main job, in this process.

    Polls the sources that are due, then runs the Dagster job `sync`: documents, mentions, rounds, CRM changes,
    matches, deliveries. The run is seen in the UI of `fundingscout up`.
    """
    from pipeline.main_job import open_dagster, run_sync

    installation = open_installation()
    require_memory(installation.database, installation.warehouse)
    with open_dagster(installation.settings) as instance:
        result = run_sync(installation, instance, poll=poll)
    for source_id, error in result.source_failures:
        click.echo(f"source {source_id}: {error}", err=True)
    for name, value in result.figures.items():
        click.echo(f"{name:<28} {value}")
    if not result.is_success:
        click.echo(f"Error: the run failed: {result.failure}", err=True)
        sys.exit(1)
