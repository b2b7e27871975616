"""From a feed on a web server to rows of the warehouse, with real stores and real HTTP."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from pipeline.documents import ingest, robots, shared_links
from pipeline.documents.fetch import Fetcher
from pipeline.documents.landing import Landing
from pipeline.documents.pace import HostPaces
from pipeline.documents.poll import PollReport, poll_due
from pipeline.documents.source_hours import copy_source_hours
from pipeline.documents.sources import Source
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables import documents as tables
from pipeline.store.warehouse import Warehouse

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
# As the warehouse gives them.
NAIVE_NOON = NOON.replace(tzinfo=None)
NAIVE_ELEVEN = NAIVE_NOON - timedelta(hours=1)
LONG = " ".join(f"Sentence {number} tells how the maker of warehouse lamps will spend the money." for number in range(12))
FORM_D = """<?xml version="1.0"?><edgarSubmission><schemaVersion>X0708</schemaVersion><submissionType>D</submissionType>
<primaryIssuer><cik>7</cik><entityName>Lumen Robotics, Inc.</entityName></primaryIssuer>
<offeringData><industryGroup><industryGroupType>Other Technology</industryGroupType></industryGroup>
<typesOfSecuritiesOffered><isEquityType>true</isEquityType></typesOfSecuritiesOffered>
<offeringSalesAmounts><totalOfferingAmount>5000000</totalOfferingAmount></offeringSalesAmounts></offeringData></edgarSubmission>"""


@dataclass
class Site:
    base: str
    pages: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda _host, _path: None  # called with each request; may take its time

    def put(self, path: str, body: str, status: int = 200, **headers: str) -> None:
        self.pages[path] = (status, body.encode(), headers)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            served.before(self.headers["Host"].partition(":")[0], self.path)
            status, body, headers = served.pages.get(self.path, (404, b"", {}))
            etag = headers.get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Room:
    """One installation's documents room; ``run`` is what a pipeline run does."""

    database: AppDatabase
    warehouse: Warehouse
    landing: Landing
    fetcher: Fetcher
    sources: list[Source]
    now: datetime = NOON

    def poll(self) -> PollReport:
        return poll_due(self.database, self.sources, self.fetcher, self.landing, self.now)

    def read(self, budget_seconds: float = 5.0) -> Any:
        return ingest.read_waiting(self.database, self.landing, self.fetcher, self.sources, self.now, budget_seconds)

    def write(self, batch: Any) -> ingest.WriteReport:
        with self.warehouse.write() as connection:
            return ingest.write(connection, batch)

    def run(self, budget_seconds: float = 5.0) -> ingest.WriteReport:
        batch = self.read(budget_seconds)
        report = self.write(batch)
        ingest.settle(self.database, batch, self.now)
        return report

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.open() as connection:
            return connection.execute(sql).fetchall()

    def documents(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT * FROM raw.documents ORDER BY document_seq")


def fetcher(**changes: Any) -> Fetcher:
    defaults: dict[str, Any] = {"user_agent": "fundingscout tests", "timeout_seconds": 5.0, "sleep": lambda _seconds: None}
    return Fetcher(**(defaults | {"allowed_networks": (ip_network("127.0.0.0/8"),)} | changes))


@pytest.fixture
def make_room(make_app_database: Callable[[str], AppDatabase], site: Site, tmp_path: Path) -> Callable[..., Room]:
    def make(backend: str = "sqlite", **source: Any) -> Room:
        number = len(list(tmp_path.glob("room-*")))
        folder = tmp_path / f"room-{number}"
        fields = {"id": "wire", "kind": "rss", "url": f"{site.base}/feed", "outlet": "The Wire", "what": "Releases."}
        room = Room(
            make_app_database(backend),
            Warehouse(folder / "warehouse.duckdb"),
            Landing(folder / "landing"),
            fetcher(),
            [Source.model_validate(fields | {"fetch_articles": True} | source)],
        )
        room.fetcher = fetcher(utc_now=lambda: room.now)
        return room

    return make


def feed(*items: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>W</title>{"".join(items)}</channel></rss>'


def item(link: str, title: str = "Lumen raises $5M", date: str = "Tue, 03 Nov 2026 11:00:00 GMT", text: str = "Short.") -> str:
    stated = f"<pubDate>{date}</pubDate>" if date else ""
    return f"<item><title>{title}</title><link>{link}</link><description>{text}</description>{stated}</item>"


def page(text: str = LONG) -> str:
    return f"<html><head><title>T</title></head><body><article><h1>T</h1><p>{text}</p></article></body></html>"


def publish(site: Site) -> None:
    site.put("/feed", feed(item(f"{site.base}/a"), item(f"{site.base}/b", "Umbra buys Lumen")), ETag='"1"')
    site.put("/a", page(), Content_Type="text/html")
    site.put("/b", page(LONG.replace("lamps", "shades")), Content_Type="text/html")


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_article_page_becomes_the_text_of_its_feed_entry(make_room: Callable[..., Room], site: Site, backend: str) -> None:
    """FS-72: feeds are monitored; the page is read where the feed carries only a teaser."""
    room = make_room(backend)
    publish(site)
    assert room.poll().landed == 1
    assert ingest.waiting(room.database, room.now) == ingest.Waiting(1, 0, 1)
    assert room.run() == ingest.WriteReport(new=2, changed=0, unchanged=0, rejected=0)
    rows = room.rows(
        "SELECT document_seq, revision, title, body_origin, published_at, landed_at, is_catch_up FROM raw.documents"
    )
    assert sorted(rows) == [
        (1, 1, "Lumen raises $5M", "article", NAIVE_ELEVEN, NAIVE_NOON, False),
        (2, 1, "Umbra buys Lumen", "article", NAIVE_ELEVEN, NAIVE_NOON, False),
    ]
    assert ingest.waiting(room.database, room.now) == ingest.Waiting(0, 0, None)
    assert room.run() == ingest.WriteReport(0, 0, 0, 0)


def test_feed_that_did_not_change_lands_nothing(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room()
    publish(site)
    room.poll()
    room.now += timedelta(minutes=1)
    assert (room.poll().unchanged, site.asked) == (1, ["/feed", "/feed"])
    # Entries as before, another time of the request around them.
    old = site.pages["/feed"][1].decode().replace("<title>W</title>", "<title>W</title><lastBuildDate>now</lastBuildDate>")
    site.put("/feed", old, ETag='"2"')
    room.now += timedelta(minutes=1)
    report = room.poll()
    assert (report.polled, report.landed, report.unchanged) == (1, 0, 1)


def test_crash_at_any_step_leads_to_the_same_rows(make_room: Callable[..., Room], site: Site) -> None:
    publish(site)
    calm = make_room()
    calm.poll()
    calm.run()

    after_fetching, after_writing, before_fetching = make_room(), make_room(), make_room()
    for room in (after_fetching, after_writing, before_fetching):
        room.poll()
    after_fetching.read()
    after_writing.write(after_writing.read())
    before_fetching.read(budget_seconds=0)
    for room in (after_fetching, after_writing, before_fetching):
        room.run()
        room.run()
        assert room.documents() == calm.documents()


def test_run_without_time_for_pages_gives_teasers_and_a_later_one_their_texts(
    make_room: Callable[..., Room], site: Site
) -> None:
    room = make_room()
    publish(site)
    room.poll()
    assert room.run(budget_seconds=0).new == 2
    assert ingest.waiting(room.database, room.now).follow_ups_due == 2
    assert room.run() == ingest.WriteReport(new=0, changed=2, unchanged=0, rejected=0)
    rows = room.rows("SELECT document_seq, revision, body_origin FROM raw.documents ORDER BY 1")
    assert rows == [(3, 2, "article"), (4, 2, "article")]


def test_changed_title_is_a_revision_and_no_new_document(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room(fetch_articles=False)
    site.put("/feed", feed(item(f"{site.base}/a?utm_source=x")))
    room.poll()
    room.run()
    site.put("/feed", feed(item(f"{site.base}/a", "Lumen raises $6M", "Tue, 03 Nov 2026 11:30:00 GMT")))
    room.now += timedelta(hours=1)
    room.poll()
    assert room.run() == ingest.WriteReport(new=0, changed=1, unchanged=0, rejected=0)
    rows = room.rows("SELECT title, revision, landed_at, published_at FROM raw.documents")
    assert rows == [("Lumen raises $6M", 2, NAIVE_NOON, NAIVE_ELEVEN)]


def test_date_in_the_future_becomes_the_time_it_landed(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room(fetch_articles=False)
    site.put("/feed", feed(item(f"{site.base}/a", date="Fri, 01 Jan 2027 00:00:00 GMT")))
    room.poll()
    room.run()
    assert room.rows("SELECT published_at = landed_at FROM raw.documents") == [(True,)]


def test_undated_entries_of_a_first_poll_tell_nobody_and_later_ones_do(make_room: Callable[..., Room], site: Site) -> None:
    """A-FS-24: what may be old tells nobody."""
    room = make_room(fetch_articles=False)
    site.put("/feed", feed(item(f"{site.base}/a", date=""), item(f"{site.base}/b")))
    room.poll()
    room.run()
    site.put("/feed", feed(item(f"{site.base}/c", date=""), item(f"{site.base}/a", "Renamed", date="")))
    room.now += timedelta(hours=1)
    room.poll()
    room.run()
    rows = room.rows(f"SELECT replace(url, '{site.base}', ''), is_catch_up FROM raw.documents ORDER BY url")
    assert rows == [("/a", True), ("/b", False), ("/c", False)]


def test_source_that_does_not_tell_is_read_as_catch_up(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room(tells=False)
    publish(site)
    room.poll()
    room.run()
    assert room.rows("SELECT DISTINCT is_catch_up FROM raw.documents") == [(True,)]


def test_page_that_robots_keep_from_us_is_not_asked_for(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room()
    publish(site)
    site.put("/robots.txt", "User-agent: *\nDisallow: /a\n", Content_Type="text/plain")
    room.poll()
    room.run()
    assert "/a" not in site.asked
    assert room.rows("SELECT body_origin FROM raw.documents ORDER BY title") == [("feed",), ("article",)]
    with room.database.read() as session:
        states = session.scalars(select(tables.FollowUp.status).order_by(tables.FollowUp.id)).all()
    assert states == ["given_up", "done"]


def test_page_is_asked_for_three_times_and_then_given_up(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room()
    site.put("/feed", feed(item(f"{site.base}/a")))
    site.put("/a", "", status=429)
    site.put("/robots.txt", "", status=404)
    room.poll()
    for _ in range(5):
        room.run()
        room.now += timedelta(hours=1)
    assert site.asked.count("/a") == 3
    assert ingest.waiting(room.database, room.now) == ingest.Waiting(0, 0, None)
    assert room.rows("SELECT body FROM raw.documents") == [("Short.",)]


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_what_is_no_feed_is_quarantined_with_its_reason_and_can_be_replayed(
    make_room: Callable[..., Room], site: Site, backend: str
) -> None:
    room = make_room(backend)
    site.put("/feed", "<!DOCTYPE html><html><body>Maintenance</body></html>")
    room.poll()
    assert room.run().rejected == 1
    assert room.rows("SELECT reason, entry, kind FROM raw.rejected_documents") == [("html_instead_of_feed", "", "feed")]
    assert ingest.waiting(room.database, room.now).landings == 0
    assert [ingest.replay(room.database, which) for which in ("no_such_reason", 999, "html_instead_of_feed")] == [0, 0, 1]
    assert room.run() == ingest.WriteReport(0, 0, 0, 0)
    assert room.rows("SELECT count(*) FROM raw.rejected_documents") == [(1,)]
    [sha256] = room.rows("SELECT landing_sha256 FROM raw.rejected_documents")[0]
    assert ingest.replay(room.database, sha256) == 1
    assert ingest.replay(room.database, 1) == 0  # it waits already


def test_reject_is_taken_back_once_a_mended_reader_reads_the_body(
    make_room: Callable[..., Room], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_room(fetch_articles=False)
    site.put("/feed", feed(item(f"{site.base}/a")))
    room.poll()
    with monkeypatch.context() as broken:
        broken.setattr("pipeline.documents.reading.parse_feed", lambda *_: 1 / 0)
        assert room.run().rejected == 1
    assert room.rows("SELECT reason FROM raw.rejected_documents") == [("reader_failed",)]
    assert ingest.replay(room.database, "reader_failed") == 1
    assert room.run() == ingest.WriteReport(new=1, changed=0, unchanged=0, rejected=0)
    assert room.rows("SELECT count(*) FROM raw.rejected_documents") == [(0,)]


def test_entry_that_cannot_be_known_is_rejected_once_however_often_it_comes(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room(fetch_articles=False)
    for number in range(3):
        site.put("/feed", feed("<item><description>No title, no link.</description></item>", item(f"{site.base}/{number}")))
        room.now += timedelta(hours=1)
        room.poll()
        room.run()
    assert room.rows("SELECT reason, entry FROM raw.rejected_documents") == [("entry_without_identity", "No title, no link.")]
    assert room.rows("SELECT count(*) FROM raw.documents") == [(3,)]


def test_failing_source_is_asked_ever_more_rarely_and_when_it_says(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room(poll_seconds=60)
    site.put("/feed", "", status=404)
    waits = []
    for _ in range(8):
        report = room.poll()
        assert report.failures == [("wire", "http_404: the server answered 404")]
        with room.database.read() as session:
            next_poll_at = session.scalar(select(tables.SourceState.next_poll_at))
        assert next_poll_at is not None
        waits.append((next_poll_at - room.now).total_seconds())
        room.now = next_poll_at
    assert waits == [120, 240, 480, 960, 1920, 3600, 3600, 3600]
    site.put("/feed", "", status=503, Retry_After="7200")
    room.poll()
    with room.database.read() as session:
        assert session.scalar(select(tables.SourceState.next_poll_at)) == room.now + timedelta(hours=2)


def test_polls_are_counted_by_hour_and_copied_without_doubling(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room(poll_seconds=60)
    publish(site)
    for _ in range(3):
        room.poll()
        room.now += timedelta(minutes=1)
    site.put("/feed", "", status=500)
    room.poll()
    for _ in range(2):
        with room.warehouse.write() as connection:
            assert copy_source_hours(room.database, connection, NOON) == 1
    size = len(feed(item(f"{site.base}/a"), item(f"{site.base}/b", "Umbra buys Lumen")))
    rows = room.rows("SELECT * FROM raw.source_hours")
    assert rows == [("wire", NAIVE_NOON, 4, 2, 1, 1, size, "http_500: the server answered 500")]


def test_poll_that_is_not_due_costs_one_query(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room()
    publish(site)
    room.poll()
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(room.database.engine, "before_cursor_execute", note)
    assert room.poll().polled == 0
    assert [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")] == ["SELECT"]
    assert site.asked == ["/feed"]


def test_one_source_that_hangs_does_not_keep_the_others_from_landing(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room()
    publish(site)
    room.fetcher = fetcher(timeout_seconds=0.5, utc_now=lambda: room.now)
    broken = room.sources[0].model_copy(update={"id": "broken", "url": "http://127.0.0.1:9/feed"})
    room.sources = [broken, *room.sources]
    report = room.poll()
    assert report.landed == 1
    assert [source_id for source_id, _error in report.failures] == ["broken"]


def edgar_page(site: Site, *numbers: int) -> str:
    entries = "".join(
        f"<entry><title>D - Lumen Robotics, Inc. (0000000007) (Filer)</title>"
        f'<link rel="alternate" href="{site.base}/f/{number}/x-index.htm"/>'
        f'<updated>2026-11-03T06:00:00-05:00</updated><category term="D"/>'
        f"<id>urn:accession-number=0000000007-26-{number:06d}</id></entry>"
        for number in numbers
    )
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?><feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_filing_of_the_current_feed_becomes_a_document_with_its_fields(
    make_room: Callable[..., Room], site: Site, backend: str
) -> None:
    room = make_room(backend, id="edgar", kind="edgar_current", url=f"{site.base}/current?type=D&count=2", outlet="SEC EDGAR")
    site.put("/current?type=D&count=2&start=0", edgar_page(site, 3, 2))
    site.put("/current?type=D&count=2&start=2", edgar_page(site, 2, 1))
    site.put("/current?type=D&count=2&start=4", "<html>unavailable</html>", status=503)
    for number in (1, 2):
        site.put(f"/f/{number}/primary_doc.xml", FORM_D)
    assert room.poll().landed == 2
    assert room.run() == ingest.WriteReport(new=2, changed=0, unchanged=0, rejected=0)
    [row] = room.rows(
        "SELECT kind, title, published_at, guid, form_d->>'$.total_offering', form_d->>'$.filed_at', is_catch_up, url "
        "FROM raw.documents WHERE guid LIKE '%1'"
    )
    expected = (
        "form_d",
        "Form D: Lumen Robotics, Inc.",
        NAIVE_ELEVEN,
        "0000000007-26-000001",
        "5000000",
        "2026-11-03T11:00:00+00:00",
    )
    assert row == (*expected, False, f"{site.base}/f/1/x-index.htm")
    # A filing whose page is never had is lost to nobody's eyes.
    for _ in range(4):
        room.now += timedelta(hours=1)
        room.run()
    rows = room.rows("SELECT kind, entry, reason, detail FROM raw.rejected_documents")
    assert rows == [("form_d", "0000000007-26-000003", "page_not_had", "http_404: the server answered 404")]
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(tables.FollowUp)) == 3


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_one_pace_per_host_over_all_who_ask(make_app_database: Callable[[str], AppDatabase], backend: str) -> None:
    database = make_app_database(backend)
    one, two = (HostPaces(database, clock=lambda: 1000.0) for _ in range(2))
    waits = [paces.reserve(host, 10.0) for host in ("www.sec.gov", "efts.sec.gov", "sec.gov") for paces in (one, two)]
    assert waits == pytest.approx([0, 0.125, 0.25, 0.375, 0.5, 0.625])
    assert [one.reserve("wire.example", 10.0), two.reserve("wire.example", 10.0)] == pytest.approx([0, 0.5])
    assert [one.reserve("127.0.0.1", 10.0) for _ in range(3)] == [0, 0, 0]
    assert one.reserve("wire.example", 0.9) is None
    assert one.reserve("wire.example", 1.1) == pytest.approx(1.0)


def test_slot_left_in_the_future_by_a_wrong_clock_is_forgotten(make_app_database: Callable[[str], AppDatabase]) -> None:
    database = make_app_database("sqlite")
    HostPaces(database, clock=lambda: 9_000_000.0).reserve("wire.example", 1.0)
    assert HostPaces(database, clock=lambda: 1000.0).reserve("wire.example", 1.0) == 0


def poll_and_run(room: Room, site: Site, *items: str) -> ingest.WriteReport:
    site.put("/feed", feed(*items))
    room.now += timedelta(hours=1)
    room.poll()
    return room.run()


def test_article_listed_twice_stays_one_document_when_a_copy_goes(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room(fetch_articles=False)
    copies = item(f"{site.base}/a"), item(f"{site.base}/a", "LUMEN  raises &lt;b&gt;$5M&lt;/b&gt;")
    assert poll_and_run(room, site, *copies).new == 1
    assert poll_and_run(room, site, copies[0]) == ingest.WriteReport(new=0, changed=0, unchanged=1, rejected=0)
    # Its title may still change: the link names it.
    assert poll_and_run(room, site, item(f"{site.base}/a", "Lumen raises $6M")).changed == 1
    assert room.rows("SELECT title, revision FROM raw.documents") == [("Lumen raises $6M", 2)]


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_entries_of_one_page_stay_apart_in_a_poll_that_holds_just_one(
    make_room: Callable[..., Room], site: Site, backend: str
) -> None:
    room = make_room(backend)
    one, two, three = (item(f"{site.base}/news", title) for title in ("Lumen raises $5M", "Umbra buys Lumen", "Lux opens"))
    assert poll_and_run(room, site, one, two).new == 2
    assert poll_and_run(room, site, one) == ingest.WriteReport(new=0, changed=0, unchanged=1, rejected=0)
    assert poll_and_run(room, site, three).new == 1
    titles = room.rows("SELECT title, revision FROM raw.documents ORDER BY title")
    assert titles == [("Lumen raises $5M", 1), ("Lux opens", 1), ("Umbra buys Lumen", 1)]
    assert "/news" not in site.asked  # the page is none of their texts


def test_crash_before_settling_reads_again_by_what_was_known_before(make_room: Callable[..., Room], site: Site) -> None:
    calm, crashed = make_room(fetch_articles=False), make_room(fetch_articles=False)
    for room in (calm, crashed):
        for titles in (("Lumen raises $5M",), ("Umbra buys Lumen", "Lux opens"), ("Lux opens",)):
            site.put("/feed", feed(*(item(f"{site.base}/news", title) for title in titles)))
            room.now += timedelta(hours=1)
            room.poll()
    crashed.write(crashed.read())
    for room in (calm, crashed):
        room.run()
        room.run()
    assert crashed.documents() == calm.documents()
    assert len(calm.documents()) == 3


def test_shared_links_of_a_source_are_remembered_up_to_a_bound(
    app_database: AppDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_links, "MOST_PER_SOURCE", 2)
    for landing_id, links in enumerate((["a", "b"], ["c"], ["a"]), start=1):
        with app_database.write() as session:
            shared_links.remember(app_database, session, {"wire": dict.fromkeys(links, landing_id), "other": {"z": 1}})
    assert shared_links.known(app_database, {"wire", "other", "new"}) == {"wire": {"a", "c"}, "other": {"z"}, "new": set()}


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_later_runs_do_not_ask_for_robots_again_within_a_day(make_room: Callable[..., Room], site: Site, backend: str) -> None:
    """Each run is a process of its own; ``run`` here shares nothing with the one before but the stores."""
    room = make_room(backend)
    site.put("/robots.txt", "User-agent: *\nDisallow: /private\n", Content_Type="text/plain")
    for number in range(3):
        site.put(f"/{number}", page(LONG + str(number)), Content_Type="text/html")
        poll_and_run(room, site, item(f"{site.base}/{number}"), item(f"{site.base}/private/{number}", "Kept from us"))
    assert site.asked.count("/robots.txt") == 1
    assert not [path for path in site.asked if path.startswith("/private")]
    assert room.rows("SELECT body_origin, count(*) FROM raw.documents GROUP BY 1 ORDER BY 1") == [("article", 3), ("feed", 3)]
    room.now += timedelta(days=1)
    poll_and_run(room, site, item(f"{site.base}/private/9", "Kept from us"))
    assert site.asked.count("/robots.txt") == 2
    with room.database.read() as session:
        assert session.scalars(select(tables.RobotsRules.site)).all() == [site.base]


def test_page_of_a_site_that_cannot_say_waits_an_hour_and_is_then_had(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room()
    publish(site)
    site.put("/robots.txt", "", status=503)
    room.poll()
    room.run()
    asked = site.asked.count("/robots.txt")
    site.put("/robots.txt", "", status=404)
    for minutes in (10, 49):
        room.now += timedelta(minutes=minutes)
        assert room.run() == ingest.WriteReport(0, 0, 0, 0)
    assert site.asked.count("/robots.txt") == asked
    room.now += timedelta(minutes=2)
    assert room.run().changed == 2


def test_robots_rules_that_no_longer_hold_or_are_too_many_are_dropped(
    app_database: AppDatabase, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robots, "MOST_SITES", 2)
    ages = {"expired": -1, "oldest": 1, "newer": 2}
    with app_database.write() as session:
        session.add_all(
            tables.RobotsRules(site=f"https://{name}.example", rules="", error=None, expires_at=NOON + timedelta(hours=age))
            for name, age in ages.items()
        )
    robots.Robots(fetcher(utc_now=lambda: NOON), app_database).check(f"{site.base}/news")
    with app_database.read() as session:
        assert set(session.scalars(select(tables.RobotsRules.site))) == {site.base, "https://newer.example"}


def at_hosts(room: Room, site: Site, *names: str) -> list[str]:
    """The site under these names: hosts of their own, to whoever asks."""
    room.fetcher = fetcher(utc_now=lambda: room.now, resolve=lambda _host, _port: ["127.0.0.1"])
    return [f"http://{name}.example:{site.base.rpartition(':')[2]}" for name in names]


def test_hosts_are_asked_side_by_side_and_each_one_page_at_a_time(make_room: Callable[..., Room], site: Site) -> None:
    room = make_room()
    asking: Counter[str] = Counter()
    most: Counter[str] = Counter()
    both = threading.Barrier(2)

    def before(host: str, path: str) -> None:
        asking[host] += 1
        most[host] = max(most[host], asking[host])
        if path == "/robots.txt":
            both.wait(5)  # breaks unless the other host is asked meanwhile
        threading.Event().wait(0.02)
        asking[host] -= 1

    hosts = at_hosts(room, site, "wire", "press")
    for number in range(3):
        site.put(f"/{number}", page(), Content_Type="text/html")
    site.put("/feed", feed(*(item(f"{host}/{number}", f"{host} {number}") for host in hosts for number in range(3))))
    room.poll()
    site.before = before
    assert room.run().new == 6
    assert not both.broken
    assert most == {"wire.example": 1, "press.example": 1}
    assert room.rows("SELECT DISTINCT body_origin FROM raw.documents") == [("article",)]


@pytest.mark.parametrize("stage", ["page", "name"])
def test_page_that_hangs_holds_neither_other_hosts_nor_the_run_beyond_its_budget(
    make_room: Callable[..., Room], site: Site, stage: str
) -> None:
    room = make_room()
    publish(site)
    slow, quick = at_hosts(room, site, "slow", "quick")
    site.put("/feed", feed(item(f"{slow}/a"), item(f"{quick}/b", "Umbra buys Lumen")))
    room.poll()
    ended = threading.Event()
    given_up: list[bool] = []

    def hang() -> None:
        given_up.append(not ended.wait(120))

    def before(host: str, path: str) -> None:
        if stage == "page" and host == "slow.example" and path == "/a":
            hang()

    def resolve(host: str, _port: int) -> list[str]:
        # Nothing can cut a look-up off.
        if stage == "name" and host == "slow.example":
            hang()
        return ["127.0.0.1"]

    site.before = before
    room.fetcher = fetcher(utc_now=lambda: room.now, resolve=resolve)
    assert room.run(budget_seconds=2.0).new == 2
    assert given_up == []  # it still hangs
    ended.set()
    assert room.rows("SELECT title, body_origin FROM raw.documents ORDER BY title") == [
        ("Lumen raises $5M", "feed"),
        ("Umbra buys Lumen", "article"),
    ]
    # It had its turn: it counts as asked, so that it does not hold up every run.
    with room.database.read() as session:
        attempts = session.execute(select(tables.FollowUp.attempts, tables.FollowUp.status).order_by(tables.FollowUp.id)).all()
    assert [tuple(row) for row in attempts] == [(1, "waiting"), (0, "done")]


def test_page_that_makes_the_fetcher_fail_does_not_keep_others_from_coming(
    make_room: Callable[..., Room], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_room()
    publish(site)
    room.poll()
    check = robots.Robots.check

    def fail_once(self: robots.Robots, url: str, deadline: float | None = None) -> float | None:
        if url.endswith("/a"):
            raise RuntimeError("unforeseen")
        return check(self, url, deadline)

    monkeypatch.setattr(robots.Robots, "check", fail_once)
    assert room.run().new == 2
    assert room.rows("SELECT body_origin FROM raw.documents ORDER BY title") == [("feed",), ("article",)]


def test_what_a_clock_that_was_ahead_had_planned_is_asked_for_when_it_is_right_again(
    make_room: Callable[..., Room], site: Site
) -> None:
    room = make_room()
    publish(site)
    site.put("/a", "moved", 500)
    room.now = NOON + timedelta(days=700)
    assert room.poll().landed == 1
    room.run()
    room.now = NOON
    site.put("/feed", feed(item(f"{site.base}/c", "Lumen buys Umbra")), ETag='"2"')
    assert room.poll().landed == 1
    assert ingest.waiting(room.database, room.now).follow_ups_due == 1
    with room.database.read() as session:
        memory = session.get_one(tables.SourceState, "wire").memory
    assert abs((datetime.now(UTC) - NOON).total_seconds() + memory["clock_ahead_seconds"]) < 60
