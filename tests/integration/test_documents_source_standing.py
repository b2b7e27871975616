"""How sources stand now: who fails, who answers with something else than a feed, and whether anybody asks."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.documents.source_standing import SourceStanding, source_standing
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import Landing, SourceState


def landed(source: str, kind: str, reason: str | None, now: datetime) -> Landing:
    return Landing(
        source_id=source, kind=kind, url="https://wire.example/", sha256="0" * 64, size=1, is_catch_up=False, fetched_at=now,
        status="quarantined" if reason else "parsed", reason=reason, settled_at=now,
    )  # fmt: skip


def test_the_newest_body_says_whether_a_source_that_answers_can_be_read(app_database: AppDatabase, now: datetime) -> None:
    assert source_standing(app_database, now) == SourceStanding()
    with app_database.write() as session:
        for name, failures in (("down", 3), ("html", 0), ("mended", 0), ("page", 0), ("removed", 9)):
            session.add(
                SourceState(
                    source_id=name,
                    last_polled_at=now - timedelta(seconds=90 if name != "removed" else 0),
                    consecutive_failures=failures,
                    last_error="http_503: the server answered 503" if failures else None,
                )
            )
        session.add(landed("html", "feed", None, now))
        session.flush()
        session.add(landed("html", "feed", "html_instead_of_feed", now))
        session.add(landed("mended", "feed", "html_instead_of_feed", now))
        session.flush()
        not_read_yet = landed("html", "feed", None, now)
        not_read_yet.status = "landed"
        session.add(not_read_yet)
        session.add(landed("mended", "feed", None, now))
        session.add(landed("page", "edgar_page", None, now))
        session.flush()
        session.add(landed("page", "article", "no_article_text", now))
    assert source_standing(app_database, now, {"down", "html", "mended", "page"}) == SourceStanding(
        polled=4,
        failing={"down": "http_503: the server answered 503"},
        unreadable={"html": "html_instead_of_feed"},
        seconds_since_poll=90.0,
    )
