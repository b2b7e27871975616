"""``fundingscout demo``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.settings import PROJECT_ROOT

HOME = PROJECT_ROOT / "data" / "demo"


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=HOME, help="Where the demo keeps its state.  [data/demo]")
@click.option(
    "--stay", is_flag=True, help="Then keep the service running on the demo's world, with the Dagster UI, until Ctrl-C."
)
def demo(home: Path, stay: bool) -> None:
    """The whole way on the samples of data/samples: documents in, signed webhooks out, and a look at what came out.

    Exits 0 only if what it did is what the samples call for. Run again, it sends nothing a second time.
    """
    from pipeline.demo.run import keep_running, run_demo

    report = run_demo(home.absolute(), say=click.echo)
    click.echo()
    width = max(len(name) for name, _ in report.figures)
    for name, value in report.figures:
        click.echo(f"  {name:<{width}}   {value}")
    click.echo()
    if report.differences:
        click.echo("This is not what the samples call for (data/samples/README.md):", err=True)
        for difference in report.differences:
            click.echo(f"  - {difference}", err=True)
        sys.exit(1)
    if report.sent:
        click.echo("As the samples call for: every webhook that must be sent, and no other (data/samples/README.md).")
    else:
        click.echo("Nothing was new, so nothing was sent a second time. (rm -r data/demo starts afresh.)")
    click.echo("Next:  make demo-ui     the same in the Dagster UI; docs/analysts says what is there")
    click.echo("       make up          the service on the live sources")
    click.echo(f"       {_shown(home / 'received.jsonl')} holds each webhook as it was received")
    if stay:
        click.echo("Getting a morning's worth of work ready (half a minute) …")
        keep_running(home.absolute(), click.echo, lambda url: _ready(home, url))


def _ready(home: Path, url: str) -> None:
    click.echo("In another terminal, to ask and repair from there:")
    click.echo(f"       source .venv/bin/activate; export FUNDINGSCOUT_HOME={_shown(home)}")
    click.echo(f"Ready. Dagster UI: {url}  (Ctrl-C stops)")


def _shown(path: Path) -> str:
    """``path`` as seen from here, where that is shorter."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
