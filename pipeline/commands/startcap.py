"""Commands for referral partners: who is one, their keys, settings, rates, webhooks, leads, stages and payouts."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from pipeline.commands.context import open_installation, print_json, print_table
from pipeline.installation import Installation
from pipeline.organizations import face_keys
from pipeline.organizations.organizations import get_organization
from pipeline.partners import accounts, earnings, keys, plans, referrals, snapshots, webhooks
from pipeline.partners.accounts import HANDLINGS, STATUSES, UNSET, Partner
from pipeline.partners.landing import CLICK_PARAMETER, link_path
from pipeline.partners.snapshot_file import cents_of
from pipeline.partners.validation import validate_lead
from pipeline.webhooks.startcap import EVENT_TYPES
from pipeline.webhooks.trials import send_test_event

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
ON_OFF = click.Choice(["on", "off"])


@click.group()
def startcap() -> None:
    """Partners who submit leads under /app/partners/api/v1 (docs/partners/startcap)."""


@startcap.command("create")
@click.argument("organization")
@click.option("--name", required=True, help="Who the partner is, as its upline sees it.")
@click.option("--email", required=True, help="The partner's own address.")
@click.option("--upline", help="The partner (organization) who brought it; can't be changed later.")
def create(organization: str, name: str, email: str, upline: str | None) -> None:
    """Make ORGANIZATION a partner. It has no key yet."""
    installation = open_installation()
    above = _partner(installation, upline).id if upline else None
    made = accounts.create_partner(installation.database, organization, name, email, installation.now(), above)
    click.echo(f"{organization} is partner {made.id}. Next: fundingscout startcap key {organization}")


@startcap.command("list")
@as_json
def list_(is_json: bool) -> None:
    """All partners."""
    rows = [
        {
            "id": partner.id,
            "name": partner.name,
            "status": partner.status,
            "handling": partner.handling,
            "upline": partner.upline_id,
            "organization_id": partner.organization_id,
        }
        for partner in accounts.list_partners(open_installation().database)
    ]
    names = ["id", "name", "status", "handling", "upline", "organization id"]
    print_json(rows) if is_json else print_table(names, [list(row.values()) for row in rows])


@startcap.command("set")
@click.argument("organization")
@click.option(
    "--handling", type=click.Choice([*HANDLINGS, UNSET]), help="Who handles leads; full_management needs email, phone."
)
@click.option("--name-marks", type=ON_OFF, help="Are hyphens and apostrophes allowed in names?")
@click.option("--territories", type=ON_OFF, help="Are PR, GU, VI, AS and MP states?")
@click.option("--landing", help=f"The page that the partner's link leads to, https://…; {UNSET}: clicks are not taken.")
def set_(organization: str, handling: str | None, name_marks: str | None, territories: str | None, landing: str | None) -> None:
    """Change settings of a partner, in force with its next call; without options, show them."""
    installation = open_installation()
    changed = accounts.change_partner(
        installation.database,
        get_organization(installation.database, organization).id,
        installation.now(),
        handling=handling,
        allows_name_marks=_flag(name_marks),
        allows_territories=_flag(territories),
        landing_url=landing,
    )
    click.echo(
        f"handling {changed.handling or UNSET}, name marks {'on' if changed.allows_name_marks else 'off'}, "
        f"territories {'on' if changed.allows_territories else 'off'}"
    )
    click.echo(f"link {link_path(changed.click_code)} to {changed.landing_url or 'nowhere: --landing says where'}")


@startcap.command("status")
@click.argument("organization")
@click.argument("status", type=click.Choice(STATUSES))
def status(organization: str, status: str) -> None:
    """Activate or suspend a partner. It is told; while it is not active, its keys are refused."""
    installation = open_installation()
    organization_id = get_organization(installation.database, organization).id
    accounts.set_status(installation.database, organization_id, status, installation.now())
    click.echo(f"{organization} is {status}")


@startcap.command("rate")
@click.argument("organization")
@click.argument("level", type=click.IntRange(1, 3))
@click.argument("percentage")
@click.option("--description", default="", help="As the partner sees it.")
def rate(organization: str, level: int, percentage: str, description: str) -> None:
    """What a partner earns of a funded lead: at LEVEL 1 of its own, 2 and 3 of its downline's. 0 ends it."""
    installation = open_installation()
    try:
        percent = Decimal(percentage)
    except InvalidOperation:
        raise click.BadParameter(f"{percentage!r} is no number") from None
    organization_id = get_organization(installation.database, organization).id
    text = description or f"Level {level} commission"
    plans.set_rate(installation.database, organization_id, level, percent, text, installation.now())
    click.echo(f"level {level}: {percent} %")


