"""The body of a FundingScout delivery, which is written by hand, is the canonical text of its keys (FS-43 to FS-48, A-X-9)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.matching.model import MatchType
from pipeline.webhooks.canonical import canonical_text
from pipeline.webhooks.fundingscout import EVENT_TYPE, funding_round, fundingscout_profile, matched
from pipeline.webhooks.profiles import CrmMetadata, Event

NAMES = st.none() | st.text(max_size=8) | st.sampled_from(["a1", "a2"])
ROWS = st.lists(st.tuples(st.sampled_from([str(one) for one in MatchType]), NAMES, NAMES), max_size=4)
# As partners wrote it: blanks, order and numbers of their own.
METADATA = CrmMetadata({"a1": '{ "z":1.10,"a" : "é\\n"}', "a2": None}, {"a1": "[1]", "a2": '{"b":{}}'})


def event(rows: list[tuple[str, str | None, str | None]], body: dict[str, Any]) -> Event:
    names = ("match_type", "account_external_id", "contact_external_id")
    first = rows[0] if rows else (str(MatchType.ACCOUNT_DOMAIN), None, None)
    return Event(
        "m", *first, [dict(zip(names, row, strict=True)) for row in rows], body, METADATA, datetime(2026, 5, 12, 1, tzinfo=UTC)
    )


@pytest.mark.parametrize("with_all_matches", [True, False])
@given(ROWS, st.dictionaries(st.sampled_from(["company_name", "website", "investors"]), st.text()))
def test_the_body_is_the_canonical_text_of_its_keys(
    with_all_matches: bool, rows: list[tuple[str, str | None, str | None]], of: dict[str, Any]
) -> None:
    of_match = event(rows, of)
    text = fundingscout_profile(with_all_matches).body(of_match)
    expected: dict[str, Any] = {
        "event": EVENT_TYPE,
        "match_id": "m",
        "match_type": of_match.match_type,
        "matched": matched(of_match.match_type, of_match.account_external_id, of_match.contact_external_id, METADATA),
        "funding_round": funding_round(of),
        "timestamp": "2026-05-12T01:00:00Z",
    }
    if with_all_matches:
        expected["all_matches"] = [{"match_type": row[0]} | matched(*row, METADATA) for row in rows]
    assert text == canonical_text(expected)
    assert json.loads(text)["funding_round"].keys() == funding_round({}).keys()
