"""Near misses: name matches scored a little below what an organization is asked about, kept a while for analysts.

Bounded in number and in time: a look at what the thresholds cost, not a history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from pipeline.matching.model import FoundMatch
from pipeline.matching.tiers import Thresholds
from pipeline.store.warehouse import Warehouse

MOST_PER_RUN = 500  # the best of a run
KEPT = timedelta(days=30)
_SHOWN = {"match_type", "account_external_id", "contact_external_id", "score", "rule", "crm_value", "round_value"}


def write(
    warehouse: Warehouse,
    near: Sequence[FoundMatch],
    thresholds: Mapping[str, Thresholds],
    default: Thresholds,
    now: datetime,
) -> int:
    """Keep the best of these near misses in core.near_misses and drop those that have grown old; gives how many were kept.

    One row per organization, round and account: found again, it is written over.
    """
    if not near:
        return 0
    best = sorted(near, key=lambda m: (-m.score, m.organization_id, m.round_id, m.crm_value))[:MOST_PER_RUN]
    at = now.astimezone(UTC).replace(tzinfo=None)
    needed = [thresholds.get(match.organization_id, default).review for match in best]
    table = pa.table(
        {
            "organization_id": [match.organization_id for match in best],
            "round_id": [match.round_id for match in best],
            "account_external_id": pa.array([match.account_external_id for match in best], pa.string()),
            "score": pa.array([match.score for match in best], pa.float64()),
            "rule": [match.rule for match in best],
            "crm_value": [match.crm_value for match in best],
            "round_value": [match.round_value for match in best],
            "matcher_version": [match.matcher_version for match in best],
            "explanation": [_explanation(match) for match in best],
            "review_threshold": pa.array(needed, pa.float64()),
            "found_at": pa.array([at] * len(best), pa.timestamp("us")),
        }
    )
    with warehouse.write() as connection:
        connection.execute("DELETE FROM core.near_misses WHERE found_at < ?", [at - KEPT])
        connection.register("near_misses_now", table)
        connection.execute("""
            DELETE FROM core.near_misses WHERE (organization_id, round_id, account_external_id) IN
                (SELECT (organization_id, round_id, account_external_id) FROM near_misses_now)
        """)
        connection.execute("INSERT INTO core.near_misses BY NAME SELECT * FROM near_misses_now")
        connection.unregister("near_misses_now")
    return len(best)


def _explanation(match: FoundMatch) -> str:
    """What the matcher says of the row beyond what has columns of its own."""
    row = match.all_matches[0] if match.all_matches else {}
    return json.dumps({name: value for name, value in row.items() if name not in _SHOWN}, ensure_ascii=False)
