"""The HTTP API as a process of its own. Imports neither the warehouse nor Dagster, and so stays small."""

from __future__ import annotations

import os
import resource
import tempfile

import click

from pipeline.settings import Settings

OPEN_FILES = 4_096  # twice the connections that are held (api.patience), and the stores
GRACE_SECONDS = 10  # for requests under way, when told to stop


@click.command()
@click.option("--host", help="Where to listen, instead of FUNDINGSCOUT_API_HOST.")
@click.option("--port", type=int, help="Port, instead of FUNDINGSCOUT_API_PORT.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes side by side, instead of FUNDINGSCOUT_API_WORKERS.")
@click.option("--openapi", is_flag=True, help="Print the OpenAPI document instead, as in docs/openapi/fundingscout.json.")
@click.option("--operator-openapi", is_flag=True, help="Print the operators' one, as in docs/openapi/operator.json.")
def api(host: str | None, port: int | None, workers: int | None, openapi: bool, operator_openapi: bool) -> None:
    """The HTTP API for partners, with its description at /docs, /healthz, /readyz and /metrics. Ctrl-C stops it.

    It speaks plain HTTP: put a proxy that speaks HTTPS in front of it.
    """
    if openapi or operator_openapi:
        _print_openapi(operator_openapi)
        return
    import uvicorn

    from pipeline.api.logs import set_up_logging

    settings = Settings()
    processes = workers or settings.api_workers
    _allow_open_files(OPEN_FILES)
    set_up_logging(settings.log_level)
    with tempfile.TemporaryDirectory(prefix="fundingscout-api-") as folder:
        if processes > 1:
            # Where the workers count for one another, so that any of them can tell Prometheus of all.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        uvicorn.run(
            "pipeline.api.app:create_app",
            factory=True,
            host=host or settings.api_host,
            port=settings.api_port if port is None else port,
            workers=processes,
            http="pipeline.api.patience:PatientProtocol",  # h11, which bounds a head's bytes; and its time, and connections
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


def _allow_open_files(wanted: int) -> None:
    """As many open files as the connections need, where the system lets us: usual shells allow 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _print_openapi(is_operators: bool) -> None:
    from pipeline.api.app import build_app
    from pipeline.api.fundingscout.document import openapi_of
    from pipeline.api.openapi import text_of
    from pipeline.api.operator.document import operator_openapi_of
    from pipeline.store.app_database import AppDatabase

    # Nothing is asked of a database for it.
    app = build_app(AppDatabase("sqlite://"), Settings())
    click.echo(text_of(operator_openapi_of(app) if is_operators else openapi_of(app)), nl=False)
