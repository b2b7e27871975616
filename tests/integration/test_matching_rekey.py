"""Keys of rows that did not change follow the rules and lists of today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.matching import name_index, rekey
from pipeline.matching.domains import use_suffix_list
from pipeline.store.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Rows under the keys that an older version gave them."""
    made = Warehouse(tmp_path / "warehouse.duckdb")
    with made.open() as connection:
        for table in ("core.crm_accounts", "core.crm_account_history"):
            connection.execute(f"""INSERT INTO {table} (organization_id, external_id, name, domain, name_key, domain_key) VALUES
                ('o', 'a1', 'Brightloom GmbH', 'https://brightloom.zendesk.com', 'brightloom', 'zendesk.com'),
                ('o', 'a2', 'Brightloom GmbH', 'brightloom.de', 'brightloom gmbh', 'brightloom.de'),
                ('o', 'a3', 'Harbour', NULL, 'harbour', NULL)""").fetchall()
        for table in ("core.crm_contacts", "core.crm_contact_history"):
            connection.execute(f"""INSERT INTO {table} (organization_id, external_id, email, email_domain_key) VALUES
                ('o', 'c1', 'jo@gmx.tm', 'gmx.tm'), ('o', 'c2', 'jo@brightloom.de', NULL)""").fetchall()
    return made


def rows(warehouse: Warehouse, query: str) -> list[Any]:
    with warehouse.open() as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("suffix", ["s", "_history"])
def test_keys_of_another_version_are_computed_again(warehouse: Warehouse, suffix: str) -> None:
    assert rekey.bring_up_to_date(warehouse) == 4
    assert rows(warehouse, f"SELECT name_key, domain_key FROM core.crm_account{suffix} ORDER BY external_id") == [
        ("brightloom", "brightloom.zendesk.com"), ("brightloom", "brightloom.de"), ("harbour", None),
    ]  # fmt: skip
    assert rows(warehouse, f"SELECT email_domain_key FROM core.crm_contact{suffix} ORDER BY external_id") == [
        (None,), ("brightloom.de",),
    ]  # fmt: skip


def test_the_index_over_names_is_built_anew_from_the_new_keys(warehouse: Warehouse) -> None:
    """Names enter it by the order of changes, which rows that are keyed again are not in."""
    with warehouse.open() as connection:
        connection.execute("UPDATE core.crm_accounts SET change_seq = 1")
        name_index.refresh(connection)
    rekey.bring_up_to_date(warehouse)
    with warehouse.open() as connection:
        index = name_index.refresh(connection)
        names = connection.execute(f"SELECT name_key FROM {index.names} ORDER BY ALL").fetchall()
    assert names == [("brightloom",), ("harbour",)]


def test_once_is_enough(warehouse: Warehouse) -> None:
    rekey.bring_up_to_date(warehouse)
    with warehouse.open() as connection:
        connection.execute("UPDATE core.crm_accounts SET domain_key = 'left.alone'").fetchall()
    assert rekey.bring_up_to_date(warehouse) == 0
    assert rows(warehouse, "SELECT DISTINCT domain_key FROM core.crm_accounts") == [("left.alone",)]


# The reader of the suffix list leaves its file to be closed by the collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_another_suffix_list_is_another_version(warehouse: Warehouse, tmp_path: Path) -> None:
    rekey.bring_up_to_date(warehouse)
    file = tmp_path / "list.dat"
    file.write_text("// ===BEGIN ICANN DOMAINS===\ncom\nbrightloom.de\n// ===END ICANN DOMAINS===\n")
    use_suffix_list(file)
    try:
        assert rekey.bring_up_to_date(warehouse) > 0
        assert rows(warehouse, "SELECT domain_key FROM core.crm_accounts WHERE external_id = 'a2'") == [(None,)]
    finally:
        use_suffix_list(None)
    assert rekey.bring_up_to_date(warehouse) > 0
