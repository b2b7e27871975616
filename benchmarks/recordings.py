"""The recorded feeds, filings and press releases of a folder, as a web server serves them, and a CRM that knows their companies.

What belongs here: from the folder's files to pages under paths, labels and CRM rows. What does not: running anything on
them (real_bytes).
"""

from __future__ import annotations

import gzip
import json
import re
import tarfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

from lxml import etree

from pipeline.documents.edgar import page_url

SEED = 20_260_112
SEC = b"https://www.sec.gov"
CURRENT, SMALL_PAGE, LISTED_FORMS, RELEASES = "/current?count=100", "/small?count=100", "/forms?count=100", "/releases.rss"
SEC_SOURCES, TECHCRUNCH = {"edgar": CURRENT, "edgar-small": SMALL_PAGE, "edgar-forms": LISTED_FORMS}, ("2011", "2023")
# The one form that stands on a recorded page.
ON_A_PAGE = "stonepeak_feeder_fund.xml"
OTHER_ACCOUNTS = 1_000
# What XML 1.0 can't hold, though a recorded text does.
NOT_XML = {code: None for code in range(32) if chr(code) not in "\t\n\r"}
FIRST = ("Amber", "Birch", "Cinder", "Dune", "Elm", "Fjord", "Garnet", "Harrow", "Iris", "Juniper", "Kelp", "Linden", "Moss")
SECOND = ("bank", "field", "gate", "haven", "loom", "mill", "port", "ridge", "stone", "ward", "well", "wick")
THIRD = ("Analytics", "Bakeries", "Ceramics", "Dental", "Freight", "Instruments", "Labs", "Orchards", "Systems", "Tooling")
Page = tuple[int, str, bytes]  # status, content type, body


@dataclass
class Recordings:
    """What is served: ``pages`` by path with query; ``labels``: release's link to its record of the gold set, or to None
    where it was only drawn from the stream; ``unjudged``: links that no figure may count."""

    pages: dict[str, Page] = field(default_factory=dict)
    labels: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    unjudged: set[str] = field(default_factory=set)

    def links(self, *, positive: bool) -> set[str]:
        """Links of the releases that are a round by their label, or are none by their label or for want of one."""
        judged = {link: row for link, row in self.labels.items() if link not in self.unjudged}
        return {link for link, row in judged.items() if bool(row and row["label"]["is_funding"]) is positive}


def load(folder: Path, base_url: str, gold: int | None, drawn: int) -> Recordings:
    """The recordings of ``folder`` for a server at ``base_url``: ``gold`` labelled releases (None: all) and ``drawn`` others."""
    found = Recordings()
    _add_edgar(found, folder, base_url)
    _add_forms(found, folder, base_url)
    for year in TECHCRUNCH:
        body = (folder / "feeds" / f"techcrunch_{year}.rss").read_bytes()
        found.pages[f"/techcrunch-{year}.rss"] = (200, "application/rss+xml", body)
    found.pages[RELEASES] = (200, "application/rss+xml; charset=utf-8", _release_feed(_releases(found, folder, gold, drawn)))
    return found


