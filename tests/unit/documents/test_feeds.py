from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.feeds import parse_feed
from pipeline.documents.model import Unreadable

URL = "https://wire.example/feed"


def rss(*items: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    return f'{head}<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Wire</title><language>en-GB</language>{"".join(items)}</channel></rss>'.encode()


def item(title: str = "Lumen raises", link: str = "https://wire.example/1", **fields: str) -> str:
    inner = "".join(f"<{name.replace('__', ':')}>{value}</{name.replace('__', ':')}>" for name, value in fields.items())
    return f"<item><title>{title}</title><link>{link}</link>{inner}</item>"


def test_fields_of_an_entry() -> None:
    feed = parse_feed(
        rss(item(guid="g-1", pubDate="Tue, 03 Nov 2026 10:00:00 -0500", description="&lt;p&gt;Short.&lt;/p&gt;")), None, URL
    )
    [entry] = feed.entries
    assert feed.language == "en"
    assert (entry.title, entry.link, entry.guid, entry.text) == ("Lumen raises", "https://wire.example/1", "g-1", "Short.")
    assert entry.published_at == datetime(2026, 11, 3, 15, tzinfo=UTC)
    assert entry.is_teaser


def test_empty_line_before_the_xml_declaration_is_no_error() -> None:
    assert len(parse_feed(b"\n\n" + rss(item()), None, URL).entries) == 1


def test_wrongly_declared_encoding_does_not_garble_titles() -> None:
    body = rss(item(title="Zoë’s Café"), head='<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert parse_feed(body, "text/xml; charset=us-ascii", URL).entries[0].title == "Zoë’s Café"


def test_html_in_titles_is_resolved() -> None:
    body = rss(
        item(title="<![CDATA[Lumen <em>raises</em> &#8364;5m]]>"), item(title="A &amp;amp; B", link="https://wire.example/2")
    )
    assert [entry.title for entry in parse_feed(body, None, URL).entries] == ["Lumen raises €5m", "A & B"]


def test_whole_text_of_an_entry_beats_its_summary_and_is_no_teaser() -> None:
    body = rss(item(description="Short.", content__encoded="<![CDATA[<p>The whole text of it.</p><p>Second.</p>]]>"))
    [entry] = parse_feed(body, None, URL).entries
    assert entry.text == "The whole text of it.\nSecond."
    assert not entry.is_teaser


@pytest.mark.parametrize("end", ["[&#8230;]", "...", "Continue reading at The Wire", "Read more &#187;"])
def test_text_that_breaks_off_is_a_teaser(end: str) -> None:
    body = rss(item(content__encoded=f"<![CDATA[<p>{'Words of a long text. ' * 100}{end}</p>]]>"))
    assert parse_feed(body, None, URL).entries[0].is_teaser


def test_blog_signature_is_no_part_of_the_text() -> None:
    body = rss(item(description="Lumen raised. The post Lumen raises appeared first on The Wire."))
    assert parse_feed(body, None, URL).entries[0].text == "Lumen raised."


@pytest.mark.parametrize("date", ["yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", ""])
def test_useless_dates_are_none(date: str) -> None:
    assert parse_feed(rss(item(pubDate=date)), None, URL).entries[0].published_at is None


def test_relative_and_unusable_links() -> None:
    body = rss(item(link="/news/1"), item(link="javascript:void(0)"))
    assert [entry.link for entry in parse_feed(body, None, URL).entries] == ["https://wire.example/news/1", None]


def test_original_link_beats_the_redirector_of_the_feed() -> None:
    body = rss(item(link="https://proxy.example/~r/1")).replace(
        b"</item>",
        b'<fb:origLink xmlns:fb="http://rssnamespace.org/feedburner/ext/1.0">https://wire.example/1</fb:origLink></item>',
    )
    assert parse_feed(body, None, URL).entries[0].link == "https://wire.example/1"


def test_atom_is_read_alike() -> None:
    body = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>W</title><entry><title type="html">A &lt;b&gt;B&lt;/b&gt;</title>'
        b'<id>tag:1</id><link rel="alternate" href="https://wire.example/1"/><updated>2026-11-03T10:00:00Z</updated></entry></feed>'
    )
    [entry] = parse_feed(body, None, URL).entries
    assert (entry.title, entry.guid, entry.published_at) == ("A B", "tag:1", datetime(2026, 11, 3, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_body"),
        (b" \n", "empty_body"),
        (b"<!DOCTYPE html><html><body>Maintenance</body></html>", "html_instead_of_feed"),
        (b"Service unavailable", "not_a_feed"),
        (b'{"items": []}', "not_a_feed"),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        parse_feed(body, None, URL)
    assert error.value.reason == reason


def test_feed_without_entries_is_a_feed() -> None:
    assert parse_feed(rss(), None, URL).entries == []


def test_external_entities_are_not_resolved(tmp_path: object) -> None:
    body = b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]><rss version="2.0"><channel><item><title>A&x;</title><link>https://wire.example/1</link></item></channel></rss>'
    assert parse_feed(body, None, URL).entries[0].title in {"A", "A&x;"}


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: rss(item(title=text))))
def test_reading_a_feed_gives_entries_or_unreadable(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        entries = parse_feed(body, None, URL).entries
        assert [entry.position for entry in entries] == list(range(len(entries)))