@startcap.command("key")
@click.argument("organization")
@click.option("--label", default="default", show_default=True, help="What the key is for.")
@click.option("--rotate", help="Put it in the place of the key with this id or prefix, which is refused from now on.")
@as_json
def key(organization: str, label: str, rotate: str | None, is_json: bool) -> None:
    """A new key. Keep what it prints: it is not shown again."""
    installation = open_installation()
    organization_id = get_organization(installation.database, organization).id
    if rotate:
        made = keys.rotate_key(installation.database, organization_id, rotate, installation.now())
    else:
        made = keys.create_key(installation.database, organization_id, label, installation.now())
    if is_json:
        print_json({"id": made.id, "token": made.token})
    else:
        click.echo(f"key  {made.token}\nSave it now; it is not shown again.")


@startcap.command("keys")
@click.argument("organization")
@click.option("--revoke", help="Revoke the key with this id or prefix, at once.")
@as_json
def keys_(organization: str, revoke: str | None, is_json: bool) -> None:
    """A partner's keys; revoked ones stay listed."""
    installation = open_installation()
    organization_id = get_organization(installation.database, organization).id
    if revoke:
        face_keys.revoke_key(installation.database, keys.FACE, organization_id, revoke, installation.now())
    rows = [
        {
            "prefix": found.token_prefix,
            "label": found.label,
            "created_at": found.created_at.isoformat(timespec="seconds"),
            "revoked_at": found.revoked_at.isoformat(timespec="seconds") if found.revoked_at else None,
            "id": found.id,
        }
        for found in face_keys.list_keys(installation.database, keys.FACE, organization_id)
    ]
    names = ["prefix", "label", "created at", "revoked at", "id"]
    print_json(rows) if is_json else print_table(names, [list(row.values()) for row in rows])


@startcap.command("funding-types")
@click.option("--accept", multiple=True, help="Accept this type from now on.")
@click.option("--stop", multiple=True, help="No longer accept this one.")
def funding_types(accept: tuple[str, ...], stop: tuple[str, ...]) -> None:
    """The funding types that leads may name, letter by letter."""
    installation = open_installation()
    for name in accept:
        accounts.switch_funding_type(installation.database, name, True, installation.now())
    for name in stop:
        accounts.switch_funding_type(installation.database, name, False, installation.now())
    click.echo("\n".join(accounts.funding_types(installation.database)) or "none: leads that name one are refused")


@startcap.command("lead")
@click.argument("organization")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--type", "referral_type", type=click.Choice(["manual_lead", "traffic"]), default="manual_lead", show_default=True
)
def lead(organization: str, file: Path, referral_type: str) -> None:
    """Take in a lead for a partner from a JSON FILE: entered by hand, or come by the partner's traffic."""
    installation = open_installation()
    partner = _partner(installation, organization)
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{file} is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise click.ClickException(f"{file} holds no JSON object")
    now = installation.now()
    verdict = validate_lead(given, partner.rules(accounts.funding_types(installation.database)), now.date())
    if not verdict.is_valid:
        raise click.ClickException("\n".join(problem.message for problem in verdict.problems))
    _, reference = referrals.submit_lead(
        installation.database,
        installation.secret_box,
        partner,
        verdict.clean,
        now,
        referral_type=referral_type,
        click=given.get(CLICK_PARAMETER),
    )
    click.echo(reference)


@startcap.command("erase")
@click.argument("reference_id")
def erase(reference_id: str) -> None:
    """Forget the person of a lead: all fields, and what webhooks' bodies say. Statuses, amounts and counts stay."""
    installation = open_installation()
    rewritten = referrals.erase(installation.database, reference_id, installation.now())
    click.echo(f"erased; {rewritten} webhook bodies rewritten")


@startcap.command("webhook")
@click.argument("organization")
@click.argument("url")
@click.option("--event", "events", multiple=True, type=click.Choice(EVENT_TYPES), help="What it is told; all when not given.")
def webhook(organization: str, url: str, events: tuple[str, ...]) -> None:
    """A new webhook of a partner. Keep the secret that it prints: it is not shown again."""
    installation = open_installation()
    made = webhooks.add_webhook(
        installation.database,
        installation.secret_box,
        _partner(installation, organization),
        url,
        events,
        installation.now(),
        installation.settings.webhook_allowed_networks,
    )
    click.echo(f"webhook  {made.id}\nsecret   {made.secret}\nSave it now; it is not shown again.")


