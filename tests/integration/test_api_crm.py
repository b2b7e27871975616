"""POST and DELETE of accounts and contacts (FS-8 to FS-24, FSV-3 to FSV-6, A-FS-1, A-FS-3, A-FS-15, A-FS-18)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.store.tables.crm import Account, Contact, CrmChangeBatch
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match
from pipeline.webhooks.outbox import record_matches

NO_EXTERNAL_ID = "external_id is required and must be a non-empty string"


def accounts(api: Any) -> dict[str, Account]:
    with api.database.read() as session:
        return {row.external_id: row for row in session.scalars(select(Account))}


def changes(api: Any) -> int:
    with api.database.read() as session:
        return int(session.scalar(select(func.sum(CrmChangeBatch.rows))) or 0)


def test_fs_8_fs_9_fs_10_fs_14_fs_17_the_quickstart_s_batch_is_stored(api: Any) -> None:
    """Rows of several end-customers in one batch, each with a tag of another form."""
    rows = [
        {"external_id": "vc1-a", "name": "Harbor", "domain": "harbor.example", "metadata": {"partner_customer_id": "vc_1"}},
        {"external_id": "vc1-b", "name": "Lantern", "domain": None, "metadata": {"partner_customer_id": 17}},
        {
            "external_id": "vc2-a",
            "name": "Quarry",
            "metadata": {"partner_customer_id": "a@b.example", "tier": ["x", {"y": None}]},
        },
    ]
    answer = api.post("/accounts", {"accounts": rows})
    assert answer.status_code == 200
    assert answer.json() == {"upserted": 3, "errors": []}
    stored = accounts(api)
    assert [(row.name, row.domain) for _, row in sorted(stored.items())] == [
        ("Harbor", "harbor.example"),
        ("Lantern", None),
        ("Quarry", None),
    ]
    assert json.loads(stored["vc2-a"].metadata_json or "") == rows[2]["metadata"]
    assert changes(api) == 3


def test_fsv_4_an_empty_batch_is_no_error(api: Any) -> None:
    assert api.post("/accounts", {"accounts": []}).json() == {"upserted": 0, "errors": []}


def test_fs_11_fs_12_a_thousand_rows_are_taken_and_one_more_refuses_all(api: Any, code: Any) -> None:
    rows = [{"external_id": str(number), "name": f"Company {number}"} for number in range(1_001)]
    assert code(api.post("/accounts", {"accounts": rows})) == (400, "batch_too_large")
    assert accounts(api) == {}
    assert api.post("/accounts", {"accounts": rows[:1_000]}).json() == {"upserted": 1_000, "errors": []}
    assert len(accounts(api)) == 1_000


def test_fs_13_fs_21_the_same_id_updates_and_an_unchanged_row_costs_nothing_downstream(api: Any) -> None:
    batch = {"accounts": [{"external_id": "a", "name": "Old", "domain": "old.example"}, {"external_id": "b", "name": "B"}]}
    api.post("/accounts", batch)
    before = accounts(api)["a"]
    api.now += timedelta(days=1)
    assert api.post("/accounts", batch).json() == {"upserted": 2, "errors": []}
    assert accounts(api)["a"].updated_at == before.updated_at
    assert changes(api) == 2
    batch["accounts"][0]["name"] = "New"
    api.post("/accounts", batch)
    after = accounts(api)
    assert (len(after), after["a"].name, after["a"].created_at, after["a"].updated_at) == (2, "New", before.created_at, api.now)
    assert changes(api) == 3


def test_a_fs_18_rows_left_out_of_a_push_stay(api: Any) -> None:
    api.post("/accounts", {"accounts": [{"external_id": "a", "name": "A"}]})
    api.post("/accounts", {"accounts": [{"external_id": "b", "name": "B"}]})
    assert sorted(accounts(api)) == ["a", "b"]


def test_a_row_is_a_full_snapshot_what_is_left_out_is_cleared(api: Any) -> None:
    api.post("/accounts", {"accounts": [{"external_id": "a", "name": "A", "domain": "a.example", "metadata": {"x": 1}}]})
    api.post("/accounts", {"accounts": [{"external_id": "a", "name": "A"}]})
    row = accounts(api)["a"]
    assert (row.domain, row.metadata_json) == (None, None)


METADATA = [
    '{"b":1,"a":2}',
    '{ "spaced" :\t[ 1 , 2 ] }',
    '{"big":123456789012345678901234567890,"decimal":1.10,"exponent":1E400,"minus_zero":-0.0}',
    '{"a":1,"a":2}',
    '{"text":"Zürich 東京 💶","escaped":"\\u00e9\\/\\ud83d\\ude00","lone":"\\ud800","nul":"\\u0000"}',
    "{}",
    '{"deep":' + "[" * 300 + "]" * 300 + "}",
    '{"digits":' + "9" * 5_000 + "}",
]


def test_fs_15_fs_16_a_fs_3_metadata_is_kept_as_the_exact_text(api: Any) -> None:
    rows = ",".join(f'{{"metadata":{text},"external_id":"{number}","name":"n"}}' for number, text in enumerate(METADATA))
    answer = api.post("/accounts", f'{{"accounts":[{rows}]}}'.encode())
    assert answer.json() == {"upserted": len(METADATA), "errors": []}
    stored = accounts(api)
    assert [stored[str(number)].metadata_json for number in range(len(METADATA))] == METADATA


def test_fs_20_fsv_3_bad_rows_are_told_by_place_and_the_others_are_stored(api: Any) -> None:
    rows = [
        {"name": "no id"},
        {"external_id": "good", "name": "Good"},
        {"external_id": "", "name": "n"},
        {"external_id": 5, "name": "n"},
        {"external_id": "x"},
        {"external_id": "x", "name": "n", "metadata": "text"},
        {"external_id": "x", "name": "n", "metadata": [1]},
        {"external_id": "x", "name": "n", "domain": 7},
        {"external_id": "x" * 256, "name": "n"},
        "row",
        {"external_id": "\x00", "name": "n"},
        {},
    ]
    answer = api.post("/accounts", {"accounts": rows})
    assert answer.status_code == 200
    assert answer.json() == {
        "upserted": 1,
        "errors": [
            {"index": 0, "error": NO_EXTERNAL_ID},
            {"index": 2, "error": NO_EXTERNAL_ID},
            {"index": 3, "error": NO_EXTERNAL_ID},
            {"index": 4, "error": "name is required and must be a non-empty string"},
            {"index": 5, "error": "metadata must be a JSON object"},
            {"index": 6, "error": "metadata must be a JSON object"},
            {"index": 7, "error": "domain must be a string or null"},
            {"index": 8, "error": "external_id must have at most 255 characters (it has 256)"},
            {"index": 9, "error": "row must be a JSON object"},
            {"index": 10, "error": "external_id must not contain the NUL character"},
            {"index": 11, "error": f"{NO_EXTERNAL_ID}; name is required and must be a non-empty string"},
        ],
    }
    assert list(accounts(api)) == ["good"]


def test_fsv_3_when_every_row_is_bad_it_is_a_400_that_lists_them(api: Any) -> None:
    answer = api.post("/accounts", {"accounts": [{"name": "n"}, {"name": "m"}]})
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"]["code"] == "invalid_body"
    assert (body["upserted"], body["errors"]) == (0, [{"index": n, "error": NO_EXTERNAL_ID} for n in (0, 1)])


def test_a_fs_15_the_later_of_two_rows_of_one_id_wins(api: Any) -> None:
    rows = [{"external_id": "a", "name": "First"}, {"external_id": "a"}, {"external_id": "a", "name": "Last"}]
    answer = api.post("/accounts", {"accounts": rows}).json()
    assert (answer["upserted"], [error["index"] for error in answer["errors"]]) == (2, [1])
    assert accounts(api)["a"].name == "Last"


def test_fs_22_fs_23_fs_24_a_fs_1_contacts_are_pushed_the_same_way(api: Any) -> None:
    body = (
        '{"contacts":[{"external_id":"c1","email":"Ann@Harbor.example","first_name":"Ann","last_name":"Ng",'
        '"account_external_id":"nowhere","metadata":{"z":1.0,"a":[]}},{"external_id":"c2"},{"email":"x@y.example"}]}'
    )
    answer = api.post("/contacts", body)
    assert answer.json() == {"upserted": 2, "errors": [{"index": 2, "error": NO_EXTERNAL_ID}]}
    with api.database.read() as session:
        row = session.get_one(Contact, (api.organization, "c1"))
    assert (row.email, row.first_name, row.last_name) == ("Ann@Harbor.example", "Ann", "Ng")
    assert (row.account_external_id, row.metadata_json) == ("nowhere", '{"z":1.0,"a":[]}')


def test_fs_24_contacts_want_their_own_array(api: Any, code: Any) -> None:
    assert code(api.post("/contacts", {"accounts": []})) == (400, "invalid_body")
    assert code(api.post("/accounts", {"contacts": []})) == (400, "invalid_body")


@pytest.mark.parametrize("kind", ["accounts", "contacts"])
def test_fsv_4_fsv_6_deleting_a_row_is_immediate_and_says_how_many(api: Any, code: Any, kind: str) -> None:
    external_id = "a b/ü+&%"
    api.post(f"/{kind}", {kind: [{"external_id": external_id, "name": "A"}, {"external_id": "kept", "name": "K"}]})
    assert code(api.delete(f"/{kind}")) == (400, "missing_param")
    assert code(api.delete(f"/{kind}?external_id=")) == (400, "missing_param")
    assert api.delete(f"/{kind}", params={"external_id": external_id}).json() == {"deleted": 1}
    assert api.delete(f"/{kind}", params={"external_id": external_id}).json() == {"deleted": 0}
    with api.database.read() as session:
        model = Account if kind == "accounts" else Contact
        assert list(session.scalars(select(model.external_id))) == ["kept"]
    assert changes(api) == 3


def test_deleting_an_account_takes_its_matches_off_the_feed_and_never_tells_again(api: Any) -> None:
    """Vendor facts 3, and FS-61: the ledger keeps what the feed no longer shows."""
    api.post("/webhooks", {"url": "https://acme.example/hook"})
    api.post("/accounts", {"accounts": [{"external_id": name, "name": name} for name in ("a1", "a2")]})
    found = [
        api.partners.found(api.organization, api.partners.round("r1")),
        api.partners.found(api.organization, api.partners.round("r2"), account_external_id="a2"),
        api.partners.found(
            api.organization,
            api.partners.round("r3"),
            match_type="email_domain",
            account_external_id="a1",
            contact_external_id="c1",
        ),
    ]
    assert record_matches(api.database, found, api.now).new == 3
    assert api.delete("/accounts?external_id=a1").json() == {"deleted": 1}
    shown = api.get("/matches").json()["data"]
    assert [row["matched"]["account_external_id"] for row in shown] == ["a2"]
    with api.database.read() as session:
        states = {row.match_id: (row.status, row.reason) for row in session.scalars(select(Delivery))}
        hidden = {row.id for row in session.scalars(select(Match)) if row.hidden_at}
    assert len(hidden) == 2
    assert {states[match_id] for match_id in hidden} == {("failed", "row_deleted")}
    api.post("/accounts", {"accounts": [{"external_id": "a1", "name": "a1"}]})
    again = record_matches(api.database, found, api.now + timedelta(hours=1))
    assert (again.new, again.known) == (0, 3)
    assert len(api.get("/matches").json()["data"]) == 1
    assert api.get("/matches?status=failed").json()["data"] == []


def test_deleting_a_contact_takes_off_what_its_address_matched(api: Any) -> None:
    api.post("/contacts", {"contacts": [{"external_id": "c1"}]})
    found = [
        api.partners.found(api.organization, api.partners.round("r1"), match_type="email_domain", contact_external_id="c1"),
        api.partners.found(api.organization, api.partners.round("r2"), contact_external_id="c1"),
    ]
    record_matches(api.database, found, api.now)
    api.delete("/contacts?external_id=c1")
    assert [row["match_type"] for row in api.get("/matches").json()["data"]] == ["account_domain"]


def test_deleting_a_row_of_another_organization_changes_nothing(api: Any) -> None:
    api.post("/accounts", {"accounts": [{"external_id": "a1", "name": "A"}]})
    record_matches(api.database, [api.partners.found(api.organization, api.partners.round("r1"))], api.now)
    stranger = api.partners.keys[api.partners.add("stranger")].token
    assert api.delete("/accounts?external_id=a1", token=stranger).json() == {"deleted": 0}
    assert len(api.get("/matches").json()["data"]) == 1
