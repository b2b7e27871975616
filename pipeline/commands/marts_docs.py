"""``fundingscout marts-docs``."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.context import open_installation


@click.command("marts-docs")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: published/docs.html in the installation's home."
)
def marts_docs(out: Path | None) -> None:
    """Write the documentation of the marts (models, columns, tests, lineage) as one HTML page, to be opened in a browser."""
    from pipeline.store.marts import MartsProject

    installation = open_installation()
    home = installation.settings.home.absolute()
    file = MartsProject(installation.warehouse, home / "dbt").write_docs((out or home / "published" / "docs.html").absolute())
    click.echo(file)