@startcap.command("webhooks")
@click.argument("organization")
@click.option("--remove", help="Tell the webhook with this id of nothing any more.")
@click.option("--rotate", help="A new secret for the webhook with this id; the old one signs nothing any more.")
@click.option("--pause", help="Keep what comes for the webhook with this id, and send nothing.")
@click.option("--resume", help="Send to the webhook with this id again, first what was kept.")
@click.option("--test", "test", help="Send a test event to the webhook with this id, and say what came back.")
@as_json
def webhooks_(
    organization: str,
    remove: str | None,
    rotate: str | None,
    pause: str | None,
    resume: str | None,
    test: str | None,
    is_json: bool,
) -> None:
    """A partner's webhooks."""
    installation = open_installation()
    db, now = installation.database, installation.now()
    partner = _partner(installation, organization)
    if remove:
        webhooks.remove_webhook(db, partner.id, remove, now)
    for webhook_id, is_paused in ((pause, True), (resume, False)):
        if webhook_id:
            webhooks.switch_webhook(db, partner.id, webhook_id, is_paused, now)
    if rotate:
        click.echo(f"secret   {webhooks.rotate_secret(db, installation.secret_box, partner.id, rotate, now)}")
        return
    if test:
        delivery_id = webhooks.add_test(db, partner, test, now)
        found = send_test_event(db, installation.secret_box, installation.settings, installation.now, delivery_id)
        click.echo(f"{found.status}: {found.response_code or found.error}")
        return
    rows = [
        {"id": hook.id, "url": hook.url, "events": ", ".join(hook.event_types), "state": hook.state}
        for hook in webhooks.list_webhooks(db, partner.id)
    ]
    print_json(rows) if is_json else print_table(["id", "url", "events", "state"], [list(row.values()) for row in rows])


@startcap.command("snapshot")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day of FILE; read off its name (YYYY-MM-DD.jsonl) else.")
@click.option("--accept-gap", is_flag=True, help="Don't wait for days that are missing.")
def snapshot(files: tuple[Path, ...], day: datetime | None, accept_gap: bool) -> None:
    """Take in daily status snapshots (JSON Lines) and apply all that may be applied, in the order of their days."""
    installation = open_installation()
    if day is not None and len(files) != 1:
        raise click.UsageError("--day is for one file")
    for file in files:
        of = day.date() if day else _day_of(file)
        landed = snapshots.land(installation.database, of, file.read_text(encoding="utf-8"), installation.now())
        click.echo(f"{landed.day}: {landed.rows} leads, {landed.outcome}")
    report = snapshots.sync(installation.database, installation.secret_box, installation.now(), accepts_gap=accept_gap)
    done = report.applied
    click.echo(
        f"{len(report.days)} days applied: {done.changes} changes, {done.flagged} of them flagged, {done.funded} leads earn, "
        f"{done.deliveries} deliveries, {done.unknown} lines about leads that are not here"
    )
    if report.waits_for:
        click.echo(f"later days wait for {report.waits_for}; --accept-gap goes on without it")


@startcap.command("payout")
@click.option("--threshold", default="50.00", show_default=True, help="Dollars that must be pending.")
def payout(threshold: str) -> None:
    """Pay each active partner all that is pending, where that is at least the threshold. They are told."""
    installation = open_installation()
    try:
        cents = cents_of(Decimal(threshold))
    except (InvalidOperation, ValueError):
        raise click.BadParameter(f"{threshold!r} is no amount") from None
    rows = [
        [partner_id, paid.id, earnings.dollars(paid.amount_cents)]
        for partner_id, paid in earnings.pay_out(installation.database, cents, installation.now())
    ]
    print_table(["partner", "payout", "dollars"], rows)


@startcap.command("openapi")
def openapi() -> None:
    """Print the face's OpenAPI document, as in docs/openapi/startcap.json."""
    from pipeline.api.app import utc_now
    from pipeline.api.context import Service
    from pipeline.api.openapi import text_of
    from pipeline.api.startcap.app import build_startcap, openapi_of
    from pipeline.settings import Settings
    from pipeline.store.app_database import AppDatabase

    service = Service(AppDatabase("sqlite://"), Settings(), utc_now)
    click.echo(text_of(openapi_of(build_startcap(service))), nl=False)


def _partner(installation: Installation, organization: str) -> Partner:
    return accounts.get_partner(installation.database, get_organization(installation.database, organization).id)


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "on"


def _day_of(file: Path) -> date:
    try:
        return date.fromisoformat(file.name[:10])
    except ValueError:
        raise click.UsageError(f"{file.name} does not begin with a day (YYYY-MM-DD); give --day") from None
