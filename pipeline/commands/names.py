"""``fundingscout match``."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--accounts", type=FILE, required=True, help="Columns: organization_id (optional), external_id, name, domain.")
@click.option("--contacts", type=FILE, help="Columns: organization_id (optional), external_id, email, account_external_id.")
@click.option("--rounds", type=FILE, required=True, help="Columns: id, company_name, website, ceo_email.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--all", "all_rows", is_flag=True, help="Every matched row, not the one match of each organization and round.")
@click.option("--explain", is_flag=True, help="Add rule and compared values to each row.")
@click.option(
    "--rules",
    type=click.Choice(["ours", "pages"]),
    default="ours",
    show_default=True,
    help="`pages`: those that the FundingScout pages print.",
)
def match(accounts: Path, contacts: Path | None, rounds: Path, out: Path, all_rows: bool, explain: bool, rules: str) -> None:
    """Match rounds to accounts and contacts, file to file. CSV (also .gz) or Parquet, by ending.

    Out: round_id, organization_id, match_type, account_external_id, contact_external_id, score. A bad row is reported with its line
    and skipped.
    """
    from pipeline.matching.engine import MatchOptions
    from pipeline.matching.files import match_files

    report = match_files(accounts, contacts, rounds, out, all_rows, explain, MatchOptions(rules=rules))
    for problem in report.problems:
        click.echo(problem, err=True)
    click.echo(
        f"{report.matches} matches of {report.rounds} rounds with {report.accounts} accounts and {report.contacts} contacts"
    )


@click.command()
@click.argument("texts", nargs=-1, required=True)
def key(texts: tuple[str, ...]) -> None:
    """What a domain or e-mail field is matched by, and why: the answer to "why did this row not match?"."""
    from pipeline.commands.context import open_installation, print_table
    from pipeline.matching.domains import explain

    open_installation()  # judges by the suffix list that the installation uses
    explained = [(text, explain(text)) for text in texts]
    print_table(["text", "matched by", "why"], [[text, one.key or "nothing", one.why] for text, one in explained])
