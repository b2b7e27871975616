"""Telling operators what they must know (an endpoint was disabled), by another way than the one that failed.

Every notice is a row and a log event. Where FUNDINGSCOUT_OPERATOR_WEBHOOK_URL is set it is posted there too: vetted like
any webhook, signed as Standard Webhooks says, and tried again until it is taken. At least once, under one id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, text

from pipeline.organizations.secrets import SECRET_PREFIX
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import OperatorNotice
from pipeline.webhooks.canonical import canonical_text
from pipeline.webhooks.signing import standard_headers
from pipeline.webhooks.transport import HttpSender
from pipeline.webhooks.urls import check_url

log = logging.getLogger(__name__)

# Said word for word as the partial index has it.
OPEN = text("operator_notices.status = 'open'")
MOST_AT_ONCE = 20
# A notice that nobody took for about four days stays in the table and in the log.
RETRY_SECONDS = (30, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400, 86_400)
USER_AGENT = "FundingScout-Operator/1.0"


@dataclass(frozen=True, slots=True)
class _Letter:
    notice_id: int
    body: bytes


def tell(db: AppDatabase, settings: Settings, now: Callable[[], datetime]) -> int:
    """Tell what is due to be told; gives how many notices were told. One query when nothing is."""
    due = _due(db, now())
    if not due:
        return 0
    url = settings.operator_webhook_url
    if url is None:
        for notice in due:
            _note(db, notice.notice_id, None, now())
        return len(due)
    return asyncio.run(_post_all(db, settings, url, due, now))


def record(
    db: AppDatabase,
    kind: str,
    message: str,
    details: Mapping[str, Any],
    now: datetime,
    again_after: timedelta | None = None,
) -> bool:
    """Note what operators are to be told; ``tell`` tells them. False where the same words of that kind were noted before:
    ever, or with ``again_after`` within that time. ``details`` must fit into JSON.
    """
    same = select(OperatorNotice.id).where(OperatorNotice.kind == kind, OperatorNotice.message == message)
    if again_after is not None:
        same = same.where(OperatorNotice.created_at > now - again_after)
    with db.write() as session:
        if session.scalar(same.limit(1)) is not None:
            return False
        session.add(
            OperatorNotice(kind=kind, message=message, details=dict(details), created_at=now, status="open", attempts=0)
        )
    return True


def recent_notices(db: AppDatabase, limit: int = 20) -> Sequence[OperatorNotice]:
    """The newest notices, told or not."""
    with db.read() as session:
        return list(session.scalars(select(OperatorNotice).order_by(OperatorNotice.id.desc()).limit(limit)))


def _due(db: AppDatabase, now: datetime) -> list[_Letter]:
    is_due = or_(OperatorNotice.next_attempt_at.is_(None), OperatorNotice.next_attempt_at <= now)
    query = select(OperatorNotice).where(OPEN, is_due).order_by(OperatorNotice.id).limit(MOST_AT_ONCE)
    with db.read() as session:
        return [_letter(notice) for notice in session.scalars(query)]


def _letter(notice: OperatorNotice) -> _Letter:
    if not notice.attempts:
        log.warning("%s", notice.message, extra={"notice": notice.kind, "endpoint_id": notice.endpoint_id} | notice.details)
    body = {
        "type": f"operator.{notice.kind}",
        "timestamp": notice.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": notice.details
        | {"message": notice.message, "organization_id": notice.organization_id, "endpoint_id": notice.endpoint_id},
    }
    return _Letter(notice.id, canonical_text(body).encode())


async def _post_all(
    db: AppDatabase, settings: Settings, url: str, letters: Sequence[_Letter], now: Callable[[], datetime]
) -> int:
    secret = settings.operator_webhook_secret
    # Written as Standard Webhooks writes it (whsec_…) or as ours are (fs_whsec_…): the same key.
    keys = [SECRET_PREFIX + secret.get_secret_value().removeprefix("fs_").removeprefix("whsec_")] if secret else []
    transport = HttpSender(settings.webhook_timeout_seconds, now, settings.webhook_allowed_networks, settings.webhook_ca_file)

    async def post(letter: _Letter) -> str | None:
        """What went wrong, or None."""
        try:
            if not keys:
                raise ValueError("FUNDINGSCOUT_OPERATOR_WEBHOOK_SECRET is not set; nothing is sent unsigned")
            checked = check_url(url, settings.webhook_allowed_networks)
            signed = standard_headers(keys, f"notice_{letter.notice_id}", int(now().timestamp()), letter.body)
        except ValueError as error:
            return str(error)
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT} | signed
        outcome = await transport.post(checked, letter.body, headers)
        return None if outcome.is_delivered else f"{outcome.error_class}: {outcome.error}"

    async with transport:
        # At once: partners' deliveries wait for the end of this, and a receiver that hangs takes each one's whole budget.
        failures = await asyncio.gather(*map(post, letters))
    for letter, failure in zip(letters, failures, strict=True):
        _note(db, letter.notice_id, failure, now())
    return failures.count(None)


def _note(db: AppDatabase, notice_id: int, failure: str | None, now: datetime) -> None:
    with db.write() as session:
        notice = session.get_one(OperatorNotice, notice_id, with_for_update=True)
        if notice.status != "open":
            return
        notice.attempts += 1
        notice.last_error = failure
        if failure is None:
            notice.status = "told"
        elif notice.attempts > len(RETRY_SECONDS):
            notice.status = "given_up"
        else:
            notice.next_attempt_at = now + timedelta(seconds=RETRY_SECONDS[notice.attempts - 1])
    if failure is not None:
        log.warning("operators could not be told notice %d: %s", notice_id, failure)
