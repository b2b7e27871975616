"""pipeline.samples: placeholders, and the server that fills them in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pipeline.samples import SampleServer, UnknownPlaceholder, render

EPOCH = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
BASE = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{base}}/news/a", "http://127.0.0.1:8000/news/a"),
        ("{{rfc822:-2h}}", "Sun, 01 Mar 2026 08:30:00 +0000"),
        ("{{iso:-90m}}", "2026-03-01T09:00:00Z"),
        ("{{date:-1d}}", "2026-02-28"),
        ("{{long:+3h}}", "March 1, 2026"),
        ("{{unix:0s}}", "1772361000"),
        ("{{date:-730d}} and {{ base }}", "2024-03-01 and http://127.0.0.1:8000"),
        ("{not one}", "{not one}"),
    ],
)
def test_placeholder_says_what_its_form_says(text: str, filled: str) -> None:
    assert render(text, f"{BASE}/", EPOCH) == filled


@pytest.mark.parametrize("text", ["{{}}", "{{home}}", "{{iso}}", "{{iso:-2w}}", "{{iso:2 h}}", "{{epoch:0s}}", "{{date:--1d}}"])
def test_unknown_placeholder_is_named(text: str) -> None:
    with pytest.raises(UnknownPlaceholder, match=r"\{\{iso:-90m\}\}") as raised:
        render(f"before {text} after", BASE, EPOCH)
    assert text in str(raised.value)


def test_epoch_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        render("", BASE, datetime(2026, 3, 1))  # noqa: DTZ001


def test_times_are_utc_whatever_the_zone_of_the_epoch() -> None:
    eastern = EPOCH.astimezone(timezone(timedelta(hours=-5)))
    assert render("{{iso:0s}} {{date:-11h}}", BASE, eastern) == "2026-03-01T10:30:00Z 2026-02-28"


@given(st.text())
def test_text_without_placeholders_is_left_alone(text: str) -> None:
    plain = text.replace("{{", "{ {")
    assert render(plain, BASE, EPOCH) == plain


@given(st.sampled_from(["rfc822", "iso", "date", "long", "unix"]), st.integers(-9999, 9999), st.sampled_from("smhd"))
def test_every_form_and_offset_renders_and_is_then_plain(form: str, amount: int, unit: str) -> None:
    once = render(f"{{{{{form}:{amount:+}{unit}}}}}", BASE, EPOCH)
    assert "{{" not in once
    assert render(once, BASE, EPOCH) == once


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/feeds/wire.rss", "application/rss+xml; charset=utf-8"),
        ("/feeds/media.rss", "application/rss+xml; charset=utf-8"),
        ("/feeds/startups.atom", "application/atom+xml"),
        ("/news/halvora-18m?utm_source=rss&utm_medium=feed", "text/html; charset=utf-8"),
        ("/news/halvora-18m/", "text/html; charset=utf-8"),
        ("/news/members/harbor-seed", "text/html; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/cgi-bin/browse-edgar?action=getcurrent&type=D&start=0", "application/atom+xml"),
        ("/Archives/edgar/data/9990002/000999000226000001/primary_doc.xml", "text/xml"),
    ],
)
def test_page_is_served_with_its_type_and_without_placeholders(served: SampleServer, path: str, content_type: str) -> None:
    answer = requests.get(served.base_url + path, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    assert b"{{" not in answer.content
    assert len(answer.content) == int(answer.headers["Content-Length"])


def test_known_etag_costs_no_body(served: SampleServer) -> None:
    url = f"{served.base_url}/feeds/wire.rss"
    first = requests.get(url, timeout=5)
    again = requests.get(url, headers={"If-None-Match": first.headers["ETag"]}, timeout=5)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = requests.get(url, headers={"If-None-Match": '"another"'}, timeout=5)
    assert (other.status_code, other.content) == (200, first.content)


def test_head_tells_the_length_and_sends_nothing(served: SampleServer) -> None:
    answer = requests.head(f"{served.base_url}/feeds/wire.rss", timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 10_000


def test_filing_is_found_under_each_of_its_filers(served: SampleServer) -> None:
    paths = [f"/Archives/edgar/data/{cik}/000999000426000001/primary_doc.xml" for cik in (9990004, 9990005)]
    bodies = [requests.get(served.base_url + path, timeout=5).content for path in paths]
    assert bodies[0] == bodies[1]
    assert b"Pooled Investment Fund" in bodies[0]


def test_edgar_answers_503_beyond_its_last_filing(served: SampleServer) -> None:
    answer = requests.get(f"{served.base_url}/cgi-bin/browse-edgar?type=D&start=100", timeout=5)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "text/html"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/expected.yaml",
        "/sources.yaml",
        "/crm/fernhollow_companies.csv",
        "/feeds/none.rss",
        "/feeds/../expected.yaml",
        "/news/../../README",
        "/news/%2e%2e/robots",
        "/Archives/edgar/data/1/000000000000000000/primary_doc.xml",
    ],
)
def test_nothing_but_the_outside_world_is_served(served: SampleServer, path: str) -> None:
    assert served.page(path) is None
    assert requests.get(served.base_url + path, timeout=5).status_code == 404


def test_bytes_of_any_encoding_come_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    raw = bytes(range(256)) + b"{{iso:0s}}"
    (tmp_path / "feeds" / "odd.rss").write_bytes(raw)
    with SampleServer(tmp_path, EPOCH) as server:
        assert (
            requests.get(f"{server.base_url}/feeds/odd.rss", timeout=5).content == bytes(range(256)) + b"2026-03-01T10:30:00Z"
        )


def test_same_port_and_epoch_serve_the_same_bytes(folder: Path) -> None:
    with SampleServer(folder, EPOCH) as first:
        port = int(first.base_url.rsplit(":", 1)[1])
        before = first.page("/feeds/media.rss")
    with SampleServer(folder, EPOCH, port) as second:
        assert second.page("/feeds/media.rss") == before


def test_server_remembers_what_was_asked_and_stops_on_leaving(folder: Path) -> None:
    with SampleServer(folder, EPOCH) as server:
        requests.get(f"{server.base_url}/robots.txt?a=b", timeout=5)
        assert server.requests == [("GET", "/robots.txt?a=b", 200)]
        url = server.base_url
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/robots.txt", timeout=5)
