"""An app database put back from a backup: nobody is told twice of what was told after the backup was made."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from pipeline.documents.landing import Landing
from pipeline.matching import steps
from pipeline.recovery.restored import LedgerForgot, bring_together, held_since_restore, require_memory
from pipeline.store.restored import maybe_told_until
from pipeline.store.tables import documents as tables
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.matches import Match, Round
from pipeline.store.warehouse import Warehouse, set_progress
from pipeline.webhooks import outbox
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import claim, finish
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.mirror import mirror

URL = "https://hooks.example.com/a"


class House:
    """Two stores and a landing, with one partner; news is told step by step as the pipeline does it."""

    def __init__(self, partners: Any, folder: Path) -> None:
        self.partners, self.database, self.now = partners, partners.database, partners.now
        self.warehouse = Warehouse(folder / "warehouse.duckdb")
        self.landing = Landing(folder / "landing")
        self.organization = partners.add("acme", URL)

    def match(self, round_id: str, *, is_in_warehouse: bool = True, **more: Any) -> None:
        """A round of today that is published and matched; the warehouse has both, unless the machine fails in between."""
        found = self.partners.found(self.organization, self.partners.round(round_id))
        report = outbox.record_matches(self.database, [found], self.now, **more)
        if not is_in_warehouse:
            return
        naive = self.now.replace(tzinfo=None)
        with self.warehouse.write() as connection:
            connection.execute(
                "INSERT INTO core.funding_rounds BY NAME SELECT ? AS round_id, coalesce(max(round_seq), 0) + 1 AS round_seq, "
                "? AS company_name, ? AS company_key, 'active' AS status, true AS tells, ? AS published_date, ? AS first_seen_at, "
                "? AS updated_at, 0.9 AS confidence_score FROM core.funding_rounds",
                [round_id, f"{round_id} Robotics", f"{round_id} robotics", naive.date(), naive, naive],
            )
            set_progress(connection, "publish_rounds", 1_000)
        steps.write(self.warehouse, steps.NewMatches([found]), report.recorded)

    def send(self, **fields: Any) -> int:
        """Send what waits, and copy the attempts; how many went out."""
        sent = claim(self.database, 100, self.now, "me", fundingscout_profile(), per_endpoint=100)
        outcome = {"is_delivered": True, "response_code": 204, "finished_at": self.now, "duration_ms": 1.0} | fields
        for one in sent:
            finish(self.database, one, Outcome(**outcome))
        mirror(self.database, self.warehouse, self.now + timedelta(minutes=1))
        return len(sent)

    def put_back(self, *rounds: str) -> None:
        """The app database as a backup from before these rounds has it."""
        with self.database.write() as session:
            matches = select(Match.id).where(Match.round_id.in_(rounds))
            deliveries = select(Delivery.id).where(Delivery.match_id.in_(matches))
            session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(deliveries)))
            session.execute(delete(Delivery).where(Delivery.match_id.in_(matches)))
            session.execute(delete(Match).where(Match.round_id.in_(rounds)))
            session.execute(delete(Round).where(Round.id.in_(rounds)))

    def restored(self, **more: Any) -> Any:
        return bring_together(self.database, self.warehouse, self.landing, self.now, **({"is_ledger_whole": False} | more))

    def standing(self) -> dict[str, tuple[str, str | None]]:
        with self.database.read() as session:
            rows = session.execute(select(Match.round_id, Delivery.status, Delivery.reason).join(Delivery)).all()
        return {row.round_id: (row.status, row.reason) for row in rows}

    def find_again(self, *rounds: str) -> outbox.RecordReport:
        found = [self.partners.found(self.organization, of) for of in rounds]
        return outbox.record_matches(self.database, found, self.now, maybe_told_until=maybe_told_until(self.warehouse))


@pytest.fixture
def house(partners: Any, tmp_path: Path) -> House:
    return House(partners, tmp_path)


def test_what_was_sent_after_the_backup_is_in_the_ledger_again_and_is_not_sent_a_second_time(house: House) -> None:
    """FS-61."""
    house.match("before")
    house.send()
    house.match("after")
    house.match("failed")
    house.send()
    attempts = [(row.id, row.delivery_id, row.number, row.outcome) for row in house.partners.attempts()]
    house.put_back("after", "failed")
    with pytest.raises(LedgerForgot, match="fundingscout restored"):
        require_memory(house.database, house.warehouse)
    report = house.restored()
    assert (report.recalled.matches, report.recalled.attempts, report.recalled.lost, report.held) == (2, 2, 0, 0)
    assert house.standing() == dict.fromkeys(("before", "after", "failed"), ("delivered", None))
    assert [(row.id, row.delivery_id, row.number, row.outcome) for row in house.partners.attempts()] == attempts
    require_memory(house.database, house.warehouse)
    again = house.find_again("before", "after", "failed")
    assert (again.new, again.known, house.send()) == (0, 3, 0)


def test_rounds_that_the_app_database_lacks_are_published_again(house: House) -> None:
    """A CRM row that changes meets them, and matching would fail for a round that partners can't see."""
    house.match("before")
    house.match("after")
    house.put_back("after")
    assert house.restored().rounds >= 1
    assert house.find_again("after").new == 0  # its match came back with it


