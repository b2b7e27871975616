"""A CRM row deleted, with what it brought about: its matches leave the feed, and what waits to be sent of them is not sent.

The ledger keeps every match (FS-61): the same row pushed again never leads to a second send for the same round.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update

from pipeline.crm.upsert import delete_in
from pipeline.matching.model import MatchType
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match
from pipeline.webhooks.review_rows import withdraw

ROW_DELETED = "row_deleted"


def delete_row(db: AppDatabase, kind: str, organization_id: str, external_id: str, now: datetime) -> bool:
    """Delete one account or contact and hide its matches, in one transaction. False: there was none, and nothing changed.

    What was sent of these matches, the row's metadata in it, is kept no longer (FSV-6); how it went is.
    Deliveries of these matches that are pending or held become ``failed: row_deleted``; one that is being sent goes on. Reviews
    that wait for a word on this account are withdrawn.
    """
    hidden = and_(Match.organization_id == organization_id, _matched_by(kind, external_id), Match.hidden_at.is_(None))
    with db.write() as session:
        if not delete_in(db, session, kind, organization_id, external_id, now):
            return False
        stopped = update(Delivery).where(Delivery.match_id.in_(select(Match.id).where(hidden)))
        stopped = stopped.where(Delivery.status.in_(("pending", "held", "scheduled", "paused")))
        session.execute(stopped.values(status="failed", reason=ROW_DELETED, finished_at=now))
        told = update(Delivery).where(Delivery.match_id.in_(select(Match.id).where(hidden)), Delivery.status != "sending")
        session.execute(told.values(body=None))
        session.execute(update(Match).where(hidden).values(hidden_at=now))
        if kind == "account":
            withdraw(session, organization_id, external_id, now)
    return True


def _matched_by(kind: str, external_id: str) -> ColumnElement[bool]:
    if kind == "account":
        return Match.account_external_id == external_id
    # A contact stands beside an account's own match too; only where its e-mail made the match is it the contact's.
    return and_(Match.contact_external_id == external_id, Match.match_type == MatchType.EMAIL_DOMAIN)
