from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.text import decode, html_to_text, looks_like_html, one_line


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Zoë raises €5m".encode(), "text/xml; charset=iso-8859-1", "Zoë raises €5m"),  # a server's default is wrong
        (
            b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\x93Zo\xeb\x94</a>',
            None,
            '<?xml version="1.0" encoding="ISO-8859-1"?><a>“Zoë”</a>',
        ),
        ("Łódź".encode("iso-8859-2"), "text/html; charset=iso-8859-2", "Łódź"),
        ("é".encode("utf-16"), None, "é"),
        (b"\xef\xbb\xbfplain", None, "plain"),
        ("Ünïcödé 日本語".encode() + b"\xff", None, "Ünïcödé 日本語\ufffd"),
        (b"a\x00b\x0bc\td", None, "abc\td"),
        (b"caf\xe9", "text/html; charset=no-such-thing", "café"),
    ],
)
def test_encodings_as_found_in_the_wild(body: bytes, content_type: str | None, text: str) -> None:
    assert decode(body, content_type) == text


@given(st.binary(max_size=200), st.none() | st.text(max_size=40))
def test_decoding_is_total(body: bytes, content_type: str | None) -> None:
    text = decode(body, content_type)
    assert isinstance(text, str)
    assert decode(body, content_type) == text


@given(st.text(max_size=200))
def test_html_to_text_is_total(markup: str) -> None:
    assert "\n\n" not in html_to_text(markup)
    one_line(markup)


def test_blocks_become_lines_and_scripts_vanish() -> None:
    markup = (
        "<div><p>First <b>bold</b> line</p><script>'<p>no</p>'</script><ul><li>one</li><li>two &amp; three</li></ul></div>tail"
    )
    assert html_to_text(markup) == "First bold line\none\ntwo & three\ntail"


def test_deeply_nested_page_does_not_exhaust_the_stack() -> None:
    assert html_to_text("<div>" * 5000 + "deep" + "</div>" * 5000).strip() in {"deep", ""}


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("Lumen <b>raises</b> $5M", "Lumen raises $5M"),
        ("R&amp;amp;D at Q&amp;A", "R&D at Q&A"),
        ("Margins &lt; 5% and growth > 3%", "Margins < 5% and growth > 3%"),
        ("  two\n lines ", "two lines"),
    ],
)
def test_titles_lose_markup_and_keep_text(markup: str, title: str) -> None:
    assert one_line(markup) == title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!DOCTYPE html><html>", True),
        (" <html lang=en>", True),
        ('<?xml version="1.0"?><rss>', False),
        ("<rss>", False),
        ("", False),
    ],
)
def test_web_page_is_told_from_a_feed(text: str, expected: bool) -> None:
    assert looks_like_html(text) is expected
