"""A CRM row deleted between the moment its match was found and the moment it is recorded: nobody is told of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from pipeline.crm.rows import AccountRow, ContactRow
from pipeline.crm.upsert import delete_in, upsert_accounts, upsert_contacts
from pipeline.matching.model import FoundMatch, MatchType
from pipeline.store.tables.crm import CrmDeletion
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match
from pipeline.webhooks.deletions import delete_row
from pipeline.webhooks.feed import feed_page
from pipeline.webhooks.outbox import record_matches


def of(partners: Any, organization: str, *rows: tuple[MatchType, str | None, str | None]) -> FoundMatch:
    """A match by these rows, the first the best."""
    every = [
        {
            "match_type": str(match_type), "account_external_id": account, "contact_external_id": contact,
            "score": 1.0 - place / 10, "rule": f"rule {place}", "crm_value": f"crm {place}", "round_value": f"round {place}",
        }
        for place, (match_type, account, contact) in enumerate(rows)
    ]  # fmt: skip
    first = every[0] | {"match_type": rows[0][0]}
    return partners.found(organization, partners.round("r1"), **first, all_matches=every)


def told(partners: Any, organization: str) -> list[tuple[str, str | None, str | None, int]]:
    items = feed_page(partners.database, organization, 10).items
    return [(item.match_type, item.account_external_id, item.contact_external_id, len(item.all_matches)) for item in items]


def test_fsv_6_what_was_told_of_a_deleted_row_is_kept_no_longer(partners: Any) -> None:
    organization = partners.add("acme", "https://acme.example/hook")
    upsert_accounts(partners.database, organization, [AccountRow("a1", "One"), AccountRow("a2", "Two")], partners.now)
    for round_id, account in (("r1", "a1"), ("r2", "a2")):
        match = partners.found(organization, partners.round(round_id), account_external_id=account)
        record_matches(partners.database, [match], partners.now)
    with partners.database.write() as session:
        session.execute(update(Delivery).values(status="delivered", body='{"matched":{"account_metadata":{"note":"x"}}}'))
    assert delete_row(partners.database, "account", organization, "a1", partners.now)
    kept = {(delivery.status, delivery.body is None) for delivery in partners.deliveries()}
    assert kept == {("delivered", True), ("delivered", False)}


def test_a_match_whose_only_row_is_gone_is_not_recorded(partners: Any) -> None:
    organization = partners.add("acme", "https://acme.example/hook")
    upsert_accounts(partners.database, organization, [AccountRow("a1", "One")], partners.now)
    found = of(partners, organization, (MatchType.ACCOUNT_DOMAIN, "a1", None))
    assert delete_row(partners.database, "account", organization, "a1", partners.now)
    record_matches(partners.database, [found], partners.now)
    assert told(partners, organization) == []
    assert partners.deliveries() == []
    # Pushed anew and found anew, it is told.
    upsert_accounts(partners.database, organization, [AccountRow("a1", "One")], partners.now)
    record_matches(partners.database, [found], partners.now)
    assert told(partners, organization) == [("account_domain", "a1", None, 1)]


def test_the_next_best_row_takes_the_place_of_one_that_is_gone(partners: Any) -> None:
    organization = partners.add("acme")
    upsert_accounts(partners.database, organization, [AccountRow("a1", "One"), AccountRow("a3", "Three")], partners.now)
    upsert_contacts(partners.database, organization, [ContactRow("c2", "x@robotics.example")], partners.now)
    found = of(
        partners,
        organization,
        (MatchType.ACCOUNT_DOMAIN, "a1", None),
        (MatchType.EMAIL_DOMAIN, None, "c2"),
        (MatchType.ACCOUNT_NAME, "a3", "c2"),
    )
    delete_row(partners.database, "account", organization, "a1", partners.now)
    delete_row(partners.database, "contact", organization, "c2", partners.now)
    record_matches(partners.database, [found], partners.now)
    # A contact that stands beside an account's own match is not what made it.
    assert told(partners, organization) == [("account_name", "a3", "c2", 1)]
    with partners.database.read() as session:
        row = session.scalars(select(Match)).one()
    assert (row.score, row.explanation["rule"], row.explanation["crm_value"]) == (0.8, "rule 2", "crm 2")


def test_another_organization_s_row_of_the_same_id_is_its_own(partners: Any) -> None:
    organization, other = partners.add("acme"), partners.add("other")
    for owner in (organization, other):
        upsert_accounts(partners.database, owner, [AccountRow("a1", "One")], partners.now)
    delete_row(partners.database, "account", other, "a1", partners.now)
    record_matches(partners.database, [of(partners, organization, (MatchType.ACCOUNT_DOMAIN, "a1", None))], partners.now)
    assert told(partners, organization) == [("account_domain", "a1", None, 1)]


def test_what_is_recorded_stays_known_though_its_row_is_gone(partners: Any) -> None:
    """A step that was killed after recording and runs again gets the same answer."""
    organization = partners.add("acme")
    upsert_accounts(partners.database, organization, [AccountRow("a1", "One")], partners.now)
    found = of(partners, organization, (MatchType.ACCOUNT_DOMAIN, "a1", None))
    first = record_matches(partners.database, [found], partners.now)
    delete_row(partners.database, "account", organization, "a1", partners.now)
    again = record_matches(partners.database, [found], partners.now)
    assert (first.new, again.new, again.known) == (1, 0, 1)
    assert told(partners, organization) == []


def test_a_deletion_under_way_and_a_recording_wait_for_each_other(partners: Any) -> None:
    """Whichever comes first, the match is not shown without its row."""
    organization = partners.add("acme")
    upsert_accounts(partners.database, organization, [AccountRow("a1", "One")], partners.now)
    found = of(partners, organization, (MatchType.ACCOUNT_DOMAIN, "a1", None))
    recording = threading.Thread(target=record_matches, args=(partners.database, [found], partners.now))
    with partners.database.write() as session:
        assert delete_in(partners.database, session, "account", organization, "a1", partners.now)
        recording.start()
        recording.join(0.3)
        assert recording.is_alive()
    recording.join(10)
    assert told(partners, organization) == []


def test_deletions_are_forgotten_when_nothing_found_before_can_be_recorded_any_more(partners: Any) -> None:
    organization = partners.add("acme")
    for number in range(3):
        upsert_accounts(partners.database, organization, [AccountRow(f"a{number}", "One")], partners.now)
        at = partners.now + timedelta(days=20 * number)
        delete_row(partners.database, "account", organization, f"a{number}", at)
    with partners.database.read() as session:
        assert session.scalar(select(func.count()).select_from(CrmDeletion)) == 2
