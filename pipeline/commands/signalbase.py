"""Commands for teams that subscribe to signals: who is one, their keys, credits and webhooks."""

from __future__ import annotations

from datetime import timedelta

import click

from pipeline.commands.context import open_installation, print_json, print_table
from pipeline.organizations import face_keys
from pipeline.organizations.organizations import get_organization, list_organizations
from pipeline.subscriptions import teams
from pipeline.subscriptions.deliveries import replay_skipped
from pipeline.subscriptions.push import SignalUnknown, push
from pipeline.subscriptions.teams import SUBSCRIPTIONS, TeamInfo
from pipeline.subscriptions.webhooks import MOST_ACTIVE, WebhookUnknown, list_webhooks

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")


@click.group()
def signalbase() -> None:
    """Teams that subscribe to signals under /api/v2 (docs/partners/signalbase)."""


@signalbase.command("create")
@click.argument("organization")
@click.option("--subscription", type=click.Choice(SUBSCRIPTIONS), default="active", show_default=True)
@as_json
def create(organization: str, subscription: str, is_json: bool) -> None:
    """Make ORGANIZATION a team. It has no credits and no keys yet."""
    installation = open_installation()
    made = teams.create_team(installation.database, organization, installation.now(), subscription)
    slug = get_organization(installation.database, made.organization_id).slug
    if is_json:
        print_json(_shown(slug, made))
    else:
        click.echo(f"{slug} is a team. Next: fundingscout signalbase key {slug}, fundingscout signalbase credits {slug} 1000")


@signalbase.command("list")
@as_json
def list_(is_json: bool) -> None:
    """All teams, with their subscription and credits."""
    installation = open_installation()
    slugs = {organization.id: organization.slug for organization in list_organizations(installation.database)}
    rows = [_shown(slugs[team.organization_id], team) for team in teams.list_teams(installation.database)]
    print_json(rows) if is_json else print_table(
        ["team", "subscription", "credits", "available", "calls a minute", "masks everyone"],
        [list(row.values()) for row in rows],
    )


@signalbase.command("key")
@click.argument("organization")
@click.option("--label", default="default", show_default=True, help="What the key is for.")
@click.option("--user", help="Who is named as the editor of what is changed with it; made up when not given.")
@as_json
def key(organization: str, label: str, user: str | None, is_json: bool) -> None:
    """A new key of ORGANIZATION. Keep what it prints: it is not shown again."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    made = teams.create_key(installation.database, owner.id, label, installation.now(), user)
    if is_json:
        print_json({"id": made.id, "user_id": made.user_id, "token": made.token})
        return
    click.echo(f"key  {made.token}")
    click.echo("Save it now; it is not shown again.")


@signalbase.command("keys")
@click.argument("organization")
@as_json
def keys(organization: str, is_json: bool) -> None:
    """The keys of ORGANIZATION, by their first characters."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    rows = [
        {
            "prefix": found.token_prefix,
            "label": found.label,
            "user": found.user_id,
            "created_at": found.created_at,
            "revoked_at": found.revoked_at,
            "id": found.id,
        }
        for found in face_keys.list_keys(installation.database, teams.FACE, owner.id)
    ]
    print_json(rows) if is_json else print_table(
        ["key", "label", "user", "created", "revoked", "id"], [list(row.values()) for row in rows]
    )


@signalbase.command("revoke")
@click.argument("organization")
@click.argument("key")
def revoke(organization: str, key: str) -> None:
    """Revoke KEY (its id or first characters) of ORGANIZATION, at once."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    gone = face_keys.revoke_key(installation.database, teams.FACE, owner.id, key, installation.now())
    click.echo(f"revoked {gone.token_prefix}…")


@signalbase.command("set")
@click.argument("organization")
@click.option("--subscription", type=click.Choice(SUBSCRIPTIONS), help="`active` and `trialing` open the API and deliveries.")
@click.option("--calls-per-minute", type=click.IntRange(0, 100_000), help="Of each operation; 0: the default, 60.")
@click.option(
    "--mask-everyone/--mask-where-required", default=None, help="Mask persons in every block, not only where required."
)
@as_json
def set_(
    organization: str, subscription: str | None, calls_per_minute: int | None, mask_everyone: bool | None, is_json: bool
) -> None:
    """Change how ORGANIZATION stands as a team. In force with the next call."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    changed = teams.change_team(
        installation.database, owner.id, installation.now(), subscription, calls_per_minute, mask_everyone
    )
    if is_json:
        print_json(_shown(owner.slug, changed))
    else:
        click.echo(f"{owner.slug}: subscription {changed.subscription}, {changed.calls_per_minute or 60} calls a minute")


