"""GET of the match feed (FS-64 to FS-71, FSV-7, FSV-8, A-FS-10 to A-FS-13)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from sqlalchemy import event, insert, update

from pipeline.api.cursors import Cursor, cursor_text
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match, Round
from pipeline.webhooks.fundingscout import ROUND_KEYS
from pipeline.webhooks.outbox import record_matches

STORED = ["delivered", "failed", "no_webhook", "held", "pending", "sending"]


def fill(api: Any, count: int, ties: int = 1, organization: str | None = None, status: str | None = None) -> list[str]:
    """``count`` matches, ``ties`` at each second, statuses in turn unless given; gives their ids, newest first."""
    owner = organization or api.organization
    matches, deliveries, rounds = [], [], []
    for number in range(count):
        at = api.now - timedelta(seconds=number // ties)
        round_id, match_id = (str(uuid5(NAMESPACE_URL, f"{what} {owner} {status} {number}")) for what in ("round", "match"))
        body = {"id": round_id, "company_name": f"Company {number}", "investors": ["Oak Harbor"], "amount_usd": 1_000}
        rounds.append(
            {"id": round_id, "company_name": f"Company {number}", "company_key": f"c{number}", "body": body}
            | {"first_seen_at": at, "updated_at": at}
        )
        matches.append(
            {"id": match_id, "organization_id": owner, "round_id": round_id, "company_key": f"c{number}", "score": 1.0}
            | {"match_type": "account_domain", "account_external_id": "a1", "explanation": {}, "all_matches": []}
            | {"origin": "live", "created_at": at}
        )
        deliveries.append(
            {"id": match_id, "dedupe_key": match_id, "organization_id": owner, "profile": "fundingscout", "attempts": 0}
            | {"event_type": "funding_match", "match_id": match_id, "created_at": at}
            | {"status": status or STORED[number % len(STORED)]}
        )
    with api.database.write() as session:
        for table, rows in ((Round, rounds), (Match, matches), (Delivery, deliveries)):
            session.connection().execute(insert(table), rows)
    return [row["id"] for row in sorted(matches, key=lambda row: (row["created_at"], row["id"]), reverse=True)]


def walk(api: Any, query: str, limit: int, repeat_filters: bool = False) -> list[str]:
    """The ids of all pages, following next_cursor as the page says: ``?since=<next_cursor>``."""
    page = api.get(f"/matches?limit={limit}{query}").json()
    ids = [row["match_id"] for row in page["data"]]
    while page["next_cursor"] is not None:
        kept = (
            "".join(f"&{part}" for part in query.split("&") if part and not part.startswith("since")) if repeat_filters else ""
        )
        page = api.get(
            f"/matches?limit={limit}{kept}", params={"since": page["next_cursor"], "limit": limit} | _pairs(kept)
        ).json()
        assert page["data"]
        ids += [row["match_id"] for row in page["data"]]
    return ids


def _pairs(query: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in query.split("&") if part)


def told(api: Any, path: str) -> list[str]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return [row["match_id"] for row in answer.json()["data"]]


def test_fsv_7_an_empty_feed(api: Any) -> None:
    assert api.get("/matches").json() == {"data": [], "next_cursor": None}


def test_fsv_8_fs_65_fs_70_a_fs_11_a_match_has_everything_a_webhook_had_and_its_outcome(api: Any) -> None:
    api.post("/webhooks", {"url": "https://acme.example/hook"})
    metadata = '{"partner_customer_id": "vc_42", "n": 1.10, "a": 12345678901234567890}'
    api.post("/accounts", f'{{"accounts":[{{"external_id":"a1","name":"A","metadata":{metadata}}}]}}')
    record_matches(api.database, [api.partners.found(api.organization, api.partners.round("r1"))], api.now)
    finished = api.now + timedelta(seconds=5, microseconds=300)
    outcome = {"status": "failed", "reason": "http_status", "response_code": 503, "response_excerpt": "try later"}
    with api.database.write() as session:
        session.execute(update(Delivery).values(finished_at=finished, **outcome))
    answer = api.get("/matches")
    assert answer.text.count(metadata) == 2  # exactly as it was sent: for the row, and in all_matches
    (row,) = answer.json()["data"]
    funding_round = row.pop("funding_round")
    matched = {
        "account_external_id": "a1",
        "contact_external_id": None,
        "account_metadata": json.loads(metadata),
        "contact_metadata": None,
    }
    assert row == {
        "match_id": row["match_id"],
        "match_type": "account_domain",
        "matched": matched,
        "all_matches": [{"match_type": "account_domain"} | matched],
        "webhook_status": "failed",
        "webhook_response_code": 503,
        "webhook_response_body": "try later",
        "webhook_failure_reason": "http_status",
        "delivered_at": None,
        "created_at": "2026-05-12T01:54:00.000000Z",
    }
    assert sorted(funding_round) == sorted(ROUND_KEYS)
    assert (funding_round["id"], funding_round["amount_usd"], funding_round["investors"]) == ("r1", 20_000_000, ["Oak Harbor"])
    with api.database.write() as session:
        session.execute(update(Delivery).values(status="delivered", reason=None, response_code=204))
    (row,) = api.get("/matches").json()["data"]
    assert (row["webhook_status"], row["webhook_response_code"]) == ("delivered", 204)
    assert (row["delivered_at"], row["webhook_failure_reason"]) == ("2026-05-12T01:54:05Z", None)


def test_the_strict_profile_leaves_all_matches_out(make_api: Any) -> None:
    with make_api(webhook_all_matches=False) as api:
        fill(api, 1)
        assert "all_matches" not in api.get("/matches").json()["data"][0]


def test_fs_46_a_contact_is_named_only_where_its_address_matched(api: Any) -> None:
    api.post("/contacts", {"contacts": [{"external_id": "c1", "metadata": {"x": 1}}]})
    by_mail = {"match_type": "email_domain", "account_external_id": None, "contact_external_id": "c1"}
    record_matches(api.database, [api.partners.found(api.organization, api.partners.round("r1"), **by_mail)], api.now)
    (row,) = api.get("/matches").json()["data"]
    assert row["matched"] == {
        "account_external_id": None,
        "contact_external_id": "c1",
        "account_metadata": None,
        "contact_metadata": {"x": 1},
    }


def test_fs_67_pages_hold_fifty_by_default_and_two_hundred_at_most(api: Any, code: Any) -> None:
    ids = fill(api, 250)
    assert told(api, "/matches") == ids[:50]
    assert told(api, "/matches?limit=200") == ids[:200]
    for limit in ("0", "201", "-1", "x", "1.5", ""):
        assert code(api.get(f"/matches?limit={limit}")) == (400, "invalid_param"), limit


def test_fs_68_fs_71_a_fs_10_a_walk_returns_every_match_once_whatever_the_ties_and_the_page(api: Any) -> None:
    ids = fill(api, 60, ties=20)
    for limit in (1, 7, 20, 59, 60, 61):
        assert walk(api, "", limit) == ids, limit
    assert api.get("/matches?limit=60").json()["next_cursor"] is None


def test_fs_71_matches_that_come_while_walking_disturb_no_walk(api: Any) -> None:
    ids = fill(api, 30, ties=5)
    page = api.get("/matches?limit=10").json()
    first = [row["match_id"] for row in page["data"]]
    api.now += timedelta(seconds=1)
    fill(api, 12, ties=12, status="failed")
    seen = first
    while page["next_cursor"]:
        page = api.get("/matches", params={"since": page["next_cursor"], "limit": 10}).json()
        seen = seen + [row["match_id"] for row in page["data"]]
    assert seen == ids


def test_fs_66_a_fs_12_status_filters_by_what_is_shown(api: Any, code: Any) -> None:
    ids = fill(api, 60, ties=7)
    by_status: dict[str, list[str]] = {}
    for row in api.get("/matches?limit=200").json()["data"]:
        by_status.setdefault(row["webhook_status"], []).append(row["match_id"])
    assert {status: len(of) for status, of in by_status.items()} == {
        "delivered": 10,
        "failed": 10,
        "no_webhook": 20,  # held ones too: told nobody
        "pending": 20,  # one that is being sent has no outcome yet
    }
    for status, expected in by_status.items():
        assert told(api, f"/matches?limit=200&status={status}") == expected
        assert walk(api, f"&status={status}", 3) == expected
        assert walk(api, f"&status={status}", 3, repeat_filters=True) == expected
    two = set(by_status["failed"] + by_status["pending"])
    assert told(api, "/matches?limit=200&status=failed,pending") == [one for one in ids if one in two]
    assert walk(api, "&status=pending,%20failed,failed", 4) == [one for one in ids if one in two]
    for status in ("sending", "held", "FAILED", "failed,", ",", "failed;pending"):
        assert code(api.get("/matches", params={"status": status})) == (400, "invalid_param"), status
    assert len(told(api, "/matches?status=&limit=200")) == 60


def test_fs_66_a_fs_10_since_keeps_what_is_at_or_after_it_and_before_what_is_earlier(api: Any) -> None:
    ids = fill(api, 10)
    middle = (api.now - timedelta(seconds=5)).isoformat().replace("+00:00", "Z")
    assert told(api, f"/matches?since={middle}") == ids[:6]
    assert told(api, f"/matches?before={middle}") == ids[6:]
    assert told(api, f"/matches?since={middle}&before={middle}") == []
    assert walk(api, f"&since={middle}", 2) == ids[:6]
    assert walk(api, f"&before={middle}", 2) == ids[6:]
    east = (api.now - timedelta(seconds=5) + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00")
    assert told(api, f"/matches?since={east}") == ids[:6]  # the plus unescaped: it arrives as a space
    assert api.get("/matches", params={"since": east}).json()["data"][-1]["match_id"] == ids[5]
    assert told(api, "/matches?since=2026-05-12") == ids
    assert told(api, "/matches?since=2026-05-13") == []


def test_fs_66_the_page_s_recovery_call(api: Any) -> None:
    ids = fill(api, 6)
    assert told(api, "/matches?status=failed&since=2026-05-12T00:00:00Z") == [ids[1]]
    assert told(api, "/matches?status=failed&since=2026-05-15T00:00:00Z") == []


def test_a_fs_10_what_is_neither_time_nor_cursor_is_refused(api: Any, code: Any) -> None:
    fill(api, 3)
    cursor = api.get("/matches?limit=1").json()["next_cursor"]
    rounds_cursor = api.get("/rounds?limit=1").json()["next_cursor"]
    assert rounds_cursor is not None
    for since in (
        "yesterday",
        "null",
        "0",
        "2026-13-01",
        "2026-05-12T25:00:00Z",
        "c1_",
        "c1_AAAA",
        cursor[:-2],
        cursor + "A",
        rounds_cursor,
    ):
        assert code(api.get("/matches", params={"since": since})) == (400, "invalid_param"), since
    assert code(api.get("/matches", params={"before": cursor})) == (400, "invalid_param")
    assert code(api.get("/matches", params={"since": cursor, "status": "failed"})) == (400, "invalid_param")


def test_a_fs_13_reading_changes_nothing(api: Any) -> None:
    fill(api, 12)
    first = api.get("/matches").text
    assert api.get("/matches").text == first


def test_matches_of_others_are_never_shown_nor_reached_by_their_cursor(api: Any) -> None:
    other = api.partners.add("other")
    theirs = fill(api, 20, organization=other)
    mine = fill(api, 5)
    token = api.partners.keys[other].token
    cursor = api.get("/matches?limit=2", token=token).json()["next_cursor"]
    assert told(api, "/matches") == mine
    assert set(told(api, f"/matches?since={cursor}")) <= set(mine)
    assert [row["match_id"] for row in api.get("/matches", token=token).json()["data"]] == theirs


def test_a_page_is_read_through_its_index(api: Any) -> None:
    """What is skipped before a page costs nothing, with and without a status."""
    statements: list[tuple[str, Any]] = []
    fill(api, 300, ties=30)
    with api.database.write() as session:
        session.connection().exec_driver_sql("ANALYZE")
    event.listen(
        api.database.engine,
        "before_cursor_execute",
        lambda _c, _cur, sql, parameters, _ctx, _m: statements.append((sql, parameters)),
    )
    cursor = api.get("/matches?limit=20").json()["next_cursor"]
    failed = api.get("/matches?limit=5&status=failed").json()["next_cursor"]
    statements.clear()
    api.get("/matches", params={"since": cursor})
    api.get("/matches", params={"since": failed})
    pages = [(sql, parameters) for sql, parameters in statements if "ORDER BY" in sql]
    assert len(pages) == 2
    for (sql, parameters), index in zip(pages, ("ix_matches_feed", "ix_deliveries_feed"), strict=True):
        plan = _plan(api, sql, parameters)
        assert index in plan, plan
        if api.database.is_sqlite:
            assert "TEMP B-TREE" not in plan, plan
            assert "<(" in plan.replace(" ", ""), plan
        else:
            assert "Sort" not in plan, plan


def _plan(api: Any, sql: str, parameters: Any) -> str:
    with api.database.engine.connect() as connection:
        if api.database.is_sqlite:
            return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters))
        # A few hundred rows are read faster without any index; what counts is what it does with many.
        connection.exec_driver_sql("SET enable_seqscan = off")
        connection.exec_driver_sql("SET enable_bitmapscan = off")
        connection.exec_driver_sql("SET enable_sort = off")
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}", parameters))


def test_a_page_takes_as_many_statements_however_long_it_and_the_history_are(api: Any) -> None:
    statements: list[str] = []
    event.listen(
        api.database.engine, "before_cursor_execute", lambda _c, _cur, sql, _parameters, _ctx, _m: statements.append(sql)
    )
    other = api.partners.add("other")
    fill(api, 20, organization=other)
    fill(api, 2_000, ties=50)
    taken = []
    for token, limit in ((api.partners.keys[other].token, 10), ("own", 200)):
        api.get("/matches", token=token)  # the key is known from here on
        statements.clear()
        assert len(api.get(f"/matches?limit={limit}", token=token).json()["data"]) == limit
        taken.append(len(statements))
    assert taken[0] == taken[1] > 0


def test_instants_are_utc(api: Any, now: datetime) -> None:
    fill(api, 1)
    assert api.get("/matches").json()["data"][0]["created_at"] == "2026-05-12T01:54:00.000000Z"
    assert api.now == now


@pytest.mark.parametrize(
    "filters",
    [{}, {"status": None}, {"status": ["sent"], "since": None, "before": None}, {"status": [], "since": 5, "before": None}],
)
def test_a_fs_10_a_cursor_with_filters_that_we_never_give_out_is_refused(api: Any, code: Any, filters: dict[str, Any]) -> None:
    """Its check sum is no secret: a caller can make one."""
    forged = cursor_text("matches", Cursor(api.now, "m1", filters))
    assert code(api.get("/matches", params={"since": forged})) == (400, "invalid_param")
