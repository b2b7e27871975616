"""Matches whose CRM row was deleted after they were found and before they are recorded.

What belongs here: leaving such rows out, in the transaction that records. What does not: matches that were recorded before
their row was deleted (webhooks.deletions). The next best row of the organization takes the place of the one that is gone.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.crm.upsert import MODELS
from pipeline.matching.model import FoundMatch, MatchType
from pipeline.store.bulk import is_one_of
from pipeline.store.tables.crm import CrmDeletion

log = logging.getLogger(__name__)

# (organization, kind, external id) of a CRM row
RowKey = tuple[str, str, str]


def without_gone_rows(session: Session, found: Sequence[FoundMatch], known: Container[tuple[str, str]]) -> list[FoundMatch]:
    """The matches less the rows that were deleted meanwhile; a match of which none is left is left out.

    Those of ``known`` (organization, round) stay as they are: they are recorded already. The rows that the others name are
    held until the transaction ends, so that a deletion at this moment comes after it, and finds the matches it is to hide.
    """
    new = [match for match in found if (match.organization_id, match.round_id) not in known]
    named = {key for match in new for row in match.all_matches for key in _rows_of(match.organization_id, row)}
    gone = _gone(session, named)
    if not gone:
        return list(found)
    kept = []
    for match in found:
        if (match.organization_id, match.round_id) in known:
            kept.append(match)
            continue
        rows = [row for row in match.all_matches if gone.isdisjoint(_rows_of(match.organization_id, row))]
        if rows:
            kept.append(match if len(rows) == len(match.all_matches) else _of_rows(match, rows))
        else:
            log.info("the CRM row of organization %s that matched round %s is deleted", match.organization_id, match.round_id)
    return kept


def _rows_of(organization_id: str, row: Mapping[str, Any]) -> list[RowKey]:
    """The CRM rows without which a row of all_matches would be hidden, as webhooks.deletions has it."""
    keys: list[RowKey] = []
    if row.get("account_external_id") is not None:
        keys.append((organization_id, "account", row["account_external_id"]))
    if row["match_type"] == MatchType.EMAIL_DOMAIN and row.get("contact_external_id") is not None:
        keys.append((organization_id, "contact", row["contact_external_id"]))
    return keys


def _gone(session: Session, named: set[RowKey]) -> set[RowKey]:
    by_owner: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for organization_id, kind, external_id in sorted(named):
        by_owner[organization_id, kind].append(external_id)
    gone: set[RowKey] = set()
    for (organization_id, kind), ids in by_owner.items():
        model = MODELS[kind]
        present = select(model.external_id).where(
            model.organization_id == organization_id, is_one_of(session, model.external_id, ids)
        )
        # SQLite has one writer at a time, and that is us.
        held = set(session.scalars(present.order_by(model.external_id).with_for_update(read=True, key_share=True)))
        deleted = select(CrmDeletion.external_id).where(
            CrmDeletion.organization_id == organization_id,
            CrmDeletion.kind == kind,
            is_one_of(session, CrmDeletion.external_id, ids),
        )
        gone.update((organization_id, kind, external_id) for external_id in session.scalars(deleted) if external_id not in held)
    return gone


def _of_rows(match: FoundMatch, rows: list[dict[str, Any]]) -> FoundMatch:
    best = rows[0]
    return replace(
        match,
        match_type=MatchType(best["match_type"]),
        account_external_id=best.get("account_external_id"),
        contact_external_id=best.get("contact_external_id"),
        score=best["score"],
        rule=best["rule"],
        crm_value=best["crm_value"],
        round_value=best["round_value"],
        all_matches=rows,
    )
