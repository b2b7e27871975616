"""Commands for deliveries."""

from __future__ import annotations

from datetime import datetime

import click
from sqlalchemy import select

from pipeline.commands.context import open_installation, print_json, print_table
from pipeline.organizations.organizations import get_organization
from pipeline.store.models import Delivery, Match, Organization, Round
from pipeline.webhooks import outbox

STATUSES = ["held", "pending", "sending", "delivered", "failed", "no_webhook"]
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def deliveries() -> None:
    """What was sent, what came back, and what is held."""


@deliveries.command("list")
@click.option("--organization", "-o", help="One partner's only.")
@click.option("--status", type=click.Choice(STATUSES), help="Those in this state only.")
@click.option("--limit", default=20, show_default=True)
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def list_(organization: str | None, status: str | None, limit: int, is_json: bool) -> None:
    """The newest deliveries, from the ledger."""
    installation = open_installation()
    query = (
        select(
            Delivery.created_at, Organization.slug, Round.company_name, Match.match_type, Delivery.status,
            Delivery.response_code, Delivery.reason, Delivery.match_id,
        )
        .join(Organization, Organization.id == Delivery.organization_id)
        .join(Match, Match.id == Delivery.match_id)
        .join(Round, Round.id == Match.round_id)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(limit)
    )  # fmt: skip
    if organization:
        query = query.where(Delivery.organization_id == get_organization(installation.database, organization).id)
    if status:
        query = query.where(Delivery.status == status)
    with installation.database.read() as session:
        rows = session.execute(query).all()
    names = ["created at", "organization", "company", "match type", "status", "code", "reason", "match id"]
    if is_json:
        print_json([dict(zip((name.replace(" ", "_") for name in names), row, strict=True)) for row in rows])
    else:
        print_table(names, [[f"{row[0]:%Y-%m-%d %H:%M:%S}", *row[1:]] for row in rows])


@deliveries.command("release")
@click.argument("match_ids", nargs=-1)
@click.option("--organization", "-o", help="One partner's only.")
@click.option("--from", "first", type=DAY, help="First day the rounds were seen on (UTC).")
@click.option("--to", "last", type=DAY, help="Last day, included; the first when not given.")
def release(match_ids: tuple[str, ...], organization: str | None, first: datetime | None, last: datetime | None) -> None:
    """Let held deliveries go: those of MATCH_IDS, or of rounds first seen from --from to --to.

    They are sent by the service within seconds, or by the next `fundingscout sync`. At most once holds: what was sent stays sent.
    """
    if not match_ids and first is None:
        raise click.UsageError("name match ids, or days with --from")
    installation = open_installation()
    report = outbox.release_held(
        installation.database,
        installation.now(),
        match_ids=list(match_ids) or None,
        days=(first.date(), (last or first).date()) if first else None,
        organization_id=get_organization(installation.database, organization).id if organization else None,
    )
    click.echo(f"{report.pending} pending now, {report.no_webhook} have no webhook to go to")
