"""``fundingscout deliveries``: the ledger as people read it, and what they may ask of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click
from sqlalchemy import func, or_, select

from pipeline.commands.context import open_installation, print_json, print_table, printable
from pipeline.organizations.organizations import get_organization
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.matches import Match, Round
from pipeline.store.tables.organizations import Organization
from pipeline.webhooks import outbox
from pipeline.webhooks.replays import WAYS_OUT, ReplayReport, Wanted, faces, replay

STATUSES = ["held", "pending", "scheduled", "paused", "sending", "delivered", "failed", "no_webhook"]
INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
DAY = click.DateTime(["%Y-%m-%d"])

SHOWN_OF_DELIVERY = (
    "id", "match_id", "event_type", "status", "reason", "attempts", "response_code", "created_at", "finished_at",
    "next_attempt_at", "next_trigger",
)  # fmt: skip
SHOWN_OF_ATTEMPT = (
    "number", "trigger", "outcome", "error_class", "error", "endpoint_url", "resolved_address", "response_code",
    "response_excerpt", "started_at", "finished_at", "duration_ms", "resolve_ms", "connect_ms", "tls_ms", "first_byte_ms",
    "is_reused_connection", "is_request_sent", "body_sha256",
)  # fmt: skip


@click.group()
def deliveries() -> None:
    """What was sent, what came back, what is held; and sending again."""


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
            Delivery.created_at, Organization.slug, Round.company_name,
            func.coalesce(Match.match_type, Delivery.event_type), Delivery.status,
            Delivery.attempts, Delivery.response_code, Delivery.reason, Delivery.next_attempt_at,
            func.coalesce(Delivery.match_id, Delivery.id),
        )
        .join(Organization, Organization.id == Delivery.organization_id)
        .join(Match, Match.id == Delivery.match_id, isouter=True)
        .join(Round, Round.id == Match.round_id, isouter=True)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(limit)
    )  # fmt: skip
    if organization:
        query = query.where(Delivery.organization_id == get_organization(installation.database, organization).id)
    if status:
        query = query.where(Delivery.status == status)
    with installation.database.read() as session:
        rows = session.execute(query).all()
    names = [
        "created at", "organization", "company", "match type", "status", "attempts", "code", "reason", "next attempt at",
        "match id",
    ]  # fmt: skip
    if is_json:
        print_json([dict(zip((name.replace(" ", "_") for name in names), row, strict=True)) for row in rows])
    else:
        print_table(names, [[_instant(value) if isinstance(value, datetime) else value for value in row] for row in rows])


@deliveries.command("show")
@click.argument("delivery")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def show(delivery: str, is_json: bool) -> None:
    """One delivery (its id, or its match's) with every attempt: where it went, how long each phase took, what came back."""
    installation = open_installation()
    with installation.database.read() as session:
        row = session.scalars(
            select(Delivery).where(or_(Delivery.id == delivery, Delivery.match_id == delivery)).limit(1)
        ).one_or_none()
        if row is None:
            raise click.UsageError(f"no delivery {delivery!r}; `fundingscout deliveries list` shows match ids")
        tries = session.scalars(
            select(DeliveryAttempt).where(DeliveryAttempt.delivery_id == row.id).order_by(DeliveryAttempt.number)
        ).all()
    head = {name: getattr(row, name) for name in SHOWN_OF_DELIVERY}
    attempts = [{name: getattr(attempt, name) for name in SHOWN_OF_ATTEMPT} for attempt in tries]
    if is_json:
        print_json(head | {"attempts": attempts})
        return
    for name, value in head.items():
        if value is not None:
            click.echo(f"{name:<18} {_instant(value) if isinstance(value, datetime) else value}")
    for attempt in attempts:
        click.echo(f"\nattempt {attempt.pop('number')}")
        for name, value in attempt.items():
            if value is not None:
                click.echo(f"  {name:<22} {_instant(value) if isinstance(value, datetime) else printable(str(value))}")


@deliveries.command("replay")
@click.argument("ids", nargs=-1)
@click.option("--organization", "-o", help="One partner's only; needed with --from.")
@click.option("--from", "first", type=INSTANT, help="Deliveries made at or after this instant (UTC).")
@click.option("--to", "last", type=INSTANT, help="And before this one; until now when not given.")
@click.option("--delivered", is_flag=True, help="Those that were delivered too.")
@click.option("--face", type=click.Choice(sorted(faces())), default="fundingscout", show_default=True, help="Whose deliveries.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each, and do nothing.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def replay_(
    ids: tuple[str, ...],
    organization: str | None,
    first: datetime | None,
    last: datetime | None,
    delivered: bool,
    face: str,
    dry_run: bool,
    is_json: bool,
) -> None:
    """Send failed deliveries again: those of IDS (of deliveries or matches), or one partner's of a span of time.

    The same id and the same bytes. A strict webhook is sent again only what never left this machine (no webhook, name not found,
    no connection, …); the rest is refused, and stays in the partner's pull feed. Sent within seconds by the service, or by
    the next `fundingscout sync`. StartCap's are any that failed; Signalbase's are sent again by its API and by
    `fundingscout signalbase replay`.
    """
    if not ids and (organization is None or first is None):
        raise click.UsageError("name deliveries, or give --organization and --from")
    installation = open_installation()
    wanted = Wanted(
        ids=ids,
        organization_id=get_organization(installation.database, organization).id if organization else None,
        first=first.replace(tzinfo=UTC) if first else None,
        last=last.replace(tzinfo=UTC) if last else None,
        statuses=("failed", "no_webhook", "delivered") if delivered else ("failed", "no_webhook"),
    )
    profile = faces(installation.settings.webhook_all_matches)[face]
    report = replay(installation.database, wanted, profile, is_dry_run=dry_run)
    if is_json:
        print_json(asdict(report))
        return
    if dry_run:
        _print_decided(report)
    verb = "would be sent" if dry_run else "pending now"
    click.echo(f"{report.replayed} {verb}, {report.first_sends} of them for the first time")
    for reason, count in sorted(report.refused.items()):
        click.echo(f"{count} refused, {reason}: {WAYS_OUT[reason]}")


def _print_decided(report: ReplayReport) -> None:
    rows = [
        [_instant(one.created_at), one.company_name or one.event_type, one.status, one.reason, one.decision,
         one.match_id or one.delivery_id]
        for one in report.decided
    ]  # fmt: skip
    if rows:
        print_table(["created at", "about", "stands", "reason", "would be", "id"], rows)
    known = report.replayed + report.refused.total() - report.refused["unknown"]
    if known > len(rows):
        click.echo(f"… and {known - len(rows)} more")


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


def _instant(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}"
