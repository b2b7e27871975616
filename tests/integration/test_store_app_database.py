"""The app database on both backends."""

from __future__ import annotations

from sqlalchemy import text

from pipeline.store.app_database import AppDatabase


def test_fixture_gives_a_migrated_database(app_database: AppDatabase) -> None:
    version, head = app_database.schema_version()
    assert version == head == "0001"
    with app_database.read() as session:
        assert session.execute(text("SELECT count(*) FROM organizations")).scalar_one() == 0
