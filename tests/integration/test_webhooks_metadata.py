"""Metadata of the rows that matches name is found through the key, however many rows there are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, select

from pipeline.store.tables.matches import Match
from pipeline.webhooks.events import metadata_of
from pipeline.webhooks.outbox import record_matches


def test_metadata_of_matches_is_found_by_organization_and_id_without_reading_the_table(partners: Any) -> None:
    for slug, external_ids in (("acme", ["a1", "a2"]), ("other", ["a1"])):
        organization = partners.add(slug)
        for external_id in external_ids:
            partners.account(organization, external_id, f'{{"of": "{slug} {external_id}"}}')
            found = partners.found(organization, partners.round(f"{slug}-{external_id}"), account_external_id=external_id)
            record_matches(partners.database, [found], partners.now)
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if "JOIN accounts" in statement:
            asked.append((statement, parameters))

    event.listen(partners.database.engine, "before_cursor_execute", note)
    with partners.database.read() as session:
        metadata = metadata_of(session, list(session.scalars(select(Match))))
        told = sorted(one for of in metadata.values() for one in of.accounts.values())
        assert told == ['{"of": "acme a1"}', '{"of": "acme a2"}', '{"of": "other a1"}']
        assert len(asked) == 1
        if partners.database.is_sqlite:
            connection = session.connection()
            for statement, parameters in list(asked):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                assert not [row for row in plan if "SCAN accounts" in row[3]]
