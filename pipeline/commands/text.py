"""Commands for documents and what they claim."""

from __future__ import annotations

from typing import TextIO

import click

from pipeline.commands.context import open_installation, print_table


@click.command()
@click.argument("source", metavar="IN.jsonl", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
@click.argument("target", metavar="OUT.jsonl", type=click.File("w", encoding="utf-8"))
def extract(source: TextIO, target: TextIO) -> None:
    """Read rounds and other signals from the documents of IN.jsonl; `-` stands for standard input and output.

    A line in: {id, title, body, url, published_date, outlet}. A line out, in the same order: {id, is_funding, company_name, amount,
    currency, amount_usd, funding_type, round_flavor, lead_investors, investors, angels, website, city, country, ceo_name,
    published_date, confidence_score, evidence}. A line that can't be read is reported with its number and skipped.
    """
    from pipeline.signals.jsonl import extract_lines

    report = extract_lines(source, target.write)
    for number, reason in report.bad:
        click.echo(f"line {number}: {reason}", err=True)
    click.echo(f"{report.lines} documents, {report.rounds} rounds, {len(report.bad)} lines skipped", err=True)


@click.command()
@click.argument("source", metavar="IN.jsonl", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
@click.argument("target", metavar="OUT.jsonl", type=click.File("w", encoding="utf-8"))
def resolve(source: TextIO, target: TextIO) -> None:
    """Group the lines that `extract` wrote into rounds; `-` stands for standard input and output.

    A line out per round, in the order of the first reports: {round_id, ids, company_name, amount, currency, amount_usd,
    funding_type, round_flavor, lead_investors, investors, angels, website, city, country, ceo_name, published_date,
    confidence_score, confidence_reasons, sources, conflicts, linked_by}. `ids` are the lines of the round, `linked_by` says by
    what each came to it, `conflicts` what they disagree on. A line may also have `url`, `outlet`, `cik`, `accession` and
    `previous_accession`. A line that can't be read is reported with its number and skipped; others may come in any order.
    """
    from pipeline.signals.resolve_lines import resolve_lines

    report = resolve_lines(source, target.write)
    for number, reason in report.bad:
        click.echo(f"line {number}: {reason}", err=True)
    click.echo(
        f"{report.lines} lines, {report.funding} of them funding news, {report.rounds} rounds, {len(report.bad)} lines skipped",
        err=True,
    )


@click.group()
def documents() -> None:
    """Documents that could not be read."""


@documents.command("list")
@click.option("--limit", default=20, show_default=True)
def list_rejected(limit: int) -> None:
    """What could not be read, newest first, with the reason; `landing` is what `replay` takes."""
    installation = open_installation()
    with installation.warehouse.open() as connection:
        rows = connection.execute(
            """SELECT rejected_at, source_id, reason, detail, landing_id, entry, url
               FROM raw.rejected_documents ORDER BY rejected_at DESC LIMIT ?""",
            [limit],
        ).fetchall()
    print_table(
        ["rejected at", "source", "reason", "detail", "landing", "entry", "url"],
        [[f"{row[0]:%Y-%m-%d %H:%M}", *row[1:3], (row[3] or "")[:60], *row[4:]] for row in rows],
    )


@documents.command("replay")
@click.argument("which")
def replay(which: str) -> None:
    """Put rejected bodies back in the queue: the next `sync` reads them again.

    WHICH is the number of a landing, the SHA-256 of one, or a reason: then all that were rejected for it.
    """
    from pipeline.documents import ingest

    count = ingest.replay(open_installation().database, int(which) if which.isdecimal() else which)
    click.echo(f"{count} put back")
    if not count:
        click.echo(
            "No body as a whole was set aside so. An entry of a feed is read anew whenever the feed brings news.", err=True
        )
