"""The quick way through plain feeds says what feedparser says, or leaves the feed to it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.documents import feeds
from pipeline.documents.feeds import Feed, parse_feed
from pipeline.documents.model import Unreadable
from pipeline.documents.plain_feeds import read_plain

URL = "https://wire.example/feed"
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:fb="http://rssnamespace.org/feedburner/ext/1.0" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:a="http://www.w3.org/2005/Atom"'
)
WORDS = st.one_of(
    st.sampled_from(
        [
            "", " ", "Lumen raises &#36;5m", "<![CDATA[<p>Pumps &amp; <b>pipes</b></p>]]>",
            "ZoÃ« CafÃ©", "Zoë’s", "it\x92s", "A &amp;amp; B",
            "&lt;p&gt;text&lt;/p&gt;", "a<br/>b", "&nbsp;", "&#8364;5m", "x<!-- note -->y", "1 < 2", "\n  padded \n",
        ]
    ),
    st.text(alphabet=st.characters(exclude_characters="<&", exclude_categories=["Cc", "Cs"]), max_size=12),
)  # fmt: skip
DATES = st.sampled_from(
    [
        "Tue, 03 Nov 2026 10:00:00 -0530", "3 Nov 2026 10:00:00 GMT", "Tue, 03 Nov 26 10:00 EST", "2026-11-03T10:00:00+05:30",
        "2026-11-03T10:00:00.123Z", "2026-11-03", "Tue, 31 Nov 2026 10:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "soon", "",
        "tue, 03 NOV 2026 10:00:00 pdt", "2026-11-03T25:00:00Z", "Tue, 03 Nov 2026 10:00:60 GMT", "2026-11-03t10:00:00z",
    ]
)  # fmt: skip
LINKS = st.sampled_from(
    ["https://wire.example/1", "/1", "https:////wire.example/1", "https://wire.example/?a=1&amp;b=2", "http://[x", "12", " ", "",
     "https://wire.example/?a=1&amp;amp;b;=2", "javascript:void(0)", "tag:wire.example,2026:1"]
)  # fmt: skip
RSS_PARTS = st.one_of(
    WORDS.map(lambda text: f"<title>{text}</title>"),
    WORDS.map(lambda text: f'<title type="html">{text}</title>'),
    WORDS.map(lambda text: f"<description>{text}</description>"),
    WORDS.map(lambda text: f"<content:encoded>{text}</content:encoded>"),
    WORDS.map(lambda text: f"<media:description>{text}</media:description>"),
    WORDS.map(lambda text: f"<media:content url='x'><media:title>{text}</media:title></media:content>"),
    WORDS.map(lambda text: f"<dc:creator>{text}</dc:creator><category>{text}</category>"),
    WORDS.map(lambda text: f"<source url='https://x.test/'>{text}</source>"),
    WORDS.map(lambda text: f"<odd>{text}</odd>"),
    WORDS.map(lambda text: f"<language>{text}</language>"),
    LINKS.map(lambda link: f"<link>{link}</link>"),
    LINKS.map(lambda link: f"<guid>{link}</guid>"),
    LINKS.map(lambda link: f'<guid isPermaLink="false">{link}</guid>'),
    LINKS.map(lambda link: f'<guid isPermaLink="True">{link}</guid>'),
    LINKS.map(lambda link: f"<fb:origLink>{link}</fb:origLink>"),
    LINKS.map(lambda link: f'<a:link href="{link}"/>'),
    DATES.map(lambda date: f"<pubDate>{date}</pubDate>"),
    DATES.map(lambda date: f"<dc:date>{date}</dc:date>"),
    DATES.map(lambda date: f"<PubDate>{date}</PubDate>"),
)
ATOM_PARTS = st.one_of(
    st.tuples(
        st.sampled_from(["title", "summary", "content"]), st.sampled_from(["", "html", "text", "xhtml", "image/png"]), WORDS
    ).map(
        lambda part: f'<{part[0]} type="{part[1]}">{part[2]}</{part[0]}>' if part[1] else f"<{part[0]}>{part[2]}</{part[0]}>"
    ),
    st.tuples(st.sampled_from(["alternate", "self", "enclosure", ""]), LINKS).map(
        lambda part: f'<link rel="{part[0]}" href="{part[1]}"/>' if part[0] else f'<link href="{part[1]}"/>'
    ),
    st.just('<link rel="alternate" type="application/json" href="https://wire.example/1.json"/>'),
    LINKS.map(lambda link: f"<id>{link}</id>"),
    DATES.map(lambda date: f"<updated>{date}</updated>"),
    DATES.map(lambda date: f"<published>{date}</published>"),
    WORDS.map(lambda text: f"<author><name>{text}</name><email>a@b.test</email></author>"),
    WORDS.map(lambda text: f"<source><title>{text}</title></source>"),
)  # fmt: skip
HEADS = st.sampled_from(
    ["", "<language>en-gb</language>", "<language>en</language><language>de</language>", "<dc:language>fr</dc:language>",
     "<image><url>u</url><title>t</title><link>l</link></image>", "<item/>", "<textInput><title>t</title></textInput>",
     "<fb:feedFlare href='u'>add</fb:feedFlare><fb:browserFriendly>x</fb:browserFriendly><cloud domain='d'/>",
    "<a:link href='u' rel='self'/><lastBuildDate>Tue, 03 Nov 2026 10:00:00 GMT</lastBuildDate>", "<entry><title>x</title></entry>"]
)  # fmt: skip


def rss(head: str, items: list[list[str]]) -> str:
    inner = "".join(f"<item>{''.join(parts)}</item>" for parts in items)
    return f'<rss version="2.0" {NAMESPACES}><channel><title>Wire</title>{head}{inner}</channel></rss>'


def atom(items: list[list[str]], attributes: str = "") -> str:
    inner = "".join(f"<entry>{''.join(parts)}</entry>" for parts in items)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"{attributes}><title>Wire</title>{inner}</feed>'


def by_feedparser(text: str) -> Feed | str:
    try:
        return feeds._parse_any(text, text, URL)
    except Unreadable as error:
        return error.reason


def agrees(text: str) -> None:
    if read_plain(text) is None:
        return
    slow = by_feedparser(text)
    assert isinstance(slow, Feed)
    assert parse_feed(text.encode(), None, URL) == slow


@settings(max_examples=150, deadline=None)
@given(HEADS, st.lists(st.lists(RSS_PARTS, max_size=5), max_size=3))
@example(
    "<language>en-gb</language>",
    [["<title>A</title>", "<link>https://wire.example/1</link>", "<pubDate>Tue, 03 Nov 2026 10:00:00 -0530</pubDate>"]],
)
def test_rss_read_quickly_is_what_feedparser_reads(head: str, items: list[list[str]]) -> None:
    agrees(rss(head, items))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(ATOM_PARTS, max_size=5), max_size=3),
    st.sampled_from(["", ' xml:lang="de_DE"', ' xml:lang=""', ' lang="fr"']),
)
def test_atom_read_quickly_is_what_feedparser_reads(items: list[list[str]], attributes: str) -> None:
    agrees(atom(items, attributes))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(0, 30), st.sampled_from(["", "<", "&", "</item>", "\u00e9", "]]>", '"']))
def test_a_damaged_feed_gives_no_fewer_entries_than_feedparser_finds(at: int, cut: int, put: str) -> None:
    text = rss("<language>en</language>", [["<title>One</title><link>https://wire.example/1</link>"], ["<title>Two</title>"]])
    agrees(text[:at] + put + text[at + cut :])


@pytest.mark.parametrize(
    "text",
    [
        rss("", [["<title>A</title>", "<guid>https://wire.example/1</guid>", "<content:encoded>x</content:encoded>"]]),
        atom([["<title>A</title>", "<id>tag:1</id>", '<content type="html">x</content>']], ' xml:lang="en"'),
    ],
)
def test_a_plain_feed_is_read_quickly(text: str) -> None:
    """Or the quick way would be no way at all."""
    assert read_plain(text) is not None
    agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        rss("", [["<title>A<b>B</b></title>"]]),
        rss("", [["<title>A</title><title>B</title>"]]),
        '<!DOCTYPE rss><rss version="2.0"><channel/></rss>',
        '<rss version="2.0"><channel><item><title>&nbsp;</title></item></channel></rss>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
        atom([['<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">x</div></content>']]),
        "no feed",
    ],
)
def test_anything_unusual_is_left_to_feedparser(text: str) -> None:
    assert read_plain(text) is None