def test_what_waited_in_the_backup_is_held_until_somebody_lets_it_go(house: House) -> None:
    """It may have been sent by a service whose memory of it is gone."""
    house.match("waits")
    assert house.restored().held == 1
    assert house.standing() == {"waits": ("held", "restored")}
    assert house.send() == 0
    assert house.find_again("waits").known == 1  # nor does the same news let it go
    assert house.send() == 0
    outbox.release_held(house.database, house.now, days=(house.now.date(), house.now.date()))
    assert house.standing() == {"waits": ("pending", None)}
    assert house.send() == 1


def test_what_was_sent_is_known_although_the_backup_has_it_waiting(house: House) -> None:
    house.match("r1")
    house.send(is_delivered=False, response_code=500, error_class="http_5xx", error="answered 500")
    with house.database.write() as session:
        session.execute(delete(DeliveryAttempt))
        session.execute(update(Delivery).values(status="pending", reason=None, attempts=0, finished_at=None, body=None))
    report = house.restored()
    assert (report.recalled.attempts, report.held) == (1, 0)
    assert house.standing() == {"r1": ("failed", "http_5xx")}
    assert house.send() == 0


def test_news_of_the_day_of_the_restore_is_held_and_later_news_is_told(house: House) -> None:
    """Both stores are old: a feed that still shows what was told brings it as new."""
    house.restored()
    assert maybe_told_until(house.warehouse) == house.now.date()
    house.partners.round("shown_still")
    tomorrow = house.now.date() + timedelta(days=1)
    house.partners.round("of_tomorrow", published_date=tomorrow.isoformat())
    assert house.find_again("shown_still", "of_tomorrow").new == 2
    assert house.standing() == {"shown_still": ("held", "restored"), "of_tomorrow": ("pending", None)}
    assert held_since_restore(house.database) == 1


def test_a_number_that_was_given_to_another_attempt_meanwhile_hides_nothing(house: House) -> None:
    """Somebody started the service on the old ledger, all the same."""
    house.match("sent_before")
    house.send()
    house.put_back("sent_before")
    house.match("sent_meanwhile", is_in_warehouse=False)
    for one in claim(house.database, 100, house.now, "me", fundingscout_profile()):
        finish(house.database, one, Outcome(is_delivered=True, response_code=204, finished_at=house.now, duration_ms=1.0))
    assert house.restored().recalled.attempts == 1
    assert house.standing() == dict.fromkeys(("sent_before", "sent_meanwhile"), ("delivered", None))
    mirror(house.database, house.warehouse, house.now + timedelta(minutes=1))
    with house.warehouse.open() as connection:
        copied = connection.execute("SELECT DISTINCT round_id FROM core.webhook_deliveries ORDER BY ALL").fetchall()
    assert copied == [("sent_before",), ("sent_meanwhile",)]


def test_it_can_be_done_again(house: House) -> None:
    house.match("r1")
    house.send()
    house.put_back("r1")
    house.restored()
    again = house.restored()
    assert (again.recalled.matches, again.recalled.attempts, again.held) == (0, 0, 0)


def test_bodies_that_the_warehouse_lost_are_read_again_where_they_are_kept(house: House) -> None:
    kept = house.landing.put(b"<rss/>")
    with house.database.write() as session:
        for sha256 in (kept, "0" * 64):
            session.add(
                tables.Landing(
                    source_id="wire", kind="feed", url="https://wire.example/rss", sha256=sha256, size=6, is_catch_up=False,
                    fetched_at=house.now, status="parsed", settled_at=house.now,
                )
            )  # fmt: skip
    assert house.restored(is_ledger_whole=True).bodies == 1
    with house.database.read() as session:
        states = dict(list(session.execute(select(tables.Landing.sha256, tables.Landing.status))))
    assert states == {kept: "landed", "0" * 64: "parsed"}


def test_a_ledger_that_is_said_to_be_whole_and_is_not_is_refused(house: House) -> None:
    house.match("r1")
    house.send()
    house.put_back("r1")
    with pytest.raises(LedgerForgot):
        house.restored(is_ledger_whole=True)
    assert maybe_told_until(house.warehouse) is None