@signalbase.command("credits")
@click.argument("organization")
@click.argument("amount", type=int, default=0)
@click.option("--note", help="Why, for the record.")
@as_json
def credits_(organization: str, amount: int, note: str | None, is_json: bool) -> None:
    """The credits of ORGANIZATION; with AMOUNT, grant so many first. Each delivery that is taken costs one."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    if amount:
        found = teams.grant_credits(installation.database, owner.id, amount, installation.now(), note)
    else:
        found = teams.get_team(installation.database, owner.id)
    if is_json:
        print_json(_shown(owner.slug, found))
    else:
        click.echo(f"{owner.slug} has {found.credits} credits, {found.available} of them free")


@signalbase.command("replay")
@click.argument("organization")
@click.option("--days", type=click.IntRange(1, 365), help="Only events of so many days back.")
def replay(organization: str, days: int | None) -> None:
    """Send ORGANIZATION what was skipped for want of credits, oldest first, as far as its credits reach."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    now = installation.now()
    count = replay_skipped(installation.database, owner.id, now - timedelta(days=days) if days else None)
    click.echo(f"{count} deliveries wait to be sent; `fundingscout up` or `fundingscout sync` sends them")


@signalbase.command("webhooks")
@click.argument("organization")
@as_json
def webhooks(organization: str, is_json: bool) -> None:
    """The active webhooks of ORGANIZATION, with what came of their deliveries."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    rows = [
        {
            "id": found.id,
            "endpoint_url": found.endpoint_url,
            "event_types": " ".join(found.event_types),
            "filters": " ".join(f"{name}={value}" for name, value in found.filters.items()),
            "delivered": found.successful_deliveries,
            "failed": found.failed_deliveries,
        }
        for found in list_webhooks(installation.database, owner.id, MOST_ACTIVE, 0)
    ]
    print_json(rows) if is_json else print_table(
        ["id", "endpoint", "events", "filters", "delivered", "failed"], [list(row.values()) for row in rows]
    )


@signalbase.command("push")
@click.argument("organization")
@click.argument("webhook")
@click.argument("signals", nargs=-1, required=True)
@click.option("--by", help="Who pushes, for the event's `meta`.")
def push_(organization: str, webhook: str, signals: tuple[str, ...], by: str | None) -> None:
    """Send the companies, investors and contacts of SIGNALS (their ids) to one WEBHOOK of ORGANIZATION, as `dashboard.push`."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    try:
        made = push(installation.database, owner.id, webhook, signals, by, installation.now())
    except (WebhookUnknown, SignalUnknown, ValueError) as error:
        raise click.ClickException(f"nothing is pushed: {error}") from None
    click.echo(f"delivery {made} waits to be sent; `fundingscout up` or `fundingscout sync` sends it")


@signalbase.command("openapi")
def openapi() -> None:
    """Print the face's OpenAPI document, as in docs/openapi/signalbase.json."""
    from pipeline.api.app import utc_now
    from pipeline.api.context import Service
    from pipeline.api.openapi import text_of
    from pipeline.api.signalbase.app import build_signalbase, openapi_of
    from pipeline.settings import Settings
    from pipeline.store.app_database import AppDatabase

    # Nothing is asked of a database for it.
    service = Service(AppDatabase("sqlite://"), Settings(), utc_now)
    click.echo(text_of(openapi_of(build_signalbase(service))), nl=False)


def _shown(slug: str, team: TeamInfo) -> dict[str, object]:
    return {
        "team": slug,
        "subscription": team.subscription,
        "credits": team.credits,
        "available": team.available,
        "calls_per_minute": team.calls_per_minute or 60,
        "masks_everyone": team.masks_everyone,
    }
