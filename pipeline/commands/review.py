"""``fundingscout review``: name matches that wait for a person's word."""

from __future__ import annotations

import csv
import getpass
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click
from sqlalchemy import select

from pipeline.commands.context import open_installation, print_json, print_table
from pipeline.installation import Installation
from pipeline.organizations.organizations import get_organization
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import Account
from pipeline.store.tables.matches import MatchReview, Round
from pipeline.store.tables.organizations import Organization
from pipeline.webhooks import reviews


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without users
        return ""


def _named(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("a decision needs the name of who took it")
    return value


as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
by_whom = click.option("--by", default=_me, callback=_named, show_default="your user name", help="Who decides; kept with it.")
why = click.option("--note", help="Why, for those who look later.")
LABELS = (
    "organization", "round_id", "round_name", "account_name", "is_match", "score", "rule", "matcher_version",
    "decided_by", "decided_at", "note",
)  # fmt: skip


@click.group()
def review() -> None:
    """Name matches that are too unsure to be told: list, show, approve, reject; labels for measuring.

    They score between the thresholds of `fundingscout organizations thresholds`. Nobody is told of them before a yes.
    """


@review.command("list")
@click.option("--organization", "-o", help="One partner's only.")
@click.option("--status", type=click.Choice([*reviews.STATUSES, "all"]), default="waiting", show_default=True)
@click.option("--limit", default=20, show_default=True)
@as_json
def list_(organization: str | None, status: str, limit: int, is_json: bool) -> None:
    """The questions, newest first."""
    installation = open_installation()
    owner = get_organization(installation.database, organization).id if organization else None
    rows = reviews.find(installation.database, None if status == "all" else status, owner, limit)
    slugs = _slugs(installation.database)
    if is_json:
        print_json([_shown(row, slugs) for row in rows])
        return
    print_table(
        ["asked at", "organization", "round of", "account named", "rows", "score", "status", "id"],
        [
            [f"{row.created_at:%Y-%m-%d %H:%M}", slugs.get(row.organization_id), row.round_value, row.crm_value, len(row.rows),
             f"{row.score:.3f}", row.status, row.id]
            for row in rows
        ],
    )  # fmt: skip


@review.command("show")
@click.argument("review_id")
@as_json
def show(review_id: str, is_json: bool) -> None:
    """All that is known of one question: both sides, what decided, what became of it. REVIEW_ID may be its beginning."""
    installation = open_installation()
    row = reviews.get(installation.database, review_id)
    shown = _shown(row, _slugs(installation.database)) | _both_sides(installation.database, row)
    if is_json:
        print_json(shown)
        return
    width = max(len(name) for name in shown)
    for name, value in shown.items():
        lines = [value] if not isinstance(value, list) else value or [None]
        for number, line in enumerate(lines):
            text = ", ".join(f"{key} {one}" for key, one in line.items() if one is not None) if isinstance(line, dict) else line
            click.echo(f"{'' if number else name:<{width}}  {'' if text is None else text}".rstrip())


@review.command("approve")
@click.argument("review_ids", nargs=-1, required=True)
@by_whom
@why
@click.option("--overrule", is_flag=True, help="Also what somebody has rejected.")
@as_json
def approve(review_ids: tuple[str, ...], by: str, note: str | None, overrule: bool, is_json: bool) -> None:
    """The rounds are about these accounts: tell the partner, once.

    The service sends within seconds, or the next `fundingscout sync`. Exits 1 when one of them was decided already.
    """
    _decide(
        review_ids,
        lambda here, row: reviews.approve(here.database, row, by, here.now(), note, overrule=overrule),
        is_json,
    )


@review.command("reject")
@click.argument("review_ids", nargs=-1, required=True)
@by_whom
@why
@as_json
def reject(review_ids: tuple[str, ...], by: str, note: str | None, is_json: bool) -> None:
    """The rounds are not about these accounts: kept as labels, and never told."""
    _decide(review_ids, lambda here, row: reviews.reject(here.database, row, by, here.now(), note), is_json)


@review.command("labels")
@click.argument("target", metavar="OUT.csv", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def labels(target: Path) -> None:
    """Every decision as a labelled pair of names, for measuring a matcher; `-` stands for standard output."""
    installation = open_installation()
    slugs = _slugs(installation.database)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LABELS)
    count = 0
    for status, is_match in (("approved", 1), ("rejected", 0)):
        for row in reversed(reviews.find(installation.database, status, limit=1_000_000)):
            count += 1
            writer.writerow(
                [slugs.get(row.organization_id), row.round_id, row.round_value, row.crm_value, is_match, f"{row.score:.4f}",
                 row.explanation.get("rule"), row.explanation.get("matcher_version"), row.decided_by,
                 row.decided_at.isoformat() if row.decided_at else None, row.note]
            )  # fmt: skip
    with _open(target) as file:
        file.write(text.getvalue())
    click.echo(f"{count} labels", err=True)


def _decide(ids: tuple[str, ...], decide: Callable[[Installation, str], reviews.Decision], is_json: bool) -> None:
    installation = open_installation()
    done: list[dict[str, Any]] = []
    for named in ids:
        try:
            decision = decide(installation, reviews.get(installation.database, named).id)
        except (reviews.AlreadyDecided, reviews.ReviewUnknown) as error:
            done.append({"id": named, "error": str(error)})
        else:
            done.append({"id": decision.review.id, "status": decision.review.status, "outcome": decision.outcome})
    if is_json:
        print_json(done)
    else:
        for one in done:
            click.echo(one.get("error") or f"{one['id']}  {one['status']}  {one['outcome'] or ''}".rstrip())
    sys.exit(any("error" in one for one in done))


def _shown(row: MatchReview, slugs: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "organization": slugs.get(row.organization_id),
        "round_of": row.round_value,
        "account_named": row.crm_value,
        "score": round(row.score, 4),
        **row.explanation,
        "status": row.status,
        "asked_at": row.created_at.isoformat(timespec="seconds"),
        "found_by": row.origin,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at.isoformat(timespec="seconds") if row.decided_at else None,
        "note": row.note,
        "outcome": row.outcome,
        "match_id": row.match_id,
        "round_id": row.round_id,
        "rows": [{"account_external_id": one["account_external_id"], "score": round(one["score"], 4)} for one in row.rows],
        "reasons": row.rows[0].get("reasons", {}),
    }


def _both_sides(db: AppDatabase, row: MatchReview) -> dict[str, Any]:
    """The round and the accounts as they are now."""
    names = [one["account_external_id"] for one in row.rows]
    with db.read() as session:
        of = session.get(Round, row.round_id)
        query = select(Account).where(Account.organization_id == row.organization_id, Account.external_id.in_(names))
        accounts = list(session.scalars(query.order_by(Account.external_id)))
    body = of.body if of else {}
    fields = ("website", "article_url", "article_title", "published_date", "funding_type", "amount_usd", "location")
    return {f"round_{name}": body.get(name) for name in fields} | {
        "accounts": [{"external_id": one.external_id, "name": one.name, "domain": one.domain} for one in accounts]
    }


def _slugs(db: AppDatabase) -> dict[str, str]:
    with db.read() as session:
        return {row.id: row.slug for row in session.execute(select(Organization.id, Organization.slug))}


def _open(target: Path) -> IO[str]:
    return click.open_file(str(target), "w", encoding="utf-8")
