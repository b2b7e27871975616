"""Recorded feeds and filings, served as they were; where the recordings are not at hand, there is nothing to test."""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest
from sqlalchemy import func, select

from pipeline.documents import ingest
from pipeline.documents.edgar import page_url, parse_page
from pipeline.documents.fetch import Fetcher
from pipeline.documents.form_d import parse_form_d
from pipeline.documents.landing import Landing
from pipeline.documents.poll import poll_due
from pipeline.documents.sources import Source
from pipeline.settings import PROJECT_ROOT
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables import documents as tables
from pipeline.store.warehouse import Warehouse

BENCH = PROJECT_ROOT.parent / "shared" / "bench" / "extraction"
NOW = datetime(2026, 1, 12, 16, 30, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="the recordings are not at hand")


@pytest.fixture
def served() -> Iterator[tuple[str, dict[str, tuple[int, bytes]]]]:
    pages: dict[str, tuple[int, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    server.server_close()
    thread.join()


def source(identifier: str, kind: str, url: str) -> Source:
    return Source.model_validate({"id": identifier, "kind": kind, "url": url, "outlet": identifier, "what": "A recording."})


def test_recorded_feeds_become_the_documents_that_are_in_them(
    served: tuple[str, dict[str, tuple[int, bytes]]], make_app_database: Callable[[str], AppDatabase], tmp_path: Path
) -> None:
    base, pages = served
    listing = json.loads((BENCH / "feeds" / "getcurrent_2026-01-12.json").read_text())
    edgar = f"{base}/current?count=100"
    with tarfile.open(BENCH / "feeds" / "getcurrent_2026-01-12.tar.gz") as archive:
        bodies = {Path(member.name).name: archive.extractfile(member) for member in archive.getmembers() if member.isfile()}
        for recorded in listing["pages"]:
            body = bodies[recorded["file"]]
            assert body is not None
            pages[page_url(edgar, recorded["start"]).removeprefix(base)] = (recorded["status"], body.read())
    sources = [source("edgar", "edgar_current", edgar)]
    for name in ("techcrunch_2011", "techcrunch_2023"):
        pages[f"/{name}"] = (200, (BENCH / "feeds" / f"{name}.rss").read_bytes())
        sources.append(source(name.replace("_", "-"), "rss", f"{base}/{name}"))

    database = make_app_database("sqlite")
    landing = Landing(tmp_path / "landing")
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    fetcher = Fetcher(user_agent="fundingscout tests", allowed_networks=(ip_network("127.0.0.0/8"),))
    report = poll_due(database, sources, fetcher, landing, NOW)
    assert report.failures == []
    assert report.landed == 51 + 2

    batch = ingest.read_waiting(database, landing, fetcher, sources, NOW, 0)
    with warehouse.write() as connection:
        written = ingest.write(connection, batch)
    ingest.settle(database, batch, NOW)
    assert written == ingest.WriteReport(new=33, changed=0, unchanged=0, rejected=0)
    with warehouse.open() as connection:
        by_source = connection.execute("SELECT source_id, count(*) FROM raw.documents GROUP BY ALL ORDER BY 1").fetchall()
    assert by_source == [("techcrunch-2011", 17), ("techcrunch-2023", 16)]

    with database.read() as session:
        state = session.get_one(tables.SourceState, "edgar")
        assert len(state.memory["accessions"]) == 3409
        forms = [context["form_type"] for context in session.scalars(select(tables.FollowUp.context))]
        assert (forms.count("D"), forms.count("D/A"), len(forms)) == (196, 141, 337)
        assert session.scalar(select(func.count()).where(tables.Landing.status != "parsed")) == 0


def test_prefix_filter_page_of_july() -> None:
    body = (BENCH / "feeds" / "getcurrent_type_d_2026-07-03.xml").read_bytes()
    forms = {entry.form_type for entry in parse_page(body, "https://filings.example/")}
    assert {"D", "D/A", "DEFA14A"} <= forms


def test_recorded_filings_give_every_expected_field() -> None:
    wrong = []
    for line in (BENCH / "formd" / "expected.jsonl").read_text().splitlines():
        expected = json.loads(line)
        fields = parse_form_d((BENCH / "formd" / expected["file"]).read_bytes())
        names = expected.keys() - {"file", "source"}
        wrong += [(expected["file"], name) for name in names if fields[name] != expected[name]]
    assert wrong == []