def gold_records(folder: Path) -> list[dict[str, Any]]:
    """All labelled records, in the order of the file."""
    with (folder / "gold_open.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def _add_edgar(found: Recordings, folder: Path, base_url: str) -> None:
    listing = json.loads((folder / "feeds" / "getcurrent_2026-01-12.json").read_text(encoding="utf-8"))
    with tarfile.open(folder / "feeds" / "getcurrent_2026-01-12.tar.gz") as archive:
        files = {Path(member.name).name: archive.extractfile(member) for member in archive.getmembers() if member.isfile()}
        for page in listing["pages"]:
            file = files[page["file"]]
            if file is None:
                raise ValueError(f"{page['file']} is not in the archive of pages")
            body = file.read().replace(SEC, base_url.encode())
            found.pages[page_url(CURRENT, page["start"])] = (page["status"], page["content_type"], body)
    small = (folder / "feeds" / "getcurrent_type_d_2026-07-03.xml").read_bytes().replace(SEC, base_url.encode())
    found.pages[page_url(SMALL_PAGE, 0)] = (200, "application/atom+xml", small)


def _add_forms(found: Recordings, folder: Path, base_url: str) -> None:
    """The filings' XML beside their index pages, and a page in EDGAR's format that lists those which stand on none."""
    entries = []
    for line in (folder / "formd" / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        form = json.loads(line)
        body = (folder / "formd" / form["file"]).read_bytes()
        accession = _accession(form, body)
        folder_path = f"/Archives/edgar/data/{int(form['cik'])}/{accession.replace('-', '')}/"
        if form["file"] != ON_A_PAGE:
            entries.append(_entry(form, accession, f"{base_url}{folder_path}{accession}-index.htm", _signed(body)))
        found.pages[f"{folder_path}primary_doc.xml"] = (200, "application/xml", body)
    feed = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n<title>Filings</title>\n'
    page = (feed + "".join(entries) + "</feed>\n").encode("latin-1", "xmlcharrefreplace")
    found.pages[page_url(LISTED_FORMS, 0)] = (200, "application/atom+xml", page)


def _accession(form: dict[str, Any], body: bytes) -> str:
    """As recorded; for a file that does not tell it: the issuer's own first filing of its year, which names no other."""
    if form["file"] == ON_A_PAGE:
        return "0002132077-26-000001"
    stated = re.search(r"\d{10}-\d{2}-\d{6}", form["source"]["path"])
    return stated[0] if stated else f"{form['cik']}-{_signed(body)[2:4]}-000001"


def _signed(body: bytes) -> str:
    """The day a filing was signed, which is as near as its XML comes to the day it was filed."""
    return (etree.fromstring(body).findtext(".//signatureDate") or "").strip()


def _entry(form: dict[str, Any], accession: str, index_url: str, day: str) -> str:
    kind, name = form["submission_type"], escape(form["company_name"])
    return (
        f"<entry>\n<title>{kind} - {name} ({form['cik']}) (Filer)</title>\n"
        f'<link rel="alternate" type="text/html" href="{index_url}"/>\n'
        f'<summary type="html">\n &lt;b&gt;Filed:&lt;/b&gt; {day} &lt;b&gt;AccNo:&lt;/b&gt; {accession}\n</summary>\n'
        f"<updated>{day}T12:00:00-05:00</updated>\n"
        f'<category scheme="https://www.sec.gov/" label="form type" term="{kind}"/>\n'
        f"<id>urn:tag:sec.gov,2008:accession-number={accession}</id>\n</entry>\n"
    )


def _releases(found: Recordings, folder: Path, gold: int | None, drawn: int) -> list[dict[str, Any]]:
    """The releases served: labelled ones that may be passed on, then a draw from the stream that leaves the labelled out."""
    rng = Random(SEED)
    labelled = [row for row in gold_records(folder) if row["kind"] == "body" and row["redistributable"]]
    if gold is not None:
        labelled = rng.sample(labelled, min(gold, len(labelled)))
    flags = json.loads((folder / "stream_open_flags.json").read_text(encoding="utf-8"))
    with gzip.open(folder / "stream_open.jsonl.gz", "rt", encoding="utf-8") as lines:
        stream = [row for row in map(json.loads, lines) if row["id"] not in flags["in_gold_open"]]
    others = rng.sample(stream, min(drawn, len(stream)))
    found.labels = {row["url"]: row for row in labelled} | {row["url"]: None for row in others}
    found.unjudged = {row["url"] for row in labelled if row["ambiguous"]}
    found.unjudged |= {row["url"] for row in others if row["id"] in flags["likely_positives"]}
    return [*labelled, *others]


def _release_feed(releases: list[dict[str, Any]]) -> bytes:
    items = "".join(_item(row) for row in releases)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>Releases</title>\n'
    # Escaped once, as a wire's text is; what stands in a body as an entity is served as it was recorded.
    return f"{head}<language>en</language>\n{items}</channel></rss>\n".translate(NOT_XML).encode("utf-8")


def _item(row: dict[str, Any]) -> str:
    day = row["published_date"]
    date = f"<pubDate>{format_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC))}</pubDate>" if day else ""
    fields = (("title", row["title"]), ("link", row["url"]), ("description", row["body"]))
    return f"<item>{''.join(f'<{name}>{escape(text, quote=False)}</{name}>' for name, text in fields)}{date}</item>\n"


def write_accounts(folder: Path, path: Path) -> int:
    """A CRM of the companies that raised by the labels, in name order, and a thousand made-up others; how many rows."""
    websites: dict[str, str | None] = {}
    for row in gold_records(folder):
        name = row["label"].get("company_name")
        if row["label"]["is_funding"] and name:
            websites[name] = websites.get(name) or row["label"].get("website")
    rng = Random(SEED)
    accounts: list[tuple[str, str | None]] = sorted(websites.items())
    for number in range(OTHER_ACCOUNTS):
        name = f"{rng.choice(FIRST)}{rng.choice(SECOND)} {rng.choice(THIRD)}"
        accounts.append((name, f"{name.lower().replace(' ', '-')}-{number}.example"))
    rows = ({"external_id": f"acc-{n:04d}", "name": name, "domain": site} for n, (name, site) in enumerate(accounts))
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return len(accounts)


class RecordingServer:
    """Serves ``recordings.pages`` on loopback while used as a context manager; anything else is 404.

    ``requests`` lists the path and status of what was asked. Without ETags, so that every poll gets all bytes again.
    """

    def __init__(self) -> None:
        self.recordings = Recordings()
        self.requests: list[tuple[str, int]] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what was asked is in ``requests``."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        status, content_type, body = self.recordings.pages.get(request.path, (404, "text/html", b"<html>Not recorded.</html>"))
        self.requests.append((request.path, status))
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def __enter__(self) -> RecordingServer:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
