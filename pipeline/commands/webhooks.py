"""``fundingscout webhooks``: where a partner is told, and how."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click

from pipeline.commands.context import open_installation, print_json, print_table, printable
from pipeline.organizations.keys import get_key
from pipeline.organizations.organizations import get_organization
from pipeline.webhooks import controls, notices
from pipeline.webhooks.choosing import ACTIVE
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.policies import DEFAULT_CAUSES, STANDARD_DELAYS

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
_SPAN = re.compile(r"(\d+)([smhd]?)", re.ASCII)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Span(click.ParamType[float]):
    """A length of time: 90, 90s, 15m, 2h, 1d. Gives seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = _SPAN.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no length of time such as 90s, 15m, 2h or 1d", param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


@click.group()
def webhooks() -> None:
    """Where a partner is told: one HTTPS address per organization. Strict unless its owner opts into more (`policy`)."""


@webhooks.command("set")
@click.argument("organization")
@click.argument("url")
@click.option("--key", help="Id or prefix of the key whose secret signs; the newest active one when not given.")
def set_(organization: str, url: str, key: str | None) -> None:
    """Send matches of ORGANIZATION to URL from now on."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    key_id = get_key(installation.database, owner.id, key).id if key else None
    allowed = installation.settings.webhook_allowed_networks
    click.echo(f"webhook {set_webhook(installation.database, owner.id, url, key_id, installation.now(), allowed)}")


@webhooks.command("show")
@click.argument("organization")
@as_json
def show(organization: str, is_json: bool) -> None:
    """The URL in force, and what differs from an active, strict webhook that works."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    found = controls.get_endpoint(installation.database, installation.secret_box, owner.id)
    if is_json:
        print_json(asdict(found) | {"policy": _shown(found.policy)} if found else None)
        return
    if found is None:
        click.echo("none: pull-only")
        return
    click.echo(found.url)
    if found.state != ACTIVE:
        click.echo(f"{found.state} since {found.state_changed_at:%Y-%m-%d %H:%M} UTC: {printable(found.reason or '')}")
    if found.failing_since is not None:
        click.echo(f"failing since {found.failing_since:%Y-%m-%d %H:%M} UTC: {found.consecutive_failures} in a row")
    if _shown(found.policy):
        click.echo(f"policy {json.dumps(_shown(found.policy))}")
    if found.header_names:
        click.echo(f"headers {', '.join(found.header_names)}")


