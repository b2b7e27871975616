"""Commands for partners' organizations and keys."""

from __future__ import annotations

from datetime import timedelta

import click

from pipeline.commands.context import open_installation, print_json, print_table
from pipeline.organizations import keys as key_store
from pipeline.organizations import quotas
from pipeline.organizations.organizations import create_organization, get_organization, list_organizations, set_plan
from pipeline.organizations.thresholds import default_thresholds, own_thresholds, set_thresholds, thresholds_in_force
from pipeline.webhooks.endpoints import get_webhook

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")


@click.group()
def organizations() -> None:
    """Partners: owners of CRM rows, a webhook, matches and deliveries."""


@organizations.command("create")
@click.argument("slug")
@click.option("--name", help="Display name; the slug when not given.")
@click.option("--plan", default="pro", show_default=True, help="`pro` opens the API.")
@as_json
def create(slug: str, name: str | None, plan: str, is_json: bool) -> None:
    """Create the organization SLUG."""
    installation = open_installation()
    made = create_organization(installation.database, slug, name or slug, installation.now(), plan)
    if is_json:
        print_json({"id": made.id, "slug": made.slug, "name": made.name, "plan": made.plan})
    else:
        click.echo(f"created {made.slug} ({made.id}). Next: fundingscout keys create {made.slug}")


@organizations.command("list")
@as_json
def list_(is_json: bool) -> None:
    """All organizations, with their webhook."""
    installation = open_installation()
    rows = [
        {"slug": o.slug, "name": o.name, "plan": o.plan, "webhook": get_webhook(installation.database, o.id), "id": o.id}
        for o in list_organizations(installation.database)
    ]
    print_json(rows) if is_json else print_table(
        ["slug", "name", "plan", "webhook", "id"], [list(row.values()) for row in rows]
    )


@organizations.command("plan")
@click.argument("organization")
@click.argument("plan")
def plan(organization: str, plan: str) -> None:
    """Put ORGANIZATION on PLAN: `pro` and `wholesale` open the API, `basic` and `free` don't. In force at once."""
    installation = open_installation()
    changed = set_plan(installation.database, organization, plan)
    click.echo(f"{changed.slug} is on {changed.plan}")


@organizations.command("thresholds")
@click.argument("organization")
@click.option("--send", help="Score, 0.3 to 1, from which a name match is sent; `default` for the installation's.")
@click.option("--review", help="Score from which one waits for a person's word; the same as --send: none does; or `default`.")
@as_json
def thresholds(organization: str, send: str | None, review: str | None, is_json: bool) -> None:
    """Thresholds of name matches of ORGANIZATION: from `send` on a match is sent, from `review` on it waits for a person's
    word (`fundingscout review`), below it is dropped. With an option, change it; in force with the next match.

    Matches by domain and e-mail are sent whatever the thresholds say.
    """
    installation = open_installation()
    default = default_thresholds(installation.settings)
    changes = {name: _score(name, value) for name, value in (("send", send), ("review", review)) if value is not None}
    if changes:
        set_thresholds(installation.database, organization, changes, default)
    owner = get_organization(installation.database, organization)
    own, now = own_thresholds(owner.settings), thresholds_in_force(owner.settings, default)
    rows = [
        {"threshold": name, "in_force": getattr(now, name), "of": "its own" if name in own else "the installation"}
        for name in ("send", "review")
    ]
    print_json(rows) if is_json else print_table(["threshold", "in force", "of"], [list(row.values()) for row in rows])


def _score(name: str, value: str) -> float | None:
    if value == "default":
        return None
    try:
        return float(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no score, nor `default`", param_hint=f"--{name}") from None


@click.group()
def keys() -> None:
    """API keys. Each has a bearer token and a webhook signing secret, both shown once."""


@keys.command("create")
@click.argument("organization")
@click.option("--label", default="default", show_default=True, help="What the key is for.")
@as_json
def create_key(organization: str, label: str, is_json: bool) -> None:
    """A new key of ORGANIZATION. Keep what it prints: neither value is shown again."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    made = key_store.create_key(installation.database, installation.secret_box, owner.id, label, installation.now())
    if is_json:
        print_json({"id": made.id, "label": made.label, "token": made.token, "webhook_secret": made.webhook_secret})
        return
    click.echo(f"token           {made.token}")
    click.echo(f"webhook secret  {made.webhook_secret}")
    click.echo("Save both now; neither is shown again.")


@keys.command("list")
@click.argument("organization")
@as_json
def list_keys(organization: str, is_json: bool) -> None:
    """The keys of ORGANIZATION; revoked ones stay listed."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    rows = [
        {
            "prefix": key.token_prefix,
            "label": key.label,
            "created_at": key.created_at.isoformat(timespec="seconds"),
            "revoked_at": key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else None,
            "id": key.id,
        }
        for key in key_store.list_keys(installation.database, owner.id)
    ]
    print_json(rows) if is_json else print_table(
        ["prefix", "label", "created at", "revoked at", "id"], [list(row.values()) for row in rows]
    )


@keys.command("revoke")
@click.argument("organization")
@click.argument("key")
def revoke(organization: str, key: str) -> None:
    """Revoke KEY (its id or prefix), at once."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    revoked = key_store.revoke_key(installation.database, owner.id, key, installation.now())
    click.echo(f"revoked {revoked.token_prefix}…")


@keys.command("rotate")
@click.argument("organization")
@click.argument("key")
@click.option("--overlap", type=click.FloatRange(min=0), default=0.0, help="Hours that the old secret signs beside the new.")
@as_json
def rotate(organization: str, key: str, overlap: float, is_json: bool) -> None:
    """A new webhook secret for KEY (its id or prefix). The old one stops signing at once.

    With --overlap it goes on signing for so many hours, as a second signature in the webhook-signature header.
    X-FundingScout-Signature is the new secret's at once: it holds one value.
    """
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    secret = key_store.rotate_secret(
        installation.database, installation.secret_box, owner.id, key, installation.now(), timedelta(hours=overlap)
    )
    print_json({"webhook_secret": secret}) if is_json else click.echo(
        f"webhook secret  {secret}\nSave it now; it is not shown again."
    )


@keys.command("quota")
@click.argument("organization")
@click.argument("key")
@click.argument("operation", required=False)
@click.argument("limit", required=False)
@as_json
def quota(organization: str, key: str, operation: str | None, limit: str | None, is_json: bool) -> None:
    """Quotas of KEY (its id or prefix): what each allows a day and what is used today.

    With OPERATION and LIMIT, set one: a number of calls, `unlimited`, or `default`.
    """
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    if operation is not None:
        if limit is None:
            raise click.UsageError("give LIMIT too: a number of calls a day, `unlimited`, or `default`")
        quotas.set_limit(installation.database, owner.id, key, operation, _calls(limit), is_default=limit == "default")
    found = key_store.get_key(installation.database, owner.id, key)
    rows = [
        {"operation": usage.operation, "limit": usage.limit, "used": usage.used, "remaining": usage.remaining}
        for usage in quotas.usage_today(installation.database, found.id, found.quotas, installation.now())
    ]
    print_json(rows) if is_json else print_table(
        ["operation", "limit", "used today", "remaining"],
        [["unlimited" if value is None else value for value in row.values()] for row in rows],
    )


def _calls(limit: str) -> int | None:
    if limit in ("unlimited", "default"):
        return None
    if not limit.isdecimal():
        raise click.UsageError(f"{limit!r} is no number of calls, nor `unlimited` or `default`")
    return int(limit)
