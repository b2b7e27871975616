"""CRM rows into the app database: upserts, deletions, files. On real SQLite and PostgreSQL."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from pipeline.crm.files import UnreadableFile
from pipeline.crm.imports import import_file
from pipeline.crm.rows import AccountRow, ContactRow
from pipeline.crm.upsert import UpsertReport, delete_account, delete_contact, upsert_accounts, upsert_contacts
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import Account, Contact, CrmChangeBatch, CrmImport, CrmReject
from pipeline.store.tables.organizations import Organization

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def database(app_database: AppDatabase) -> AppDatabase:
    with app_database.write() as session:
        for slug in ("north", "south"):
            session.add(Organization(id=slug, slug=slug, name=slug.title(), plan="pro", created_at=NOW))
    return app_database


def accounts(database: AppDatabase) -> list[Account]:
    with database.read() as session:
        return list(session.scalars(select(Account).order_by(Account.organization_id, Account.external_id)))


def queued(database: AppDatabase) -> list[tuple[str, str, str]]:
    with database.read() as session:
        return [
            (batch.organization_id, batch.kind, external_id)
            for batch in session.scalars(select(CrmChangeBatch).order_by(CrmChangeBatch.id))
            for external_id in json.loads(batch.external_ids_json)
        ]


def test_same_external_id_updates_in_place(database: AppDatabase) -> None:
    """FS-13"""
    upsert_accounts(database, "north", [AccountRow("a1", "One", "one.example.com", '{"tier":1}')], NOW)
    upsert_accounts(database, "north", [AccountRow("a1", "One more")], LATER)
    (row,) = accounts(database)
    assert (row.name, row.domain, row.metadata_json, row.created_at, row.updated_at) == ("One more", None, None, NOW, LATER)


def test_a_repeated_snapshot_writes_and_queues_nothing(database: AppDatabase) -> None:
    """FS-21"""
    rows = [AccountRow(f"a{n}", f"Name {n}") for n in range(2_500)]
    assert upsert_accounts(database, "north", rows, NOW) == UpsertReport(2_500, 0)
    assert len(queued(database)) == 2_500
    assert upsert_accounts(database, "north", rows, LATER) == UpsertReport(2_500, 2_500)
    assert len(queued(database)) == 2_500
    assert {row.updated_at for row in accounts(database)} == {NOW}


def test_later_row_of_a_batch_wins_and_both_are_counted(database: AppDatabase) -> None:
    """A-FS-15"""
    report = upsert_accounts(database, "north", [AccountRow("a1", "First"), AccountRow("a1", "Second")], NOW)
    assert report.upserted == 2
    assert [row.name for row in accounts(database)] == ["Second"]
    assert queued(database) == [("north", "account", "a1")]


def test_organizations_do_not_share_rows(database: AppDatabase) -> None:
    upsert_accounts(database, "north", [AccountRow("a1", "Theirs")], NOW)
    upsert_accounts(database, "south", [AccountRow("a1", "Ours")], NOW)
    assert delete_account(database, "north", "a1", NOW)
    assert [(row.organization_id, row.name) for row in accounts(database)] == [("south", "Ours")]


def test_deletion_is_immediate_queued_and_false_for_an_unknown_row(database: AppDatabase) -> None:
    """FSV-4, FSV-6"""
    upsert_contacts(database, "north", [ContactRow("c1", "jo@brightloom.ai", "Jo", "Vogt", "a1")], NOW)
    assert delete_contact(database, "north", "c1", LATER)
    assert not delete_contact(database, "north", "c1", LATER)
    assert not delete_account(database, "north", "c1", LATER)
    assert queued(database) == [("north", "contact", "c1"), ("north", "contact", "c1")]
    with database.read() as session:
        assert session.scalars(select(Contact)).all() == []


def test_metadata_comes_back_to_the_byte(database: AppDatabase) -> None:
    """A-FS-3, FS-15, FS-16, FS-17"""
    text = '{ "z": 1.10, "a": 12345678901234567890123, "a": "Ä\\u00e9", "partner_customer_id": "jo@x.example" }'
    upsert_accounts(database, "north", [AccountRow("a1", "One", None, text)], NOW)
    assert accounts(database)[0].metadata_json == text


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_import_takes_good_rows_and_records_bad_ones_with_line_and_reason(database: AppDatabase, tmp_path: Path) -> None:
    path = write(
        tmp_path / "ours.csv",
        'external_id,name,domain,metadata\na1,"Bright\nloom, Inc.",brightloom.ai,"{""tier"": 1}"\n'
        ",Nameless id,,\na3,Three,,[1]\na4,Four,,\n",
    )
    report = import_file(database, "north", path, NOW)
    assert (report.kind, report.layout, report.rows, report.upserted, report.rejected) == ("account", "fundingscout", 4, 2, 2)
    assert [(r.line, r.reason) for r in report.rejects] == [
        (4, "external_id is required and must be a non-empty string"),
        (5, "metadata must be a JSON object"),
    ]
    assert [(row.external_id, row.name, row.metadata_json) for row in accounts(database)] == [
        ("a1", "Bright\nloom, Inc.", '{"tier": 1}'),
        ("a4", "Four", None),
    ]
    with database.read() as session:
        recorded = session.scalars(select(CrmImport)).one()
        assert (recorded.id, recorded.rejected, recorded.file_name) == (report.import_id, 2, "ours.csv")
        reject = session.scalars(select(CrmReject).order_by(CrmReject.line)).first()
        assert reject is not None
        assert json.loads(reject.row_json) == ["", "Nameless id", "", ""]


def test_import_again_changes_nothing_and_absent_rows_stay(database: AppDatabase, tmp_path: Path) -> None:
    """FS-21, A-FS-18"""
    path = write(tmp_path / "a.csv", "external_id,name\na1,One\na2,Two\n")
    import_file(database, "north", path, NOW)
    assert import_file(database, "north", path, LATER).unchanged == 2
    import_file(database, "north", write(path, "external_id,name\na2,Two\n"), LATER)
    assert [row.external_id for row in accounts(database)] == ["a1", "a2"]


HUBSPOT = "Record ID;Company name;Company Domain Name;Industry\n123;Brightloom;brightloom.ai;Software\n"
SALESFORCE = '"Contact ID","First Name","Last Name","Email","Account ID"\n"003A","Jo","Vogt","jo@brightloom.ai","001A"\n'
AFFINITY = "Organization Id\tOrganization Name\tOrganization Website\n77\tBrightloom\thttps://brightloom.ai\n"


@pytest.mark.parametrize(
    ("text", "encoding", "layout", "kind", "stored"),
    [
        (HUBSPOT, "utf-8-sig", "hubspot", "account", ("123", "Brightloom", "brightloom.ai", '{"Industry":"Software"}')),
        (SALESFORCE, "utf-16", "salesforce", "contact", ("003A", "jo@brightloom.ai", "001A", None)),
        (AFFINITY, "cp1252", "affinity", "account", ("77", "Brightloom", "https://brightloom.ai", None)),
    ],
)
def test_exports_are_recognised_by_their_headers(
    database: AppDatabase, tmp_path: Path, text: str, encoding: str, layout: str, kind: str, stored: tuple[Any, ...]
) -> None:
    report = import_file(database, "north", write(tmp_path / "export.csv", text, encoding), NOW)
    assert (report.layout, report.kind, report.upserted) == (layout, kind, 1)
    with database.read() as session:
        if kind == "account":
            a = session.scalars(select(Account)).one()
            assert (a.external_id, a.name, a.domain, a.metadata_json) == stored
        else:
            c = session.scalars(select(Contact)).one()
            assert (c.external_id, c.email, c.account_external_id, c.metadata_json) == stored


def test_unknown_columns_are_listed_with_the_way_out(database: AppDatabase, tmp_path: Path) -> None:
    path = write(tmp_path / "odd.csv", "Ref,Firm,Site\n1,Brightloom,brightloom.ai\n")
    with pytest.raises(UnreadableFile, match=r"'Ref', 'Firm', 'Site'.*--map external_id="):
        import_file(database, "north", path, NOW)
    report = import_file(database, "north", path, NOW, mapping={"external_id": "Ref", "name": "Firm", "domain": "Site"})
    assert (report.layout, report.kind, report.upserted) == ("given", "account", 1)


def test_columns_beyond_the_mapping_become_metadata_when_asked(database: AppDatabase, tmp_path: Path) -> None:
    path = write(tmp_path / "odd.csv", "Ref,Firm,Owner\n1,Brightloom,jo@partner.example\n")
    import_file(database, "north", path, NOW, mapping={"external_id": "Ref", "name": "Firm"}, keep_rest=True)
    assert accounts(database)[0].metadata_json == '{"Owner":"jo@partner.example"}'


def test_json_lines_keep_the_text_of_metadata(database: AppDatabase, tmp_path: Path) -> None:
    """A-FS-3"""
    line = '{"external_id": "a1", "metadata": {"n": 1.0e2,  "n": 2, "big": 98765432109876543210}, "name": "One"}'
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(f'{line}\n\nnot json\n["list"]\n{{"external_id": 5, "name": "Five"}}\n'.encode()))
    report = import_file(database, "north", path, NOW)
    assert [(row.external_id, row.metadata_json) for row in accounts(database)] == [
        ("5", None),
        ("a1", '{"n": 1.0e2,  "n": 2, "big": 98765432109876543210}'),
    ]
    assert [reject.line for reject in report.rejects] == [3, 4]


def test_parquet_is_read_with_numbers_as_ids(database: AppDatabase, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table({"external_id": [11, 12], "name": ["One", None], "metadata": [{"tier": 1}, None]})
    pq.write_table(table, path)
    report = import_file(database, "north", path, NOW)
    assert [(row.external_id, row.metadata_json) for row in accounts(database)] == [("11", '{"tier":1}')]
    assert [(reject.line, reject.reason) for reject in report.rejects] == [
        (2, "name is required and must be a non-empty string")
    ]


@pytest.mark.parametrize(
    ("name", "data"), [("x.csv", b""), ("x.xlsx", b"PK"), ("x.parquet", b"PAR1"), ("x.csv.gz", b"\x1f\x8bxx")]
)
def test_a_file_that_is_none_says_so(database: AppDatabase, tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match=name):
        import_file(database, "north", path, NOW)