@webhooks.command("clear")
@click.argument("organization")
def clear(organization: str) -> None:
    """Send nothing any more; matches are still recorded. Policy and headers are forgotten."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    set_webhook(installation.database, owner.id, None, None, installation.now())
    click.echo("cleared: pull-only")


@webhooks.command("policy")
@click.argument("organization")
@click.option("--strict", is_flag=True, help="Take everything back: one send, never a second.")
@click.option("--retry", "delays", help="Delays before each retry, as 5s,5m,2h; `standard` for the Standard Webhooks schedule.")
@click.option("--retry-on", multiple=True, help="Causes to retry, instead of: " + ", ".join(DEFAULT_CAUSES))
@click.option("--rate", type=float, help="Most sends a minute.")
@click.option("--burst", type=int, default=1, show_default=True, help="How many of them at once.")
@click.option("--concurrency", type=int, help="Most sends under way at once, over all senders.")
@click.option("--disable-after", type=int, help="Failures in a row that disable the webhook.")
@click.option("--disable-span", type=Span(), default="1d", show_default=True, help="How long they must have gone on.")
@click.option("--replay/--no-replay", default=None, help="Whether a second send may be asked for.")
@as_json
def policy(
    organization: str,
    strict: bool,
    delays: str | None,
    retry_on: tuple[str, ...],
    rate: float | None,
    burst: int,
    concurrency: int | None,
    disable_after: int | None,
    disable_span: float,
    replay: bool | None,
    is_json: bool,
) -> None:
    """What ORGANIZATION's owner opts into beyond one send and never a second. Shows it when no option is given.

    Options change their own part and leave the others. A retry has the same id and the same bytes; the receiver must
    therefore keep `match_id`s. `unknown_outcome` is retried only if named: it may have arrived.
    """
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    found = controls.get_endpoint(installation.database, installation.secret_box, owner.id)
    if found is None:
        raise controls.NoWebhook(f"{owner.slug} has no webhook; `fundingscout webhooks set` gives it one")
    wanted: dict[str, Any] = {} if strict else _shown(found.policy)
    if delays is not None:
        wanted["retry"] = {"delays": _delays(delays)}
    if retry_on:
        if "retry" not in wanted:
            raise click.UsageError("--retry-on needs a ladder: give --retry too")
        wanted["retry"]["causes"] = list(retry_on)
    if rate is not None:
        wanted["rate_limit"] = {"per_minute": rate, "burst": burst}
    if concurrency is not None:
        wanted["max_concurrency"] = concurrency
    if disable_after is not None:
        wanted["disable_after"] = {"failures": disable_after, "seconds": disable_span}
    if replay is not None:
        wanted["replay"] = replay
    if strict or wanted != _shown(found.policy):
        wanted = _shown(controls.set_policy(installation.database, owner.id, wanted))
    print_json(wanted) if is_json else click.echo(
        json.dumps(wanted, indent=2) if wanted else "strict: one send, never a second"
    )


@webhooks.command("headers")
@click.argument("organization")
@click.argument("headers", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--none", "is_none", is_flag=True, help="Remove them all.")
def headers_(organization: str, headers: tuple[str, ...], is_none: bool) -> None:
    """Send these headers with every delivery of ORGANIZATION, instead of those before. Values are encrypted, and never shown.

    A value of `-` is read from standard input, so that it stays out of the shell's history.
    """
    if not headers and not is_none:
        raise click.UsageError("give NAME=VALUE, or --none to remove what there is")
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    wanted = dict(_header(text) for text in headers)
    controls.set_headers(installation.database, installation.secret_box, owner.id, wanted)
    click.echo(f"headers {', '.join(sorted(wanted))}" if wanted else "no custom headers")


@webhooks.command("pause")
@click.argument("organization")
@click.option("--reason", default="paused by an operator", show_default=True, help="For whoever asks later.")
def pause(organization: str, reason: str) -> None:
    """Send nothing to ORGANIZATION until `resume`. What waits and what comes is kept."""
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    controls.pause(installation.database, owner.id, reason, installation.now())
    click.echo("paused; `fundingscout webhooks resume` sends what was kept")


@webhooks.command("resume")
@click.argument("organization")
@click.option("--expire-older-than", type=Span(), help="Fail what has waited longer than this, e.g. 2d, instead of sending it.")
def resume(organization: str, expire_older_than: float | None) -> None:
    """Send to ORGANIZATION again, whether it was paused or disabled, and send what a pause had kept.

    What came while it was disabled was failed, not kept: `fundingscout deliveries replay` sends it.
    """
    installation = open_installation()
    owner = get_organization(installation.database, organization)
    older_than = timedelta(seconds=expire_older_than) if expire_older_than is not None else None
    report = controls.resume(installation.database, owner.id, installation.now(), older_than)
    click.echo(f"active; {report.pending} pending now, {report.expired} expired")


@webhooks.command("test")
@click.argument("organization")
@as_json
def test(organization: str, is_json: bool) -> None:
    """Send a test event to ORGANIZATION's webhook now, and say what came back. Ends with 1 when it was not taken."""
    from pipeline.webhooks.trials import add_test_event, send_test_event

    installation = open_installation()
    owner = get_organization(installation.database, organization)
    profile = fundingscout_profile(installation.settings.webhook_all_matches)
    delivery_id = add_test_event(installation.database, owner.id, profile, installation.now())
    result = send_test_event(
        installation.database, installation.secret_box, installation.settings, installation.now, delivery_id
    )
    if is_json:
        print_json(asdict(result))
    else:
        answer = f"answered {result.response_code}" if result.response_code else result.error or "no answer"
        click.echo(
            f"{result.status}: {printable(answer)}" + (f" after {result.duration_ms:.0f} ms" if result.duration_ms else "")
        )
    if result.status != "delivered":
        sys.exit(1)


@webhooks.command("notices")
@click.option("--limit", default=20, show_default=True)
@as_json
def notices_(limit: int, is_json: bool) -> None:
    """What operators were told: webhooks that were disabled, and why."""
    rows = [
        {
            "created_at": notice.created_at.isoformat(timespec="seconds"),
            "kind": notice.kind,
            "status": notice.status,
            "message": notice.message,
            "last_error": notice.last_error,
        }
        for notice in notices.recent_notices(open_installation().database, limit)
    ]
    print_json(rows) if is_json else print_table(
        ["created at", "kind", "status", "message", "last error"], [list(row.values()) for row in rows]
    )


def _shown(policy: Any) -> dict[str, Any]:
    shown: dict[str, Any] = policy.model_dump(mode="json", exclude_defaults=True)
    return shown


def _delays(text: str) -> list[float]:
    if text == "standard":
        return list(STANDARD_DELAYS)
    return [Span().convert(part, None, None) for part in text.split(",")]


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise click.UsageError(f"{name!r} is not NAME=VALUE")
    return name, sys.stdin.readline().rstrip("\n") if value == "-" else value
